"""Pillow image → planes: upright, 8 bits a channel, straight alpha.

Pillow holds a pixel of RGB in four bytes. So the picture is taken over a strip at a time, straight to where
it belongs: conversions and EXIF's eight orientations cost a strip of memory, not a picture.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cleancut.errors import NotAPicture
from cleancut.raster.color import srgb_transform
from cleancut.raster.rows import strips

Plane: TypeAlias = NDArray[np.uint8]
Parts: TypeAlias = tuple[Plane, Plane | None]
"""Colour (h, w, 3) or grey (h, w, 1), and alpha (h, w) or None."""

_LONGEST_PROFILE = 16_000_000
_UNREADABLE = "Its colour profile cannot be read and was left out."


@dataclass(frozen=True, slots=True)
class Turn:
    """One of EXIF's orientations: what brings the picture upright.

    Attributes:
        strip: the same, as Pillow does it; None where there is nothing to do.
        upright: an upright view of an array as the file holds it.
        held: the way back.
    """

    strip: Image.Transpose | None
    upright: Callable[[Plane], Plane]
    held: Callable[[Plane], Plane]


def _turn(strip: Image.Transpose | None, upright: Callable[[Plane], Plane], held: Any = None) -> Turn:
    return Turn(strip, upright, held or upright)  # all but the quarter turns are their own way back


def _clockwise(a: Plane) -> Plane:
    return a.swapaxes(0, 1)[:, ::-1]


def _counterclockwise(a: Plane) -> Plane:
    return a.swapaxes(0, 1)[::-1]


TURNS: Mapping[int, Turn] = {
    1: _turn(None, lambda a: a),
    2: _turn(Image.Transpose.FLIP_LEFT_RIGHT, lambda a: a[:, ::-1]),
    3: _turn(Image.Transpose.ROTATE_180, lambda a: a[::-1, ::-1]),
    4: _turn(Image.Transpose.FLIP_TOP_BOTTOM, lambda a: a[::-1]),
    5: _turn(Image.Transpose.TRANSPOSE, lambda a: a.swapaxes(0, 1)),
    6: _turn(Image.Transpose.ROTATE_270, _clockwise, _counterclockwise),
    7: _turn(Image.Transpose.TRANSVERSE, lambda a: a[::-1, ::-1].swapaxes(0, 1)),
    8: _turn(Image.Transpose.ROTATE_90, _counterclockwise, _clockwise),
}
"""By the number EXIF gives them (CIPA DC-008, tag 0x0112)."""

_SPACES: Mapping[str, bytes] = dict.fromkeys(
    ("1", "L", "LA", "La", "I", "I;16", "I;16B", "I;16L", "I;16N", "F"), b"GRAY"
) | {
    "CMYK": b"CMYK",
    "LAB": b"Lab ",
}
"""Colour space that a profile must be of (ICC.1, header bytes 16 to 19), by Pillow's mode; others are RGB."""

_TOPS: Mapping[str, float] = dict.fromkeys(("I", "I;16", "I;16B", "I;16L", "I;16N"), 65535) | {"F": 1.0}
"""The value that is white, in modes that are not of 8 bits."""


@dataclass(frozen=True, slots=True)
class Colors:
    """How a picture's colours become RGB.

    Attributes:
        profile: stays with the RGB values; None is sRGB.
        transform: from the picture's own space to sRGB, or None.
        notes: what was wrong with the profile.
    """

    profile: bytes | None = None
    transform: Any = None
    notes: tuple[str, ...] = ()


def colors(mode: str, profile: object) -> Colors:
    """Decide what becomes of a profile: RGB stays, other spaces are converted, what does not fit goes.

    Args:
        mode: Pillow's name of the pixels' layout.
        profile: what the file holds as its ICC profile; empty where it holds none.
    """
    if profile == b"":
        return Colors()
    if not isinstance(profile, bytes):
        return Colors(notes=(_UNREADABLE,))
    space = _SPACES.get(mode, b"RGB ")
    stated = profile[16:20]
    if len(profile) > _LONGEST_PROFILE:
        return Colors(notes=("Its colour profile is too large and was left out.",))
    if stated != space and stated in {b"RGB ", b"GRAY", b"CMYK", b"Lab "}:
        return Colors(notes=("Its colour profile is of another kind than its pixels and was left out.",))
    try:
        transform = srgb_transform(profile, "L" if space == b"GRAY" else space.decode().strip().upper())
    except NotAPicture:
        return Colors(notes=(_UNREADABLE,))
    return Colors(profile) if space == b"RGB " else Colors(transform=transform)


def check_range(image: Image.Image, name: str) -> None:
    """Refuse a picture of whole numbers or floats whose white is not known.

    Raises:
        NotAPicture: its values are not from 0 to 65535, or floats from 0 to 1.
    """
    if image.mode not in {"I", "F"}:
        return
    extrema: Any = image.getextrema()
    if not 0 <= extrema[0] <= extrema[1] <= _TOPS[image.mode]:
        span = "0 to 1" if image.mode == "F" else "0 to 65535"
        raise NotAPicture(f"{name} has values outside {span}, so its white is not known; scale them first.")


def planes(image: Image.Image, orientation: int, transform: Any = None) -> Parts:
    """Take a decoded image over.

    Args:
        image: of any mode; it is not changed.
        orientation: 1 to 8, as EXIF numbers them.
        transform: from its colours to sRGB, or None for the plain conversion.

    Returns:
        rgb (H, W, 3) uint8 and alpha (H, W) uint8, both upright; alpha is None where all of it is 255.
    """
    width, height = image.size
    turn = TURNS[orientation]
    shape = (width, height) if orientation > 4 else (height, width)
    rgb = np.empty((*shape, 3), np.uint8)
    alpha: Plane | None = None
    for top, bottom in strips(height, width):
        strip = image.crop((0, top, width, bottom))
        if turn.strip is not None:
            strip = _turned(strip, turn.strip)
        color, opacity = _READERS.get(strip.mode, _read_color)(strip, transform)
        turn.upright(turn.held(rgb)[top:bottom])[...] = color
        if opacity is not None and alpha is None and opacity.min() < 255:
            alpha = np.full(shape, 255, np.uint8)
        if opacity is not None and alpha is not None:
            turn.upright(turn.held(alpha)[top:bottom])[...] = opacity
    return rgb, alpha


def _turned(strip: Image.Image, turn: Image.Transpose) -> Image.Image:
    info = strip.info
    strip = strip.transpose(turn)
    strip.info = info
    return strip


def _read_color(strip: Image.Image, transform: Any) -> Parts:
    if strip.has_transparency_data:
        rgba = np.asarray(strip.convert("RGBA"))
        return rgba[..., :3], rgba[..., 3]
    return np.asarray(strip.convert("RGB")), None


def _read_inks(strip: Image.Image, transform: Any) -> Parts:
    """Read CMYK or LAB."""
    return np.asarray(strip.convert("RGB") if transform is None else _applied(strip, transform)), None


def _read_grey(strip: Image.Image, transform: Any) -> Parts:
    if not strip.has_transparency_data:
        return _toned(strip.convert("L"), transform), None
    both = strip.convert("LA")
    return _toned(both.getchannel("L"), transform), np.asarray(both.getchannel("A"))


def _read_deep(strip: Image.Image, transform: Any) -> Parts:
    """Read values of more than 8 bits: scaled, not clipped."""
    values = np.asarray(strip)
    scale = np.float32(255 / _TOPS[strip.mode])
    grey = np.rint(np.nan_to_num(values.astype(np.float32), copy=False) * scale).astype(np.uint8)
    clear = strip.info.get("transparency")
    opacity = np.where(values == clear, 0, 255).astype(np.uint8) if isinstance(clear, int) else None
    return _toned(Image.fromarray(grey), transform), opacity


def _toned(grey: Image.Image, transform: Any) -> Plane:
    return np.asarray(grey)[..., None] if transform is None else np.asarray(_applied(grey, transform))


def _applied(strip: Image.Image, transform: Any) -> Image.Image:
    from PIL import ImageCms  # noqa: PLC0415 - only pictures with a profile need it

    done = ImageCms.applyTransform(strip, transform)
    assert done is not None
    return done


_READERS: Mapping[str, Callable[[Image.Image, Any], Parts]] = {
    **dict.fromkeys(("1", "L", "LA", "La"), _read_grey),
    **dict.fromkeys(_TOPS, _read_deep),
    **dict.fromkeys(("CMYK", "LAB"), _read_inks),
}
"""What reads a strip, by Pillow's mode; all others are colours that Pillow converts."""
