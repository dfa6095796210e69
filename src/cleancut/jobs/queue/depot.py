"""The files of jobs, where every machine reaches them: a shared folder, or whatever else fsspec speaks (S3, GCS, …).

A file is there as a whole or not at all, and none is ever written twice: its name is new. A store that fails is asked
again after a pause that doubles, some times.
"""

from __future__ import annotations

import io
import os
import random
import secrets
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import IO, Any, TypeVar

from cleancut.errors import BadSetting, StorageFailed
from cleancut.jobs.spool import told
from cleancut.models.folder import publish

T = TypeVar("T")

_TRIES = 7
_FIRST_PAUSE, _LONGEST_PAUSE = 0.02, 1.0
_PART = ".part"


class Depot:
    """A folder of files by name, in which `/` makes folders.

    Args:
        url: of the folder, such as `s3://bucket/cleancut`, or a path.
        pause: sleeps so many seconds.

    Raises:
        BadSetting: the address cannot be used, or a package for it is not installed.

    >>> depot = Depot("memory://doctest")
    >>> name = depot.write(b"pixels")
    >>> depot.read(name)
    b'pixels'
    >>> depot.remove([name])
    """

    def __init__(self, url: str, *, pause: Callable[[float], None] = time.sleep) -> None:
        self._files, self._root = _opened(url)
        self._pause = pause
        self.writer = secrets.token_hex(8)
        self._folder = Path(self._root) if _is_local(self._files) else None
        self._known: set[Path] = set()

    def write(self, data: bytes, *, key: str = "", durable: bool = True) -> str:
        """Write a file under a name of its own; give the name.

        Args:
            data: its bytes.
            key: what the name begins with: the key of a result.
            durable: whether a power cut must not take it; who waits for the answer would ask again.

        Raises:
            NoRoom, CannotWrite, StorageFailed: it could not be written.
        """
        name = f"files/{key}-{secrets.token_hex(8)}" if key else f"files/{secrets.token_hex(16)}"
        self.put(name, data, durable=durable)
        return name.removeprefix("files/")

    def read(self, name: str) -> bytes:
        """Read a file that `write` wrote.

        Raises:
            FileNotFoundError: it was removed meanwhile.
            StorageFailed: it could not be read.
        """
        return self.get(f"files/{name}")

    def open(self, name: str) -> IO[bytes]:
        """Open a file; it can be read to its end though it be removed meanwhile.

        Raises:
            FileNotFoundError, StorageFailed: as `read` says.
        """
        if self._folder is not None:
            return (self._folder / "files" / name).open("rb")
        return io.BytesIO(self.read(name))

    def remove(self, names: Iterable[str]) -> None:
        """Remove files; those that are gone already are no failure.

        Raises:
            StorageFailed: one could not be removed.
        """
        for name in names:
            self.drop(f"files/{name}")

    def put(self, path: str, data: bytes, *, durable: bool = True) -> None:
        """Write a file at a path, whole or not at all.

        Raises:
            NoRoom, CannotWrite, StorageFailed: it could not be written.
        """
        if self._folder is not None:
            self._put_on_disk(self._folder / path, data, durable)
        else:
            self._tried(lambda: self._files.pipe_file(f"{self._root}/{path}", data))

    def get(self, path: str) -> bytes:
        """Read the file at a path.

        Raises:
            FileNotFoundError, StorageFailed: as `read` says.
        """
        return self._tried(lambda: bytes(self._files.cat_file(f"{self._root}/{path}")))

    def drop(self, path: str) -> None:
        """Remove the file at a path, if there is one.

        Raises:
            StorageFailed: it could not be removed.
        """
        with suppress(FileNotFoundError):
            self._tried(lambda: self._files.rm_file(f"{self._root}/{path}"))

    def paths(self, under: str) -> dict[str, float]:
        """Give every file below a folder, by its path, with the time it was written in seconds since the epoch.

        Raises:
            StorageFailed: they could not be listed.
        """
        return self._tried(lambda: dict(self._listed(under)))

    def sweep(self, needed: Collection[str], older: float) -> int:
        """Remove files that nothing names and that were written before a time; give how many.

        Raises:
            StorageFailed: they could not be listed or removed.
        """
        found = {path.removeprefix("files/"): written for path, written in self.paths("files").items()}
        left = [name for name, written in found.items() if name not in needed and written < older]
        self.remove(left)
        return len(left)

    def close(self) -> None:
        """Let go of nothing: what fsspec opened it shares with others."""

    def _listed(self, under: str) -> Iterator[tuple[str, float]]:
        self._files.invalidate_cache()
        begin = f"{self._root.strip('/')}/"
        for path, about in self._files.find(f"{self._root}/{under}", detail=True).items():
            yield path.lstrip("/").removeprefix(begin), _written(about)

    def _put_on_disk(self, path: Path, data: bytes, durable: bool) -> None:
        part = path.with_name(f"{path.name}-{self.writer}{_PART}")
        try:
            self._make(path.parent)
            with open(part, "xb", opener=lambda name, flags: os.open(name, flags, 0o600)) as stream:
                stream.write(data)
            if durable:
                publish(part, path)
            else:
                part.replace(path)
        except OSError as error:
            part.unlink(missing_ok=True)
            raise told(error) from error

    def _make(self, folder: Path) -> None:
        if folder not in self._known:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._known.add(folder)

    def _tried(self, act: Callable[[], T]) -> T:
        """Do something again while it fails, after pauses that grow; that a file is not there is no failure."""
        for attempt in range(_TRIES):
            try:
                return act()
            except FileNotFoundError:
                raise
            except Exception as error:
                if attempt + 1 == _TRIES:
                    raise StorageFailed(f"The store of pictures failed {_TRIES} times: {error}.") from error
                pause = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2**attempt)
                self._pause(pause * random.uniform(0.5, 1))
        raise StorageFailed("The store of pictures was not asked.")


def _opened(url: str) -> tuple[Any, str]:
    try:
        from fsspec.core import url_to_fs  # noqa: PLC0415 - of an extra
    except ModuleNotFoundError:
        raise BadSetting('A queue needs packages of its own: pip install "cleancut[queue]".') from None
    try:
        files, root = url_to_fs(url)
        if _is_local(files):
            Path(root).mkdir(mode=0o700, parents=True, exist_ok=True)
    except ImportError as error:
        raise BadSetting(f'{url} needs a package that is not installed: pip install "cleancut[cloud]".') from error
    except (OSError, ValueError) as error:
        raise BadSetting(f"The store of pictures {url} cannot be used: {error}.") from error
    return files, str(root).rstrip("/")


def _is_local(files: Any) -> bool:
    return "file" in ((files.protocol,) if isinstance(files.protocol, str) else files.protocol)


def _written(about: dict[str, Any]) -> float:
    """Tell when a file was written, as each store calls it; one that does not say is as new as can be."""
    for name in ("mtime", "LastModified", "last_modified", "updated", "created"):
        when = about.get(name)
        if isinstance(when, datetime):
            return when.timestamp()
        if isinstance(when, int | float):
            return float(when)
        if isinstance(when, str):
            return datetime.fromisoformat(when).timestamp()
    return float("inf")
