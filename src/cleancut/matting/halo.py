"""How much of the old background's colour a cut-out kept along its edge.

A cut-out is (H, W, 4) uint8 of straight colour.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from cleancut.matting.figures import SOFT

Cut = NDArray[np.uint8]
Mask = NDArray[np.bool_]

_NEAR = 16
"""Pixels around in which a soft pixel's colour is compared with that of opaque ones."""

_ROWS = 128
_NEW = (0.0, 255.0)
"""The new backgrounds, black and white: a rim that one of them hides shows on the other."""


def halo(cut: Cut, truth: Cut) -> float:
    """Mean |C − C_true| over black and over white, of 255, where the true α lies between 0.05 and 0.95.

    `truth` has the true colours beside the true α; 0 where nothing of it is soft.

    >>> red = np.full((1, 2, 4), (255, 0, 0, 128), np.uint8)
    >>> halo(red, red)
    0.0
    """
    soft = _soft(truth)
    if not soft.any():
        return 0.0
    found, right = (_parts(plane[soft]) for plane in (cut, truth))
    errors = [np.abs(_over(*found, new) - _over(*right, new)).mean() for new in _NEW]
    return float(np.mean(errors))


def fringe(cut: Cut) -> float | None:
    """Mean difference, of 255, between the colour of soft pixels and that of opaque ones within 16 pixels of them.

    It needs no truth: a rim of the old background's colour raises it. So does a subject whose border has colours of
    its own, alike in every cut-out of it; so it compares cut-outs of one picture, and says little of two pictures.

    Returns:
        None where no soft pixel has an opaque one near it.
    """
    total, count = 0.0, 0
    for part, inner in _blocks(cut):
        soft, opaque = _soft(part), part[..., 3] >= round(SOFT[1] * 255)
        near = _sums(opaque.astype(np.float64))
        at = np.zeros_like(soft)
        at[inner] = (soft & (near > 0))[inner]
        if not at.any():
            continue
        for channel in range(3):
            mean = _sums(np.where(opaque, part[..., channel], 0).astype(np.float64))[at] / near[at]
            total += float(np.abs(part[..., channel][at] - mean).sum())
        count += int(at.sum())
    return total / (3 * count) if count else None


def _blocks(cut: Cut) -> Iterator[tuple[Cut, slice]]:
    """Cut rows into blocks with what lies near them, and say which rows are the block's own."""
    height = cut.shape[0]
    for top in range(0, height, _ROWS):
        first, last = max(0, top - _NEAR), min(height, top + _ROWS + _NEAR)
        yield cut[first:last], slice(top - first, min(top + _ROWS, height) - first)


def _sums(plane: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sum squares of `_NEAR` pixels to each side; outside there is nothing."""
    for axis in (0, 1):
        wide = np.pad(plane, [(_NEAR + 1, _NEAR) if a == axis else (0, 0) for a in (0, 1)]).cumsum(axis=axis)
        size, side = plane.shape[axis], 2 * _NEAR + 1
        plane = wide.take(range(side, side + size), axis) - wide.take(range(size), axis)
    return plane


def _soft(cut: Cut) -> Mask:
    alpha = cut[..., 3]
    return np.asarray((alpha > SOFT[0] * 255) & (alpha < SOFT[1] * 255))


def _parts(pixels: Cut) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return pixels[:, :3].astype(np.float64), pixels[:, 3:] / 255


def _over(color: NDArray[np.float64], alpha: NDArray[np.float64], new: float) -> NDArray[np.float64]:
    return np.asarray(alpha * color + (1 - alpha) * new)
