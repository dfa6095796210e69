"""Files by name: patterns, lists in a file or on stdin, and several sources as one."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

from cleancut.errors import BadInput, CleancutError, NotAPicture, TooBig
from cleancut.jobs.batch.addresses import is_address
from cleancut.jobs.batch.folders import file_entry, refused
from cleancut.jobs.batch.inside import inside
from cleancut.jobs.batch.nouns import Entry, Source
from cleancut.jobs.batch.remote import Network
from cleancut.pictures.files import shown

_SIGNS = re.compile(r"[*?[]")


@dataclass(frozen=True, slots=True)
class Matched:
    """The files that a pattern such as photos/**/*.jpg means, named from its first folder that is one.

    Attributes:
        pattern: as `glob` reads it; ** goes into folders, and what begins with a dot is left out.
        apart: paths that are left out, with all that lies in them.
    """

    pattern: str
    apart: tuple[Path, ...] = ()

    endless = False

    @property
    def root(self) -> Path:
        """The folder that names are relative to."""
        parts = Path(self.pattern).parts
        first = next((place for place, part in enumerate(parts) if _SIGNS.search(part)), len(parts) - 1)
        return Path(*parts[:first])

    def __iter__(self) -> Iterator[Entry]:
        apart = [path.resolve() for path in self.apart]
        found = 0
        for name in sorted(glob.iglob(self.pattern, recursive=True)):  # noqa: PTH207 - a pattern may be absolute
            path = Path(name)
            if path.is_dir() or any(path.resolve().is_relative_to(out) for out in apart):
                continue
            found += 1
            yield file_entry(path, path.relative_to(self.root).as_posix())
        if not found:
            raise BadInput(f"No file matches {self.pattern!r}.")

    def close(self) -> None:
        """Nothing is held."""


@dataclass(frozen=True, slots=True)
class Single:
    """One file, or one address, that was asked for by name."""

    text: str
    network: Network

    endless = False

    def __iter__(self) -> Iterator[Entry]:
        if is_address(self.text):
            yield self.network.entry(self.text)
            return
        path = Path(self.text)
        if not path.exists():
            raise NotAPicture(f"{shown(path)} does not exist.")
        yield file_entry(path, path.name, asked=True)

    def close(self) -> None:
        """Nothing is held."""


class Listed:
    """The pictures of a list: a path or an address a line, or with NUL between them, as find -print0 writes it.

    Whoever writes a list says which files are read, as on a command line: they may lie anywhere. Paths are relative
    to the list's folder, or to the current one for stdin.

    Args:
        data: the list.
        root: what paths in it are relative to.
        network: how addresses in it are asked.

    Raises:
        TooBig: it is longer than the limits allow.
        BadInput: it is empty.
    """

    endless = False

    def __init__(self, data: bytes, root: Path, network: Network) -> None:
        sign = b"\0" if b"\0" in data else b"\n"
        most = network.limits.max_entries
        if data.count(sign) > most:
            raise TooBig(f"The list has more than {most:,} lines; split it.")
        lines = (os.fsdecode(line if sign == b"\0" else line.rstrip(b"\r")) for line in data.split(sign))
        self._lines = list(dict.fromkeys(line for line in lines if line))
        self._root = root
        self._network = network
        if not self._lines:
            raise BadInput("The list is empty; write a path or an address a line.")

    def __iter__(self) -> Iterator[Entry]:
        for number, line in enumerate(self._lines, 1):
            try:
                yield located(line, self._root, self._network, confined=False)
            except CleancutError as error:
                yield refused(f"line-{number}", error, origin=f"line {number}")

    def close(self) -> None:
        """Nothing is held."""


def located(text: str, root: Path, network: Network, *, confined: bool) -> Entry:
    """Make the entry of a picture that a list or a table names.

    Args:
        text: a path or an address.
        root: what a path is relative to; a file inside is named from it, another by its whole path.
        network: how an address is asked.
        confined: whether a path that leads out of `root` is refused, links included.

    Raises:
        BadInput: it does.
        BadUrl: an address is not one that may be asked.
    """
    if is_address(text):
        return network.entry(text)
    if "\0" in text:
        raise BadInput(f"{shown(text)} is not the name of a file.")
    path = Path(os.path.abspath(root / text))  # noqa: PTH100 - a link is followed when it is read, and named as it is
    if confined and not path.resolve().is_relative_to(root.resolve()):
        raise BadInput(f"{shown(text)} lies outside of {shown(root)}; name a folder that holds it with --root.")
    base = root.absolute()
    name = path.relative_to(base) if path.is_relative_to(base) else path.relative_to(path.anchor)
    return file_entry(path, inside(name.as_posix()), asked=True)


@dataclass(frozen=True, slots=True)
class Joined:
    """Several sources as one, the names of each below a folder of its own.

    Attributes:
        sources: each with the name of its folder, or "".
    """

    sources: Sequence[tuple[str, Source]]

    @property
    def endless(self) -> bool:
        """Whether one of them waits for more."""
        return any(source.endless for _, source in self.sources)

    def __iter__(self) -> Iterator[Entry]:
        for folder, source in self.sources:
            for entry in source:
                yield replace(entry, name=f"{folder}/{entry.name}", origin=entry.shown) if folder else entry

    def close(self) -> None:
        """Close each of them."""
        for _, source in self.sources:
            source.close()


def read_list(stream: Callable[[], IO[bytes]], name: str, most: int) -> bytes:
    """Read a list or a table whole.

    Raises:
        BadInput: it cannot be read.
        TooBig: it has more bytes than allowed.
    """
    try:
        with stream() as file:
            data = file.read(most + 1)
    except OSError as error:
        raise BadInput(f"{name} cannot be read: {error.strerror}.") from None
    if len(data) > most:
        raise TooBig(f"{name} has more than {most / 1e6:,.0f} MB; split it.")
    return data
