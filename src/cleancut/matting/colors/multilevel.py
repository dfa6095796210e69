"""Foreground colours level by level (Germer, Uelwer, Conrad and Harmeling 2020, arXiv:2006.14970), in bounded memory.

At each pixel F and B explain the picture, I = αF + (1 − α)B, and are like their four neighbours', the more so where
alpha changes between them (eq. 4). That is solved by a few rounds on ever finer copies, each begun with the one before.
Copies down to an eighth are solved whole. The three finest are made and solved within a strip, with a margin as wide as
the rounds reach, and only where the alpha that is written is soft.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from cleancut.matting.cutout import written
from cleancut.raster import rows as strips
from cleancut.raster.lazy import in_blocks, once
from cleancut.raster.rows import Rows, in_order

Planes = NDArray[np.float32]
"""(h, w, 7) float32: a copy's F, B (0 to 255) and alpha, or (h, w, 4): its colours and alpha."""

_SIDE = 8
_LIKE = np.float32(1e-5)
"""How much neighbours are alike where alpha is the same, and (times the difference) where it is not."""
_EDGE = np.float32(1.0)
_ROUNDS = 4
_SMALL_ROUNDS = 10
_SMALL = 32
"""Up to this side a copy is solved with more rounds, which cost nothing."""

_MARGIN = 4 * _SIDE
"""Four rounds reach 16 pixels at a quarter, 8 at half and 4 at full size: 28, and whole blocks."""

_STEP = 4 * _MARGIN
"""Rows that are solved in one go, so that margins cost half as much again and not several times."""

_TILE = 256
_NEXT = ((0, 1), (0, -1), (1, 0), (-1, 0))


def estimate(picture: Rows, alpha: Rows) -> Rows:
    """Estimate the foreground F of I = αF + (1 − α)B, straight, where the alpha that is written is soft.

    Args:
        picture: rows (H, W, 3) uint8; any RGB space, as it is encoded.
        alpha: rows (H, W) float32 in [0, 1]; quantised as it will be written.

    Returns:
        Rows (H, W, 3) uint8. Where the written alpha is 255 or 0 they are the picture's, bit for bit. The first strip
        that holds a soft pixel reads everything once; what is kept is 1/64 of the pixels.
    """
    opacity = alpha.map(written)
    coarse = once(lambda: _coarse(picture, opacity))

    def read(top: int, bottom: int) -> NDArray[np.uint8]:
        strip, cover = picture.read(top, bottom), opacity.read(top, bottom)
        soft = (cover > 0) & (cover < 255)
        if not soft.any():
            return strip
        result = np.array(strip)
        first, last = top // _SIDE * _SIDE - _MARGIN, -(-bottom // _SIDE) * _SIDE + _MARGIN
        colors, covers = picture.padded(first, last), opacity.padded(first, last)
        for left, right in _spans(soft):
            columns = np.arange(left - _MARGIN, -(-right // _SIDE) * _SIDE + _MARGIN)
            inside = columns.clip(0, picture.width - 1)
            seen = _seen(colors[:, inside], covers[:, inside])
            begun = _block(coarse(), first // _SIDE, last // _SIDE, columns)
            front = _refined(seen, begun)[top - first : bottom - first, _MARGIN : _MARGIN + right - left]
            found = np.rint(np.clip(front, 0, 255)).astype(np.uint8)
            np.copyto(result[:, left:right], found, where=soft[:, left:right, None])
        return result

    return in_blocks(Rows(picture.shape, read), _STEP)


def _spans(soft: NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    """List the tiles (left, right) that hold a soft pixel."""
    busy = np.logical_or.reduceat(soft.any(axis=0), np.arange(0, soft.shape[1], _TILE))
    for index in np.flatnonzero(busy):
        yield int(index) * _TILE, min((int(index) + 1) * _TILE, soft.shape[1])


def _seen(colors: NDArray[np.uint8], cover: NDArray[np.uint8]) -> Planes:
    """Join colours (0 to 255) and alpha (0 to 1): (h, w, 4) float32."""
    seen = np.empty((*cover.shape, 4), np.float32)
    seen[..., :3] = colors
    seen[..., 3] = cover * np.float32(1 / 255)
    return seen


def _block(grid: Planes, top: int, bottom: int, columns: NDArray[np.intp]) -> Planes:
    """Cut F and B of these blocks out of the coarse grid; border blocks are repeated outside."""
    y = np.arange(top, bottom).clip(0, grid.shape[0] - 1)
    x = (columns[::_SIDE] // _SIDE).clip(0, grid.shape[1] - 1)
    return np.asarray(grid[y[:, None], x])


def _refined(seen: Planes, colors: Planes) -> Planes:
    """Solve the three finest copies of a part of the picture; give F (h, w, 3)."""
    half = _halved(seen)
    for copy in (_halved(half), half, seen):
        colors = _solved(copy, _doubled(colors, copy.shape), _ROUNDS)
    return colors[..., :3]


def _coarse(picture: Rows, opacity: Rows) -> Planes:
    """Solve all copies from one pixel up to an eighth of the picture: (h, w, 6), F and B."""
    step = _SIDE * max(1, strips.STRIP_PIXELS // picture.width // _SIDE)
    parts = [(top, min(top + step, picture.height)) for top in range(0, picture.height, step)]

    def reduce(part: tuple[int, int]) -> Planes:
        top, bottom = part[0], part[0] + -(-(part[1] - part[0]) // _SIDE) * _SIDE
        columns = np.arange(-(-picture.width // _SIDE) * _SIDE).clip(0, picture.width - 1)
        seen = _seen(picture.padded(top, bottom)[:, columns], opacity.padded(top, bottom)[:, columns])
        return _halved(_halved(_halved(seen)))

    copies = [np.concatenate(list(in_order(parts, reduce)))]
    while max(copies[-1].shape[:2]) > 1:
        copies.append(_halved(copies[-1]))
    colors = np.tile(copies[-1][..., :3], 2)
    for copy in reversed(copies):
        rounds = _SMALL_ROUNDS if max(copy.shape[:2]) <= _SMALL else _ROUNDS
        colors = _solved(copy, _doubled(colors, copy.shape), rounds)
    return colors


def _halved(planes: Planes) -> Planes:
    """Average 2 × 2 pixels; the last row or column of an odd number counts twice."""
    height, width = planes.shape[:2]
    if height % 2 or width % 2:
        planes = np.pad(planes, ((0, height % 2), (0, width % 2), (0, 0)), "edge")
    tall = planes[::2] + planes[1::2]
    return np.asarray((tall[:, ::2] + tall[:, 1::2]) * np.float32(0.25))


def _doubled(planes: Planes, shape: tuple[int, ...]) -> Planes:
    """Enlarge to a shape at most twofold, by repetition as the paper does."""
    if planes.shape[:2] == shape[:2]:
        return planes
    return planes.repeat(2, axis=0).repeat(2, axis=1)[: shape[0], : shape[1]]


def _solved(seen: Planes, colors: Planes, rounds: int) -> Planes:
    """Improve F and B (h, w, 6) of a copy (h, w, 4): each pixel's 2 × 2 system, its neighbours held, all at once."""
    image, alpha = seen[..., :3], seen[..., 3]
    wide = np.pad(alpha, 1, "edge")
    height, width = alpha.shape
    like = [_LIKE + _EDGE * np.abs(wide[1 + dy : 1 + dy + height, 1 + dx : 1 + dx + width] - alpha) for dy, dx in _NEXT]
    total = like[0] + like[1] + like[2] + like[3]
    clear = 1 - alpha
    ff, fb, bb = alpha * alpha + total, alpha * clear, clear * clear + total
    scale = 1 / (ff * bb - fb * fb)
    own = np.concatenate([image * alpha[..., None], image * clear[..., None]], axis=2)
    for _ in range(rounds):
        around = np.pad(colors, ((1, 1), (1, 1), (0, 0)), "edge")
        given = own.copy()
        for weight, (dy, dx) in zip(like, _NEXT, strict=True):
            given += weight[..., None] * around[1 + dy : 1 + dy + height, 1 + dx : 1 + dx + width]
        front, back = given[..., :3], given[..., 3:]
        colors = np.empty_like(given)
        colors[..., :3] = (bb * scale)[..., None] * front - (fb * scale)[..., None] * back
        colors[..., 3:] = (ff * scale)[..., None] * back - (fb * scale)[..., None] * front
        np.clip(colors, 0, 255, out=colors)
    return colors
