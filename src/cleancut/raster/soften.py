"""Gaussian blur of pictures, computed on a reduced copy where that loses nothing.

A Gaussian of σ = 40 px has nothing in it that a picture of a tenth of the size could not hold. So it is made
from box averages and enlarged again, strip by strip; only the reduced copy is ever held.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cleancut.raster.gaussian import blurred
from cleancut.raster.resample import box_reduced
from cleancut.raster.rows import Rows

_BICUBIC = Image.Resampling.BICUBIC

_FINEST = 2.0
"""σ in pixels of a reduced copy: such a Gaussian passes 3e-9 at Nyquist, so enlarging it loses nothing."""


def softened(picture: Rows, sigma: float) -> Rows:
    """Blur rows (H, W, 3) uint8 by a Gaussian of `sigma` pixels; the border pixels are repeated outside."""
    return _reduced(picture, sigma, _by_channel)


def softened_cutout(rgba: Rows, sigma: float) -> Rows:
    """Blur rows (H, W, 4) uint8 of straight colour and alpha, in premultiplied colour, as `softened` does."""

    def blur(small: Rows, spread: float) -> Rows:
        return _by_channel(small.map(_premultiplied), spread).map(_straight)

    return _reduced(rgba, sigma, blur)


def enlarged(small: NDArray[np.uint8], width: int, height: int, times: int) -> Rows:
    """Enlarge a copy that `box_reduced` made, by bicubic interpolation, a strip at a time.

    Args:
        small: (h, w, 3 or 4) uint8; four channels are straight colour and alpha.
        width: of the result, in pixels.
        height: of the result, in pixels.
        times: how many pixels of the result lie along one of `small`.
    """

    def read(top: int, bottom: int) -> NDArray[np.uint8]:
        first = max(top // times - 3, 0)
        part = Image.fromarray(small[first : -(-bottom // times) + 3])
        across = part.resize((width, part.height), _BICUBIC, box=(0, 0, width / times, part.height))
        down = (0, top / times - first, width, bottom / times - first)
        return np.asarray(across.resize((width, bottom - top), _BICUBIC, box=down))

    return Rows((height, width, small.shape[2]), read)


def _reduced(picture: Rows, sigma: float, blur: Callable[[Rows, float], Rows]) -> Rows:
    """Blur by `sigma` on a copy as small as that allows."""
    if not sigma:
        return picture
    times = max(1, int(sigma / _FINEST))
    if times == 1:
        return blur(picture, sigma)
    spread = math.sqrt(sigma**2 - (times**2 - 1) / 12) / times  # averaging has spread it a little already
    small = blur(Rows.of(box_reduced(picture, times, times)), spread).whole()
    return enlarged(small, picture.width, picture.height, times)


def _by_channel(picture: Rows, sigma: float) -> Rows:
    """Blur each channel of (H, W, C) uint8 by itself."""
    source = picture.remembered()
    planes = [blurred(_channel(source, index), sigma) for index in range(picture.shape[2])]

    def read(top: int, bottom: int) -> NDArray[np.uint8]:
        strip = np.empty((bottom - top, *picture.shape[1:]), np.uint8)
        for index, plane in enumerate(planes):
            strip[..., index] = np.rint(plane.read(top, bottom) * 255)
        return strip

    return Rows(picture.shape, read)


def _channel(picture: Rows, index: int) -> Rows:
    """One channel as rows (H, W) float32 in [0, 1]."""
    scale = np.float32(1 / 255)
    return Rows(picture.shape[:2], lambda top, bottom: picture.read(top, bottom)[..., index] * scale)


def _premultiplied(rgba: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(Image.fromarray(np.ascontiguousarray(rgba)).convert("RGBa"))


def _straight(premultiplied: NDArray[np.uint8]) -> NDArray[Any]:
    height, width = premultiplied.shape[:2]
    image = Image.frombytes("RGBa", (width, height), premultiplied.tobytes())
    return np.asarray(image.convert("RGBA"))
