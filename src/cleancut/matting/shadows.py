"""What a subject throws around itself: shadow, reflection and outline, as planes of alpha and colour."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cleancut.matting.cutout import written
from cleancut.raster.gaussian import blurred
from cleancut.raster.layer import Layer
from cleancut.raster.morphology import dilated
from cleancut.raster.rows import Rows
from cleancut.raster.soften import softened_cutout
from cleancut.types import Box

_BASE = 0.12
"""Share of the subject's height, from below, in which a foot throws a contact shadow."""

_STEEP = np.float32(4)
"""How much steeper an edge is made before an outline is drawn along it."""

_SMOOTH = 1 / 8
"""σ by which an outline is smoothed, as a share of its width."""


def drop_shadow(alpha: Rows, right: int, down: int, blur: float) -> Rows:
    """Move the subject's α by whole pixels and blur it; where it meets the border it goes on beyond.

    Args:
        alpha: (H, W) float32 in [0, 1].
        right: how far to move it to the right, in pixels.
        down: how far to move it down, in pixels.
        blur: σ in pixels.

    Returns:
        (H, W) float32 in [0, 1].
    """
    return blurred(shifted(alpha, right, down), blur)


def shifted(rows: Rows, right: int, down: int) -> Rows:
    """Move rows (H, W) by whole pixels; what comes in over the border repeats it."""
    right = min(max(right, 1 - rows.width), rows.width - 1)
    left_out, right_out = max(-right, 0), max(right, 0)

    def read(top: int, bottom: int) -> NDArray[np.float32]:
        strip = rows.padded(top - down, bottom - down)
        inside = strip[:, left_out : rows.width - right_out]
        return np.pad(inside, ((0, 0), (right_out, left_out)), mode="edge")

    return Rows(rows.shape, read)


def contact_shadow(alpha: Rows, box: Box, reach: float, blur: float, lean: int) -> Rows:
    """Draw the darkness under a thing where it touches the ground: a wide soft lens with a dark core.

    Every column of the subject has a foot, its lowest pixel, if that lies near the lower edge of the box; the
    higher off the ground it is, the fainter is its shadow. The lens is drawn about the feet.

    Args:
        alpha: (H, W) float32 in [0, 1].
        box: of the subject.
        reach: half the height of the lens, in pixels.
        blur: σ in pixels; the core has a third of both.
        lean: by how many pixels to move it to the right.

    Returns:
        (H, W) float32 in [0, 1].
    """
    bottom = box[3]
    tall = max(1, round((bottom - box[1]) * _BASE))
    there = alpha.read(bottom - tall, bottom) >= 0.5
    lift = np.argmax(there[::-1], axis=0)  # rows between a column's foot and the ground
    darkness = np.where(there.any(axis=0), 1 - lift / tall, 0).astype(np.float32)
    wide, core = (
        blurred(shifted(_lens(alpha.shape, bottom - lift, darkness, reach / size), lean, 0), blur / size)
        for size in (1, 3)
    )

    def both(top: int, bottom: int) -> NDArray[np.float32]:
        return np.asarray(1 - (1 - wide.read(top, bottom)) * (1 - core.read(top, bottom)))

    return Rows(alpha.shape, both)


def _lens(shape: tuple[int, ...], feet: NDArray[np.intp], darkness: NDArray[np.float32], reach: float) -> Rows:
    """Draw in every column half an ellipse of darkness to either side of its foot."""
    reach = max(reach, 1)
    first, last = feet.min() - reach, feet.max() + reach

    def read(top: int, bottom: int) -> NDArray[np.float32]:
        if bottom <= first or top >= last:
            return np.zeros((bottom - top, shape[1]), np.float32)
        height = (np.arange(top, bottom, dtype=np.float32)[:, None] + 0.5 - feet) / reach
        return np.asarray(darkness * np.sqrt(np.maximum(1 - height * height, 0)), np.float32)

    return Rows(shape, read)


def reflection(subject: Layer, floor: int, axis: int, height: int, blur: float) -> Layer:
    """Mirror a subject at the ground, fading to nothing.

    Args:
        subject: to mirror.
        floor: lower edge of the subject, in pixels from above.
        axis: where the reflection begins; lower than `floor` by the gap.
        height: of the reflection in pixels, at least 1.
        blur: σ in pixels.
    """
    shape = subject.alpha.shape

    def read(top: int, bottom: int) -> NDArray[np.uint8]:
        mirrored = np.zeros((bottom - top, shape[1], 4), np.uint8)
        first, last = max(top, axis), min(bottom, axis + floor)
        if first < last:
            source = floor - (last - axis), floor - (first - axis)
            part = mirrored[first - top : last - top]
            part[..., :3] = subject.color.read(*source)[::-1]
            part[..., 3] = written(subject.alpha.read(*source)[::-1])
        return mirrored

    def faded(top: int, bottom: int) -> NDArray[np.float32]:
        depth = (np.arange(top, bottom, dtype=np.float32) + 0.5 - axis)[:, None] / height
        strength = np.where(depth < 0, 0, np.maximum(1 - depth, 0))
        return rgba.read(top, bottom)[..., 3] * (strength * np.float32(1 / 255))

    rgba = softened_cutout(Rows((*shape, 4), read), blur).remembered()
    return Layer(Rows((*shape, 3), lambda top, bottom: rgba.read(top, bottom)[..., :3]), Rows(shape, faded))


def outline(alpha: Rows, width: float) -> Rows:
    """Grow the subject's α by `width` pixels all round.

    The line runs along the contour α = ½, however soft the subject's own edge is: the edge is made steep
    first, and smooth again afterwards.

    Args:
        alpha: (H, W) float32 in [0, 1].
        width: in pixels.

    Returns:
        (H, W) float32 in [0, 1], 1 under the subject too.
    """
    firm = alpha.map(lambda strip: np.clip((strip - np.float32(0.5)) * _STEEP + np.float32(0.5), 0, 1))
    sigma = max(0.8, width * _SMOOTH)
    smooth = blurred(dilated(firm, width), sigma)
    gain = np.float32(np.sqrt(2 * np.pi) * sigma)  # a smoothed step rises by 1 / gain a pixel
    return smooth.map(lambda strip: np.clip((strip - np.float32(0.5)) * gain + np.float32(0.5), 0, 1)).remembered()
