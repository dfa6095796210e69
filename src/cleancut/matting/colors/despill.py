"""Spill: the light of a coloured backdrop on the subject in front of it.

A colour's chroma (what departs from its grey) is parted along the backdrop's own chroma and across it. Subjects may
have as much along it as across, which leaves hues 45° and more from the backdrop's alone; what is beyond is spill, and
is taken away. For a green screen that is green in excess of red and blue, as in Vlahos's colour difference. The grey
stays as it is.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cleancut.errors import BadSetting
from cleancut.matting.cutout import written
from cleancut.raster.morphology import dilated
from cleancut.raster.rows import Rows

Plane = NDArray[np.float32]

_COLORLESS = 8.0
"""Chroma of a backdrop, of 255, below which it is grey and its light cannot be told from any other."""


def despilled(
    colors: Rows, alpha: Rows, backdrop: tuple[float, float, float], *, amount: float = 1.0, reach: float = 4.0
) -> Rows:
    """Take a backdrop's light off soft edges, and off what is opaque within `reach` pixels of one.

    Args:
        colors: rows (H, W, 3) uint8, straight, in the encoding of `backdrop`.
        alpha: rows (H, W) float32 in [0, 1].
        backdrop: its colour, each channel 0 to 255; a grey one changes nothing.
        amount: how much of the spill goes, 0 to 1.
        reach: in pixels, 0 to 100.

    Returns:
        Rows (H, W, 3) uint8. Opaque pixels that show no spill are those of `colors` bit for bit, as are clear ones.

    Raises:
        BadSetting: a setting is out of range.

    >>> green = Rows.of(np.array([[[90, 200, 80], [200, 150, 120]]], np.uint8))
    >>> despilled(green, Rows.of(np.full((1, 2), 0.5, np.float32)), (0, 255, 0)).whole().tolist()
    [[[125, 129, 115], [200, 150, 120]]]
    """
    if not (0 <= amount <= 1 and 0 <= reach <= 100 and all(0 <= value <= 255 for value in backdrop)):
        raise BadSetting("Despilling takes an amount of 0 to 1, a reach of 0 to 100 px and a colour of 0 to 255.")
    chroma = np.asarray(backdrop, np.float32) - np.float32(np.mean(backdrop))
    length = float(np.linalg.norm(chroma))
    if length < _COLORLESS or not amount:
        return colors
    opacity = alpha.map(written)
    soft = opacity.map(lambda a: ((a > 0) & (a < 255)).astype(np.float32))
    near = dilated(soft, reach)

    def read(top: int, bottom: int) -> NDArray[np.uint8]:
        strip = colors.read(top, bottom)
        place = np.flatnonzero((near.read(top, bottom) > 0) & (opacity.read(top, bottom) > 0))
        if not len(place):
            return strip
        result = np.array(strip)
        pixels = result.reshape(-1, 3)
        pixels[place] = _without(pixels.take(place, axis=0), chroma / length, amount)
        return result

    return Rows(colors.shape, read)


def _without(colors: NDArray[np.uint8], axis: Plane, amount: float) -> NDArray[np.uint8]:
    """Take the spill off colours (n, 3); `axis` is the backdrop's chroma, of length 1."""
    values = colors.astype(np.float32)
    chroma = values - values.mean(axis=1, keepdims=True)
    along = chroma @ axis
    across = np.linalg.norm(chroma - along[:, None] * axis, axis=1)
    spill = np.maximum(along - across, 0) * np.float32(amount)
    return np.asarray(np.rint(np.clip(values - spill[:, None] * axis, 0, 255)), np.uint8)
