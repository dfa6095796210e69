"""How good an alpha is, measured against the truth. Both are (H, W) float32 in [0, 1]."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def iou(alpha: NDArray[np.floating], truth: NDArray[np.floating]) -> float:
    """Intersection over union of both made masks at ½ (Jaccard 1912); 1 where both are empty.

    >>> iou(np.array([1.0, 1.0, 0.0]), np.array([1.0, 0.0, 0.0]))
    0.5
    """
    found, there = alpha >= 0.5, truth >= 0.5
    union = int((found | there).sum())
    return float((found & there).sum() / union) if union else 1.0


def mae(alpha: NDArray[np.floating], truth: NDArray[np.floating]) -> float:
    """Mean absolute error over the whole picture.

    >>> mae(np.array([1.0, 0.5]), np.array([1.0, 0.0]))
    0.25
    """
    return float(np.abs(alpha - truth).mean())
