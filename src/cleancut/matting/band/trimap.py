"""From an alpha to a trimap: what is certainly subject, what is certainly not, and the band in between.

The band is not an erosion of fixed width. It holds what is soft, and reaches beyond it the further the slower alpha
rises there and the less the network is sure: hair is wider than the blob that a small network makes of it, and the side
of a car is not. An alpha that was enlarged says where the edge is only to within a pixel of the smaller one.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from cleancut.errors import BadSetting
from cleancut.raster.lazy import in_blocks
from cleancut.raster.rows import Rows, in_order

Plane = NDArray[np.float32]
Trimap = NDArray[np.uint8]

BACKGROUND, UNKNOWN, FOREGROUND = 0, 128, 255

CLEAR, SOLID = 0.05, 0.95
"""α up to the one is background, from the other on foreground, where nothing soft is near."""

DOUBT = 0.5
"""Uncertainty from which a pixel is unknown whatever its alpha."""

_REACH = 16
"""How far the band reaches beyond what is soft at most, in cells."""

_SLOPE = 0.5
"""How far it reaches, as a share of the length over which alpha rises from 0 to 1."""

_STEEPEST = 4
"""Cells around in which the steepest rise counts: towards its ends every edge is flat."""

_UNSURE = 12.0
"""How many cells further it reaches where the network is wholly unsure."""

_MARGIN = _REACH + _STEEPEST + 1
_SIDES = ((0, 1), (1, 0))


def trimap(alpha: Rows, uncertainty: Rows | None = None, *, scale: float = 1.0) -> Rows:
    """Mark foreground, background and the band that is neither.

    It is worked out on cells of half a pixel of the alpha before it was enlarged, and at full size where it was not.

    Args:
        alpha: rows (H, W) float32 in [0, 1].
        uncertainty: rows (H, W) float32 in [0, 1], or None where the network does not say.
        scale: how many times alpha was enlarged, at least 1.

    Returns:
        Rows (H, W) uint8: 0 background, 128 unknown, 255 foreground. A hard edge of an alpha that was not enlarged is
        given a band of 4 pixels.

    Raises:
        BadSetting: `scale` is below 1 or not finite.

    >>> step = Rows.of(np.repeat(np.float32([[0, 1]]), 6, axis=1))
    >>> trimap(step).whole().tolist()
    [[0, 0, 0, 0, 128, 128, 128, 128, 255, 255, 255, 255]]
    """
    if not (math.isfinite(scale) and scale >= 1):
        raise BadSetting(f"The scale of a trimap must be at least 1, not {scale}.")
    cell = max(1, round(scale / 2))
    margin = _MARGIN * cell

    def read(top: int, bottom: int) -> Trimap:
        last = top + -(-(bottom - top) // cell) * cell
        low, high = (_cells(alpha, top - margin, last + margin, cell, pick) for pick in (np.minimum, np.maximum))
        doubt = None if uncertainty is None else _cells(uncertainty, top - margin, last + margin, cell, np.maximum)
        marked = _marked(low, high, doubt)[_MARGIN:-_MARGIN]
        return marked.repeat(cell, axis=0).repeat(cell, axis=1)[: bottom - top, : alpha.width]

    return in_blocks(Rows(alpha.shape, read), max(cell, alpha.strips()[0][1] // cell * cell, 2 * margin))


def certainty(alpha: Plane) -> Trimap:
    """Make a trimap of an alpha that is one: 0 and 1 are certain, all else is unknown.

    >>> certainty(np.float32([0, 0.5, 0.99, 1])).tolist()
    [0, 128, 128, 255]
    """
    marked = np.full(alpha.shape, UNKNOWN, np.uint8)
    marked[alpha <= 0], marked[alpha >= 1] = BACKGROUND, FOREGROUND
    return marked


def overlaid(marked: Rows, marks: Rows | None) -> Rows:
    """Lay what a person marked, rows (H, W) uint8 as of a trimap, over a trimap.

    >>> marks = Rows.of(np.array([[255, 128, 0]], np.uint8))
    >>> overlaid(Rows.of(np.array([[128, 128, 255]], np.uint8)), marks).whole().tolist()
    [[255, 128, 0]]
    """
    if marks is None:
        return marked

    def read(top: int, bottom: int) -> Trimap:
        said = marks.read(top, bottom)
        return np.where(said == UNKNOWN, marked.read(top, bottom), said)

    return Rows(marked.shape, read)


def unknown_share(marked: Rows) -> float:
    """Give the share of pixels that a trimap leaves unknown, in [0, 1].

    >>> unknown_share(Rows.of(np.array([[0, 128, 255, 255]], np.uint8)))
    0.25
    """
    counts = in_order(marked.strips(), lambda part: int((marked.read(*part) == UNKNOWN).sum()))
    return sum(counts) / (marked.height * marked.width)


def _marked(low: Plane, high: Plane, unsure: Plane | None) -> Trimap:
    """Mark cells by their least and greatest alpha, and the greatest uncertainty."""
    marked = np.where(low >= SOLID, np.uint8(FOREGROUND), np.uint8(BACKGROUND))
    near_low, near_high = _around(low, np.minimum), _around(high, np.maximum)
    soft = (near_low < SOLID) & (near_high > CLEAR)
    if unsure is not None:
        soft |= unsure >= DOUBT
    if not soft.any():
        return marked
    rise = near_high - near_low
    for _ in range(_STEEPEST):
        rise = _around(rise, np.maximum)
    # Over three cells alpha rises by this much, so that from 0 to 1 it takes 3 / rise; 3 is as hard as it can be.
    reach = _SLOPE * (3 / np.maximum(rise, np.float32(0.05)) - 3) + 1
    if unsure is not None:
        reach += _UNSURE * unsure
    marked[_within(np.where(soft, np.minimum(reach, _REACH), -1)) >= 0] = UNKNOWN
    return marked


def _cells(plane: Rows, top: int, bottom: int, cell: int, pick: np.ufunc) -> Plane:
    """Take the extreme of each cell of rows top to bottom − 1, both multiples of a cell; the last may be smaller.

    Rows outside repeat the nearest one. They are not made: of a long strip a cell is higher than the whole picture.
    """
    if cell == 1:
        return plane.padded(top, bottom)
    inside = plane.read(max(top, 0), min(bottom, plane.height))
    tall = pick.reduceat(inside, np.arange(0, len(inside), cell), axis=0)
    above, below = max(-top, 0) // cell, max(bottom - plane.height, 0) // cell
    tall = np.concatenate([inside[:1].repeat(above, axis=0), tall, inside[-1:].repeat(below, axis=0)])
    return np.asarray(pick.reduceat(tall, np.arange(0, plane.width, cell), axis=1))


def _around(plane: Plane, pick: np.ufunc) -> Plane:
    """Take the extreme over each cell and its eight neighbours."""
    for down, across in _SIDES:
        wide = np.pad(plane, ((down, down), (across, across)), "edge")
        height, width = plane.shape
        plane = pick(pick(wide[:height, :width], plane), wide[2 * down :, 2 * across :])
    return plane


def _within(reach: Plane) -> Plane:
    """Let each cell's reach spread: a step to a side takes 1 of it, a step along a diagonal √2."""
    for _ in range(math.ceil(float(reach.max()))):
        wide = np.pad(reach, 1, constant_values=-1)
        straight = np.maximum(np.maximum(wide[:-2, 1:-1], wide[2:, 1:-1]), np.maximum(wide[1:-1, :-2], wide[1:-1, 2:]))
        oblique = np.maximum(np.maximum(wide[:-2, :-2], wide[:-2, 2:]), np.maximum(wide[2:, :-2], wide[2:, 2:]))
        reach = np.maximum(reach, np.maximum(straight - 1, oblique - np.float32(math.sqrt(2))))
    return reach
