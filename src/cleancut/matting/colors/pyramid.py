"""Colours of foreground and background everywhere, from where they are known: a pyramid of small linear systems.

Pull-push (Gortler et al. 1996, "The Lumigraph") fills in what is unknown from coarser levels. Here a level holds, in
place of weighted means, the normal equations of I = αF + (1 − α)B for F and B constant in each block. They add up
towards coarser levels as means do, and where α varies within a block they tell F from B even if no pixel of it is
opaque or clear, as in hair.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cleancut.raster import rows as strips
from cleancut.raster.rows import Rows, in_order

Planes = NDArray[np.float32]
Places = NDArray[np.intp]

SIDE = 8
"""Pixels along a side of the finest level's blocks."""

_SOFT = np.float32(0.01)
"""What a soft pixel counts against an opaque or a clear one: its α may be wrong, theirs hardly."""

_COARSER = np.float32(2)
"""What the coarser level's answer counts, in opaque pixels."""

_FF, _FB, _BB = range(3)
_F, _B = slice(3, 6), slice(6, 9)
_SUMS = 9
"""Sums over a block: α², α(1 − α), (1 − α)², αI and (1 − α)I."""


@dataclass(frozen=True, slots=True, eq=False)
class Colors:
    """F and B on a grid of blocks of `SIDE` pixels: (h, w, 6) float32, 0 to 255."""

    grid: Planes

    def at(self, y: Places, x: Places) -> tuple[Planes, Planes]:
        """Interpolate F and B, (n, 3) each, at n pixels."""
        height, width = self.grid.shape[:2]
        top, down = _between(y, height)
        left, across = _between(x, width)
        right = np.minimum(left + 1, width - 1)
        upper, lower = top * width, np.minimum(top + 1, height - 1) * width
        blocks = self.grid.reshape(-1, 6)
        above = _mixed(blocks.take(upper + left, axis=0), blocks.take(upper + right, axis=0), across)
        below = _mixed(blocks.take(lower + left, axis=0), blocks.take(lower + right, axis=0), across)
        both = _mixed(above, below, down)
        return both[:, :3], both[:, 3:]


def colors(picture: Rows, opacity: Rows) -> Colors:
    """Estimate F and B from a picture (H, W, 3) uint8 and its written alpha (H, W) uint8."""
    levels = [_sums(picture, opacity)]
    while max(levels[-1].shape[:2]) > 1:
        levels.append(_halved(levels[-1]))
    whole = levels[-1][0, 0]
    mean = (whole[_F] + whole[_B]) / (whole[_FF] + 2 * whole[_FB] + whole[_BB])
    grid = np.tile(mean, 2)[None, None]
    for sums in reversed(levels):
        grid = _solved(sums, _doubled(grid, sums.shape))
    return Colors(grid)


def _between(place: Places, count: int) -> tuple[Places, Planes]:
    """Find the block whose centre comes before each pixel, and how far towards the next it lies, 0 to 1."""
    at = np.clip((place.astype(np.float32) + 0.5) / SIDE - 0.5, 0, count - 1)
    block = at.astype(np.intp)
    return block, (at - block).astype(np.float32)


def _mixed(one: Planes, other: Planes, share: Planes) -> Planes:
    """Mix (n, 6) by the other's share (n,), in the place of the other."""
    other -= one
    other *= share[:, None]
    other += one
    return other


def _sums(picture: Rows, opacity: Rows) -> Planes:
    """Sum up the finest level, (h, w, 9)."""
    step = SIDE * max(1, strips.STRIP_PIXELS // opacity.width // SIDE)
    parts = [(top, min(top + step, opacity.height)) for top in range(0, opacity.height, step)]
    return np.concatenate(list(in_order(parts, lambda part: _strip_sums(picture.read(*part), opacity.read(*part)))))


def _strip_sums(color: NDArray[np.uint8], opacity: NDArray[np.uint8]) -> Planes:
    """Sum up the blocks of a strip; one that sticks out counts as whole."""
    mean = np.asarray(Image.fromarray(np.ascontiguousarray(color)).reduce(SIDE))
    cover = np.asarray(Image.fromarray(np.ascontiguousarray(opacity)).reduce(SIDE))
    sums = np.zeros((*cover.shape, _SUMS), np.float32)
    sums[..., _FF] = (cover == 255) * SIDE**2
    sums[..., _BB] = (cover == 0) * SIDE**2
    sums[..., _F] = mean * sums[..., _FF, None]
    sums[..., _B] = mean * sums[..., _BB, None]
    y, x = np.nonzero((cover > 0) & (cover < 255))
    if len(y):
        sums[y, x] = _block_sums(color, opacity, y, x)
    return sums


def _block_sums(color: NDArray[np.uint8], opacity: NDArray[np.uint8], y: Places, x: Places) -> Planes:
    """Sum up the n blocks that are neither opaque nor clear, (n, 9); one that sticks out repeats border pixels."""
    height, width = opacity.shape
    line = np.arange(SIDE)
    rows = np.minimum(y[:, None] * SIDE + line, height - 1)[:, :, None]
    columns = np.minimum(x[:, None] * SIDE + line, width - 1)[:, None, :]
    place = (rows * width + columns).reshape(len(y), -1)
    seen = color.reshape(-1, 3).take(place, axis=0).astype(np.float32)
    cover = opacity.take(place)
    a = cover.astype(np.float32) / 255
    b = 1 - a
    weight = np.where((cover == 0) | (cover == 255), np.float32(1), _SOFT)
    front, back = weight * a, weight * b
    sums = np.empty((len(y), _SUMS), np.float32)
    sums[:, _FF] = (front * a).sum(axis=1)
    sums[:, _FB] = (front * b).sum(axis=1)
    sums[:, _BB] = (back * b).sum(axis=1)
    sums[:, _F] = (front[:, None] @ seen)[:, 0]
    sums[:, _B] = (back[:, None] @ seen)[:, 0]
    return sums


def _halved(sums: Planes) -> Planes:
    """Add up 2 × 2 blocks."""
    height, width = sums.shape[:2]
    even = np.pad(sums, ((0, height % 2), (0, width % 2), (0, 0)))
    tall = even[::2] + even[1::2]
    return np.asarray(tall[:, ::2] + tall[:, 1::2])


def _doubled(grid: Planes, shape: tuple[int, ...]) -> Planes:
    """Enlarge twofold, bilinearly, to the shape of the finer level."""
    for axis in (0, 1):
        last = grid.shape[axis] - 1
        before = grid.take([0, *range(last)], axis)
        after = grid.take([*range(1, last + 1), last], axis)
        pairs = np.stack((grid * 0.75 + before * 0.25, grid * 0.75 + after * 0.25), axis + 1)
        grid = pairs.reshape(*grid.shape[:axis], -1, *grid.shape[axis + 1 :])
    return grid[: shape[0], : shape[1]]


def _solved(sums: Planes, coarse: Planes) -> Planes:
    """Solve each block's two equations for F and B, held to the coarser level's."""
    ff, bb, fb = sums[..., _FF, None] + _COARSER, sums[..., _BB, None] + _COARSER, sums[..., _FB, None]
    front = sums[..., _F] + _COARSER * coarse[..., :3]
    back = sums[..., _B] + _COARSER * coarse[..., 3:]
    scale = 1 / (ff * bb - fb * fb)
    grid = np.empty_like(coarse)
    np.clip((bb * front - fb * back) * scale, 0, 255, out=grid[..., :3])
    np.clip((ff * back - fb * front) * scale, 0, 255, out=grid[..., 3:])
    return grid
