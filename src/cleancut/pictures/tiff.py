"""TIFF (6.0, with deflate as in Adobe's Technote of 2002), made strip by strip in threads over igzip.

Pillow hands TIFF to libtiff, which can write no EXIF directory and takes six times as long.
"""

from __future__ import annotations

import itertools
import struct
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import IO

import numpy as np
from isal import isal_zlib
from numpy.typing import NDArray

from cleancut.errors import BadSetting
from cleancut.pictures.metadata import Tag, parsed, with_resolution
from cleancut.raster.rows import Rows, in_order

_SHORT, _LONG, _UNDEFINED = 3, 4, 7
_FORMATS = {_SHORT: "H", _LONG: "I"}

_DEFLATE, _HORIZONTAL, _STRAIGHT = 8, 2, 2
_GREY, _RGB = 1, 2
_LEVEL = 1
_LARGEST = 1 << 32


def write_tiff(
    stream: IO[bytes],
    rows: Rows,
    *,
    profile: bytes | None = None,
    dpi: tuple[float, float] | None = None,
    exif: bytes | None = None,
    timed: Callable[[], AbstractContextManager[None]] = nullcontext,
) -> None:
    """Write a TIFF of 8 bits a channel, losslessly; only the deflated strips are held.

    Args:
        stream: takes the bytes, in order; it need not seek.
        rows: (H, W) grey, (H, W, 3) RGB or (H, W, 4) RGB and straight alpha, uint8.
        profile: ICC profile of the colours.
        dpi: resolution in dots per inch (x, y).
        exif: EXIF as a TIFF structure.
        timed: gives a context in which the work on a strip is counted, without computing it.

    Raises:
        BadSetting: it would be larger than the 4 GB that a TIFF can hold.
    """

    def work(part: tuple[int, int]) -> bytes:
        strip = rows.read(*part)
        with timed():
            return isal_zlib.compress(_differences(strip), _LEVEL)

    parts = rows.strips()
    strips = list(in_order(parts, work))
    stated = parsed(with_resolution(exif, dpi))

    def tag(kind: int, *values: int) -> Tag:
        return Tag(kind, len(values), struct.pack(f"{stated.order}{len(values)}{_FORMATS[kind]}", *values))

    channels = rows.shape[2] if len(rows.shape) == 3 else 1
    main = {
        **stated.main,
        256: tag(_LONG, rows.width),
        257: tag(_LONG, rows.height),
        258: tag(_SHORT, *[8] * channels),
        259: tag(_SHORT, _DEFLATE),
        262: tag(_SHORT, _RGB if channels > 1 else _GREY),
        273: tag(_LONG, *[0] * len(strips)),  # where each strip begins; known once this directory's size is
        277: tag(_SHORT, channels),
        278: tag(_LONG, parts[0][1]),
        279: tag(_LONG, *map(len, strips)),
        317: tag(_SHORT, _HORIZONTAL),
    }
    if channels == 4:
        main[338] = tag(_SHORT, _STRAIGHT)
    if profile is not None:
        main[34675] = Tag(_UNDEFINED, len(profile), profile)
    size = len(replace(stated, main=main).tobytes())
    *starts, end = itertools.accumulate(map(len, strips), initial=size)
    if end >= _LARGEST:
        raise BadSetting("A TIFF holds at most 4 GB; choose png.")
    stream.write(replace(stated, main={**main, 273: tag(_LONG, *starts)}).tobytes())
    stream.writelines(strips)


def _differences(strip: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Put each value's difference to the one at its left in its place (section 14)."""
    differences = strip.copy()
    np.subtract(strip[:, 1:], strip[:, :-1], out=differences[:, 1:])
    return differences
