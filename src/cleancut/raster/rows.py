"""Rows, not planes: arrays that are computed a strip at a time.

The alpha of a 24-megapixel picture in float32 is 96 MB. So alpha and colour are described by what a strip of
them is, and only the strip being written exists. A step that needs its neighbours states how many rows
(`overlap`); a step that needs everything calls `whole()` and pays for it.
"""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from cleancut.limits import processors

Read: TypeAlias = Callable[[int, int], NDArray[Any]]
T = TypeVar("T")

STRIP_PIXELS = 1 << 18
"""Pixels in a strip: its float32 alpha is 1 MB, so a strip's working set stays in the processor's cache."""

_REMEMBERED = 4


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """An array (H, W) or (H, W, C) that is computed a strip at a time, by any thread.

    Attributes:
        shape: of the whole array.
        read: `read(top, bottom)` computes rows top to bottom − 1; it may be shared, so it is not written to.

    >>> ramp = Rows((4, 2), lambda top, bottom: np.arange(top, bottom)[:, None] * np.ones(2))
    >>> ramp.map(lambda strip: strip + 1).read(1, 3)
    array([[2., 2.],
           [3., 3.]])
    """

    shape: tuple[int, ...]
    read: Read

    @classmethod
    def of(cls, array: NDArray[Any]) -> Rows:
        """Rows of an array that exists."""
        return cls(array.shape, lambda top, bottom: array[top:bottom])

    @classmethod
    def constant(cls, height: int, width: int, value: NDArray[Any]) -> Rows:
        """Rows whose every pixel is `value`, a scalar array or one of (C,)."""
        shape = (height, width, *value.shape)
        return cls(shape, lambda top, bottom: np.broadcast_to(value, (bottom - top, *shape[1:])))

    @property
    def height(self) -> int:
        """Number of rows."""
        return self.shape[0]

    @property
    def width(self) -> int:
        """Number of columns."""
        return self.shape[1]

    def map(self, work: Callable[[NDArray[Any]], NDArray[Any]], overlap: int = 0) -> Rows:
        """Apply `work` to every strip.

        Args:
            work: takes a strip with `overlap` rows more above and below (at the borders the edge row is
                repeated) and returns one of as many rows.
            overlap: rows above and below that decide a row.
        """

        def read(top: int, bottom: int) -> NDArray[Any]:
            if not overlap:
                return work(self.read(top, bottom))
            done = work(self.padded(top - overlap, bottom + overlap))
            return done[overlap : overlap + bottom - top]

        return Rows(self.shape, read)

    def padded(self, top: int, bottom: int) -> NDArray[Any]:
        """Rows top to bottom − 1, where rows outside repeat the nearest one."""
        if top >= 0 and bottom <= self.height:
            return self.read(top, bottom)
        nearest = np.arange(top, bottom).clip(0, self.height - 1)
        inside = self.read(int(nearest[0]), int(nearest[-1]) + 1)
        return np.asarray(inside[nearest - nearest[0]])

    def cropped(self, left: int, top: int, right: int, bottom: int) -> Rows:
        """Rows of the box inside; the box lies within the array."""
        return Rows(
            (bottom - top, right - left, *self.shape[2:]),
            lambda first, last: self.read(first + top, last + top)[:, left:right],
        )

    def placed(self, height: int, width: int, top: int, left: int) -> Rows:
        """Lay this array on a larger one of zeros, cutting off what falls outside."""
        shape = (height, width, *self.shape[2:])

        def read(first: int, last: int) -> NDArray[Any]:
            y0, y1 = max(first - top, 0), min(last - top, self.height)
            x0, x1 = max(-left, 0), min(width - left, self.width)
            if y0 >= y1 or x0 >= x1:
                return np.zeros((last - first, *shape[1:]), self.dtype)
            inside = self.read(y0, y1)[:, x0:x1]
            canvas = np.zeros((last - first, *shape[1:]), inside.dtype)
            canvas[y0 + top - first : y1 + top - first, x0 + left : x1 + left] = inside
            return canvas

        return Rows(shape, read)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of an element, found by reading one row."""
        return self.read(0, 1).dtype

    def remembered(self) -> Rows:
        """Keep the last few strips, for a costly strip that several readers ask for in turn."""
        kept: OrderedDict[tuple[int, int], NDArray[Any]] = OrderedDict()
        lock = threading.Lock()

        def read(top: int, bottom: int) -> NDArray[Any]:
            with lock:
                if (top, bottom) in kept:
                    return kept[top, bottom]
            strip = self.read(top, bottom)
            with lock:
                kept[top, bottom] = strip
                while len(kept) > _REMEMBERED:
                    kept.popitem(last=False)
            return strip

        return Rows(self.shape, read)

    def strips(self) -> list[tuple[int, int]]:
        """(top, bottom) of each strip, in order; always the same for the same shape."""
        return strips(self.height, self.width)

    def whole(self) -> NDArray[Any]:
        """Compute everything at once: this is what costs memory."""
        array: NDArray[Any] | None = None
        for (top, bottom), strip in in_order(self.strips(), lambda part: (part, self.read(*part))):
            if array is None:
                array = np.empty(self.shape, strip.dtype)
            array[top:bottom] = strip
        assert array is not None
        return array


def strips(height: int, width: int) -> list[tuple[int, int]]:
    """Cut `height` rows of `width` pixels into strips of about `STRIP_PIXELS`.

    >>> strips(5, 1 << 17)
    [(0, 2), (2, 4), (4, 5)]
    """
    step = max(1, STRIP_PIXELS // width)
    return [(top, min(top + step, height)) for top in range(0, height, step)]


def in_order(parts: Iterable[Any], work: Callable[[Any], T]) -> Iterator[T]:
    """Yield `work(part)` for each part, in order, worked ahead by as many threads as there are processors.

    At most two parts a thread are in flight, so a slow reader holds back the workers and not the memory.
    """
    parts = list(parts)
    if processors() == 1 or len(parts) == 1:
        yield from map(work, parts)
        return
    with ThreadPoolExecutor(processors(), "cleancut-strip") as pool:
        flying: deque[Future[T]] = deque()
        try:
            for part in parts:
                if len(flying) >= 2 * processors():
                    yield flying.popleft().result()
                flying.append(pool.submit(work, part))
            while flying:
                yield flying.popleft().result()
        finally:
            for future in flying:
                future.cancel()
