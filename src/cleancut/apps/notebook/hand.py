"""A thread that does one piece of work after another, the most urgent first."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass

from cleancut.errors import Stopped

Check = Callable[[], None]
Work = Callable[[Check], None]


@dataclass(slots=True, eq=False)
class _Task:
    rank: int
    work: Work
    stale: bool = False

    def check(self) -> None:
        if self.stale:
            raise Stopped("Something newer was asked for.")


class Hand:
    """Does work in a thread of its own, which ends where there is none.

    Work is called with a function to call between its steps: it raises Stopped once newer work of the same key, or
    none of that key, is wanted. What else may be raised is the work's own concern: it says how it ended.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = threading.Lock()
        self._tasks: dict[Hashable, _Task] = {}
        self._current: tuple[Hashable, _Task] | None = None
        self._thread: threading.Thread | None = None

    def do(self, key: Hashable, rank: int, work: Work) -> None:
        """Do something, in place of what was wanted by this key; a lower rank comes first."""
        with self._lock:
            self._end(key)
            self._tasks[key] = _Task(rank, work)
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name=self._name, daemon=True)
                self._thread.start()

    def has(self, key: Hashable) -> bool:
        """Tell whether something is wanted by a key, and not done yet."""
        with self._lock:
            current = self._current is not None and self._current[0] == key and not self._current[1].stale
            return current or key in self._tasks

    def sooner(self, key: Hashable, rank: int) -> None:
        """Give what waits by this key another rank."""
        with self._lock:
            if key in self._tasks:
                self._tasks[key].rank = rank

    def drop(self, key: Hashable | None = None) -> None:
        """Leave undone what is wanted by a key, or everything."""
        with self._lock:
            for one in [*self._tasks] if key is None else [key]:
                self._end(one)
            if key is None and self._current is not None:
                self._current[1].stale = True

    def _end(self, key: Hashable) -> None:
        self._tasks.pop(key, None)
        if self._current is not None and self._current[0] == key:
            self._current[1].stale = True

    def _work(self) -> None:
        while (task := self._next()) is not None:
            try:
                task.work(task.check)
            except Stopped:
                continue

    def _next(self) -> _Task | None:
        with self._lock:
            if not self._tasks:
                self._current = self._thread = None
                return None
            key = min(self._tasks, key=lambda key: self._tasks[key].rank)  # of equal ranks the first that came
            task = self._tasks.pop(key)
            self._current = key, task
            return task
