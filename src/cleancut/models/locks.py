"""One process at a time: a lock that the system gives back when its holder dies, however it dies."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def locked(path: Path, waiting: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Hold the lock of a name; wait for whoever holds it, thread or process.

    The lock is the kernel's and lies on an open file: no process id to be stale, no clock to jump. The file is removed
    where the system allows it.

    Args:
        path: of the lock's file, in a folder that exists.
        waiting: called once where another holds it.
    """
    descriptor = _acquired(path, waiting)
    try:
        yield
    finally:
        _remove(path)
        os.close(descriptor)


def _acquired(path: Path, waiting: Callable[[], None]) -> int:
    told = False
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            if not try_lock(descriptor):
                if not told:
                    waiting()
                    told = True
                _wait_for_lock(descriptor)
            if _is_still(path, descriptor):
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)  # its holder removed it meanwhile: a lock on it locks nobody out


def _is_still(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _remove(path: Path) -> None:
    try:
        path.unlink()
    except OSError:
        return  # Windows removes no file that is open; what stays is empty and locks nobody out


if sys.platform == "win32":
    import msvcrt

    def try_lock(descriptor: int) -> bool:
        """Lock an open file unless another holds it; tell whether it is ours now."""
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _wait_for_lock(descriptor: int) -> None:
        while not try_lock(descriptor):
            time.sleep(0.2)

else:
    import fcntl

    def try_lock(descriptor: int) -> bool:
        """Lock an open file unless another holds it; tell whether it is ours now."""
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _wait_for_lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
