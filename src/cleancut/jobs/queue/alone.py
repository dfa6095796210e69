"""A lock that many hold beside each other, or one alone."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Alone:
    """Lets many in beside each other, and whoever wants to be alone as soon as all have left; he goes first.

    >>> lock = Alone()
    >>> with lock.beside(), lock.beside():
    ...     pass
    >>> with lock.alone():
    ...     pass
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._inside = 0
        self._wanted = 0

    @contextmanager
    def beside(self) -> Iterator[None]:
        """Be inside with others."""
        with self._changed:
            self._changed.wait_for(lambda: not self._wanted)
            self._inside += 1
        try:
            yield
        finally:
            self._left()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Be inside with nobody."""
        with self._changed:
            self._wanted += 1
            self._changed.wait_for(lambda: not self._inside)
            self._inside += 1
        try:
            yield
        finally:
            with self._changed:
                self._wanted -= 1
            self._left()

    def _left(self) -> None:
        with self._changed:
            self._inside -= 1
            self._changed.notify_all()
