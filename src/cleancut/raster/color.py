"""Colour spaces: ICC profiles to sRGB, sRGB to linear light and back (IEC 61966-2-1)."""

from __future__ import annotations

import functools
import io
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cleancut.errors import NotAPicture
from cleancut.raster.rows import Rows

_LINEAR_STEPS = 1 << 16


@functools.cache
def to_linear() -> NDArray[np.float32]:
    """Table (256,) float32: linear light in [0, 1] of each sRGB value."""
    v = np.arange(256) / 255
    return np.where(v <= 0.04045, v / 12.92, ((v + 0.055) / 1.055) ** 2.4).astype(np.float32)


@functools.cache
def _from_linear() -> NDArray[np.uint8]:
    v = np.linspace(0, 1, _LINEAR_STEPS)
    encoded = np.where(v <= 0.0031308, v * 12.92, 1.055 * v ** (1 / 2.4) - 0.055)
    return np.asarray(np.rint(encoded * 255), np.uint8)


def from_linear(light: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Encode linear light in [0, 1], any shape, as sRGB uint8.

    >>> bool((from_linear(to_linear()) == np.arange(256)).all())
    True
    """
    index = np.rint(np.clip(light, 0, 1) * (_LINEAR_STEPS - 1)).astype(np.uint16)
    return _from_linear()[index]


def srgb_transform(profile: bytes, mode: str = "RGB") -> Any:
    """Build the transform (perceptual intent) from a profile to sRGB, for pictures of a Pillow mode.

    Raises:
        NotAPicture: the profile cannot be read, or is not one for this mode.
    """
    from PIL import ImageCms  # noqa: PLC0415 - only pictures with a profile need it

    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        return ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, "RGB")
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError) as error:
        raise NotAPicture("The picture's colour profile cannot be read; save it without the profile.") from error


def rows_to_srgb(rows: Rows, profile: bytes | None) -> Rows:
    """Convert rows (H, W, 3) uint8 from a profile to sRGB, a strip at a time; None leaves them as they are."""
    if profile is None:
        return rows
    return rows.map(strip_to_srgb(profile))


def strip_to_srgb(profile: bytes) -> Callable[[NDArray[np.uint8]], NDArray[np.uint8]]:
    """Give a function that converts any (h, w, 3) uint8 from a profile to sRGB."""
    from PIL import Image, ImageCms  # noqa: PLC0415

    transform = srgb_transform(profile)

    def convert(strip: NDArray[np.uint8]) -> NDArray[np.uint8]:
        done = ImageCms.applyTransform(Image.fromarray(np.ascontiguousarray(strip)), transform)
        assert done is not None
        return np.asarray(done)

    return convert
