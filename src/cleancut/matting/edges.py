"""Refinements that look at the picture, not at alpha alone: where the edge runs, and how much of a pixel it covers.

They take a `Look` besides alpha. Importing this module enters them among the refinements.
"""

from __future__ import annotations

import math
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from cleancut.matting.band.closed_form import matted
from cleancut.matting.band.trimap import BACKGROUND, FOREGROUND, UNKNOWN, trimap
from cleancut.matting.look import Look
from cleancut.matting.refine import refinements
from cleancut.matting.settings import Range
from cleancut.raster.guided import guided as filtered
from cleancut.raster.morphology import eroded
from cleancut.raster.rows import Rows

__all__ = ["marked", "refinements"]

_WINDOW = 4.0
"""Radius of the guided filter's windows, in pixels of the network: as far as its edge may be off, and around that."""


@refinements
def guided(alpha: Rows, look: Look, *, radius: Annotated[float, Range(0, 200, "px")] = 0.0) -> Rows:
    """Let the edge follow the picture's own edges, by a guided filter along it; radius 0 chooses one."""
    window = round(radius) or max(2, math.ceil(_WINDOW * look.scale))
    if not radius:
        look.told.append(f"({window} px)")
    band = marked(alpha, look).map(lambda strip: strip == UNKNOWN)
    return filtered(look.pixels, alpha, band, radius=window)


@refinements
def matting(
    alpha: Rows,
    look: Look,
    *,
    erode: Annotated[float, Range(0, 100, "px")] = 0.0,
    solid: Annotated[float, Range(0, 255)] = 240.0,
    clear: Annotated[float, Range(0, 255)] = 10.0,
) -> Rows:
    """Solve for alpha along the edge by closed-form matting; slow and exact, needs cleancut[matting].

    The band follows the edge's own softness. With `erode` it is fixed, as rembg's is: what lies this far inside α above
    `solid` and this far outside α below `clear`, of 255, is known.
    """
    return matted(look.pixels, stepped(alpha, erode, solid, clear) if erode else marked(alpha, look))


def stepped(alpha: Rows, erode: float, solid: float, clear: float) -> Rows:
    """Give a trimap by thresholds, of 255, and an erosion in pixels: rows (H, W) uint8."""
    inside = eroded(alpha.map(lambda a: (a * 255 > solid).astype(np.float32)), erode)
    outside = eroded(alpha.map(lambda a: (a * 255 < clear).astype(np.float32)), erode)

    def read(top: int, bottom: int) -> NDArray[np.uint8]:
        known = np.where(inside.read(top, bottom) == 1, np.uint8(FOREGROUND), np.uint8(UNKNOWN))
        known[outside.read(top, bottom) == 1] = BACKGROUND
        return known

    return Rows(alpha.shape, read)


def marked(alpha: Rows, look: Look) -> Rows:
    """Give the trimap of an alpha: rows (H, W) uint8, 0 background, 128 unknown, 255 foreground."""
    fresh = alpha is look.first
    return trimap(alpha, look.uncertainty if fresh else None, scale=look.scale if fresh else 1.0)
