"""The pictures of a comparison: thumbnails, a map of the differences, and the places where they are largest."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cleancut.apps.compare.cases import Case
from cleancut.pictures.page import thumbnail
from cleancut.raster.checkerboard import over_checkerboard

Pixels = NDArray[np.uint8]
Plane = NDArray[np.float32]

THUMB = 480
"""Longer side of a thumbnail in pixels."""

CROP = 160
"""Side of a crop in pixels of the picture."""

CROPS = 3

_CELL = CROP // 4
_SQUARE = 10
_LEAST = 0.02
"""Mean difference of α over a crop from which it is worth a look."""


@dataclass(frozen=True, slots=True, eq=False)
class Shot:
    """A picture of the report.

    Attributes:
        title: what it shows.
        pixels: (h, w, 3) uint8.
    """

    title: str
    pixels: Pixels


def overview(case: Case, labels: tuple[str, str]) -> list[Shot]:
    """Show a case in small: the picture, A, B, the truth and where A and B differ, as far as there are any."""
    shots = [(title, _thumb(pixels)) for title, pixels in _planes(case, labels)]
    return [Shot(title, pixels) for title, pixels in shots] + [Shot(_legend(labels), _map(_pooled(_apart(case))))]


def closeups(case: Case, labels: tuple[str, str]) -> list[list[Shot]]:
    """Show the places where A and B differ most, at the picture's own size."""
    apart = _apart(case)
    shown = []
    for top, left in worst(np.abs(apart)):
        part = np.s_[top : top + CROP, left : left + CROP]
        shots = [Shot(title, _grounded(pixels[part])) for title, pixels in _planes(case, labels)]
        shown.append([*shots, Shot(_legend(labels), _map(apart[part]))])
    return shown


def worst(apart: Plane) -> Iterator[tuple[int, int]]:
    """Find up to three squares of `CROP` pixels that do not overlap and differ most; give (top, left) of each.

    Args:
        apart: (H, W) absolute difference of α.
    """
    cells = _cells(apart)
    least = _LEAST * min(CROP, apart.shape[0]) * min(CROP, apart.shape[1])
    across = min(4, cells.shape[1])
    down = min(4, cells.shape[0])
    sums = np.lib.stride_tricks.sliding_window_view(cells, (down, across)).sum(axis=(2, 3))
    for _ in range(CROPS):
        y, x = np.unravel_index(int(sums.argmax()), sums.shape)
        if sums[y, x] < least:
            return
        yield (
            max(0, min(int(y) * _CELL, apart.shape[0] - CROP)),
            max(0, min(int(x) * _CELL, apart.shape[1] - CROP)),
        )
        sums[max(0, y - down + 1) : y + down, max(0, x - across + 1) : x + across] = -1


def _cells(apart: Plane) -> NDArray[np.float64]:
    """Sum over cells; those at the end may be smaller."""
    tall = np.add.reduceat(apart.astype(np.float64), np.arange(0, apart.shape[0], _CELL), axis=0)
    return np.asarray(np.add.reduceat(tall, np.arange(0, apart.shape[1], _CELL), axis=1))


def _planes(case: Case, labels: tuple[str, str]) -> list[tuple[str, Pixels]]:
    """List what a case has to show: (H, W, 3) or, with an alpha, (H, W, 4)."""
    source = [] if case.source is None else [("picture", case.source)]
    truth = [] if case.truth is None else [("truth", _visible(case.truth.cut, case.truth.colored))]
    sides = [(label, _visible(side.cut, side.colored)) for label, side in zip(labels, case.sides, strict=True)]
    return [*source, *sides, *truth]


def _visible(cut: Pixels, colored: bool) -> Pixels:
    """Show a cut-out as it is, a mask in grey."""
    return cut if colored else cut[..., :3]


def _thumb(pixels: Pixels) -> Pixels:
    return thumbnail(pixels, THUMB, _SQUARE)


def _grounded(pixels: Pixels) -> Pixels:
    return over_checkerboard(pixels, _SQUARE) if pixels.shape[2] == 4 else np.ascontiguousarray(pixels)


def _apart(case: Case) -> Plane:
    one, other = case.sides
    return one.alpha - other.alpha


def _pooled(apart: Plane) -> Plane:
    """Reduce a difference to a thumbnail so that a thin line of it still shows: each cell takes its largest."""
    step = -(-max(apart.shape) // THUMB)
    if step == 1:
        return apart
    high, low = (_extreme(apart, step, pick) for pick in (np.maximum, np.minimum))
    return np.where(high > -low, high, low)


def _extreme(plane: Plane, step: int, pick: np.ufunc) -> Plane:
    tall = pick.reduceat(plane, np.arange(0, plane.shape[0], step), axis=0)
    return np.asarray(pick.reduceat(tall, np.arange(0, plane.shape[1], step), axis=1))


def _map(apart: Plane) -> Pixels:
    """Draw a difference: white where there is none, red where A has more, blue where B has."""
    more, less = np.clip(apart, 0, 1), np.clip(-apart, 0, 1)
    red, green, blue = 1 - less, 1 - more - less, 1 - more
    return np.asarray(np.rint(np.stack([red, green, blue], axis=2).clip(0, 1) * 255), np.uint8)


def _legend(labels: tuple[str, str]) -> str:
    return f"red: more in {labels[0]}, blue: more in {labels[1]}"
