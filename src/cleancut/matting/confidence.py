"""How far to trust an alpha: one number, which also decides whether there is a subject at all."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]

SMALLEST = 0.0005
"""Share of the picture that a subject covers at least; as a square, 2 % of its side."""


def raw(claimed: Plane, error: Plane | None = None, subject: float | None = None) -> float:
    """Judge an answer by itself, before it is calibrated.

    A network that says where it expects to be wrong is judged by that: Σα / (Σα + Σe), the share of what it claims and
    doubts that it claims, times the probability it gives to there being a subject. One that does not is judged by its
    firmness, (Σα²) / (Σα): 1 where all that is claimed is claimed firmly, low for haze.

    Args:
        claimed: (h, w) alpha of all layers, before any stretching.
        error: (h', w') expected error of alpha in [0, 1], or None.
        subject: probability that there is a subject, or None.

    Returns:
        A number in [0, 1]; 0 where what is claimed is smaller than a subject is.

    >>> raw(np.float32([[1, 1], [0, 0]]))
    1.0
    >>> raw(np.float32([[1, 1], [0, 0]]), error=np.float32([[0.5]]), subject=0.8)
    0.4
    """
    if float((claimed > 0.5).mean()) < SMALLEST:
        return 0.0
    total = float(claimed.mean())
    if error is None:
        share = float(np.square(claimed).mean()) / max(total, 1e-9)
    else:
        share = total / max(total + float(error.mean()), 1e-9)
    return share * (1.0 if subject is None else subject)


def calibrated(value: float, points: tuple[tuple[float, float], ...]) -> float:
    """Turn a raw judgement into the IoU to expect, along the line through a model's points; without any, keep it.

    >>> calibrated(0.75, ((0.5, 0.2), (1.0, 0.9)))
    0.55
    """
    if not points:
        return value
    x, y = zip(*points, strict=True)
    return round(float(np.interp(value, x, y)), 10)
