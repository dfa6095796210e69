"""Effects: each a function from a cutout to a cutout, its keyword arguments being its settings.

They are applied in the order they are named.

* What fills the canvas (`color`, `behind`, `flatten`) fills whatever canvas there is in the end, wherever it
  stands in the list; of several colours and pictures the last one stays, and `flatten` goes beneath it.
* What changes the scene (`blur`, `gray-behind`) shows the source's own background, changed: each changes what
  the one before made of it.
* What is laid beneath the subject (`shadow`, `reflection`) is made of the subject as it lies at that point,
  over the layers made before, and is cut off at the canvas: name `trim` or `fit` first to give it room.
* `outline` joins the subject: what comes after, such as `trim` and `shadow`, takes it for a part of it.
* What moves things (`trim`, `fit`) moves all that was made before.

An effect that brings a colour or a picture from elsewhere converts the cutout to sRGB; the others keep its
profile. Pixels of written alpha 255 keep the subject's colour bit for bit, but for `fit`, which resamples.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Annotated, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cleancut.errors import BadSetting
from cleancut.matting import shadows
from cleancut.matting.backdrop import colored, pictured
from cleancut.matting.cutout import Cutout
from cleancut.matting.figures import box_of
from cleancut.matting.scenery import without_subject
from cleancut.matting.settings import Asset, Color, Length, Range
from cleancut.matting.steps import Catalogue
from cleancut.raster.blend import over
from cleancut.raster.layer import Layer
from cleancut.raster.resample import resized
from cleancut.raster.rows import Rows
from cleancut.raster.soften import softened
from cleancut.types import Box, Picture

Effect: TypeAlias = Callable[..., Cutout]

effects: Catalogue[Effect] = Catalogue("effect")


def dressed(cutout: Cutout, handed: Mapping[str, Picture], check: Callable[[], None]) -> Cutout:
    """Lay the effects of its recipe over a plain cutout; `handed` are the pictures they name."""
    with cutout.stopwatch.stage("effects"):
        for step in cutout.recipe.effects:
            cutout = effects.bind(step, handed)(cutout)
            check()
    return cutout


Place: TypeAlias = Literal[
    "center", "top", "bottom", "left", "right", "top-left", "top-right", "bottom-left", "bottom-right"
]

_LUMA = 0.2126, 0.7152, 0.0722
"""ITU-R BT.709."""


@effects
def color(cut: Cutout, *, color: Annotated[str, Color()] = "#ffffff") -> Cutout:
    """Lay a colour behind everything; it may be translucent."""
    return replace(cut.in_srgb(), backdrop=colored(*Color.channels(color)))


@effects
def behind(
    cut: Cutout,
    *,
    picture: Annotated[Picture, Asset()],
    fit: Literal["cover", "contain", "stretch"] = "cover",
) -> Cutout:
    """Lay a picture behind everything: covering the canvas, wholly inside it, or stretched to it."""
    return replace(cut.in_srgb(), backdrop=pictured(picture, fit))


@effects
def flatten(cut: Cutout, *, color: Annotated[str, Color()] = "#ffffff") -> Cutout:
    """Make the result opaque: what would be transparent shows this colour.

    Raises:
        BadSetting: the colour is translucent.
    """
    *rgb, opacity = Color.channels(color)
    if opacity < 255:
        raise BadSetting(f"The setting color of flatten must be opaque, not {color}.")
    cut = cut.in_srgb()
    ground, upper = colored(*rgb), cut.backdrop
    if upper is None:
        return replace(cut, backdrop=ground)
    linear = cut.recipe.blend == "linear"
    return replace(cut, backdrop=lambda *size: over(upper(*size), ground(*size), linear=linear))


@effects
def blur(cut: Cutout, *, radius: Annotated[float, Range(0, 500, "px")] = 12.0) -> Cutout:
    """Blur what is behind the subject by a Gaussian of this radius, the subject itself not bleeding into it.

    It fills the canvas: where the source does not reach, its border goes on, softly.
    """
    soft = softened(without_subject(cut), radius)
    return replace(cut, scenery=Layer(soft, Rows.constant(soft.height, soft.width, np.array(1, np.float32))))


@effects
def gray_behind(cut: Cutout, *, strength: Annotated[float, Range(0, 1)] = 1.0) -> Cutout:
    """Take the colour out of what is behind the subject."""
    matrix = np.zeros((3, 4))
    matrix[:, :3] = strength * np.array(_LUMA) + (1 - strength) * np.eye(3)

    def gray(strip: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return np.asarray(Image.fromarray(strip).convert("RGB", tuple(matrix.ravel())))

    scene = cut.scenery or cut.scene
    return replace(cut, scenery=Layer(without_subject(cut).map(gray), scene.alpha))


@effects
def shadow(
    cut: Cutout,
    *,
    kind: Literal["drop", "contact"] = "drop",
    angle: Annotated[float, Range(-360, 360, "°")] = 60.0,
    distance: Annotated[str, Length(2000, 100)] = "2%",
    blur: Annotated[str, Length(500, 25)] = "1.5%",
    opacity: Annotated[float, Range(0, 1)] = 0.45,
    color: Annotated[str, Color()] = "#000000",
) -> Cutout:
    """Lay a shadow beneath the subject: dropped on a wall behind it, or in contact with the ground.

    Lengths in % are of the longer side of the subject's box. The angle says where the shadow falls: 0° to the
    right, 90° down. A contact shadow lies about the subject's lower edge, reaches `distance` up and down, and
    leans aside.
    """
    box = _standing(cut)
    if box is None:
        return cut
    side = _longer_side(box)
    far, soft = Length.pixels(distance, side), Length.pixels(blur, side)
    right, down = (round(far * turn(math.radians(angle))) for turn in (math.cos, math.sin))
    if kind == "drop":
        plane = shadows.drop_shadow(cut.subject.alpha, right, down, soft)
    else:
        plane = shadows.contact_shadow(cut.subject.alpha, box, far, soft, right)
    return _beneath(cut, plane, color, opacity)


@effects
def reflection(
    cut: Cutout,
    *,
    height: Annotated[str, Length(10_000, 100)] = "30%",
    opacity: Annotated[float, Range(0, 1)] = 0.35,
    blur: Annotated[str, Length(500, 25)] = "0px",
    gap: Annotated[str, Length(2000, 100)] = "0px",
) -> Cutout:
    """Mirror the subject below itself, as on a polished table, fading to nothing at this height.

    Lengths in % are of the height of the subject's box. There must be room below the subject: name `fit` or a
    `trim` with a margin first.
    """
    box = _standing(cut)
    if box is None:
        return cut
    tall = box[3] - box[1]
    axis = box[3] + Length.pixels(gap, tall)
    if axis >= cut.size[1]:
        return _noting(cut, "There is no room below the subject for its reflection; trim with a margin first.")
    depth = max(1, Length.pixels(height, tall))
    mirrored = shadows.reflection(cut.subject, box[3], axis, depth, Length.pixels(blur, tall))
    return replace(cut, under=(*cut.under, _fainter(mirrored, opacity)))


@effects
def outline(
    cut: Cutout,
    *,
    width: Annotated[int, Range(1, 500, "px", whole=True)] = 8,
    color: Annotated[str, Color()] = "#ffffff",
    opacity: Annotated[float, Range(0, 1)] = 1.0,
) -> Cutout:
    """Draw a line of this width round the subject, like a sticker's.

    The line joins the subject: a shadow that follows is thrown by both.
    """
    cut = cut.in_srgb()
    line = _painted(shadows.outline(cut.subject.alpha, width), color, opacity)
    return replace(cut, subject=over(cut.subject, line, linear=cut.recipe.blend == "linear"))


@effects
def trim(cut: Cutout, *, margin: Annotated[str, Length(2000, 100)] = "0px") -> Cutout:
    """Crop the canvas to the subject and a margin; where the margin passes the border it is transparent.

    A margin in % is of the longer side of the subject's box.
    """
    box = cut.box
    if box is None:
        return _noting(cut, "There is no subject to trim to; the canvas is as it was.")
    left, top, right, bottom = box
    around = Length.pixels(margin, _longer_side(box))
    width, height = right - left + 2 * around, bottom - top + 2 * around
    return cut.moved(lambda layer: layer.map(lambda rows: rows.placed(height, width, around - top, around - left)))


@effects
def fit(
    cut: Cutout,
    *,
    width: Annotated[int, Range(1, 10_000, "px", whole=True)],
    height: Annotated[int, Range(1, 10_000, "px", whole=True)],
    scale: Annotated[float, Range(1, 100, "%")] = 100.0,
    position: Place = "center",
    upscale: bool = True,
) -> Cutout:
    """Put what there is on a canvas of this size, in its proportions; name trim first to place the subject.

    It goes into a frame of `scale` percent of the canvas, centred in it, and to `position` in that frame.
    """
    frame = width * scale / 100, height * scale / 100
    ratio = min(frame[0] / cut.size[0], frame[1] / cut.size[1])
    if not upscale:
        ratio = min(ratio, 1.0)
    w, h = (max(1, round(side * ratio)) for side in cut.size)
    words = position.split("-")
    left = round((width - w) / 2 + (frame[0] - w) / 2 * (("right" in words) - ("left" in words)))
    top = round((height - h) / 2 + (frame[1] - h) / 2 * (("bottom" in words) - ("top" in words)))
    return cut.moved(lambda layer: resized(layer, w, h).map(lambda rows: rows.placed(height, width, top, left)))


def _beneath(cut: Cutout, plane: Rows, color: str, opacity: float) -> Cutout:
    """Lay a plane of one colour right beneath the subject."""
    return replace(cut.in_srgb(), under=(*cut.under, _painted(plane, color, opacity)))


def _painted(plane: Rows, color: str, opacity: float) -> Layer:
    *rgb, translucency = Color.channels(color)
    paint = Rows.constant(plane.height, plane.width, np.array(rgb, np.uint8))
    return _fainter(Layer(paint, plane), opacity * translucency / 255)


def _fainter(layer: Layer, opacity: float) -> Layer:
    strength = np.float32(opacity)
    return Layer(layer.color, layer.alpha.map(lambda strip: strip * strength))


def _standing(cut: Cutout) -> Box | None:
    """Find the box of what is at least half there: haze throws no shadow and stands on no ground."""
    return box_of(cut.subject.alpha.map(lambda strip: np.floor(strip + np.float32(0.5)))) or cut.box


def _longer_side(box: Box) -> int:
    return max(box[2] - box[0], box[3] - box[1])


def _noting(cut: Cutout, note: str) -> Cutout:
    return replace(cut, notes=(*cut.notes, note))
