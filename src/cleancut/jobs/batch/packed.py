"""ZIP archives out: the archive appears whole or not at all, and a run that was cut short is continued."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import IO

from cleancut.errors import BadInput, CannotWrite, NotFound
from cleancut.jobs.batch.archives import count_entries
from cleancut.jobs.batch.folders import PART, Results
from cleancut.limits import SourceLimits
from cleancut.models.folder import publish, writing
from cleancut.pictures.files import replacing, shown

_CHUNK = 1 << 20


class Packed:
    """An archive that results go into.

    Until the batch has come to its end, results lie one by one in a hidden folder beside the archive, so that a run
    that was killed loses none of them and the next one goes on. Then the archive is written anew and takes its name:
    what it held before, the new results in place of old ones of the same name, in the order of their names. Equal
    results make equal archives, byte for byte.

    Args:
        path: of the archive.
        limits: on an archive that is there already, and on what is read back.

    Raises:
        BadInput: what is there is no ZIP.
    """

    def __init__(self, path: Path, limits: SourceLimits) -> None:
        self._path = path
        self._parts = Results(path.with_name(f".{path.name}.parts"), limits)
        self._before = _held(path, limits)

    @property
    def journal(self) -> Path | None:
        """Beside the archive, so that it outlives the folder of what is not packed yet."""
        return self._path.with_name(f".{self._path.name}.jsonl")

    def sweep(self) -> None:
        """Remove what a run that was killed had not finished."""
        self._parts.sweep()

    def size(self, name: str) -> int | None:
        """Tell the bytes of a result, packed or not; None where there is none."""
        found = self._parts.size(name)
        return self._before.get(name) if found is None else found

    def put(self, name: str, data: bytes) -> None:
        """Write a result beside the archive.

        Raises:
            NoSpace, CannotWrite: as for a folder; also where a ZIP cannot hold the name.
        """
        try:
            name.encode()
        except UnicodeEncodeError:
            raise CannotWrite(f"A ZIP cannot hold the name {shown(name)}, which is no UTF-8; rename it.") from None
        self._parts.put(name, data)

    def get(self, name: str) -> bytes:
        """Read a result back.

        Raises:
            BadInput: it is not there, or cannot be read.
        """
        if self._parts.size(name) is not None:
            return self._parts.get(name)
        if name not in self._before:
            raise NotFound(f"{shown(self._path)} holds no {shown(name)}.")
        with zipfile.ZipFile(self._path) as archive:
            return archive.read(name)

    def shown(self, name: str) -> str:
        """Say where a result lies."""
        return f"{shown(self._path)}/{shown(name)}"

    def close(self, *, whole: bool) -> None:
        """Write the archive if the batch came to its end; otherwise leave all for the next run.

        Raises:
            NoSpace, CannotWrite: it cannot be written; the results stay where they are.
        """
        root = self._parts.root
        if not whole or not root.is_dir():
            return
        fresh = {path.relative_to(root).as_posix(): path for path in _files(root)}
        if fresh:
            packed = root / f"{PART}archive"  # where the next run sweeps
            with replacing(packed, overwrite=True) as stream:
                self._pack(fresh, stream)
            with writing(self._path):
                publish(packed, self._path)
        shutil.rmtree(root, ignore_errors=True)  # an empty folder that stays is in nobody's way

    def _pack(self, fresh: dict[str, Path], stream: IO[bytes]) -> None:
        """Pack; pictures are compressed already, so they are only stored."""
        with ExitStack() as held, zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
            found: dict[str, tuple[int, Callable[[], IO[bytes]]]] = {}
            if self._before:
                old = held.enter_context(zipfile.ZipFile(self._path))
                found = {name: (size, partial(old.open, name)) for name, size in self._before.items()}
            found |= {name: (path.stat().st_size, partial(_reading, path)) for name, path in fresh.items()}
            for name, (size, opened) in sorted(found.items()):
                info = zipfile.ZipInfo(name)  # of 1980: when it was packed is no part of what it holds
                info.file_size = size
                with opened() as source, archive.open(info, "w") as target:
                    shutil.copyfileobj(source, target, _CHUNK)


def _reading(path: Path) -> IO[bytes]:
    return path.open("rb")


def _held(path: Path, limits: SourceLimits) -> dict[str, int]:
    """List what an archive holds that is there already: bytes by name."""
    if not path.exists():
        return {}
    try:
        with path.open("rb") as file:
            count_entries(file, shown(path), limits)
        with zipfile.ZipFile(path) as archive:
            return {info.filename: info.file_size for info in archive.infolist() if not info.is_dir()}
    except OSError as error:
        raise BadInput(f"{shown(path)} cannot be read: {error.strerror}.") from None
    except zipfile.BadZipFile:
        raise BadInput(f"{shown(path)} is there already and damaged; remove it or name another.") from None


def _files(root: Path) -> Iterator[Path]:
    """List what was finished; what was being written when a process died is left out."""
    for path in sorted(root.rglob("*")):
        if path.is_file() and not path.name.startswith(PART):
            yield path
