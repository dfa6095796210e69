"""Porter and Duff's "over" (SIGGRAPH 1984): for a stack of layers under a subject, and for two layers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cleancut.raster.color import from_linear, to_linear
from cleancut.raster.layer import Layer
from cleancut.raster.rows import Rows

Strip = tuple[NDArray[np.uint8], NDArray[np.float32]]
"""Colour (h, W, 3) uint8, straight, and alpha (h, W) float32 in [0, 1]."""


def mix(
    below: Sequence[Strip], color: NDArray[np.uint8], opacity: NDArray[np.uint8], *, linear: bool = False
) -> NDArray[np.uint8]:
    """Lay a subject over the layers below it.

    Args:
        below: layers, the lowest first; may be empty.
        color: (h, W, 3) uint8, the subject's straight colour.
        opacity: (h, W) uint8, its alpha.
        linear: mix in linear light instead of in sRGB values.

    Returns:
        (h, W, 4) uint8, straight. Where `opacity` is 255 the colour is `color` bit for bit; where the result's alpha
        is 0, RGB is 0.

    >>> red, white = np.full((1, 1, 3), (255, 0, 0), np.uint8), np.full((1, 1, 3), 255, np.uint8)
    >>> mix([(white, np.ones((1, 1), np.float32))], red, np.full((1, 1), 51, np.uint8)).tolist()
    [[[255, 204, 204, 255]]]
    """
    if not below:
        return _under_alpha(color, opacity)
    result = np.zeros((*opacity.shape, 4), np.uint8)
    mixed = np.zeros(opacity.shape, bool)
    for layer_color, layer_alpha in below:
        _lay(layer_color, layer_alpha == 1, layer_alpha > 0, result, mixed)
    _lay(color, opacity == 255, opacity > 0, result, mixed)
    if mixed.any():
        layers = [*below, (color, opacity * np.float32(1 / 255))]
        result[mixed] = _mixed([(c[mixed], a[mixed]) for c, a in layers], linear=linear)
    return result


def _under_alpha(color: NDArray[np.uint8], opacity: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Join colour (h, W, 3) and alpha (h, W); RGB is 0 where alpha is."""
    result = np.empty((*opacity.shape, 4), np.uint8)
    for channel in range(3):  # a loop of numpy's over W pixels is four times as fast as one over three channels
        result[..., channel] = color[..., channel]
    result[..., 3] = opacity
    pixels = result.view(np.uint32)[..., 0]
    np.multiply(pixels, opacity > 0, out=pixels)
    return result


def _lay(
    color: NDArray[np.uint8],
    opaque: NDArray[np.bool_],
    there: NDArray[np.bool_],
    result: NDArray[np.uint8],
    mixed: NDArray[np.bool_],
) -> None:
    """Put a layer where it is opaque, and note where it is translucent: most of a picture is neither."""
    if opaque.all():
        result[..., :3] = color
        result[..., 3] = 255
        mixed[:] = False
        return
    if opaque.any():
        np.copyto(result[..., :3], color, where=opaque[..., None])
        np.copyto(result[..., 3], 255, where=opaque)
    mixed |= there
    mixed &= ~opaque


def _mixed(layers: Sequence[Strip], *, linear: bool) -> NDArray[np.uint8]:
    """Lay colours (n, 3) over one another, the lowest first, by their alphas (n,); (n, 4) uint8, straight."""
    count = len(layers[0][1])
    light = np.zeros((count, 3), np.float32)  # premultiplied
    cover = np.zeros(count, np.float32)
    for color, alpha in layers:
        values = to_linear()[color] if linear else color.astype(np.float32)
        light *= (1 - alpha)[:, None]
        light += values * alpha[:, None]
        cover *= 1 - alpha
        cover += alpha
    light /= np.maximum(cover, 1e-6)[:, None]
    result = np.empty((count, 4), np.uint8)
    result[:, :3] = from_linear(light) if linear else np.rint(np.clip(light, 0, 255))
    result[:, 3] = np.rint(cover * 255)
    result[result[:, 3] == 0] = 0
    return result


def over(upper: Layer, lower: Layer, *, linear: bool = False) -> Layer:
    """Lay a layer over another of its size, a strip at a time; where the upper is opaque its colour stands."""

    def color(top: int, bottom: int) -> NDArray[np.uint8]:
        below = lower.color.read(top, bottom), lower.alpha.read(top, bottom)
        opacity = (upper.alpha.read(top, bottom) * np.float32(255) + np.float32(0.5)).astype(np.uint8)
        return mix([below], upper.color.read(top, bottom), opacity, linear=linear)[..., :3]

    def alpha(top: int, bottom: int) -> NDArray[np.float32]:
        hidden = 1 - upper.alpha.read(top, bottom)
        return np.asarray(1 - hidden * (1 - lower.alpha.read(top, bottom)))

    return Layer(Rows(upper.color.shape, color), Rows(upper.alpha.shape, alpha).remembered())
