"""How other threads have something done where the kernel handles its messages.

Only there may anything be sent to the page. That is the main thread and, where JupyterLab asks for it, one beside it
that handles the messages of widgets while a cell runs. Whichever of them is free first runs what waits.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable, Iterator

Errand = Callable[[], None]


class Errands:
    """What waits to be done in a thread of the kernel's.

    Args:
        lock: held while errands are run, so that only one thread does so at a time.
        after: run once they are done, under the lock too.
    """

    def __init__(self, lock: threading.RLock, after: Errand) -> None:
        self._lock, self._after = lock, after
        self._waiting: queue.SimpleQueue[Errand] = queue.SimpleQueue()
        self._came = threading.Event()
        self._loops: list[asyncio.AbstractEventLoop] = []

    def here(self) -> None:
        """Have errands run in the calling thread, if it has an event loop that runs."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:  # a plain Python: whoever wants something waits for it
            return
        if loop not in self._loops:
            self._loops = [*(known for known in self._loops if not known.is_closed()), loop]

    def put(self, errand: Errand) -> None:
        """Have an errand run soon; from any thread."""
        self._waiting.put(errand)
        self._came.set()
        for loop in self._loops:
            try:
                loop.call_soon_threadsafe(self.run)
            except RuntimeError:  # it was closed meanwhile, and nobody is left in it to tell
                continue

    def run(self) -> None:
        """Run what waits; in a thread of the kernel's."""
        with self._lock:
            self._came.clear()
            for errand in self._those_waiting():
                errand()
            self._after()

    def wait(self, seconds: float) -> None:
        """Wait until there may be something to run, and run it; in the main thread, while a cell keeps it."""
        self._came.wait(seconds)
        self.run()

    def _those_waiting(self) -> Iterator[Errand]:
        while True:
            try:
                yield self._waiting.get_nowait()
            except queue.Empty:
                return
