"""What fills a canvas beneath a subject: a colour or a picture, rendered once the canvas is final."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeAlias

import numpy as np

from cleancut.raster.color import rows_to_srgb
from cleancut.raster.layer import Layer
from cleancut.raster.resample import resized
from cleancut.raster.rows import Rows
from cleancut.types import Picture

Backdrop: TypeAlias = Callable[[int, int], Layer]
"""Takes the canvas's width and height in pixels, gives a layer of that size, in sRGB."""

Fit: TypeAlias = Literal["cover", "contain", "stretch"]


def colored(red: int, green: int, blue: int, alpha: int = 255) -> Backdrop:
    """Fill with one colour, 0 to 255 a channel.

    >>> colored(255, 0, 0)(4, 3).color.shape
    (3, 4, 3)
    """
    color = np.array((red, green, blue), np.uint8)
    opacity = np.array(alpha / 255, np.float32)

    def fill(width: int, height: int) -> Layer:
        return Layer(Rows.constant(height, width, color), Rows.constant(height, width, opacity))

    return fill


def pictured(picture: Picture, fit: Fit = "cover") -> Backdrop:
    """Fill with a picture: covering the canvas, wholly inside it, or stretched to it; centred."""
    color = rows_to_srgb(Rows.of(picture.rgb), picture.profile)
    whole = np.array(1, np.float32)
    alpha = (
        Rows.constant(color.height, color.width, whole)
        if picture.alpha is None
        else Rows.of(picture.alpha).map(lambda strip: strip.astype(np.float32) / 255)
    )

    def fill(width: int, height: int) -> Layer:
        across, down = width / picture.size[0], height / picture.size[1]
        scale = {"cover": max(across, down), "contain": min(across, down)}.get(fit)
        w = width if scale is None else max(1, round(picture.size[0] * scale))
        h = height if scale is None else max(1, round(picture.size[1] * scale))
        layer = resized(Layer(color, alpha), w, h)
        return layer.map(lambda rows: rows.placed(height, width, (height - h) // 2, (width - w) // 2))

    return fill
