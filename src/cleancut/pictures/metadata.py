"""EXIF (CIPA DC-008, a TIFF structure): what is read from it, and the little that may stay with a result.

What may stay is a list of tags; everything else goes: places, serial numbers, owners, comments, maker notes
and the embedded thumbnail, which would show the background that was removed.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

MAIN = {
    0x010F: "Make",
    0x0110: "Model",
    0x0131: "Software",
    0x0132: "DateTime",
    0x013B: "Artist",
    0x8298: "Copyright",
}
"""Tags of the first directory that may stay."""

DETAILS = {
    0x829A: "ExposureTime",
    0x829D: "FNumber",
    0x8822: "ExposureProgram",
    0x8827: "PhotographicSensitivity",
    0x8830: "SensitivityType",
    0x8832: "RecommendedExposureIndex",
    0x9000: "ExifVersion",
    0x9003: "DateTimeOriginal",
    0x9004: "DateTimeDigitized",
    0x9010: "OffsetTime",
    0x9011: "OffsetTimeOriginal",
    0x9012: "OffsetTimeDigitized",
    0x9201: "ShutterSpeedValue",
    0x9202: "ApertureValue",
    0x9203: "BrightnessValue",
    0x9204: "ExposureBiasValue",
    0x9205: "MaxApertureValue",
    0x9207: "MeteringMode",
    0x9208: "LightSource",
    0x9209: "Flash",
    0x920A: "FocalLength",
    0x9290: "SubSecTime",
    0x9291: "SubSecTimeOriginal",
    0x9292: "SubSecTimeDigitized",
    0xA217: "SensingMethod",
    0xA402: "ExposureMode",
    0xA403: "WhiteBalance",
    0xA404: "DigitalZoomRatio",
    0xA405: "FocalLengthIn35mmFilm",
    0xA406: "SceneCaptureType",
    0xA407: "GainControl",
    0xA432: "LensSpecification",
    0xA433: "LensMake",
    0xA434: "LensModel",
}
"""Tags of the EXIF directory that may stay."""

_ORIENTATION, _DETAILS_AT = 0x0112, 0x8769
_ACROSS, _DOWN, _UNIT = 0x011A, 0x011B, 0x0128
_DOTS_PER_INCH = {2: 1.0, 3: 2.54}

_SHORT, _LONG, _RATIONAL = 3, 4, 5
_BYTES = {1: 1, 2: 1, _SHORT: 2, _LONG: 4, _RATIONAL: 8, 7: 1, 9: 4, 10: 8}
"""Bytes of one value, by type."""

_LONGEST = 1024
"""Bytes of one tag at the most, so that all of them fit a JPEG's segment of 64 KB."""

_SANE_DPI = (10.0, 20_000.0)


class Tag(NamedTuple):
    """One entry of a directory; `data` holds its values in the byte order of the whole."""

    type: int
    length: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Exif:
    """The two directories that matter.

    Attributes:
        order: "<" or ">", the byte order of every value.
        main: tags of the picture.
        details: tags of how it was taken.
    """

    order: str = "<"
    main: Mapping[int, Tag] = field(default_factory=dict)
    details: Mapping[int, Tag] = field(default_factory=dict)

    def number(self, tag: int) -> float | None:
        """Read the first value of a tag of the picture as a number; None where there is none."""
        entry = self.main.get(tag)
        if entry is None or entry.type not in {_SHORT, _LONG, _RATIONAL}:
            return None
        if entry.type != _RATIONAL:
            return float(struct.unpack_from(self.order + {_SHORT: "H", _LONG: "I"}[entry.type], entry.data)[0])
        above, below = struct.unpack_from(f"{self.order}II", entry.data)
        return above / below if below else None

    def tobytes(self) -> bytes:
        """Write it as a TIFF structure, as PNG's chunk eXIf holds it."""
        main = dict(self.main)
        if self.details:
            main[_DETAILS_AT] = self._long(0)
            main[_DETAILS_AT] = self._long(8 + len(self._directory(main, 8)))
        first = self._directory(main, 8)
        second = self._directory(self.details, 8 + len(first)) if self.details else b""
        start = struct.pack(f"{self.order}2sHI", b"II" if self.order == "<" else b"MM", 42, 8)
        return start + first + second

    def _directory(self, tags: Mapping[int, Tag], at: int) -> bytes:
        """Write a directory for an offset; values of more than 4 bytes follow it, on even offsets."""
        entries, values = b"", b""
        behind = at + 2 + 12 * len(tags) + 4
        for number, (kind, count, data) in sorted(tags.items()):
            place = data.ljust(4, b"\0") if len(data) <= 4 else self._long(behind + len(values)).data
            if len(data) > 4:
                values += data + b"\0" * (len(data) % 2)
            entries += struct.pack(f"{self.order}HHI", number, kind, count) + place
        return struct.pack(f"{self.order}H", len(tags)) + entries + bytes(4) + values

    def _long(self, value: int) -> Tag:
        return Tag(_LONG, 1, struct.pack(f"{self.order}I", value))


def parsed(data: bytes | None) -> Exif:
    """Read EXIF, with or without the prefix it has in a JPEG; what is damaged is left out.

    >>> parsed(None).main
    {}
    """
    data = (data or b"").removeprefix(b"Exif\0\0")
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(data[:4])
    if order is None or len(data) < 8:
        return Exif()
    main = _tags(data, struct.unpack_from(f"{order}I", data, 4)[0], order)
    at = main.get(_DETAILS_AT)
    if at is None or at.type != _LONG:
        return Exif(order, main)
    return Exif(order, main, _tags(data, struct.unpack_from(f"{order}I", at.data)[0], order))


def _tags(data: bytes, at: int, order: str) -> dict[int, Tag]:
    """Read the directory at an offset; entries that point outside the data are left out."""
    if not 0 < at <= len(data) - 2:
        return {}
    (stated,) = struct.unpack_from(f"{order}H", data, at)
    tags = {}
    for entry in range(min(stated, (len(data) - at - 2) // 12)):
        start = at + 2 + 12 * entry
        number, kind, count, place = struct.unpack_from(f"{order}HHII", data, start)
        size = _BYTES.get(kind, 0) * count
        start = place if size > 4 else start + 8
        if 0 < size <= _LONGEST and start + size <= len(data):
            tags[number] = Tag(kind, count, data[start : start + size])
    return tags


def orientation(exif: Exif) -> int:
    """Tell how the picture lies: 1 is upright, 2 to 8 as EXIF numbers the turns and mirrorings."""
    stated = exif.number(_ORIENTATION)
    return int(stated) if stated is not None and 1 <= stated <= 8 else 1


def resolution(exif: Exif) -> tuple[float, float] | None:
    """Tell the resolution in dots per inch (x, y); None where it is not stated or not sane."""
    across, down, unit = (exif.number(tag) for tag in (_ACROSS, _DOWN, _UNIT))
    scale = _DOTS_PER_INCH.get(2 if unit is None else int(unit))
    if across is None or down is None or scale is None:
        return None
    return sane_dpi((across * scale, down * scale))


def sane_dpi(stated: object) -> tuple[float, float] | None:
    """Take a resolution that a file states, or None where it is not one.

    >>> sane_dpi((300, 300)), sane_dpi((0, 1)), sane_dpi("72")
    ((300.0, 300.0), None, None)
    """
    if not isinstance(stated, tuple) or len(stated) != 2:
        return None
    try:
        across, down = float(stated[0]), float(stated[1])
    except (TypeError, ValueError, ArithmeticError):
        return None
    low, high = _SANE_DPI
    return (across, down) if low <= across <= high and low <= down <= high else None


def kept(exif: Exif) -> bytes | None:
    """Give what may stay with a result: camera, lens, exposure, dates, author and rights.

    Returns:
        A TIFF structure, without the prefix it has in a JPEG; None where there is nothing to keep.
    """
    left = replace(
        exif,
        main={tag: value for tag, value in exif.main.items() if tag in MAIN},
        details={tag: value for tag, value in exif.details.items() if tag in DETAILS},
    )
    return left.tobytes() if left.main or left.details else None


def with_resolution(exif: bytes | None, dpi: tuple[float, float] | None) -> bytes | None:
    """State a resolution in EXIF, for formats that have no other place for it."""
    if dpi is None:
        return exif
    stated = parsed(exif)
    across, down = (Tag(_RATIONAL, 1, struct.pack(f"{stated.order}II", round(value * 1000), 1000)) for value in dpi)
    unit = Tag(_SHORT, 1, struct.pack(f"{stated.order}H", 2))
    return replace(stated, main={**stated.main, _ACROSS: across, _DOWN: down, _UNIT: unit}).tobytes()
