"""Folders: every picture of a tree comes in, results go out into another tree, each whole or not at all."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cleancut.errors import BadInput, CannotWrite, NoSpace, NotAPicture
from cleancut.jobs.batch.nouns import Entry
from cleancut.limits import Limits
from cleancut.pictures.files import load, replacing, shown
from cleancut.pictures.formats import PICTURES, sniff

_HEAD = 1024
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EROFS}


@dataclass(frozen=True, slots=True)
class Folder:
    """The pictures of a folder, its folders included, in the order of their names.

    What begins with a dot is left out, and so are `apart`: the folder of the results, above all. Links to files are
    followed, links to folders only on demand, and never in a circle.

    Attributes:
        root: the folder.
        apart: paths that are not looked into.
        follow_links: whether links to folders are gone into.
    """

    root: Path
    apart: tuple[Path, ...] = ()
    follow_links: bool = False

    endless = False

    def __iter__(self) -> Iterator[Entry]:
        if not self.root.is_dir():
            raise BadInput(f"{shown(self.root)} is not a folder.")
        yield from walked(self, self.root)

    def close(self) -> None:
        """Nothing is held."""

    def name(self, path: Path) -> str:
        """Name what lies in the tree."""
        return path.relative_to(self.root).as_posix()


def walked(tree: Folder, start: Path) -> Iterator[Entry]:
    """List the entries of a folder of a tree, depth last."""
    apart = {path.resolve() for path in tree.apart}
    failed: list[OSError] = []
    been: set[tuple[int, int]] = set()
    for folder, folders, files in os.walk(start, onerror=failed.append, followlinks=tree.follow_links):
        here = Path(folder)
        yield from (_closed(tree, failed.pop()) for _ in tuple(failed))
        if tree.follow_links and not _new(here, been):
            folders.clear()
            continue
        within = sorted(name for name in folders if not name.startswith(".") and (here / name).resolve() not in apart)
        yield from (_linked(tree, here / name) for name in within if _not_followed(tree, here / name))
        folders[:] = [name for name in within if not _not_followed(tree, here / name)]
        whole = here.resolve()
        names = (name for name in sorted(files) if not name.startswith(".") and whole / name not in apart)
        yield from (file_entry(here / name, tree.name(here / name)) for name in names)
    yield from (_closed(tree, error) for error in failed)


def file_entry(path: Path, name: str, *, asked: bool = False) -> Entry:
    """Make the entry of a file; nothing of it is read yet, but for its size and time of change.

    Args:
        path: of the file.
        name: in the tree.
        asked: whether it was asked for by name, so that it fails where it is no picture.
    """
    loose = not asked and path.suffix.lower() not in PICTURES
    return Entry(name, (lambda: _sniffed(path)) if loose else (lambda: path), stamp_of(path), loose=loose)


def stamp_of(path: Path) -> str:
    """Give what changes whenever a file does; empty where it cannot be looked at, which its reading will tell."""
    try:
        about = path.stat()
    except (OSError, ValueError):
        return ""
    return f"{about.st_size}-{about.st_mtime_ns}"


def refused(name: str, error: Exception, *, loose: bool = False, origin: str = "") -> Entry:
    """Make an entry of what cannot be used: it fails, or is skipped, under its name, and spoils no other."""

    def read() -> bytes:
        raise error

    return Entry(name, read, origin=origin, loose=loose)


def _sniffed(path: Path) -> Path:
    """Look at the first bytes of a file whose name promises nothing, before all of it is read."""
    try:
        if path.is_file():
            with path.open("rb") as file:
                sniff(file.read(_HEAD), shown(path.name))
            return path
    except OSError as error:
        raise NotAPicture(f"{shown(path)} cannot be read: {error.strerror}.") from None
    raise NotAPicture(f"{shown(path)} is not a regular file.")


def _closed(tree: Folder, error: OSError) -> Entry:
    path = Path(os.fsdecode(error.filename or tree.root))
    return refused(tree.name(path), NotAPicture(f"{shown(path)} cannot be looked into: {error.strerror}."))


def _not_followed(tree: Folder, path: Path) -> bool:
    return not tree.follow_links and path.is_symlink()


def _linked(tree: Folder, path: Path) -> Entry:
    told = NotAPicture(f"{shown(path)} is a link to a folder; --follow-links goes into it.")
    return refused(tree.name(path), told, loose=True)


def _new(folder: Path, been: set[tuple[int, int]]) -> bool:
    """Tell whether a folder was not yet gone into under another name."""
    try:
        about = folder.stat()
    except OSError:
        return True  # listing it tells why
    known = len(been)
    been.add((about.st_dev, about.st_ino))
    return len(been) > known


PART = ".cleancut-"
"""How the names of files begin that are being written."""


@dataclass(frozen=True, slots=True)
class Results:
    """A folder that results go into.

    Attributes:
        root: the folder; made when the first result is written.
        limits: on what is read back.
    """

    root: Path
    limits: Limits = Limits()

    @property
    def journal(self) -> Path | None:
        """In the folder itself, under a name that is never taken for a picture."""
        return self.root / ".cleancut.jsonl"

    def sweep(self) -> None:
        """Remove what a run that was killed had not finished."""
        for path in self.root.rglob(f"{PART}*") if self.root.is_dir() else ():
            path.unlink(missing_ok=True)

    def size(self, name: str) -> int | None:
        """Tell the bytes of a result, or None."""
        try:
            about = (self.root / name).stat()
        except (OSError, ValueError):
            return None
        return about.st_size

    def put(self, name: str, data: bytes) -> None:
        """Write a result beside its place and rename it.

        Raises:
            NoSpace: the disk is full, or nothing may be written on it.
            CannotWrite: this one cannot be written.
        """
        path = self.root / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            failure = NoSpace if error.errno in _FULL else CannotWrite
            raise failure(f"The folder {shown(path.parent)} cannot be made: {error.strerror}.") from error
        with replacing(path, overwrite=True) as stream:
            stream.write(data)

    def get(self, name: str) -> bytes:
        """Read a result back.

        Raises:
            BadInput: it is not there, or cannot be read.
        """
        return load(self.root / name, self.limits)

    def shown(self, name: str) -> str:
        """Say where a result lies."""
        return shown(self.root / name)

    def close(self, *, whole: bool) -> None:
        """Nothing is held: every result is in its place."""
