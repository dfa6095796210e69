"""Look at a picture more than once: mirrored, and closer to what was found; test-time augmentation.

What a view shows is a box of the picture, and the network's answer to it is brought back to a grid over the whole
picture, where answers can be averaged.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cleancut.raster.resample import Fit, weights
from cleancut.types import Box, Picture

Plane = NDArray[np.float32]
Where = tuple[slice, slice]

_ROOM = 8
"""Around what was found a closer look leaves its width and height over this."""

_WIDEST = 0.8
"""Share of the picture from which on a closer look would only show the same again."""


@dataclass(frozen=True, slots=True)
class View:
    """What of a picture is shown.

    Attributes:
        box: part of the picture, in its pixels.
        mirrored: whether left and right change places.
    """

    box: Box
    mirrored: bool = False

    def shown(self, picture: Picture) -> Picture:
        """Give the picture as this view shows it."""

        def part(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
            left, top, right, bottom = self.box
            inside = pixels[top:bottom, left:right]
            return np.ascontiguousarray(inside[:, ::-1]) if self.mirrored else inside

        own = picture.alpha
        return replace(picture, rgb=part(picture.rgb), alpha=None if own is None else part(own))

    def back(self, plane: Plane, fit: Fit, full: tuple[int, int], grid: tuple[int, int]) -> tuple[Plane, Where]:
        """Bring what a network said of this view to a grid over the whole picture.

        Args:
            plane: (h, w) in [0, 1], as the network answered.
            fit: how the view lay in the network's input.
            full: (width, height) of the whole picture in pixels.
            grid: (columns, rows) of the grid.

        Returns:
            the cells whose middle this view shows, float32, and where in the grid they are.
        """
        left, top, right, bottom = self.box
        x0, y0, x1, y1 = fit.box
        if self.mirrored:
            plane, x0, x1 = plane[:, ::-1], fit.size[0] - x1, fit.size[0] - x0
        columns, across = _sampling((left, right), full[0], grid[0])
        rows, down = _sampling((top, bottom), full[1], grid[1])
        to_x, to_y = plane.shape[1] / fit.size[0], plane.shape[0] / fit.size[1]
        span_x = tuple((x0 + share * (x1 - x0)) * to_x for share in across)
        span_y = tuple((y0 + share * (y1 - y0)) * to_y for share in down)
        wide = plane @ weights(plane.shape[1], columns.stop - columns.start, fit.filter, span_x).T
        cells = weights(plane.shape[0], rows.stop - rows.start, fit.filter, span_y) @ wide
        return np.clip(cells, 0, 1), (rows, columns)


def _sampling(part: tuple[int, int], full: int, count: int) -> tuple[slice, tuple[float, float]]:
    """Find the cells, of `count` over `full` pixels, whose middles a part holds, and where in it they begin and end."""
    first, last = part
    cells = slice(*(math.ceil(edge * count / full - 0.5) for edge in part))
    begin, end = ((cell * full / count - first) / (last - first) for cell in (cells.start, cells.stop))
    return cells, (begin, end)


def views(names: str | None, size: tuple[int, int], found: Plane) -> list[View]:
    """List the views besides the plain one.

    Args:
        names: of `VIEWS`, separated by commas; None for none.
        size: (width, height) of the picture.
        found: (rows, columns) of a grid over it, α as the plain view gave it.
    """
    listed = names.split(",") if names else []
    return [view for name in listed if (view := VIEWS[name](size, found)) is not None]


def mirrored(size: tuple[int, int], found: Plane) -> View:
    """Show the whole picture, left and right exchanged."""
    return View((0, 0, *size), mirrored=True)


def closer(size: tuple[int, int], found: Plane) -> View | None:
    """Show what was found with some room around it; None where that is nothing, or nearly all of the picture."""
    y, x = (np.flatnonzero((found >= 0.5).any(axis=axis)) for axis in (1, 0))
    if not len(y):
        return None
    spans = []
    for cells, count, length in ((x, found.shape[1], size[0]), (y, found.shape[0], size[1])):
        first, last = int(cells[0]) / count, (int(cells[-1]) + 1) / count
        room = (last - first) / _ROOM
        spans.append((math.floor(max(first - room, 0) * length), math.ceil(min(last + room, 1) * length)))
    (left, right), (top, bottom) = spans
    if (right - left) * (bottom - top) >= _WIDEST * size[0] * size[1]:
        return None
    return View((left, top, right, bottom))


VIEWS: Mapping[str, Callable[[tuple[int, int], Plane], View | None]] = {"flip": mirrored, "scale": closer}
"""The views that `tta` of a recipe may name."""
