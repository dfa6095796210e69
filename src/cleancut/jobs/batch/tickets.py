"""The bound on pictures in memory: who reads one takes a ticket, and gives it back once its results are settled."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Ticket:
    """Leave to hold one picture, until all its results are settled.

    Attributes:
        over: set once they are.
    """

    def __init__(self, give: Callable[[], None]) -> None:
        self._give = give
        self._left = 1
        self._lock = threading.Lock()
        self.over = threading.Event()

    def split(self, results: int) -> None:
        """Say how many results there will be; at least one."""
        self._left = results

    def settle(self) -> None:
        """Tell that one result is settled."""
        with self._lock:
            self._left -= 1
            last = self._left == 0
        if last:
            self._end()

    def drop(self) -> None:
        """Tell that nothing more comes of it, whatever is left."""
        with self._lock:
            last, self._left = self._left > 0, 0
        if last:
            self._end()

    def _end(self) -> None:
        self.over.set()
        self._give()


class Tickets:
    """So many tickets as pictures may be in memory.

    >>> tickets = Tickets(1)
    >>> ticket = tickets.take()
    >>> tickets.stop()
    >>> tickets.take() is None
    True
    """

    def __init__(self, count: int) -> None:
        self._count = self._free = count
        self._stopped = False
        self._changed = threading.Condition()  # of an RLock: a signal's function may call `stop` in the midst of this

    def take(self) -> Ticket | None:
        """Wait for a ticket; None once nothing more is to be begun."""
        with self._changed:
            self._changed.wait_for(lambda: self._free or self._stopped)
            if self._stopped:
                return None
            self._free -= 1
            return Ticket(self._give)

    def _give(self) -> None:
        with self._changed:
            self._free += 1
            self._changed.notify_all()

    def stop(self) -> None:
        """Let nobody take another."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def settled(self) -> None:
        """Wait until all are given back."""
        with self._changed:
            self._changed.wait_for(lambda: self._free == self._count)
