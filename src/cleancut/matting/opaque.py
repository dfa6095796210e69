"""Force partial alpha away inside a subject: glass and veils become solid, and edges stay as soft as they are."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from cleancut.raster.gaussian import blurred
from cleancut.raster.morphology import dilated, eroded
from cleancut.raster.rows import Rows

Plane = NDArray[np.float32]

FAINT = np.float32(0.1)
"""α below which a pixel lies outside, unless it is the edge of something denser."""

_REACH = 2.0
"""How far an edge reaches inwards, in pixels of the alpha before it was enlarged."""

_LEAST, _MOST = 3, 100
"""That in pixels of the picture, at least and at most."""

_SHARPNESS = 4
"""Standard deviations in that reach of the blur along which the inside begins: it must not leak out."""


def opaque(alpha: Rows, scale: float = 1.0) -> Rows:
    """Make the inside of a subject opaque.

    What is farther from the outside than an edge reaches becomes 1. Nearer, α is divided by the largest about it, so
    that the edge of a pane rises to 1 as the edge of a face does. What is faint and has nothing denser near goes.

    Args:
        alpha: rows (H, W) float32 in [0, 1].
        scale: how many times alpha was enlarged, at least 1.

    Returns:
        Rows (H, W) float32 in [0, 1], nowhere less than where something opaque is near.

    >>> pane = np.full((40, 40), 0.3, np.float32)
    >>> pane[:, :10] = 0
    >>> opaque(Rows.of(pane)).whole()[20, ::13].round(3).tolist()
    [0.0, 1.0, 1.0, 1.0]
    """
    reach = min(max(math.ceil(_REACH * scale), _LEAST), _MOST)
    there = alpha.map(lambda strip: (strip >= FAINT).astype(np.float32))
    inside = blurred(eroded(there, reach), reach / _SHARPNESS)
    peak = dilated(alpha, reach)

    def read(top: int, bottom: int) -> Plane:
        strip, densest = alpha.read(top, bottom), peak.read(top, bottom)
        dense = ((densest - FAINT) / FAINT).clip(0, 1)
        risen = strip / np.maximum(densest, FAINT) * dense
        return np.asarray(np.maximum(risen, inside.read(top, bottom)).clip(0, 1), np.float32)

    return Rows(alpha.shape, read)
