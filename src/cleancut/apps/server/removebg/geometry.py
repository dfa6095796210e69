"""Where things go: remove.bg's region, crop, scale and position, as functions from a cutout to a cutout.

Lengths are in pixels of the cutout's canvas; a region is one of the source's and is scaled with it.
"""

from __future__ import annotations

import math
from dataclasses import replace

from cleancut.apps.server.removebg.errors import bad
from cleancut.apps.server.removebg.parameters import Asked, Margins, Region
from cleancut.matting.cutout import Cutout
from cleancut.raster.layer import Layer
from cleancut.raster.resample import resized
from cleancut.types import Box


def max_side(size: tuple[int, int], megapixels: float) -> int | None:
    """Tell what the longer side may have so that the picture has no more than that many megapixels; None for all.

    >>> max_side((4000, 3000), 0.25), max_side((500, 333), 0.25)
    (577, None)
    """
    most = round(megapixels * 1e6)
    if size[0] * size[1] <= most:
        return None
    side = max(1, math.floor(max(size) * math.sqrt(most / (size[0] * size[1]))))
    return min(side, most // min(reduced(size, side)))  # the shorter side may have been rounded up


def reduced(size: tuple[int, int], longer: int | None) -> tuple[int, int]:
    """Give the size of a picture whose longer side is reduced to `longer` pixels, as it is when it is read."""
    scale = 1.0 if longer is None else min(1.0, longer / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def region(asked: Region, size: tuple[int, int]) -> Box:
    """Give a region's box in a picture of this size.

    Raises:
        BadCall: it reaches beyond the picture, or holds no pixel.
    """
    width, height = size
    left, right = (round(side.of(width)) for side in (asked.left, asked.right))
    top, bottom = (round(side.of(height)) for side in (asked.top, asked.bottom))
    if max(left, right) > width or max(top, bottom) > height:
        raise bad("roi_exceeds_bounds")
    if left >= right or top >= bottom:
        raise bad("roi_region_empty")
    return left, top, right, bottom


def only(cut: Cutout, box: Box, size: tuple[int, int]) -> Cutout:
    """Take everything outside a box for background.

    Args:
        cut: on a canvas of any size.
        box: in pixels of the source.
        size: of the source.
    """
    width, height = cut.size
    across, down = width / size[0], height / size[1]
    left, top = min(round(box[0] * across), width - 1), min(round(box[1] * down), height - 1)
    right, bottom = max(round(box[2] * across), left + 1), max(round(box[3] * down), top + 1)
    alpha = cut.subject.alpha.cropped(left, top, right, bottom).placed(height, width, top, left)
    return replace(cut, subject=Layer(cut.subject.color, alpha))


def arranged(cut: Cutout, box: Box, asked: Asked) -> Cutout:
    """Crop, scale and place the subject, in this order.

    Args:
        cut: what to arrange.
        box: where its subject is.
        asked: how.
    """
    if asked.crop:
        cut, box = cropped(cut, box, asked.crop_margin)
    return cut if asked.scale is None and asked.place is None else placed(cut, box, asked)


def cropped(cut: Cutout, box: Box, margins: Margins) -> tuple[Cutout, Box]:
    """Reduce the canvas to the subject and margins; tell where the subject is on it.

    Margins in % are of the subject's height (top, bottom) and width (left, right); where they pass the border they
    are transparent.
    """
    wide, high = box[2] - box[0], box[3] - box[1]
    above, below = (round(margin.of(high)) for margin in (margins.top, margins.bottom))
    before, after = (round(margin.of(wide)) for margin in (margins.left, margins.right))
    width, height = before + wide + after, above + high + below
    moved = cut.moved(lambda layer: layer.map(lambda rows: rows.placed(height, width, above - box[1], before - box[0])))
    return moved, (before, above, before + wide, above + high)


def placed(cut: Cutout, box: Box, asked: Asked) -> Cutout:
    """Resize the subject to a share of the canvas, and move it.

    Without a place it stays about its own middle, as far as the canvas has room for it.
    """
    width, height = cut.size
    wide, high = box[2] - box[0], box[3] - box[1]
    ratio = 1.0 if asked.scale is None else asked.scale * min(width / wide, height / high)
    w, h = max(1, round(wide * ratio)), max(1, round(high * ratio))
    if asked.place is None:
        left = min(max(round((box[0] + box[2] - w) / 2), 0), width - w)
        top = min(max(round((box[1] + box[3] - h) / 2), 0), height - h)
    else:
        left, top = round((width - w) * asked.place[0]), round((height - h) * asked.place[1])

    def move(layer: Layer) -> Layer:
        subject = layer.map(lambda rows: rows.cropped(*box))
        return resized(subject, w, h).map(lambda rows: rows.placed(height, width, top, left))

    return cut.moved(move)
