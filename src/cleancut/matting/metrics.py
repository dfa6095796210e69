"""How good an alpha is, measured against the truth. Both are (H, W) of floats in [0, 1], without any stretching.

The first half asks whether the right thing was found, as salient object detection does; the second how exact its edge
is, as matting does, by default over the whole picture and with `where` over part of it.
"""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from cleancut.raster.runs import Pieces

Plane: TypeAlias = NDArray[np.floating]
Mask: TypeAlias = NDArray[np.bool_]

_LEVELS = 256
_EPSILON = 1e-12
_WINDOW, _ROWS = 5, 128
"""Reach of the window of SSIM in pixels, and the rows that are worked out at a time."""


def iou(alpha: Plane, truth: Plane) -> float:
    """Intersection over union of both made masks at ½ (Jaccard 1912); 1 where both are empty.

    >>> iou(np.array([1.0, 1.0, 0.0]), np.array([1.0, 0.0, 0.0]))
    0.5
    """
    found, there = alpha >= 0.5, truth >= 0.5
    union = int((found | there).sum())
    return float((found & there).sum() / union) if union else 1.0


def mae(alpha: Plane, truth: Plane) -> float:
    """Mean absolute error over the whole picture.

    >>> mae(np.array([1.0, 0.5]), np.array([1.0, 0.0]))
    0.25
    """
    return float(np.abs(alpha - truth).mean())


def false_positives(alpha: Plane, truth: Plane) -> float:
    """Share of the true background that is taken for subject at ½; 0 where there is no background.

    >>> false_positives(np.array([1.0, 1.0, 0.0]), np.array([1.0, 0.0, 0.0]))
    0.5
    """
    behind = truth < 0.5
    return float((alpha[behind] >= 0.5).mean()) if behind.any() else 0.0


def f_curve(alpha: Plane, truth: Plane) -> NDArray[np.float64]:
    """F with β² = 0.3 at 256 thresholds from 1 down to 0 (Achanta et al. 2009, CVPR, eq. 6).

    The field's max F and mean F of a set are the largest value and the mean of its pictures' mean curve.

    Returns:
        (256,); 0 throughout where the truth is empty, since nothing can be found there.

    >>> f_curve(np.array([1.0, 0.0]), np.array([1.0, 0.0]))[[0, -1]].round(3).tolist()
    [1.0, 0.565]
    """
    hits, alarms, subject, _ = _counts(alpha, truth)
    precision = hits / np.maximum(hits + alarms, 1)
    recall = hits / max(subject, 1)
    return np.asarray(1.3 * precision * recall / np.maximum(0.3 * precision + recall, _EPSILON))


def e_measure(alpha: Plane, truth: Plane) -> float:
    """Mean enhanced alignment over 256 thresholds (Fan et al. 2018, IJCAI, arXiv:1805.10421, eq. 2–5).

    >>> round(e_measure(np.array([[1.0, 0.0]]), np.array([[1.0, 0.0]])), 3)
    0.997
    """
    hits, alarms, subject, size = _counts(alpha, truth)
    found = hits + alarms
    if subject == 0:
        return float((1 - found / size).mean())
    if subject == size:
        return float((found / size).mean())
    # A mask of two values has four kinds of pixels, so their alignment is worked out four times and not for each pixel.
    counts = np.stack([hits, alarms, subject - hits, size - subject - alarms])
    found_deviation = np.stack([1 - found / size, 1 - found / size, -found / size, -found / size])
    true_deviation = np.array([1 - subject / size, -subject / size, 1 - subject / size, -subject / size])[:, None]
    align = 2 * found_deviation * true_deviation / (found_deviation**2 + true_deviation**2 + _EPSILON)
    return float(((align + 1) ** 2 / 4 * counts).sum(axis=0).mean() / size)


def s_measure(alpha: Plane, truth: Plane) -> float:
    """Likeness of structure: of object and background, and of four quarters (Fan et al. 2017, ICCV, arXiv:1708.00786).

    >>> round(s_measure(np.eye(4), np.eye(4)), 3)
    1.0
    """
    there = truth >= 0.5
    share = float(there.mean())
    if share in {0.0, 1.0}:
        return float(alpha.mean() if share else 1 - alpha.mean())
    objects = share * _evenness(alpha[there]) + (1 - share) * _evenness(1 - alpha[~there])
    return max(0.0, (objects + _quarters(alpha, there)) / 2)


def boundary_iou(alpha: Plane, truth: Plane, width: float = 0.02) -> float:
    """IoU of the bands inside both masks' outlines (Cheng et al. 2021, arXiv:2103.16562); 1 where both are empty.

    Args:
        alpha: as above.
        truth: as above.
        width: of the band, as a share of the picture's diagonal.

    >>> boundary_iou(np.eye(4), np.eye(4))
    1.0
    """
    depth = max(1, round(width * math.hypot(*alpha.shape)))
    found, there = _band(alpha >= 0.5, depth), _band(truth >= 0.5, depth)
    union = int((found | there).sum())
    return float((found & there).sum() / union) if union else 1.0


def sad(alpha: Plane, truth: Plane, where: Mask | None = None) -> float:
    """Sum of absolute differences, in thousands of pixels (Rhemann et al. 2009, CVPR).

    >>> sad(np.ones((10, 100)), np.zeros((10, 100)))
    1.0
    """
    return float(np.abs(_within(alpha - truth, where)).sum()) / 1000


def mse(alpha: Plane, truth: Plane, where: Mask | None = None) -> float:
    """Mean squared error (Rhemann et al. 2009); 0 where `where` is empty.

    >>> mse(np.array([1.0, 0.5]), np.array([1.0, 0.0]))
    0.125
    """
    values = _within(alpha - truth, where)
    return float((values.astype(np.float64) ** 2).mean()) if values.size else 0.0


def gradient_error(alpha: Plane, truth: Plane, where: Mask | None = None, sigma: float = 1.4) -> float:
    """Squared difference of the gradients' magnitudes, in thousands (Rhemann et al. 2009, section 4, σ = 1.4).

    >>> gradient_error(np.eye(9), np.eye(9))
    0.0
    """
    difference = _gradient(alpha, sigma) - _gradient(truth, sigma)
    return float((_within(difference, where) ** 2).sum()) / 1000


def connectivity_error(alpha: Plane, truth: Plane, where: Mask | None = None) -> float:
    """How much of alpha hangs together otherwise than the truth, in thousands (Rhemann et al. 2009, section 4).

    At each tenth, what both alphas have in common is cut into pieces; a pixel is connected up to the last tenth at
    which it belongs to the largest. Shortfalls below 0.15 do not count, as in the paper.

    >>> connectivity_error(np.eye(9), np.eye(9))
    0.0
    """
    connected = np.ones(alpha.shape)
    open_ = np.ones(alpha.shape, bool)
    for tenth in range(1, 11):
        omega = _largest((alpha >= tenth / 10) & (truth >= tenth / 10))
        left = open_ & ~omega
        connected[left] = (tenth - 1) / 10
        open_ &= omega
    one, other = (_degree(plane - connected) for plane in (alpha, truth))
    return float(np.abs(_within(one - other, where)).sum()) / 1000


def ssim(one: Plane, other: Plane) -> float:
    """Structural similarity (Wang, Bovik, Sheikh and Simoncelli 2004, TIP 13(4)), mean over the picture; 1 where equal.

    With the paper's constants for values from 0 to 1 (K₁ = 0.01, K₂ = 0.03) and its window, an 11 × 11 Gaussian of
    σ = 1.5; borders are repeated.

    >>> ssim(np.eye(9), np.eye(9))
    1.0
    """
    at = np.arange(-_WINDOW, _WINDOW + 1)
    gauss = np.exp(-(at**2) / (2 * 1.5**2))
    gauss /= gauss.sum()
    height, total = one.shape[0], 0.0
    for top in range(0, height, _ROWS):  # some rows at a time, as it takes ten planes of them
        rows = np.arange(top - _WINDOW, min(top + _ROWS, height) + _WINDOW).clip(0, height - 1)
        total += float(_similarity(one[rows], other[rows], gauss)[_WINDOW:-_WINDOW].sum())
    return total / one.size


def _similarity(one: Plane, other: Plane, gauss: NDArray[np.float64]) -> NDArray[np.float64]:
    """Eq. 13 of the paper at every pixel."""

    def mean(plane: Plane) -> NDArray[np.float64]:
        return _filtered(_filtered(plane, gauss, 0), gauss, 1)

    x, y = mean(one), mean(other)
    xx, yy, xy = mean(one * one) - x * x, mean(other * other) - y * y, mean(one * other) - x * y
    c1, c2 = 0.01**2, 0.03**2
    return np.asarray((2 * x * y + c1) * (2 * xy + c2) / ((x * x + y * y + c1) * (xx + yy + c2)))


def _counts(alpha: Plane, truth: Plane) -> tuple[NDArray[np.float64], NDArray[np.float64], int, int]:
    """Count at each of 256 thresholds the subject's and the background's pixels above it; and the subject and all."""
    level = np.clip(np.rint(alpha * (_LEVELS - 1)), 0, _LEVELS - 1).astype(np.uint8).ravel()
    there = truth.ravel() >= 0.5
    hits, alarms = (np.bincount(level[part], minlength=_LEVELS)[::-1].cumsum() for part in (there, ~there))
    return hits.astype(np.float64), alarms.astype(np.float64), int(there.sum()), level.size


def _evenness(values: Plane) -> float:
    """Eq. 5 of the S-measure: near 1 where values are near 1 and alike."""
    mean = float(values.mean())
    spread = float(values.std(ddof=1)) if values.size > 1 else 0.0
    return 2 * mean / (mean**2 + 1 + spread + _EPSILON)


def _quarters(alpha: Plane, there: Mask) -> float:
    """Eq. 4 of the S-measure: likeness of the four parts around the subject's centroid, by their area."""
    height, width = there.shape
    rows, columns = np.nonzero(there)
    y, x = round(rows.mean()) + 1, round(columns.mean()) + 1
    total = 0.0
    for part in (np.s_[:y, :x], np.s_[:y, x:], np.s_[y:, :x], np.s_[y:, x:]):
        if there[part].size:
            total += there[part].size / (height * width) * _likeness(alpha[part], there[part].astype(np.float64))
    return total


def _likeness(one: Plane, other: Plane) -> float:
    """Structural similarity of two parts without the constants (Wang et al. 2004), as the S-measure takes it."""
    x, y = float(one.mean()), float(other.mean())
    samples = max(1, one.size - 1)
    xx, yy = float(((one - x) ** 2).sum()) / samples, float(((other - y) ** 2).sum()) / samples
    xy = float(((one - x) * (other - y)).sum()) / samples
    top, bottom = 4 * x * y * xy, (x**2 + y**2) * (xx + yy)
    if top:
        return top / (bottom + _EPSILON)
    return 0.0 if bottom else 1.0


def _band(mask: Mask, depth: int) -> Mask:
    """Keep the pixels of a mask that a square step of `depth` takes out of it; outside the picture there is nothing."""
    height, width = mask.shape
    side = 2 * depth + 1
    sums = np.zeros((height + side, width + side), np.int64)
    sums[depth + 1 : depth + 1 + height, depth + 1 : depth + 1 + width] = mask
    sums = sums.cumsum(axis=0).cumsum(axis=1)
    full = sums[side:, side:] - sums[:-side, side:] - sums[side:, :-side] + sums[:-side, :-side] == side**2
    return np.asarray(mask & ~full)


def _gradient(plane: Plane, sigma: float) -> NDArray[np.float64]:
    """Give the gradient's magnitude by derivatives of a Gaussian, borders repeated, as the benchmark's code has it."""
    reach = math.ceil(sigma * math.sqrt(-2 * math.log(math.sqrt(2 * math.pi) * sigma * 0.01)))
    at = np.arange(-reach, reach + 1, dtype=np.float64)
    gauss = np.exp(-(at**2) / (2 * sigma**2)) / (sigma * math.sqrt(2 * math.pi))
    slope = -at * gauss / sigma**2
    scale = math.sqrt(float((gauss**2).sum() * (slope**2).sum()))
    across = _filtered(_filtered(plane, gauss, 0), slope, 1)
    down = _filtered(_filtered(plane, slope, 0), gauss, 1)
    return np.hypot(across, down) / scale


def _filtered(plane: Plane, taps: NDArray[np.float64], axis: int) -> NDArray[np.float64]:
    reach = len(taps) // 2
    wide = np.pad(plane, [(reach, reach) if axis == a else (0, 0) for a in (0, 1)], "edge").astype(np.float64)
    size = plane.shape[axis]
    parts = (tap * np.take(wide, range(n, n + size), axis) for n, tap in enumerate(taps))
    return np.asarray(sum(parts), np.float64)


def _largest(mask: Mask) -> Mask:
    """Keep the largest piece of a mask, pieces that share a side; the first of several as large."""
    pieces = Pieces.of(mask, corners=False)
    if not pieces.count:
        return np.zeros_like(mask)
    chosen = np.zeros(pieces.count, bool)
    chosen[int(pieces.area().argmax())] = True
    return pieces.drawn(chosen)


def _degree(shortfall: Plane) -> NDArray[np.float64]:
    return np.asarray(1 - shortfall * (shortfall >= 0.15), np.float64)


def _within(values: Plane, where: Mask | None) -> Plane:
    return values if where is None else values[where]
