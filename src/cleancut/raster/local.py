"""Filters that look at a pixel's neighbourhood, run only where the alpha has an edge.

Most of an alpha is exactly or nearly 0 or 1. A filter that leaves a constant as it is (a blur, an erosion, a
dilation and their compositions) has nothing to do there, so strips are cut into tiles and calm tiles are skipped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from cleancut.raster.lazy import in_blocks
from cleancut.raster.rows import Rows

Plane = NDArray[np.float32]
Work = Callable[[Plane], Plane]

UNSEEN = np.float32(1 / 510)
"""Less than this is written as 0, and more than 1 − this as 255."""

_TILE = 64

_SPAN = 1 << 18
"""Pixels that are filtered in one go, so that they stay in the processor's cache."""

_EMPTY, _FULL, _FLAT, _BUSY = range(4)


def local(alpha: Rows, reach: int, work: Work) -> Rows:
    """Run a filter that leaves constants as they are, where there is something for it to do.

    What would be written as 0 or 255 is made exactly 0 or 1 first, so that the haze that networks leave behind does
    not count as an edge. Outside the picture its border pixels are repeated. No row is read more than twice.

    Args:
        alpha: rows (H, W) float32 in [0, 1].
        reach: how many pixels away, in rows and columns, a pixel still has influence.
        work: takes (h + 2 reach, w + 2 reach) and returns the inner (h, w).

    Returns:
        Rows (H, W) float32.
    """

    def read(top: int, bottom: int) -> Plane:
        window = alpha.padded(top - reach, bottom + reach)
        result = np.array(window[reach : reach + bottom - top])
        for kind, left, right in _spans(window, reach):
            if kind == _BUSY:
                result[:, left:right] = work(_snapped(_columns(window, left - reach, right + reach)))
            elif kind != _FLAT:
                result[:, left:right] = kind == _FULL
        return result

    step = alpha.strips()[0][1]
    rows = Rows(alpha.shape, read)
    return rows if step >= 2 * reach else in_blocks(rows, 2 * reach)


def _spans(window: Plane, reach: int) -> Iterator[tuple[int, int, int]]:
    """Cut the columns into spans (kind, left, right), told from all that lies within reach of them."""
    edges = np.arange(0, window.shape[1], _TILE)
    low = _around(np.minimum.reduceat(window.min(axis=0), edges), reach, np.minimum)
    high = _around(np.maximum.reduceat(window.max(axis=0), edges), reach, np.maximum)
    kinds = np.select([high < UNSEEN, low > 1 - UNSEEN, low == high], [_EMPTY, _FULL, _FLAT], _BUSY)
    most = max(_SPAN // window.shape[0], 2 * reach) // _TILE + 1
    left = 0
    for tile in range(1, len(kinds) + 1):
        if tile < len(kinds) and kinds[tile] == kinds[left] and tile - left < most:
            continue
        yield int(kinds[left]), left * _TILE, min(tile * _TILE, window.shape[1])
        left = tile


def _around(tiles: Plane, reach: int, pick: np.ufunc) -> Plane:
    """Take the extreme of each tile and of those within reach."""
    result = tiles.copy()
    for step in range(1, min(-(-reach // _TILE), len(tiles) - 1) + 1):
        pick(result[step:], tiles[:-step], out=result[step:])
        pick(result[:-step], tiles[step:], out=result[:-step])
    return result


def _columns(window: Plane, left: int, right: int) -> Plane:
    """Columns left to right − 1, where columns outside repeat the nearest one."""
    width = window.shape[1]
    inside = window[:, max(left, 0) : min(right, width)]
    return np.pad(inside, ((0, 0), (max(-left, 0), max(right - width, 0))), mode="edge")


def _snapped(plane: Plane) -> Plane:
    """Make 0 and 1 of what would be written as 0 and 255."""
    return np.where(plane < UNSEEN, np.float32(0), np.where(plane > 1 - UNSEEN, np.float32(1), plane))
