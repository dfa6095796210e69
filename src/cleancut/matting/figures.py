"""What an alpha says of itself, without any truth: where it lies, how wide its edge is, how much of it is unsure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cleancut.raster.rows import Rows, in_order
from cleancut.types import Box

Plane = NDArray[np.float32]
Mask = NDArray[np.bool_]

SUBJECT = 13
"""Written alpha (of 255) from which a pixel counts as subject for the box: 5 %, so that haze does not."""

SOFT = (0.05, 0.95)
"""α between which a pixel belongs to the edge."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured on one alpha.

    Attributes:
        box: the smallest box that holds every pixel of α ≥ 5 %; None without one.
        outline: length of the outline in pixels, averaged over all levels of α.
        soft: pixels with 0.05 < α < 0.95.
        steepness: how fast α rises across the outline, a pixel, averaged along it; 1 where the edge is hard.
        pixels: of the picture.
    """

    box: Box | None
    outline: float
    soft: int
    steepness: float
    pixels: int

    @property
    def softness(self) -> float:
        """Mean width in pixels of the way from 0.05 to 0.95 along the outline; panes of glass count as wide edges."""
        return round(self.soft / self.outline, 3) if self.outline else 0.0

    @property
    def uncertain(self) -> float:
        """Share of the picture that is soft."""
        return round(self.soft / self.pixels, 6)


def figures(alpha: Rows) -> Figures:
    """Measure an alpha, rows (H, W) float32 in [0, 1], in one pass.

    The integral of |∇α| is, by the coarea formula (Federer 1959), the mean length of α's level lines, here of those
    from 0.05 to 0.95. What is soft divided by it is the mean width of the soft edge: a ramp of w pixels gives 0.9 w.
    An edge of one pixel is measured up to a tenth too long, as slopes are differences of neighbours.

    >>> ramp = np.tile(np.linspace(0, 1, 11, dtype=np.float32), (4, 1))
    >>> figures(Rows.of(ramp)).box, figures(Rows.of(ramp)).softness
    ((1, 0, 11, 4), 9.0)
    """
    columns, rows = np.zeros(alpha.width, bool), np.zeros(alpha.height, bool)
    total = np.zeros(3)

    def look(part: tuple[int, int]) -> tuple[tuple[int, int], Mask, Mask, NDArray[np.float64]]:
        strip = alpha.padded(part[0], part[1] + 1)
        return part, *_there(strip[:-1]), _edge(strip)

    for (top, bottom), across, down, edge in in_order(alpha.strips(), look):
        columns |= across
        rows[top:bottom] = down
        total += edge
    soft, within, steep = total.tolist()
    steepness = round(steep / within, 4) if within else 0.0
    outline = within / (SOFT[1] - SOFT[0])
    return Figures(_box(columns, rows), outline, int(soft), steepness, alpha.height * alpha.width)


def box_of(alpha: Rows) -> Box | None:
    """Find the smallest box that holds every pixel of α ≥ 5 %; None without one."""
    columns, rows = np.zeros(alpha.width, bool), np.zeros(alpha.height, bool)

    def look(part: tuple[int, int]) -> tuple[tuple[int, int], Mask, Mask]:
        return part, *_there(alpha.read(*part))

    for (top, bottom), across, down in in_order(alpha.strips(), look):
        columns |= across
        rows[top:bottom] = down
    return _box(columns, rows)


class Passing:
    """The box of an alpha, found while its rows pass by to be written, so that none is computed twice.

    Attributes:
        rows: to be read in place of the alpha's own, by any thread; `box` is whole once every row was.

    >>> passing = Passing(Rows.of(np.eye(4, dtype=np.float32)[1:3]))
    >>> _ = passing.rows.whole()
    >>> passing.box
    (1, 0, 3, 2)
    """

    def __init__(self, alpha: Rows) -> None:
        columns, rows = np.zeros(alpha.width, bool), np.zeros(alpha.height, bool)

        def read(top: int, bottom: int) -> Plane:  # knows the masks and not `self`, which would hold itself
            strip = alpha.read(top, bottom)
            across, down = _there(strip)
            columns[across] = True  # only ever set, so that threads need not take turns
            rows[top:bottom][down] = True
            return strip

        self._columns, self._rows = columns, rows
        self.rows = Rows(alpha.shape, read)

    @property
    def box(self) -> Box | None:
        """As `box_of` finds it."""
        return _box(self._columns, self._rows)


def _there(strip: Plane) -> tuple[Mask, Mask]:
    """Tell which columns and which rows of a strip hold some of the subject."""
    there = strip >= SUBJECT / 255
    return np.asarray(there.any(axis=0)), np.asarray(there.any(axis=1))


def _edge(strip: Plane) -> NDArray[np.float64]:
    """Sum over a strip, whose last row only serves its neighbour.

    Returns:
        (3,): soft pixels; |∇α| between 0.05 and 0.95, so that haze does not count; and the same times all of |∇α|.
    """
    low, high = SOFT
    kind = (strip.max(axis=0) > low).astype(np.int8) + (strip.min(axis=0) >= high)
    busy = np.flatnonzero((kind == 1) | (np.diff(kind, append=kind[-1:]) != 0))
    if not len(busy):
        return np.zeros(3)
    part = strip[:, max(int(busy[0]) - 1, 0) : int(busy[-1]) + 2]
    inner = part[:-1]
    soft = (inner > low) & (inner < high)
    within = _slope(part.clip(low, high))
    return np.array([soft.sum(), within.sum(dtype=np.float64), (within * _slope(part)).sum(dtype=np.float64)])


def _slope(part: Plane) -> Plane:
    """Give the gradient's magnitude, by differences to the right and to below."""
    inner = part[:-1]
    return np.hypot(np.diff(inner, axis=1, append=inner[:, -1:]), np.diff(part, axis=0))


def _box(columns: Mask, rows: Mask) -> Box | None:
    if not rows.any():
        return None
    x, y = np.flatnonzero(columns), np.flatnonzero(rows)
    return int(x[0]), int(y[0]), int(x[-1]) + 1, int(y[-1]) + 1
