"""Cut a subject off a backdrop whose colour is known everywhere: no network, α at the picture's own size.

I = αF + (1 − α)B with B known leaves α and F (Smith & Blinn 1996, "Blue Screen Matting"). Two measures of α:

* by **difference**, where the backdrop was found or has no colour: α = |I − B| / |F − B|, with F as it is nearby, and
  nothing where I − B is noise;
* by **chroma**, where a colour was named: the share of the backdrop's chroma that is missing, as in Vlahos's colour
  difference key (US 4,100,569). What has none of that chroma is opaque; glass and hair have some.

A small copy tells what is certainly subject or certainly not, and gives F; the picture itself decides the rest, a
strip at a time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cleancut.errors import BadRecipe
from cleancut.matting.confidence import SMALLEST
from cleancut.matting.cutout import written
from cleancut.matting.keying.guide import FRONTS, Mask, blocks, followed, gaps_of, guide_of, outer, spread
from cleancut.matting.keying.keyer import Key, Plane, chroma, length
from cleancut.matting.keying.surface import Surface, find
from cleancut.matting.matte import Matte
from cleancut.matting.settings import Color
from cleancut.raster.resample import Fit
from cleancut.raster.rows import Rows
from cleancut.types import Picture

LOOK = (512, 512)
"""Size of the small copy; the table of the model states the same."""

LEAST = 0.45
"""Share of the border that must belong to the backdrop: a person fills the bottom and some of the sides."""

_TRUSTED = 0.7
"""Share of the border, and of three of its sides, that `auto` asks for."""

_SAME = 0.9
"""Intersection over union of what is keyed and what a network sees from which both mean the same subject."""

_CHROMA = np.float32(70)
"""Length of a backdrop's chroma from which it is a coloured one; pure green has 208."""

_HELD = np.float32(0.03)
"""How firmly F is held to the colours nearby; at α = 0.17 both count the same."""


@dataclass(frozen=True, slots=True)
class Backdrop:
    """A setting: the backdrop's colour, or auto to find it."""

    def read(self, given: object) -> str:
        """Read auto or a colour, without an alpha."""
        if given == "auto":
            return "auto"
        return str(Color().read(given))[:7]

    def schema(self) -> dict[str, object]:
        """Give text."""
        return {"type": "string", "x-color-or": "auto"}

    def __str__(self) -> str:
        return "auto or a colour such as white or #00ff00"


def key(picture: Picture, color: str) -> Matte:
    """Cut the subject off its backdrop.

    Args:
        picture: any size.
        color: of the backdrop, `#rrggbb`, or "auto" to find it along the borders. A colour that is also found there
            is taken as it is found, with its shading and noise.

    Raises:
        BadRecipe: `auto`, and the borders show no backdrop.
    """
    surface = _surface(picture, color)
    if surface is None:
        raise BadRecipe(
            f"{picture.name} has no flat backdrop along its borders; use a network (-m NAME), "
            "or name the backdrop's colour, such as -m key:#00ff00."
        )
    by_chroma = color != "auto" and bool(length(chroma(surface.color)) >= _CHROMA)
    return _matte(picture, Key(surface, by_chroma), None)


def _matte(picture: Picture, keyed: Key, claimed: Plane | None) -> Matte:
    """Cut the subject off a backdrop that was found, within what a network claims on the small copy, if it was asked.

    Confidence is the share of the border that belongs to the backdrop, 0 without a subject.
    """
    fit = Fit.stretch(picture.size, LOOK, "bilinear")
    small: Plane = fit.shrink(picture.rgb).astype(np.float32)
    height, width = small.shape[:2]
    if not keyed.by_chroma:
        keyed = replace(keyed, surface=followed(keyed, small))
    back = keyed.surface.strip(0, height, width, height)
    guide, sure = guide_of(keyed, small, gaps_of(keyed, picture, (height, width)), claimed)
    fronts = spread(blocks(small * sure[..., None]), blocks(sure.astype(np.float32)[..., None]))
    coarse = _decided(keyed.alpha(small, back, _enlarged(fronts, (width, height))(0, height)), guide)
    subject = bool((coarse > 0.5).mean() >= SMALLEST)
    rows = _alpha(picture, keyed, fronts, fit.enlarge(guide))
    return Matte(
        alpha=coarse[None],
        confidence=round(keyed.surface.share, 4) if subject else 0.0,
        subject=subject,
        rows=rows,
        foreground=lambda alpha: _foreground(picture, keyed.surface, fronts, alpha),
    )


def agreed(picture: Picture, claimed: Plane, fit: Fit) -> Matte | None:
    """Key a picture whose border is nearly all backdrop, and keep the result if a network claims the same subject.

    Args:
        picture: any size.
        claimed: the network's α (h, w).
        fit: how the picture lies in the network's input.

    Returns:
        the matte, or None where the border is too busy or the two see different subjects.
    """
    surface = find(picture)
    if surface is None or surface.share < _TRUSTED or sum(side >= _TRUSTED for side in surface.sides) < 3:
        return None
    claimed = Fit(LOOK, fit.size, fit.box, "bilinear").enlarge(claimed).whole()
    by_difference = Key(surface, by_chroma=False)
    keyed = ~outer(_matte(picture, by_difference, None).alpha[0] < 0.5)  # holes filled: networks seldom see them
    seen = claimed >= 0.5
    if (keyed & seen).sum() < _SAME * max((keyed | seen).sum(), 1):
        return None
    found = _matte(picture, by_difference, claimed)
    return replace(found, notes=("The backdrop is flat, so the subject was keyed by colour (auto).",))


def _surface(picture: Picture, color: str) -> Surface | None:
    if color == "auto":
        found = find(picture)
        return found if found is not None and found.share >= LEAST else None
    channels = Color.channels(color)[:3]
    return find(picture, _like(channels)) or Surface.of(channels)


def _like(color: tuple[int, int, int]) -> Callable[[Plane], Mask]:
    """Tell which colours (n, 3) may be a backdrop of that name: of its hue where it has one, else near it."""
    named = np.asarray(color, np.float32)
    tint = chroma(named)

    def alike(colors: Plane) -> Mask:
        if length(tint) < _CHROMA:
            return np.asarray(length(colors - named) <= 80)
        seen = chroma(colors)
        along = seen @ tint / length(tint)
        return np.asarray((along >= 0.9 * length(seen)) & (along >= 25))

    return alike


def _enlarged(fronts: Plane, size: tuple[int, int]) -> Callable[[int, int], Plane]:
    """Give the grid of colours at a size, rows (h, W, 3) from 0 to 255."""
    fit = Fit.stretch(size, (FRONTS, FRONTS), "bilinear")
    planes = [fit.enlarge(np.ascontiguousarray(fronts[..., c]) / np.float32(255)) for c in range(3)]
    return lambda top, bottom: np.stack([plane.read(top, bottom) for plane in planes], axis=-1) * np.float32(255)


def _alpha(picture: Picture, keyed: Key, fronts: Plane, guide: Rows) -> Rows:
    """Describe α at the picture's own size."""
    width, height = picture.size
    front = _enlarged(fronts, picture.size)

    def read(top: int, bottom: int) -> Plane:
        says = guide.read(top, bottom)
        if not says.any():
            return says
        back = keyed.surface.strip(top, bottom, width, height)
        return _decided(keyed.alpha(picture.rgb[top:bottom].astype(np.float32), back, front(top, bottom)), says)

    return Rows((height, width), read)


def _decided(alpha: Plane, guide: Plane) -> Plane:
    """Hold α to what the guide says: at least 2g − 1, at most 2g."""
    return np.clip(alpha, np.maximum(2 * guide - 1, 0), np.minimum(2 * guide, 1))


def _foreground(picture: Picture, surface: Surface, fronts: Plane, alpha: Rows) -> Rows:
    """Solve I = αF + (1 − α)B for F where the written α is soft; the less of F a pixel shows, the more from nearby."""
    width, height = picture.size
    front = _enlarged(fronts, picture.size)

    def read(top: int, bottom: int) -> NDArray[np.uint8]:
        strip = picture.rgb[top:bottom]
        cover = written(alpha.read(top, bottom))
        soft = (cover > 0) & (cover < 255)
        if not soft.any():
            return strip
        a = (cover.astype(np.float32) / 255)[..., None]
        near = front(top, bottom)
        left = strip - a * near - (1 - a) * surface.strip(top, bottom, width, height)
        solved = np.rint(np.clip(near + left * (a / (a * a + (1 - a) * _HELD)), 0, 255)).astype(np.uint8)
        return np.where(soft[..., None], solved, strip)

    return Rows(picture.rgb.shape, read)
