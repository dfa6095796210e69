"""The backdrop of a studio picture as a formula: a smooth surface of colour, found from the picture's borders.

A surface is a polynomial of low order in x and y for each channel, with how far pixels stray from it. It is found in
patches along the borders: the plane through three patches that most others agree with (RANSAC, Fischler & Bolles 1981),
then a curved surface through those that agree. All numbers are sRGB values as they are encoded, 0 to 255: that is where
noise is about even, and where our own compositing mixes.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cleancut.raster.resample import product
from cleancut.types import Picture

Values = NDArray[np.float32]

_BAND = 0.02
"""Depth of the patches as a share of the picture's shorter side."""

_SIDE = 24
"""Patches along a side."""

_GRID = 12
"""Pixels looked at along a side of a patch, at the most."""

_FLAT = 14.0
"""Spread of a patch's values (their 10th to 90th percentile) above which it is no backdrop: cloth, grass, a room."""

_NEAR = 16.0
"""How far from a plane a patch may lie and still belong to it, before the surface is curved."""

_CLOSE = 6.0
"""How far from the curved surface a patch may lie and still belong to it."""

_QUANTUM = 1.0
"""Variance that every picture has: rounding to 8 bits, and what JPEG adds to it."""


@dataclass(frozen=True, slots=True, eq=False)
class Surface:
    """A backdrop.

    Attributes:
        terms: (n, n, 3), coefficients of yⁱ xʲ for coordinates from −1 to 1.
        whiten: (3, 3), turns a deviation in RGB into multiples of the noise.
        share: share of the border's patches that belong to it, of those that were looked at.
        sides: that share by side: top, bottom, left, right.
    """

    terms: NDArray[np.float64]
    whiten: Values
    share: float
    sides: tuple[float, ...]

    @classmethod
    def of(cls, color: tuple[int, int, int]) -> Surface:
        """Give the backdrop of one colour, known and not looked for; noise as a camera's."""
        terms = np.asarray(color, np.float64)[None, None]
        return cls(terms, np.asarray(np.eye(3) / 3, np.float32), 1.0, (1.0,) * 4)

    @property
    def color(self) -> Values:
        """Its colour in the picture's middle, (3,)."""
        return np.asarray(self.terms[0, 0], np.float32)

    def strip(self, top: int, bottom: int, width: int, height: int) -> Values:
        """Compute rows top to bottom − 1 of a picture of that size, (h, width, 3)."""
        down = _powers(_places(top, bottom, height), len(self.terms))
        across = _powers(_places(0, width, width), len(self.terms)).T.astype(np.float32)
        planes = [product((down @ self.terms[..., c]).astype(np.float32), across) for c in range(3)]
        return np.stack(planes, axis=-1)

    def fitted(self, color: Values, weight: NDArray[np.bool_], order: int) -> Surface:
        """Fit it anew to the pixels of a small picture (h, w, 3) that are chosen (h, w).

        Chosen pixels must belong to the backdrop; a hundred thousand of them are enough.
        """
        height, width = weight.shape
        y, x = np.nonzero(weight)
        every = slice(None, None, max(1, len(y) // 20_000))
        y, x = y[every], x[every]
        terms = _solved(_places(0, height, height)[y], _places(0, width, width)[x], color[y, x], order)
        return Surface(terms, self.whiten, self.share, self.sides)


@dataclass(frozen=True, slots=True, eq=False)
class _Border:
    """Patches along the four borders: n of them, k pixels each."""

    side: NDArray[np.int64]  # (n,)
    y: NDArray[np.float64]  # (n, k), from −1 to 1
    x: NDArray[np.float64]
    color: Values  # (n, k, 3)


def find(picture: Picture, like: Callable[[Values], NDArray[np.bool_]] | None = None) -> Surface | None:
    """Find the backdrop that most of a picture's border belongs to.

    Args:
        picture: any size. Where it is transparent nothing is looked at.
        like: tells of colours (n, 3) whether they may be the backdrop's; by default any may.

    Returns:
        the surface, or None where no six patches agree. Whether its share is enough is the caller's question.
    """
    border = _border(picture)
    total = np.bincount(border.side, minlength=4)
    middle = np.median(border.color, axis=1)
    flat = np.ptp(np.percentile(border.color, (10, 90), axis=1), axis=0).max(axis=-1) <= _FLAT
    if like is not None:
        flat &= like(middle)
    if np.count_nonzero(flat) < 6:
        return None
    belongs = flat & _agreeing(border, middle, flat)
    terms = _curved(border, belongs)
    for _ in range(3):
        left = np.abs(middle - _at(terms, border.y.mean(axis=1), border.x.mean(axis=1))).max(axis=1)
        belongs = flat & (left <= _CLOSE)
        if np.count_nonzero(belongs) < 6:
            return None
        terms = _curved(border, belongs)
    counted = np.bincount(border.side[belongs], minlength=4)
    sides = tuple(float(a / max(b, 1)) for a, b in zip(counted, total, strict=True))
    return Surface(terms, _whiten(border, belongs, terms), float(belongs.mean()), sides)


def _border(picture: Picture) -> _Border:
    width, height = picture.size
    deep = max(1, round(_BAND * min(width, height)))
    boxes = [
        *((0, 0, deep, *span) for span in _spans(width)),
        *((1, height - deep, height, *span) for span in _spans(width)),
        *((2, *span, 0, deep) for span in _spans(height)),
        *((3, *span, width - deep, width) for span in _spans(height)),
    ]
    kept = [
        box for box in boxes if picture.alpha is None or (picture.alpha[box[1] : box[2], box[3] : box[4]] > 250).all()
    ]
    n, k = len(kept), _GRID * _GRID
    y, x, color = np.zeros((n, k)), np.zeros((n, k)), np.zeros((n, k, 3), np.float32)
    for i, (_, top, bottom, left, right) in enumerate(kept):
        rows = np.linspace(top, bottom - 1, _GRID).round().astype(int)
        columns = np.linspace(left, right - 1, _GRID).round().astype(int)
        color[i] = picture.rgb[np.ix_(rows, columns)].reshape(k, 3)
        y[i] = np.repeat(_places(0, height, height)[rows], _GRID)
        x[i] = np.tile(_places(0, width, width)[columns], _GRID)
    return _Border(np.array([box[0] for box in kept], np.int64), y, x, color)


def _spans(length: int) -> list[tuple[int, int]]:
    """Cut a side into patches of at least a pixel."""
    count = min(_SIDE, length)
    edges = [length * i // count for i in range(count + 1)]
    return list(itertools.pairwise(edges))


def _agreeing(border: _Border, middle: Values, flat: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Tell which patches agree with the plane that most agree with; the same draws every time."""
    y, x = border.y.mean(axis=1), border.x.mean(axis=1)
    three = np.random.default_rng(0).choice(np.flatnonzero(flat), (400, 3))
    corner = np.stack((np.ones_like(three, float), y[three], x[three]), axis=-1)
    turned = corner.transpose(0, 2, 1)
    # Three patches in a line give no plane; the small addition gives them one of many, which then finds few friends.
    planes = np.linalg.solve(turned @ corner + np.eye(3) * 1e-6, turned @ middle[three].astype(float))
    level = np.concatenate((np.median(middle[flat], axis=0)[None], np.zeros((2, 3))))
    planes = np.concatenate((planes, level[None]))
    all_ = np.stack((np.ones_like(y), y, x), axis=-1)
    off = np.abs(all_ @ planes - middle).max(axis=-1)
    sane = np.abs(planes[:, 1:]).sum(axis=1).max(axis=-1) < 255
    score = np.where(sane, np.minimum(off[:, flat], _NEAR).sum(axis=1), np.inf)
    return np.asarray(off[int(score.argmin())] <= _NEAR)


def _curved(border: _Border, belongs: NDArray[np.bool_]) -> NDArray[np.float64]:
    y, x, color = border.y[belongs].ravel(), border.x[belongs].ravel(), border.color[belongs].reshape(-1, 3)
    return _solved(y, x, color, 3)


def _solved(y: NDArray[np.float64], x: NDArray[np.float64], color: Values, order: int) -> NDArray[np.float64]:
    """Fit yⁱ xʲ with i + j < `order`, gently held towards flatness where the pixels do not tell."""
    basis = np.stack([y**i * x**j for i, j in _degrees(order)], axis=-1)
    normal = basis.T @ basis
    held = 1e-4 * len(y) * np.diag([0.0] + [1.0] * (len(normal) - 1))
    found = np.linalg.solve(normal + held + 1e-9 * len(y) * np.eye(len(normal)), basis.T @ color)
    terms = np.zeros((order, order, 3))
    for (i, j), row in zip(_degrees(order), found, strict=True):
        terms[i, j] = row
    return terms


@functools.cache
def _degrees(order: int) -> tuple[tuple[int, int], ...]:
    return tuple((i, j) for i in range(order) for j in range(order - i))


def _at(terms: NDArray[np.float64], y: NDArray[np.float64], x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Compute the surface at n places, (n, 3)."""
    return np.asarray(np.einsum("ni,ijc,nj->nc", _powers(y, len(terms)), terms, _powers(x, len(terms))))


def _powers(at: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    return np.stack([at**i for i in range(count)], axis=-1)


def _places(first: int, last: int, count: int) -> NDArray[np.float64]:
    """Coordinates of pixels, from −1 to 1 across all `count` of them."""
    return (np.arange(first, last) + 0.5) / count * 2 - 1


def _whiten(border: _Border, belongs: NDArray[np.bool_], terms: NDArray[np.float64]) -> Values:
    """Give the inverse root of the noise's covariance, from the nine tenths of the pixels that stray least."""
    y, x, color = border.y[belongs].ravel(), border.x[belongs].ravel(), border.color[belongs].reshape(-1, 3)
    off = color - _at(terms, y, x)
    away = np.abs(off).max(axis=1)
    kept = off[away <= np.quantile(away, 0.9)]
    # 1.6: what cutting a normal distribution at its 90th percentile in three channels takes from its variance
    covariance = 1.6 * (kept.T @ kept) / len(kept) + _QUANTUM * np.eye(3)
    values, axes = np.linalg.eigh(covariance)
    return np.asarray((axes / np.sqrt(values)) @ axes.T, np.float32)
