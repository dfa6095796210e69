"""How a picture shows itself in a notebook: no larger than a screen, over a checkerboard where it is clear."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cleancut.pictures.page import thumbnail
from cleancut.types import Bundle

SIDE = 1024
"""Pixels along the longer side at the most."""

_SQUARE = 16


def png(pixels: NDArray[np.uint8], profile: bytes | None = None) -> bytes:
    """Encode a picture (H, W), (H, W, 3) or, straight, (H, W, 4) for a screen.

    >>> Image.open(io.BytesIO(png(np.zeros((2000, 4000, 4), np.uint8)))).size
    (1024, 512)
    """
    colored = pixels if pixels.ndim == 3 else np.repeat(pixels[..., None], 3, axis=2)
    stream = io.BytesIO()
    Image.fromarray(thumbnail(colored, SIDE, _SQUARE)).save(stream, "PNG", compress_level=4, icc_profile=profile)
    return stream.getvalue()


def bundle(pixels: NDArray[np.uint8], profile: bytes | None, text: str) -> Bundle:
    """Give a picture as a notebook shows it, with words for where no pictures are."""
    return {"image/png": png(pixels, profile), "text/plain": text}, {}
