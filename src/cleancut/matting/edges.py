"""Refinements that look at the picture, not at alpha alone: where the edge runs, and how much of a pixel it covers.

They take a `Look` besides alpha. Importing this module enters them among the refinements.
"""

from __future__ import annotations

import functools
import math
import time
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray

from cleancut.matting.band.closed_form import matted
from cleancut.matting.band.closeup import HAIRY, closer
from cleancut.matting.band.learned import Refiner, learned
from cleancut.matting.band.trimap import BACKGROUND, FOREGROUND, UNKNOWN, overlaid
from cleancut.matting.band.trimap import trimap as banded
from cleancut.matting.look import Look, ran
from cleancut.matting.refine import refinements
from cleancut.matting.settings import Range
from cleancut.raster.guided import guided as filtered
from cleancut.raster.morphology import eroded
from cleancut.raster.rows import Rows

__all__ = ["marked", "refinements"]

CLOSEUP = "cleancut-closeup"
"""Model that looks at edges from close up."""

_WINDOW = 4.0
"""Radius of the guided filter's windows, in pixels of the network: as far as its edge may be off, and around that."""

_WIDEST = 200
"""That radius at the most, in pixels of the picture: a strip of 30,000 pixels would need gigabytes for its windows."""


@refinements
def guided(alpha: Rows, look: Look, *, radius: Annotated[float, Range(0, 200, "px")] = 0.0) -> Rows:
    """Let the edge follow the picture's own edges, by a guided filter along it; radius 0 chooses one."""
    window = max(1, round(radius)) if radius else min(max(2, math.ceil(_WINDOW * look.scale)), _WIDEST)
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


@refinements
def trimap(
    alpha: Rows,
    look: Look,
    *,
    model: Annotated[str, Refiner()],
    tiles: Annotated[int, Range(1, 256, whole=True)] = 8,
    erode: Annotated[float, Range(0, 100, "px")] = 0.0,
    solid: Annotated[float, Range(0, 255)] = 240.0,
    clear: Annotated[float, Range(0, 255)] = 10.0,
) -> Rows:
    """Let a network such as vitmatte solve for alpha along the edge; --refine vitmatte is short for it.

    It is asked about that many tiles at the most, which are reduced copies where the picture would need more; with one,
    about the whole picture. The band is that of `matting`.
    """
    loaded = look.load(model)
    start = time.perf_counter()
    band = stepped(alpha, erode, solid, clear) if erode else marked(alpha, look)
    found = learned(look.picture, band, loaded, tiles)
    look.told.append(str(found))
    look.ran.append(ran(loaded, start))
    return found.alpha


@refinements
def detail(
    alpha: Rows,
    look: Look,
    *,
    edges: Literal["all", "wide"] = "all",
    model: Annotated[str, Refiner("closeup")] = CLOSEUP,
) -> Rows:
    """Look at edges again from close up, tile by tile, as far as the budget of tiles reaches.

    With `edges=wide` only where the coarse alpha is in doubt (hair, fur) or many edges meet (spokes); hard ones stay.
    """
    if look.sharp:
        return alpha
    start = time.perf_counter()
    plane, fit = look.coarse(alpha)
    wide = HAIRY if edges == "wide" else 0.0
    network = functools.cache(lambda: look.load(model))
    found = closer(look.picture.rgb, plane, fit, lambda given: network().network(given), look.budget, wide=wide)
    look.told.append(str(found))
    if found.tiles:
        look.ran.append(ran(network(), start))
    return found.alpha


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
    """Give the trimap of an alpha: rows (H, W) uint8, 0 background, 128 unknown, 255 foreground; marks are certain."""
    fresh = alpha is look.first
    band = banded(alpha, look.uncertainty if fresh else None, scale=look.scale if fresh else 1.0)
    return overlaid(band, look.marks)
