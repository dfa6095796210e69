"""Patches: small pieces of a picture, each of about one colour, that a whole is decided by at a fraction of its pixels.

They grow from a grid by k-means over colour and place, each pixel between the nine centres about it (SLIC: Achanta et
al. 2012, TPAMI 34(11)). A pixel belongs to several patches by degrees, so what is decided for patches comes back to the
pixels along the picture's edges and not in steps.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

Plane = NDArray[np.float32]
Numbers = NDArray[np.float64]
Places = NDArray[np.intp]

COMPACT = 0.08
"""Difference of colour, of 1, that counts as much as a cell's side: more makes patches rounder."""

_ROUNDS = 5
_SOFTNESS = 0.15
"""Of squared distance in cells' sides: how gradually a pixel passes from one patch to the next."""

_AROUND = 9


@dataclass(frozen=True, slots=True, eq=False)
class Patches:
    """The patches of a picture (h, w), one for each cell of a grid of R × C.

    Attributes:
        shape: (h, w) of the picture.
        cell: side of the grid's cells in pixels.
        share: (R, C, cell², 9) float32: how far each of a cell's pixels belongs to each of the nine patches about it.
            Each pixel's add up to 1.
    """

    shape: tuple[int, int]
    cell: int
    share: Plane

    @classmethod
    def of(cls, planes: Plane, cell: int) -> Patches:
        """Find the patches of planes (h, w, K) float32 in [0, 1], whose differences count alike.

        >>> halves = np.zeros((8, 8, 1), np.float32)
        >>> halves[:, 5:] = 1
        >>> patches = Patches.of(halves, 4)
        >>> patches.spread(patches.means(halves)[..., 0])[0].round(2).tolist()
        [0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0]
        """
        height, width = planes.shape[:2]
        y, x = np.mgrid[:height, :width].astype(np.float32) / np.float32(cell)
        seen = _cells(np.dstack([planes * np.float32(1 / COMPACT), y, x]), cell)
        centers = seen.mean(axis=2)
        for _ in range(_ROUNDS):
            share = _shares(seen, centers)
            total = _gathered(share.transpose(0, 1, 3, 2) @ seen)
            mass = _gathered(share.sum(axis=2)[..., None])
            centers = np.where(mass > 1e-3, total / np.maximum(mass, 1e-3), centers)
        return cls((height, width), cell, _shares(seen, centers))

    @property
    def grid(self) -> tuple[int, int]:
        """(R, C), the rows and columns of patches."""
        return self.share.shape[0], self.share.shape[1]

    def means(self, planes: NDArray[np.floating]) -> Plane:
        """Average planes (h, w, K) over each patch: (R, C, K)."""
        seen = _cells(np.asarray(planes, np.float32), self.cell)
        total = _gathered(self.share.transpose(0, 1, 3, 2) @ seen)
        return np.asarray(total / np.maximum(_gathered(self.share.sum(axis=2)[..., None]), 1e-3))

    def sums(self, where: NDArray[np.bool_], values: NDArray[np.floating]) -> Numbers:
        """Add what some pixels have to their patches, each by its share: (R × C, K).

        Args:
            where: (h, w) marks n pixels, better few of them.
            values: (n, K) for each, in the order of `np.nonzero`.
        """
        y, x = np.nonzero(where)
        (row, down), (column, across) = np.divmod(y, self.cell), np.divmod(x, self.cell)
        part = self.share[row, column, down * self.cell + across].astype(np.float64)
        steps = np.arange(_AROUND)
        wide = self.grid[1] + 2
        home = ((row[:, None] + steps // 3) * wide + column[:, None] + steps % 3).ravel()
        total = [np.bincount(home, (part * one[:, None]).ravel(), (self.grid[0] + 2) * wide) for one in values.T]
        inner = np.stack(total, axis=1).reshape(-1, wide, len(total))[1:-1, 1:-1]
        return np.asarray(inner, np.float64).reshape(-1, len(total))

    @property
    def areas(self) -> Numbers:
        """How many pixels each patch has, (R × C,)."""
        return _gathered(self.share.sum(axis=2)[..., None]).ravel().astype(np.float64)

    def spread(self, values: NDArray[np.floating]) -> Plane:
        """Give each pixel what its patches' values (R, C) make of it: (h, w)."""
        near = _nine(np.asarray(values, np.float32)[..., None])
        found = (self.share @ near).reshape(*self.grid, self.cell, self.cell)
        height, width = self.shape
        return np.ascontiguousarray(found.transpose(0, 2, 1, 3).reshape(self.grid[0] * self.cell, -1)[:height, :width])

    def contacts(self) -> tuple[Places, Places, Numbers]:
        """Find the pairs of patches that touch.

        Returns:
            The two patches' numbers, row by row, the lesser first; and their border's length in cells' sides.
        """
        labels = self._labels()
        count = np.intp(self.grid[0] * self.grid[1])
        pairs = []
        for one, other in ((labels[:, :-1], labels[:, 1:]), (labels[:-1], labels[1:])):
            apart = one != other
            pairs.append(np.minimum(one[apart], other[apart]) * count + np.maximum(one[apart], other[apart]))
        keys, lengths = np.unique(np.concatenate(pairs), return_counts=True)
        first, second = np.divmod(keys, count)
        return first, second, lengths / self.cell

    def _labels(self) -> Places:
        """Number the patch that each pixel belongs to most."""
        rows, columns = self.grid
        number = np.arange(rows * columns).reshape(rows, columns, 1)
        near = _nine(number)[..., 0]
        chosen = np.take_along_axis(near, self.share.argmax(axis=3).reshape(rows, columns, -1), axis=2)
        wide = chosen.reshape(rows, columns, self.cell, self.cell).transpose(0, 2, 1, 3)
        return wide.reshape(rows * self.cell, -1)[: self.shape[0], : self.shape[1]]


def _cells(planes: Plane, cell: int) -> Plane:
    """Cut planes (h, w, K) into cells (R, C, cell², K); the last of a row repeat the border."""
    height, width, count = planes.shape
    rows, columns = -(-height // cell), -(-width // cell)
    wide = np.pad(planes, ((0, rows * cell - height), (0, columns * cell - width), (0, 0)), "edge")
    parted = wide.reshape(rows, cell, columns, cell, count).transpose(0, 2, 1, 3, 4)
    return np.ascontiguousarray(parted.reshape(rows, columns, cell * cell, count))


def _nine(values: NDArray[Any]) -> NDArray[Any]:
    """Give the nine values about each cell, 0 beyond the border: (R, C, K) to (R, C, 9, K)."""
    wide = np.pad(values, ((1, 1), (1, 1), (0, 0)))
    near = sliding_window_view(wide, (3, 3), axis=(0, 1))
    return np.ascontiguousarray(near.reshape(*near.shape[:3], _AROUND).transpose(0, 1, 3, 2))


def _gathered(near: Plane) -> Plane:
    """Add what each cell has for the nine about it, (R, C, 9, K), to those: (R, C, K)."""
    rows, columns = near.shape[:2]
    total = np.zeros((rows + 2, columns + 2, near.shape[3]), near.dtype)
    for place in range(_AROUND):
        down, across = divmod(place, 3)
        total[down : down + rows, across : across + columns] += near[:, :, place]
    return total[1:-1, 1:-1]


def _shares(seen: Plane, centers: Plane) -> Plane:
    """Share pixels (R, C, n, K) among the nine centres (R, C, K) about them."""
    near = _nine(centers)
    there = _nine(np.ones((*centers.shape[:2], 1), np.float32))[..., 0]
    length = (near**2).sum(axis=3) - np.float32(1e6) * (there - 1)
    away = length[:, :, None, :] - 2 * (seen @ near.transpose(0, 1, 3, 2))
    # numpy reduces an axis of nine slowly, so it is done plane by plane and by a product.
    away -= functools.reduce(np.minimum, (away[..., place] for place in range(_AROUND)))[..., None]
    away *= np.float32(-1 / _SOFTNESS)
    share = np.exp(away, out=away)
    share /= share @ np.ones((_AROUND, 1), np.float32)
    return np.asarray(share)
