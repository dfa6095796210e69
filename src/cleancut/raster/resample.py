"""Changing the size of pictures and planes: down to what a network takes, up again to what is written.

Every resampling uses the filters and the sampling grid of Pillow (pixel centres at half-integers, the filter
widened when reducing), so that one result can be checked against another.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cleancut.raster import rows as strips
from cleancut.raster.layer import Layer
from cleancut.raster.rows import Rows, in_order
from cleancut.types import Box

Filter: TypeAlias = Literal["bilinear", "bicubic", "lanczos"]

_PILLOW = {
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}
_SUPPORT = {"bilinear": 1.0, "bicubic": 2.0, "lanczos": 3.0}

_ONE_THREAD = 1 << 18
"""Multiplications up to which OpenBLAS does not divide a matrix product among threads."""

_GAP = 2
"""A picture is first reduced by whole-number boxes to no less than this many times the size wanted."""


@dataclass(frozen=True, slots=True)
class Fit:
    """How a picture lies in a network's input; knows the way in and the way back.

    Attributes:
        source: (width, height) of the picture.
        size: (width, height) of the network's input.
        box: where the picture lies in it; the rest is padding.
        filter: the resampling filter, both ways.
        exact: on the way in, filter every pixel instead of averaging boxes first.
    """

    source: tuple[int, int]
    size: tuple[int, int]
    box: Box
    filter: Filter
    exact: bool = False

    @classmethod
    def stretch(cls, source: tuple[int, int], size: tuple[int, int], filter: Filter, exact: bool = False) -> Fit:
        """Fill the input, whatever the picture's shape."""
        return cls(source, size, (0, 0, *size), filter, exact)

    @classmethod
    def letterbox(cls, source: tuple[int, int], size: tuple[int, int], filter: Filter, exact: bool = False) -> Fit:
        """Keep the picture's shape, centred; the rest of the input is padding.

        >>> Fit.letterbox((200, 100), (320, 320), "bicubic").box
        (0, 80, 320, 240)
        """
        scale = min(size[0] / source[0], size[1] / source[1])
        w, h = max(1, round(source[0] * scale)), max(1, round(source[1] * scale))
        left, top = (size[0] - w) // 2, (size[1] - h) // 2
        return cls(source, size, (left, top, left + w, top + h), filter, exact)

    def shrink(self, rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Bring a picture (H, W, 3) to the network's input (h, w, 3); the padding is mid-grey."""
        left, top, right, bottom = self.box
        reduce = filtered if self.exact else reduced
        small = reduce(rgb, right - left, bottom - top, self.filter)
        if self.box == (0, 0, *self.size):
            return small
        canvas = np.full((self.size[1], self.size[0], 3), 128, np.uint8)
        canvas[top:bottom, left:right] = small
        return canvas

    def enlarge(self, plane: NDArray[np.float32]) -> Rows:
        """Bring a plane (h, w) of the network's output back to the picture's size, as rows in [0, 1]."""
        h, w = plane.shape
        scale_x, scale_y = w / self.size[0], h / self.size[1]
        left, top, right, bottom = self.box
        across = weights(w, self.source[0], self.filter, (left * scale_x, right * scale_x))
        down = weights(h, self.source[1], self.filter, (top * scale_y, bottom * scale_y))
        # (h, W): small, so only the rows are left for each strip; clipped as 8 bits would be, or corners ring twice
        wide = np.clip(plane @ across.T, 0, 1)

        def read(first: int, last: int) -> NDArray[np.float32]:
            part = down[first:last]
            used = np.flatnonzero(part.any(axis=0))
            rows = slice(used[0], used[-1] + 1)
            return np.clip(product(part[:, rows], wide[rows]), 0, 1)

        return Rows((self.source[1], self.source[0]), read)


def product(left: NDArray[np.float32], right: NDArray[np.float32]) -> NDArray[np.float32]:
    """Multiply matrices in pieces so small that OpenBLAS keeps each to the thread that asks.

    Strips are computed by several threads already; those of BLAS on top make a strip take 5 to 25 times as long.

    >>> product(np.eye(2, dtype=np.float32), np.array([[1, 2, 3], [4, 5, 6]], np.float32)).tolist()
    [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]
    """
    result = np.empty((left.shape[0], right.shape[1]), np.float32)
    step = max(1, _ONE_THREAD // left.size)
    for first in range(0, right.shape[1], step):
        np.matmul(left, right[:, first : first + step], out=result[:, first : first + step])
    return result


def weights(size: int, wanted: int, filter: Filter, span: tuple[float, float] | None = None) -> NDArray[np.float32]:
    """Build the matrix (wanted, size) that resamples `size` values to `wanted`.

    Args:
        size: number of values there are.
        wanted: number of values there shall be.
        filter: the filter; widened by size / wanted when reducing.
        span: the part of the values to map onto the result, in values; all by default.

    >>> weights(2, 4, "bilinear").round(2).tolist()
    [[1.0, 0.0], [0.75, 0.25], [0.25, 0.75], [0.0, 1.0]]
    """
    start, end = span or (0.0, float(size))
    scale = (end - start) / wanted
    widen = max(scale, 1.0)
    centers = start + (np.arange(wanted) + 0.5) * scale
    reach = _SUPPORT[filter] * widen
    # Only the few values within reach of each are worked out; the rest of the matrix is zero.
    near = np.floor(centers - reach).astype(np.intp)[:, None] + np.arange(math.ceil(2 * reach) + 2)
    distance = (near + 0.5 - centers[:, None]) / widen
    counts = (np.abs(distance) < _SUPPORT[filter]) & (near >= 0) & (near < size)
    parts = _KERNELS[filter](distance) * counts
    parts /= parts.sum(axis=1, keepdims=True)
    matrix = np.zeros((wanted, size), np.float32)
    rows = np.broadcast_to(np.arange(wanted)[:, None], near.shape)
    matrix[rows[counts], near[counts]] = parts[counts]
    return matrix


def _bilinear(x: NDArray[Any]) -> NDArray[Any]:
    return np.asarray(np.maximum(1 - np.abs(x), 0))


def _bicubic(x: NDArray[Any]) -> NDArray[Any]:
    """Keys 1981, a = −0.5."""
    x = np.abs(x)
    near = (1.5 * x - 2.5) * x * x + 1
    far = ((-0.5 * x + 2.5) * x - 4) * x + 2
    return np.asarray(np.where(x < 1, near, far))


def _lanczos(x: NDArray[Any]) -> NDArray[Any]:
    return np.asarray(np.sinc(x) * np.sinc(x / 3))


_KERNELS = {"bilinear": _bilinear, "bicubic": _bicubic, "lanczos": _lanczos}


def reduced(pixels: NDArray[np.uint8], width: int, height: int, filter: Filter) -> NDArray[np.uint8]:
    """Resize (H, W) or (H, W, C) uint8, cheaply when it becomes much smaller.

    The result is that of Pillow's `resize(reducing_gap=2)`, but the large picture is never copied whole.
    """
    full_h, full_w = pixels.shape[:2]
    fx = max(1, int(full_w / width / _GAP))
    fy = max(1, int(full_h / height / _GAP))
    small = box_reduced(Rows.of(pixels), fx, fy)
    image = Image.fromarray(small)
    return np.asarray(image.resize((width, height), _PILLOW[filter], box=(0, 0, full_w / fx, full_h / fy)))


def filtered(pixels: NDArray[np.uint8], width: int, height: int, filter: Filter) -> NDArray[np.uint8]:
    """Resize (H, W) or (H, W, C) uint8 from every pixel, to the values of Pillow's `resize`.

    It goes across first and rounds between, strips in threads; where Pillow goes down first it rounds elsewhere.
    """

    def across(part: tuple[int, int]) -> NDArray[np.uint8]:
        strip = Image.fromarray(np.ascontiguousarray(pixels[slice(*part)]))
        return np.asarray(strip.resize((width, strip.height), _PILLOW[filter]))

    parts = Rows.of(pixels).strips()
    narrow = Image.fromarray(np.concatenate(list(in_order(parts, across))))
    return np.asarray(narrow.resize((width, height), _PILLOW[filter]))


def box_reduced(rows: Rows, fx: int, fy: int) -> NDArray[np.uint8]:
    """Average boxes of fx × fy pixels of uint8 rows; the last ones may be partial."""
    if fx == fy == 1:
        return rows.whole()
    step = fy * max(1, strips.STRIP_PIXELS // rows.width // fy)
    parts = [(top, min(top + step, rows.height)) for top in range(0, rows.height, step)]

    def reduce(part: tuple[int, int]) -> NDArray[np.uint8]:
        return np.asarray(Image.fromarray(np.ascontiguousarray(rows.read(*part))).reduce((fx, fy)))

    return np.concatenate(list(in_order(parts, reduce)))


def resized(layer: Layer, width: int, height: int) -> Layer:
    """Resize a layer by Lanczos, in premultiplied colour, computed a strip at a time."""
    if layer.size == (width, height):
        return layer
    full_w, full_h = layer.size
    scale = full_h / height
    margin = math.ceil(_SUPPORT["lanczos"] * max(scale, 1)) + 1

    def read(first: int, last: int) -> NDArray[np.uint8]:
        top = max(0, math.floor(first * scale) - margin)
        bottom = min(full_h, math.ceil(last * scale) + margin)
        strip = np.empty((bottom - top, full_w, 4), np.uint8)
        strip[..., :3] = layer.color.read(top, bottom)
        strip[..., 3] = np.rint(layer.alpha.read(top, bottom) * 255)
        image = Image.fromarray(strip).convert("RGBa")
        # across first, always: left to itself Pillow chooses by the strip's shape, and overshoots are clipped between
        image = image.resize((width, bottom - top), Image.Resampling.LANCZOS)
        box = (0, first * scale - top, width, min(last * scale - top, bottom - top))
        image = image.resize((width, last - first), Image.Resampling.LANCZOS, box=box)
        return np.asarray(image.convert("RGBA"))

    rgba = Rows((height, width, 4), read).remembered()
    return Layer(
        Rows((height, width, 3), lambda top, bottom: rgba.read(top, bottom)[..., :3]),
        Rows((height, width), lambda top, bottom: rgba.read(top, bottom)[..., 3].astype(np.float32) / 255),
    )
