"""Files: named so that they print safely, read within limits, written whole or not at all."""

from __future__ import annotations

import errno
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from cleancut.errors import CannotWrite, NoSpace, NotAPicture, TooBig
from cleancut.limits import Limits

_LONGEST_NAME = 300

_CANNOT_READ = {
    errno.ENOENT: "does not exist",
    errno.ENOTDIR: "does not exist",
    errno.EACCES: "may not be read; check its permissions",
    errno.EPERM: "may not be read; check its permissions",
    errno.ELOOP: "is a symbolic link that leads back to itself",
    errno.ENAMETOOLONG: "is too long a name for a file",
}

_CANNOT_WRITE = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "your share of the disk is full",
    errno.EFBIG: "the file would be larger than the disk allows",
    errno.EROFS: "its folder is read-only",
    errno.EACCES: "its folder is read-only",
    errno.EPERM: "its folder is read-only",
    errno.ENOENT: "its folder does not exist",
    errno.ENOTDIR: "what should be its folder is a file",
    errno.EISDIR: "there is a folder of that name",
    errno.ENAMETOOLONG: "the name is too long",
    errno.EEXIST: "it exists already; allow overwriting or choose another name",
}

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EROFS}
"""After which no other file can be written there either."""


def shown(name: str | bytes | os.PathLike[str] | os.PathLike[bytes]) -> str:
    r"""Give a file's name as it may be printed: valid Unicode, no control characters, not endless.

    >>> shown(b"caf\xe9\n.jpg")
    'caf��.jpg'
    """
    text = os.fsdecode(name)
    if len(text) > _LONGEST_NAME:
        text = f"{text[: _LONGEST_NAME // 2]}…{text[-_LONGEST_NAME // 2 :]}"
    return "".join(character if character.isprintable() else "�" for character in text)


def load(path: Path, limits: Limits, name: str | None = None) -> bytes:
    """Read a regular file, no larger than the limits allow, once.

    Args:
        path: of the file.
        limits: on its bytes.
        name: what to call it in messages; by default its path.

    Raises:
        NotAPicture: there is no such file, it is no regular file, or it may not be read.
        TooBig: it has more bytes than allowed.
    """
    name = name or shown(path)
    if "\0" in str(path):
        raise NotAPicture(f"{name} is not the name of a file.")
    try:
        _check_kind(path.stat().st_mode, name)
        with open(path, "rb", opener=_without_waiting) as file:
            about = os.fstat(file.fileno())
            _check_kind(about.st_mode, name)  # it may be another file by now
            check_bytes(about.st_size, name, limits)
            return file.read(about.st_size + 1)[: about.st_size]
    except OSError as error:
        if error.errno == errno.ENOENT and path.is_symlink():
            raise NotAPicture(f"{name} is a symbolic link to a file that does not exist.") from None
        raise NotAPicture(f"{name} {_CANNOT_READ.get(error.errno or 0, 'cannot be read from the disk')}.") from error
    except MemoryError:
        raise TooBig(f"{name} does not fit into memory.") from None


def check_bytes(size: int, name: str, limits: Limits) -> None:
    """Refuse more bytes than the limits allow, and none at all.

    Raises:
        TooBig: there are more.
        NotAPicture: there is not one.
    """
    if size > limits.max_bytes:
        raise TooBig(f"{name} has {size / 1e6:,.6g} MB; the limit is {limits.max_bytes / 1e6:,.6g} MB.")
    if size == 0:
        raise NotAPicture(f"{name} is empty; check that it was copied or downloaded to its end.")


def _check_kind(mode: int, name: str) -> None:
    if stat.S_ISDIR(mode):
        raise NotAPicture(f"{name} is a folder; name the pictures in it.")
    if not stat.S_ISREG(mode):
        raise NotAPicture(f"{name} is not a regular file; send its content through stdin instead.")


def _without_waiting(path: str, flags: int) -> int:
    """Open a file; one that became a pipe since it was looked at must not block."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


@contextmanager
def replacing(path: Path, overwrite: bool) -> Iterator[IO[bytes]]:
    """Write a file that appears whole or not at all.

    The stream goes to a temporary file in the same folder, which takes the path's place at the end; whatever
    fails, Ctrl-C included, leaves nothing behind. A symbolic link stays one: the file it leads to is written.

    Args:
        path: the file to write.
        overwrite: whether it may exist; if not, one that appears meanwhile is left alone too.

    Raises:
        CannotWrite: the file exists, or cannot be written.
    """
    if "\0" in str(path):
        raise CannotWrite(f"{shown(path)} is not the name of a file.")
    target = Path(os.path.realpath(path))
    temporary = target.with_name(f".cleancut-{secrets.token_hex(8)}")
    try:
        _check_free(target, overwrite)
        with temporary.open("xb") as stream:
            yield stream
        _publish(temporary, target, overwrite)
    except OSError as error:
        reason = _CANNOT_WRITE.get(error.errno or 0) or error.strerror or "the encoder failed"
        failure = NoSpace if error.errno in _FULL else CannotWrite
        raise failure(f"{shown(path)} cannot be written: {reason}.") from error
    finally:
        _remove(temporary)


def _check_free(target: Path, overwrite: bool) -> None:
    """Refuse before the work what would be refused after it."""
    try:
        mode = target.lstat().st_mode
    except FileNotFoundError:
        return
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, None)
    if not overwrite:
        raise FileExistsError(errno.EEXIST, None)
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, "it is a device or a pipe; write to stdout instead")


def _publish(temporary: Path, target: Path, overwrite: bool) -> None:
    if not overwrite:
        try:
            os.link(temporary, target)
        except FileExistsError:
            raise
        except OSError:  # a file system without links: claim the name first
            target.open("xb").close()
        else:
            return
    temporary.replace(target)


def _remove(temporary: Path) -> None:
    try:
        temporary.unlink(missing_ok=True)
    except OSError:
        return  # what could not be made, or whose folder is gone, cannot be removed either
