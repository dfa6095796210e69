"""Work that is put off until its result is asked for, and then done once, whichever threads ask."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from cleancut.limits import processors
from cleancut.raster.rows import Rows

T = TypeVar("T")


def once(work: Callable[[], T]) -> Callable[[], T]:
    """Give a function that does `work` at its first call and remembers the answer.

    Threads that ask meanwhile wait for it. A failure is not remembered: the next call tries again.

    >>> answer = once(lambda: print("working") or 42)
    >>> answer(), answer()
    working
    (42, 42)
    """
    lock = threading.Lock()
    done: list[T] = []

    def ask() -> T:
        with lock:
            if not done:
                done.append(work())
            return done[0]

    return ask


def in_blocks(rows: Rows, step: int) -> Rows:
    """Compute `step` rows at a time, whatever strips are asked for, and keep the last few such blocks.

    It pays where a strip costs much more than its share of a block. A thread that needs a block which another is
    computing works ahead on a later one meanwhile.
    """
    kept: OrderedDict[int, Future[NDArray[Any]]] = OrderedDict()
    lock = threading.Lock()
    count = -(-rows.height // step)
    ahead = processors()

    def claimed(indices: range) -> tuple[int, Future[NDArray[Any]]] | None:
        """Take the first block that nobody has begun."""
        with lock:
            index = next((index for index in indices if index not in kept), None)
            if index is None:
                return None
            future = kept[index] = Future()
            while len(kept) > 3 * ahead + len(indices):
                kept.popitem(last=False)
        return index, future

    def compute(index: int, future: Future[NDArray[Any]]) -> None:
        try:
            future.set_result(rows.read(index * step, min((index + 1) * step, rows.height)))
        except BaseException as error:
            with lock:
                kept.pop(index, None)
            future.set_exception(error)
            raise

    def block(index: int) -> NDArray[Any]:
        # A loop: a function that called itself would hold itself, and with it the picture until the collector comes.
        while True:
            if mine := claimed(range(index, index + 1)):
                compute(*mine)
                return mine[1].result()
            with lock:
                future = kept.get(index)
            if future is not None:  # it was not dropped just now
                break
        if not future.done() and (later := claimed(range(index + 1, min(index + 1 + ahead, count)))):
            compute(*later)
        return future.result()

    def read(top: int, bottom: int) -> NDArray[Any]:
        first = top // step
        blocks = [block(index) for index in range(first, -(-bottom // step))]
        whole = blocks[0] if len(blocks) == 1 else np.concatenate(blocks)
        return whole[top - first * step : bottom - first * step]

    return Rows(rows.shape, read)
