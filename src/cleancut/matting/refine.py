"""Refinements: each a function from alpha rows (H, W) float32 in [0, 1] to the same.

A refinement's name is what a recipe calls it, its keyword arguments are its settings (see `steps`). Lengths are in
pixels of the alpha it is given, areas in pixels or percent of the picture. Nothing is computed before a strip is
asked for.

>>> import numpy as np
>>> alpha = Rows.of(np.array([[0.2, 0.5, 0.9]], np.float32))
>>> refinements.bind(refinements.parse("threshold:at=0.6"), {})(alpha).whole().tolist()
[[0.0, 0.0, 1.0]]
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from cleancut.matting.settings import Length, Range
from cleancut.matting.steps import Catalogue
from cleancut.raster.gaussian import blurred
from cleancut.raster.local import UNSEEN
from cleancut.raster.morphology import closed, dilated, eroded, opened
from cleancut.raster.regions import Regions
from cleancut.raster.rows import Rows

Plane = NDArray[np.float32]
Pixels = Range(0, 100, "px")
Area = Length(most_px=9_999_999, most_percent=100, area=True)

refinements: Catalogue[Callable[..., Rows]] = Catalogue("refinement")

HAZE = np.float32(0.02)
"""`auto` takes α below this for nothing, and above 1 − this for everything."""

FAINT = np.float32(0.05)
"""α from which pixels make an island, so that haze does not join what is apart; 1 − α for holes."""

_ISLANDS = Regions(lambda a: a >= FAINT, lambda a: a >= UNSEEN, corners=True, framed=False)
_HOLES = Regions(lambda a: a <= 1 - FAINT, lambda a: a <= 1 - UNSEEN, corners=False, framed=True)


@refinements
def auto(alpha: Rows) -> Rows:
    """Tidy: take haze and specks away, and make what is nearly opaque opaque.

    α from 0.02 to 0.98 is spread over 0 to 1. A speck is an island below 0.05 % of the picture and below 5 % of
    the largest island, so a flock of small things stays. Meant for the network's plane, before it is enlarged.
    """
    clear = alpha.map(lambda a: np.clip((a - HAZE) * (1 / (1 - 2 * HAZE)), 0, 1))
    share = 0.0005 * alpha.height * alpha.width
    specks = _ISLANDS.small(clear, lambda areas: min(share, 0.05 * areas.max(initial=0)))
    return _painted(clear, specks, 0)


@refinements
def threshold(alpha: Rows, *, at: Annotated[float, Range(0, 1)] = 0.5) -> Rows:
    """Make a hard mask: 1 where α is at least this, 0 elsewhere."""
    return alpha.map(lambda a: (a >= np.float32(at)).astype(np.float32))


@refinements
def feather(alpha: Rows, *, radius: Annotated[float, Pixels] = 2.0) -> Rows:
    """Soften the edge by a Gaussian whose standard deviation is this radius."""
    return blurred(alpha, radius)


@refinements
def tighten(alpha: Rows, *, radius: Annotated[float, Pixels] = 1.0) -> Rows:
    """Draw the edge in by this many pixels, as it is: soft stays soft."""
    return eroded(alpha, radius)


@refinements
def grow(alpha: Rows, *, radius: Annotated[float, Pixels] = 1.0) -> Rows:
    """Push the edge out by this many pixels, as it is: soft stays soft."""
    return dilated(alpha, radius)


@refinements
def opening(alpha: Rows, *, radius: Annotated[float, Range(0, 50, "px")] = 2.0) -> Rows:
    """Remove what is thinner than twice this radius, and leave the rest where it is."""
    return opened(alpha, radius)


@refinements
def closing(alpha: Rows, *, radius: Annotated[float, Range(0, 50, "px")] = 2.0) -> Rows:
    """Fill gaps thinner than twice this radius, and leave the rest where it is."""
    return closed(alpha, radius)


@refinements
def specks(alpha: Rows, *, area: Annotated[str, Area] = "0.01%") -> Rows:
    """Remove islands smaller than this area, in pixels or percent of the picture, with their soft rims.

    An island is what touches, corners included, where α ≥ 0.05. Haze below that goes with the specks in it, unless
    it also reaches an island that stays.
    """
    least = _pixels(area, alpha)
    return _painted(alpha, _ISLANDS.small(alpha, lambda _: least), 0) if least else alpha


@refinements
def holes(alpha: Rows, *, area: Annotated[str, Area] = "0.01%") -> Rows:
    """Fill holes smaller than this area, in pixels or percent of the picture, with their soft rims.

    A hole is what touches by its sides where α ≤ 0.95, and does not reach the picture's border.
    """
    least = _pixels(area, alpha)
    return _painted(alpha, _HOLES.small(alpha, lambda _: least), 1) if least else alpha


def _pixels(area: str, alpha: Rows) -> int:
    return Length.pixels(area, alpha.height * alpha.width)


def _painted(alpha: Rows, mask: Rows, value: float) -> Rows:
    """Set α to `value` where the mask says so."""

    def read(top: int, bottom: int) -> Plane:
        here = mask.read(top, bottom)
        strip = alpha.read(top, bottom)
        return np.where(here, np.float32(value), strip) if here.any() else strip

    return Rows(alpha.shape, read)
