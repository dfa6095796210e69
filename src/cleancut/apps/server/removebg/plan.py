"""A request and its picture's header → what will be done: the recipe, the region, and how large the result may be."""

from __future__ import annotations

from dataclasses import dataclass

from cleancut.apps.server.removebg.errors import bad
from cleancut.apps.server.removebg.geometry import max_side, reduced, region
from cleancut.apps.server.removebg.parameters import PNG_MEGAPIXELS, SIZES, Asked
from cleancut.errors import NotAPicture, TooBig
from cleancut.limits import Limits
from cleancut.matting.recipe import make
from cleancut.matting.settings import Color
from cleancut.pictures import images
from cleancut.pictures.formats import sniff
from cleancut.pictures.images import Header
from cleancut.types import Box, Recipe

BACKGROUND = "background"
"""The name by which the recipe knows the picture to lay behind."""

_SHOWS = {"rgba": "cutout", "alpha": "alpha"}
_WRITTEN = {"png": "png", "jpg": "jpeg", "webp": "webp"}


@dataclass(frozen=True, slots=True)
class Plan:
    """What will be done, all of it checked.

    Attributes:
        asked: the parameters.
        size: of the source, (width, height) in pixels.
        most: of the largest result that the same call with size=full may give, before cropping.
        roi: what may hold the subject, in pixels of the source; None is all of it.
        recipe: what is done before the subject is arranged.
    """

    asked: Asked
    size: tuple[int, int]
    most: tuple[int, int]
    roi: Box | None
    recipe: Recipe


def head(data: bytes, name: str, limits: Limits) -> Header:
    """Read a picture's header; nothing is decoded.

    Raises:
        BadCall: the file is too large, of another type, has too many pixels, or its size cannot be read.
    """
    try:
        extra = sniff(data, name).extra
    except NotAPicture as error:
        raise bad("invalid_file_type", reason=error.public) from None
    try:
        header = images.header(data, name=name, limits=limits)
    except TooBig as error:
        if len(data) > limits.max_bytes:
            raise bad("file_too_large", limit=f"{limits.max_bytes / 1e6:,.4g}MB") from None
        raise bad("resolution_too_high", reason=error.public) from None
    except NotAPicture as error:  # of what an extra reads, the extra may be what is missing
        raise bad("invalid_file_type" if extra else "invalid_dimensions", reason=error.public) from None
    if 0 in header.size:
        raise bad("invalid_dimensions")
    return header


def planned(asked: Asked, picture: Header, background: Header | None, model: str) -> Plan:
    """Turn a request into a recipe and places.

    Raises:
        BadCall: the region does not fit the picture.
    """
    covered = background.opaque if background else asked.color is not None and Color.channels(asked.color)[3] == 255
    full, wanted = (max_side(picture.upright, _megapixels(asked, size, covered)) for size in ("full", asked.size))
    effects = [{"name": "color", "color": asked.color}] if asked.color else []
    if background is not None:
        effects = [{"name": "behind", "picture": BACKGROUND, "fit": "cover"}]
    return Plan(
        asked=asked,
        size=picture.upright,
        most=reduced(picture.upright, full),
        roi=None if asked.roi is None else region(asked.roi, picture.upright),
        recipe=make(
            model=model,
            opaque=not asked.semitransparency,
            effects=effects,
            show=_SHOWS[asked.channels],
            format=_WRITTEN.get(asked.format),
            max_side=wanted,
            provenance=False,  # a recipe alone would not make this result again
        ),
    )


def _megapixels(asked: Asked, size: str, covered: bool) -> float:
    """Tell how many megapixels a result may have: a PNG fewer than the others."""
    is_png = asked.format == "png" or (asked.format == "auto" and (asked.channels == "alpha" or not covered))
    return min(SIZES[size], PNG_MEGAPIXELS) if is_png else SIZES[size]
