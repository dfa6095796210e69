"""Grey-scale erosion and dilation by a nearly round element (Serra 1982).

The element is a sum of line segments in eight directions (a polygon of up to 16 sides: Adams 1993, "Radial
decomposition of discs and spheres"), and the extreme over a segment of n pixels takes log2 n steps, so a radius of
100 px costs about 45 passes.
"""

from __future__ import annotations

import functools
import itertools
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cleancut.raster.local import local
from cleancut.raster.rows import Rows

Plane = NDArray[np.uint16]

_FULL = np.float32(65535)
"""What α = 1 is in 16 bits."""

_AXES = ((0, 1), (1, 0))
_DIAGONALS = ((1, 1), (1, -1))
_KNIGHTS = ((1, 2), (2, 1), (1, -2), (2, -1))


@dataclass(frozen=True, slots=True)
class Element:
    """A polygon of pixels about a centre: the sum of segments, each `n` steps to either side.

    Attributes:
        cross: 1 with the pixel's four neighbours, 0 without.
        axis: steps along rows and columns.
        diagonal: steps along the diagonals.
        knight: steps along the four moves of a knight.
    """

    cross: int = 0
    axis: int = 0
    diagonal: int = 0
    knight: int = 0

    @classmethod
    @functools.lru_cache
    def round(cls, radius: int) -> Element:
        """Find the element that comes nearest to a disc: within 3 % of the radius, or half a pixel.

        >>> Element.round(1), Element.round(2)
        (Element(cross=1, axis=0, diagonal=0, knight=0), Element(cross=1, axis=1, diagonal=0, knight=0))
        """
        if radius == 0:
            return cls()
        near = [
            range(max(0, math.floor(share * radius) - 2), math.ceil(share * radius) + 3) for share in (0.2, 0.14, 0.09)
        ]
        whole = (cls(cross, *steps) for cross in (0, 1) for steps in itertools.product(*near))
        return min((one for one in whole if one._filled), key=lambda one: one._error(radius))

    @property
    def reach(self) -> int:
        """How many rows and columns it extends to each side."""
        return self.cross + self.axis + 2 * self.diagonal + 6 * self.knight

    @property
    def _filled(self) -> bool:
        """Whether no pixel inside is missing: oblique segments alone leave gaps."""
        return self.axis > 0 or not (self.diagonal or self.knight)

    def _error(self, radius: float) -> float:
        """How far the polygon's border departs from the circle, at worst, in pixels."""
        angles = np.linspace(0, np.pi / 4, 17)
        x, y = np.cos(angles), np.sin(angles)
        extent = self.cross * x
        for steps, moves in ((self.axis, _AXES), (self.diagonal, _DIAGONALS), (self.knight, _KNIGHTS)):
            extent = extent + steps * sum(abs(dx * x + dy * y) for dy, dx in moves)
        return float(np.abs(extent - radius).max())

    def extreme(self, plane: Plane, pick: np.ufunc) -> Plane:
        """Take np.minimum or np.maximum over the element about each pixel at least `reach` from the border.

        Returns:
            (h − 2 reach, w − 2 reach) of the plane (h, w).
        """
        for steps, moves in ((self.axis, _AXES), (self.diagonal, _DIAGONALS), (self.knight, _KNIGHTS)):
            for move in moves:
                plane = _along(plane, move, 2 * steps + 1, pick)
        if self.cross:
            sides = pick(pick(plane[1:-1, :-2], plane[1:-1, 2:]), pick(plane[:-2, 1:-1], plane[2:, 1:-1]))
            plane = pick(sides, plane[1:-1, 1:-1])
        return plane


def _along(plane: Plane, move: tuple[int, int], length: int, pick: np.ufunc) -> Plane:
    """Take the extreme over `length` pixels in steps of `move`; those covered double with each pass."""
    dy, dx = move
    covered = 1
    while covered < length:
        more = min(covered, length - covered)
        down, across = more * dy, more * abs(dx)
        height, width = plane.shape[0] - down, plane.shape[1] - across
        here, there = (0, across) if dx >= 0 else (across, 0)
        plane = pick(plane[:height, here : here + width], plane[down:, there : there + width])
        covered += more
    return plane


def eroded(alpha: Rows, radius: float) -> Rows:
    """Erode alpha rows (H, W) in [0, 1] by a disc; a fraction of a pixel is interpolated between two discs."""
    return _filtered(alpha, radius, np.minimum)


def dilated(alpha: Rows, radius: float) -> Rows:
    """Dilate alpha rows (H, W) in [0, 1] by a disc; a fraction of a pixel is interpolated between two discs."""
    return _filtered(alpha, radius, np.maximum)


def opened(alpha: Rows, radius: float) -> Rows:
    """Erode, then dilate: what is thinner than the disc goes."""
    return _filtered(alpha, radius, np.minimum, np.maximum)


def closed(alpha: Rows, radius: float) -> Rows:
    """Dilate, then erode: gaps thinner than the disc are filled."""
    return _filtered(alpha, radius, np.maximum, np.minimum)


def _filtered(alpha: Rows, radius: float, *picks: np.ufunc) -> Rows:
    """Take one extreme after another in one go, in 16 bits: half the bytes of float32, and 1/65535 is enough."""

    def work(span: NDArray[np.float32]) -> NDArray[np.float32]:
        plane = (span * _FULL + np.float32(0.5)).astype(np.uint16)
        for pick in picks:
            plane = _extreme(plane, radius, pick)
        return np.asarray(plane / _FULL)

    return local(alpha, len(picks) * _reach(radius), work)


def _reach(radius: float) -> int:
    return max(Element.round(math.floor(radius)).reach, Element.round(math.ceil(radius)).reach)


def _extreme(plane: Plane, radius: float, pick: np.ufunc) -> Plane:
    """Take the extreme over a disc; loses `_reach(radius)` pixels on each side."""
    less, more = Element.round(math.floor(radius)), Element.round(math.ceil(radius))
    reach = max(less.reach, more.reach)
    outer = more.extreme(_inner(plane, reach - more.reach), pick)
    if less == more:
        return outer
    inner = less.extreme(_inner(plane, reach - less.reach), pick)
    share = np.float32(radius - math.floor(radius))
    return np.asarray(inner * (1 - share) + outer * share + np.float32(0.5), np.uint16)


def _inner(plane: Plane, margin: int) -> Plane:
    return plane[margin : plane.shape[0] - margin, margin : plane.shape[1] - margin]
