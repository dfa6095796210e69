"""The private folder that the pictures of jobs lie in.

Files are written under another name, brought to the disk and then renamed, so that a name stands for a whole file.
A name says who wrote it, and every writer holds a lock for as long as it lives: what a dead one left behind is told
from what a living one is about to name, without a clock.
"""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import stat
from collections.abc import Collection, Iterable
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import IO

from cleancut.errors import CannotWrite, NoRoom
from cleancut.models.folder import publish
from cleancut.models.locks import locked, try_lock

_PART = ".part"
_LOCK = ".lock"
_SECRET = 32
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class Spool:
    """A folder (0700) of files (0600) that several processes may share.

    Args:
        root: of the folder; made where it is missing.
        spare: bytes that stay free on the disk whatever is asked for, so that what is there can still be settled.

    Raises:
        CannotWrite: the folder cannot be made, is somebody else's or open to others.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     spool = Spool(Path(folder) / "jobs", spare=0)
    ...     name = spool.write(b"pixels")
    ...     spool.read(name)
    b'pixels'
    """

    def __init__(self, root: Path, *, spare: int = 0) -> None:
        self.root = root
        self.spare = spare
        self.writer = secrets.token_hex(8)
        _make_private(root)
        self._files = root / "files"
        self._files.mkdir(mode=0o700, exist_ok=True)
        self._alive = ExitStack()
        self._alive.enter_context(locked(self._lock_of(self.writer)))

    def write(self, data: bytes) -> str:
        """Write a file, whole or not at all; give its name.

        Raises:
            NoRoom: the disk is full.
            CannotWrite: it fails otherwise.
        """
        name = f"{self.writer}-{secrets.token_hex(16)}"
        part = self._files / f"{name}{_PART}"
        try:
            if shutil.disk_usage(self._files).free < len(data) + self.spare:
                raise OSError(errno.ENOSPC, None)
            with open(part, "xb", opener=_private) as stream:
                stream.write(data)
            publish(part, self._files / name)
        except OSError as error:
            part.unlink(missing_ok=True)
            raise told(error) from error
        return name

    def read(self, name: str) -> bytes:
        """Read a file of the spool.

        Raises:
            FileNotFoundError: it was removed meanwhile.
        """
        return (self._files / name).read_bytes()

    def open(self, name: str) -> IO[bytes]:
        """Open a file of the spool; it can be read to its end though it be removed meanwhile.

        Raises:
            FileNotFoundError: it was removed before.
        """
        return (self._files / name).open("rb")

    def remove(self, names: Iterable[str]) -> None:
        """Remove files; those that are gone already are no failure."""
        for name in names:
            (self._files / name).unlink(missing_ok=True)

    def secret(self, name: str) -> bytes:
        """Give 32 random bytes that lie beside the files; the first who asks makes them.

        Raises:
            NoRoom, CannotWrite: they are not there and cannot be made.
        """
        path = self.root / name
        made = self.root / f"{name}-{secrets.token_hex(8)}{_PART}"
        try:
            if not path.exists():
                with open(made, "xb", opener=_private) as stream:
                    stream.write(secrets.token_bytes(_SECRET))
                with suppress(FileExistsError):  # another was first, and it is his that counts
                    os.link(made, path)
            return path.read_bytes()
        except OSError as error:
            raise told(error) from error
        finally:
            made.unlink(missing_ok=True)

    def is_gone(self, writer: str) -> bool:
        """Tell whether a writer is dead, however it died; what is left of its lock goes too."""
        if writer == self.writer:
            return False
        path = self._lock_of(writer)
        try:
            descriptor = os.open(path, os.O_RDWR)
        except FileNotFoundError:
            return True
        try:
            if not try_lock(descriptor):
                return False
            path.unlink(missing_ok=True)  # while it is ours: one that is just being born looks again
            return True
        finally:
            os.close(descriptor)

    def sweep(self, needed: Collection[str]) -> int:
        """Remove what dead writers left: files that nothing needs, files half written, locks. Give how many files."""
        writers = {path.name.removesuffix(_LOCK) for path in self.root.glob(f"*{_LOCK}")}
        names = [path.name for path in self._files.iterdir()]
        writers |= {name.partition("-")[0] for name in names}
        gone = {writer for writer in writers if self.is_gone(writer)}
        leftovers = [name for name in names if name.partition("-")[0] in gone and name not in needed]
        self.remove(leftovers)
        return len(leftovers)

    def close(self) -> None:
        """Leave: what this writer wrote and nothing names may be swept from now on."""
        self._alive.close()

    def _lock_of(self, writer: str) -> Path:
        return self.root / f"{writer}{_LOCK}"


def told(error: OSError) -> CannotWrite | NoRoom:
    """Say in a sentence for strangers why the spool cannot be written."""
    if error.errno in _FULL:
        return NoRoom("The service has no room for more pictures; try again later.")
    return CannotWrite("The service cannot write into its spool; please tell whoever runs it.")


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0), 0o600)


def _make_private(root: Path) -> None:
    try:
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        about = root.stat()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise CannotWrite(f"The spool {root} cannot be made: {reason}.") from error
    if os.name != "posix":
        return
    if about.st_uid != os.geteuid():
        raise CannotWrite(f"The spool {root} belongs to another user; choose a folder of your own.")
    if stat.S_IMODE(about.st_mode) & 0o077:
        raise CannotWrite(f"The spool {root} is open to other users; run chmod 700 on it.")
