"""Colour of the subject at soft edges, with the old background's taken out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cleancut.matting.colors.pyramid import colors
from cleancut.matting.cutout import written
from cleancut.raster.lazy import once
from cleancut.raster.rows import Rows

_TEXTURE = np.float32(20)
"""How far colours stray from their surroundings, of 255; what strays further is rather an error of α."""


def estimate(picture: Rows, alpha: Rows) -> Rows:
    """Estimate the foreground F of I = αF + (1 − α)B, straight, where the alpha that is written is soft.

    A pyramid gives F and B as they are around (see `pyramid`). At each soft pixel what they leave of I unexplained
    then goes to F by its share, as in Forte (2021, "Approximate Fast Foreground Colour Estimation"), the less the more
    it is: a wrong α leaves much, and must not bring the old background back.

    Args:
        picture: rows (H, W, 3) uint8; any RGB space, as it is encoded.
        alpha: rows (H, W) float32 in [0, 1]; quantised as it will be written.

    Returns:
        Rows (H, W, 3) uint8. Where the written alpha is 255 or 0 they are the picture's, bit for bit. The first strip
        that holds a soft pixel reads everything once; what is kept is 1/64 of the pixels.
    """
    opacity = alpha.map(written)
    around = once(lambda: colors(picture, opacity))

    def read(top: int, bottom: int) -> NDArray[np.uint8]:
        strip, cover = picture.read(top, bottom), opacity.read(top, bottom)
        soft = (cover > 0) & (cover < 255)
        place = np.flatnonzero(soft)
        if not len(place):
            return strip
        y = np.repeat(np.arange(top, bottom), np.count_nonzero(soft, axis=1))
        x = place - (y - top) * picture.width
        result = np.array(strip)
        pixels = result.reshape(-1, 3)
        front, back = around().at(y, x)
        pixels[place] = _corrected(pixels.take(place, axis=0), cover.take(place), front, back)
        return result

    return Rows(picture.shape, read)


def _corrected(
    color: NDArray[np.uint8], cover: NDArray[np.uint8], front: NDArray[np.float32], back: NDArray[np.float32]
) -> NDArray[np.uint8]:
    """Solve for F at n pixels: color (n, 3), cover (n,), and F and B around them (n, 3).

    At α → 1 the answer is the picture's colour, so there is no seam to what is opaque.
    """
    a = (cover.astype(np.float32) / 255)[:, None]
    b = 1 - a
    unexplained = color - a * front - b * back
    doubt = 1 + np.square(unexplained / _TEXTURE).mean(axis=1, keepdims=True)
    found = front + unexplained * (a / (a * a + b * b + doubt * b))
    return np.asarray(np.rint(np.clip(found, 0, 255)), np.uint8)
