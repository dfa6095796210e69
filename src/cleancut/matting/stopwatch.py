"""Milliseconds by stage, for work that is done lazily and by several threads."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager


class Stopwatch:
    """Adds up the time spent in named stages; a stage within a stage counts for itself alone.

    >>> watch = Stopwatch()
    >>> with watch.stage("read"):
    ...     pass
    >>> list(watch.ms())
    ['read']
    """

    def __init__(self) -> None:
        self._seconds: dict[str, float] = {}
        self._intervals: dict[str, tuple[float, float]] = {}
        self._lock = threading.Lock()
        self._inner = threading.local()

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time a stage; its inner stages are taken off."""
        outer = getattr(self._inner, "seconds", 0.0)
        self._inner.seconds = 0.0
        start = time.perf_counter()
        try:
            yield
        finally:
            end = time.perf_counter()
            spent = end - start
            self.add(name, spent - self._inner.seconds)
            self._stretch(name, start, end)
            self._inner.seconds = outer + spent

    def add(self, name: str, seconds: float) -> None:
        """Count seconds to a stage."""
        with self._lock:
            self._seconds[name] = self._seconds.get(name, 0.0) + seconds

    def ms(self) -> dict[str, float]:
        """Milliseconds by stage in order of first end, summed over threads, to a tenth."""
        with self._lock:
            return {name: round(seconds * 1000, 1) for name, seconds in self._seconds.items()}

    def intervals(self) -> dict[str, tuple[float, float]]:
        """When each stage first began and last ended, in seconds of `time.perf_counter`."""
        with self._lock:
            return dict(self._intervals)

    def _stretch(self, name: str, start: float, end: float) -> None:
        with self._lock:
            first, last = self._intervals.get(name, (start, end))
            self._intervals[name] = min(first, start), max(last, end)
