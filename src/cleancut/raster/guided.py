"""The fast guided filter (He and Sun 2015, arXiv:1505.00996) with a guide in colour, run only where it is asked to.

In each window alpha is taken for a linear function of the guide's colour, q = a·I + b (He, Sun and Tang 2013, TPAMI,
eq. 19–21). The coefficients are smooth, so they are found on a reduced grid and enlarged; only q is at full size.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from cleancut.errors import BadSetting
from cleancut.raster.lazy import in_blocks
from cleancut.raster.rows import Rows

Plane = NDArray[np.float32]

_TILE = 256
_CELLS = 4
"""Cells along a window's radius: on a coarser grid the windows would no longer be like those at full size."""


def guided(
    guide: Rows, alpha: Rows, where: Rows, *, radius: int = 16, epsilon: float = 1e-5, cell: int | None = None
) -> Rows:
    """Let alpha follow the edges of a picture.

    Args:
        guide: rows (H, W, 3) uint8, as encoded.
        alpha: rows (H, W) float32 in [0, 1].
        where: rows (H, W) bool; elsewhere alpha stays as it is, bit for bit.
        radius: of the windows, in pixels.
        epsilon: variance of colour in [0, 1] below which a window is flat.
        cell: pixels along a cell of the reduced grid; a quarter of the radius by default, 1 is the exact filter.

    Returns:
        Rows (H, W) float32 in [0, 1], the same whatever strips are asked for.

    Raises:
        BadSetting: a setting is out of range.
    """
    cell = max(1, radius // _CELLS) if cell is None else cell
    if radius < 1 or cell < 1 or not epsilon > 0:
        raise BadSetting("The guided filter needs a radius and a cell of at least 1 and an epsilon above 0.")
    cells = max(1, round(radius / cell))
    margin = (2 * cells + 1) * cell  # two windows and the interpolation between cells

    def read(top: int, bottom: int) -> Plane:
        here = where.read(top, bottom)
        result = alpha.read(top, bottom)
        if not here.any():
            return result
        result = np.array(result)
        first, last = top // cell * cell - margin, -(-bottom // cell) * cell + margin
        colors, plane = guide.padded(first, last), alpha.padded(first, last)
        inside = slice(top - first, bottom - first)
        for left, right in _spans(here, cell):
            columns = np.arange(left - margin, -(-right // cell) * cell + margin).clip(0, alpha.width - 1)
            seen = colors[:, columns].astype(np.float32) / np.float32(255)
            found = _filtered(seen, plane[:, columns], cell, cells, epsilon)[inside, margin : margin + right - left]
            np.copyto(result[:, left:right], np.clip(found, 0, 1), where=here[:, left:right])
        return result

    rows = Rows(alpha.shape, read)
    return rows if alpha.strips()[0][1] >= 2 * margin else in_blocks(rows, -(-2 * margin // cell) * cell)


def _spans(here: NDArray[np.bool_], cell: int) -> Iterator[tuple[int, int]]:
    """Cut the columns in which something is asked for into spans (left, right) that begin with a cell."""
    tile = _TILE // cell * cell or cell
    busy = np.logical_or.reduceat(here.any(axis=0), np.arange(0, here.shape[1], tile))
    for index in np.flatnonzero(busy):
        yield int(index) * tile, min((int(index) + 1) * tile, here.shape[1])


def _filtered(colors: Plane, alpha: Plane, cell: int, cells: int, epsilon: float) -> Plane:
    """Filter (h, w, 3) and (h, w), both multiples of `cell`; what lies within reach of the border is not meant."""
    small = _averaged(np.concatenate([colors, alpha[..., None]], axis=2), cell)
    guide, plane = small[..., :3].transpose(2, 0, 1), small[..., 3]
    mean = _box(np.stack([*guide, plane]), cells)
    pairs = [(0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2)]
    products = _box(np.stack([*(guide[i] * guide[j] for i, j in pairs), *(guide * plane)]), cells)
    spread = {pair: products[n] - mean[pair[0]] * mean[pair[1]] for n, pair in enumerate(pairs)}
    for channel in range(3):
        spread[channel, channel] += np.float32(epsilon)
    slope = _solved(spread, products[6:] - mean[:3] * mean[3])
    shift = mean[3] - (slope * mean[:3]).sum(axis=0)
    smooth = _box(np.stack([*slope, shift]), cells)
    enlarged = [_enlarged(one, cell) for one in smooth]
    return np.asarray(sum(enlarged[channel] * colors[..., channel] for channel in range(3)) + enlarged[3])


def _averaged(planes: Plane, cell: int) -> Plane:
    """Average cells of (h, w, C)."""
    if cell == 1:
        return planes
    height, width, count = planes.shape
    tall = planes.reshape(height // cell, cell, width, count).mean(axis=1)
    return np.asarray(tall.reshape(height // cell, width // cell, cell, count).mean(axis=2))


def _box(planes: Plane, reach: int) -> Plane:
    """Average over windows of (2 reach + 1)²; border values are repeated.

    Sums run over each window by itself: a running sum would round differently in each strip.
    """
    for axis in (1, 2):
        size = planes.shape[axis]
        wide = np.pad(planes, [(reach, reach) if n == axis else (0, 0) for n in range(3)], "edge")
        parts = [wide[(slice(None),) * axis + (slice(n, n + size),)] for n in range(2 * reach + 1)]
        total = parts[0] + parts[1]
        for part in parts[2:]:
            total += part
        planes = total * np.float32(1 / (2 * reach + 1))
    return planes


def _solved(spread: dict[tuple[int, int], Plane], given: Plane) -> Plane:
    """Solve the symmetric 3 × 3 systems of all windows by the adjugate, in float64: nearly flat ones cancel."""
    aa, ab, ac = (spread[0, n].astype(np.float64) for n in range(3))
    bb, bc, cc = (spread[pair].astype(np.float64) for pair in ((1, 1), (1, 2), (2, 2)))
    x, y, z = given.astype(np.float64)
    first, second, third = bb * cc - bc * bc, ac * bc - ab * cc, ab * bc - ac * bb
    scale = 1 / (aa * first + ab * second + ac * third)
    fourth, fifth, sixth = aa * cc - ac * ac, ab * ac - aa * bc, aa * bb - ab * ab
    solved = np.stack(
        [
            first * x + second * y + third * z,
            second * x + fourth * y + fifth * z,
            third * x + fifth * y + sixth * z,
        ]
    )
    return np.asarray(solved * scale, np.float32)


def _enlarged(plane: Plane, cell: int) -> Plane:
    """Enlarge `cell`-fold, bilinearly between the cells' centres."""
    if cell == 1:
        return plane
    for axis in (0, 1):
        last = plane.shape[axis] - 1
        at = np.clip((np.arange(plane.shape[axis] * cell) + 0.5) / cell - 0.5, 0, last)
        before = np.minimum(at.astype(np.intp), max(last - 1, 0))
        share = (at - before).astype(np.float32)
        share = share[:, None] if axis == 0 else share
        one, other = plane.take(before, axis), plane.take(np.minimum(before + 1, last), axis)
        plane = one + (other - one) * share
    return plane
