"""A cutout → the bytes of an answer: PNG, JPEG, WebP, or a ZIP of colours and alpha."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cleancut.apps.server.removebg.errors import bad
from cleancut.apps.server.removebg.geometry import arranged, only
from cleancut.apps.server.removebg.parameters import Asked
from cleancut.apps.server.removebg.plan import Plan
from cleancut.matting.cutout import Cutout, written
from cleancut.matting.effects import effects
from cleancut.matting.write import encode
from cleancut.pictures.png import write_png
from cleancut.raster.rows import STRIP_PIXELS, Rows, in_order
from cleancut.types import Box

_MEDIA = {"png": "image/png", "jpeg": "image/jpeg", "webp": "image/webp", "zip": "application/zip"}

_BLOCK = 8
"""Pixels of a side of what JPEG transforms at once (ITU-T T.81, section A.3)."""

_QUALITY = 92

_MOST_OF_RESULT = 25_000_000
"""Pixels of a source from which on the place of its subject is told in its own pixels, not in the result's."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """One result.

    Attributes:
        data: its bytes.
        media_type: what they are.
        size: (width, height) in pixels.
        most: (width, height) that size=full may give.
        subject: where the subject is in the picture, before it is cropped, scaled or moved; in pixels of the result,
            or of the source where that has more than 25 megapixels.
    """

    data: bytes
    media_type: str
    size: tuple[int, int]
    most: tuple[int, int]
    subject: Box


def rendered(cut: Cutout, plan: Plan) -> Rendered:
    """Arrange a cutout as it was asked for, and encode it.

    Raises:
        BadCall: there is no subject, or none in the region.
    """
    asked = plan.asked
    if plan.roi is not None:
        cut = only(cut, plan.roi, plan.size)
    box = cut.box
    if box is None:
        raise bad("unknown_foreground")
    subject = _in_source(box, cut.size, plan.size) if plan.size[0] * plan.size[1] > _MOST_OF_RESULT else box
    cut = arranged(cut, box, asked)
    if asked.shadow is not None:
        step = effects.step({"name": "shadow", "kind": asked.shadow, "opacity": asked.shadow_opacity})
        cut = effects.bind(step, {})(cut)
    format = _format(cut, asked)
    data = zipped(cut) if format == "zip" else _encoded(cut, format)
    return Rendered(data, _MEDIA[format], cut.size, plan.most, subject)


def _encoded(cut: Cutout, format: str) -> bytes:
    stream = io.BytesIO()
    encode(cut, stream, format)
    return stream.getvalue()


def zipped(cut: Cutout) -> bytes:
    """Write color.jpg and alpha.png, which together are the picture that a PNG would be."""
    color, alpha = _planes(cut)
    jpeg, png = io.BytesIO(), io.BytesIO()
    how = {"quality": _QUALITY, "subsampling": "4:4:4", "icc_profile": cut.profile}
    Image.fromarray(color).save(jpeg, "JPEG", **how)
    write_png(png, Rows.of(alpha))
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:  # both are compressed already
        archive.writestr(zipfile.ZipInfo("color.jpg"), jpeg.getvalue())
        archive.writestr(zipfile.ZipInfo("alpha.png"), png.getvalue())
    return packed.getvalue()


def _planes(cut: Cutout) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Composite a cutout into colours (H, W, 3) and alpha (H, W), a band of whole blocks at a time."""
    width, height = cut.size
    color, alpha = np.empty((height, width, 3), np.uint8), np.empty((height, width), np.uint8)
    step = _BLOCK * max(1, STRIP_PIXELS // width // _BLOCK)
    bands = [(top, min(top + step, height)) for top in range(0, height, step)]
    for (top, bottom), band in in_order(bands, lambda part: (part, cut.painted(*part))):
        color[top:bottom], alpha[top:bottom] = _filled(band), band[..., 3]
    return color, alpha


def _filled(band: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Give the colours of (h, W, 4), and to clear pixels the mean of what else is in their block of 8 × 8.

    So the file says nothing of the old background, and JPEG sees no edge where the subject ends.
    """
    color, there = band[..., :3], band[..., 3] > 0
    high, wide = there.shape
    rows, columns = -(-high // _BLOCK), -(-wide // _BLOCK)
    padding = (0, rows * _BLOCK - high), (0, columns * _BLOCK - wide)
    blocks = rows, _BLOCK, columns, _BLOCK
    count = np.pad(there, padding).reshape(blocks).sum(axis=(1, 3))[..., None]
    total = np.pad(color, (*padding, (0, 0))).reshape(*blocks, 3).sum(axis=(1, 3))  # color is 0 where alpha is
    mean = (total // np.maximum(count, 1)).astype(np.uint8)
    spread = mean.repeat(_BLOCK, axis=0).repeat(_BLOCK, axis=1)[:high, :wide]
    return np.where(there[..., None], color, spread)


def _format(cut: Cutout, asked: Asked) -> str:
    """Choose a format: auto is PNG where anything shows through or only alpha is asked for, else JPEG."""
    if asked.format != "auto":
        return {"jpg": "jpeg"}.get(asked.format, asked.format)
    return "jpeg" if asked.channels == "rgba" and _opaque(cut) else "png"


def _opaque(cut: Cutout) -> bool:
    layers = [cut.subject] if cut.backdrop is None else [cut.backdrop(*cut.size), cut.subject]
    return any(
        all((written(layer.alpha.read(*part)) == 255).all() for part in layer.alpha.strips()) for layer in layers
    )


def _in_source(box: Box, size: tuple[int, int], source: tuple[int, int]) -> Box:
    across, down = source[0] / size[0], source[1] / size[1]
    return round(box[0] * across), round(box[1] * down), round(box[2] * across), round(box[3] * down)
