"""The formats that are read: a table. The first bytes decide, never the name, and only one parser runs."""

from __future__ import annotations

import importlib
import io
import re
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import cast

from PIL import Image

from cleancut.errors import NotAPicture

_HEAD = 1024
"""Bytes that are looked at to tell what a file is."""

PICTURES = {".png", ".jpg", ".jpeg", ".webp", ".gif", ".tif", ".tiff", ".avif", ".heic", ".heif", ".bmp"}
"""What files end in that are taken for pictures where a folder is searched."""

MOST_FRAMES = 1000
"""Frames of a GIF or pages of a TIFF that are counted; who has more has "more than 1000"."""


def _begins(pattern: bytes) -> re.Pattern[bytes]:
    return re.compile(pattern, re.DOTALL)


@dataclass(frozen=True, slots=True)
class Format:
    """One format.

    Attributes:
        name: what people call it.
        begins: matches its first bytes.
        parser: module and class of the Pillow plugin, which is called directly: `Image.open` would try others
            too, and refuses large pictures by a limit that is global.
        size: reads (width, height) from the header, where the parser would allocate before it can be asked.
        frames: counts frames where the parser would have to walk through all of them.
        settle: puts right what the parser gets wrong.
        extra: the extra of this package that brings the parser.
    """

    name: str
    begins: re.Pattern[bytes]
    parser: str
    size: Callable[[bytes], tuple[int, int]] | None = None
    frames: Callable[[bytes], int] | None = None
    settle: Callable[[bytes, Image.Image], None] | None = None
    extra: str = ""

    def open(self, data: bytes, name: str) -> Image.Image:
        """Parse the header; nothing is decoded yet.

        Raises:
            NotAPicture: the parser is not installed. Whatever else the parser raises is passed on.
        """
        module, _, parser = self.parser.partition(":")
        try:
            plugin = importlib.import_module(module)
        except ImportError:
            need = f'pip install "cleancut[{self.extra}]"'
            raise NotAPicture(f"{name} is {self.name}, which needs one more package: {need}") from None
        image = cast(Image.Image, getattr(plugin, parser)(io.BytesIO(data)))
        if self.settle is not None:
            self.settle(data, image)
        return image

    def frame_count(self, data: bytes, image: Image.Image) -> int:
        """Count the frames or pages, up to a little more than `MOST_FRAMES`; at least 1."""
        return max(1, self.frames(data) if self.frames else getattr(image, "n_frames", 1))


def scale_clear_value(data: bytes, image: Image.Image) -> None:
    """Scale the value that a PNG calls clear as its pixels are scaled, to 8 bits (section 11.3.1.1)."""
    clear, depth = image.info.get("transparency"), data[24]
    if isinstance(clear, int) and image.mode == "L":
        image.info["transparency"] = clear * 255 // (2**depth - 1)
    if isinstance(clear, tuple) and depth == 16:
        image.info["transparency"] = tuple(value >> 8 for value in clear)


def webp_size(data: bytes) -> tuple[int, int]:
    """Read the canvas size of a WebP (RFC 9649, sections 2.5 to 2.7).

    Raises:
        ValueError: the header holds none.
    """
    head = data[:30].ljust(30, b"\0")
    chunk = head[12:16]
    if chunk == b"VP8X":
        return int.from_bytes(head[24:27], "little") + 1, int.from_bytes(head[27:30], "little") + 1
    if chunk == b"VP8L" and head[20] == 0x2F:
        bits = int.from_bytes(head[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if chunk == b"VP8 " and head[23:26] == b"\x9d\x01\x2a":
        width, height = struct.unpack_from("<HH", head, 26)
        return width & 0x3FFF, height & 0x3FFF
    raise ValueError("no size in a WebP's header")


def gif_size(data: bytes) -> tuple[int, int]:
    """Read the size of a GIF's first frame: its screen, or the frame where that reaches further."""
    width, height = struct.unpack_from("<HH", data, 6)
    x, y, w, h = next(_gif_frames(data), (0, 0, 0, 0))
    return max(width, x + w), max(height, y + h)


def _gif_frames(data: bytes) -> Iterator[tuple[int, int, int, int]]:
    """Walk over a GIF's frames, decoding none; yield left, top, width and height (GIF89a, section 20)."""

    def palette(flags: int) -> int:
        return 3 << (flags & 7) + 1 if flags & 0x80 else 0

    at = 13 + palette(data[10]) if len(data) > 10 else len(data)
    while at + 10 < len(data):
        if data[at : at + 1] == b",":
            yield cast(tuple[int, int, int, int], struct.unpack_from("<4H", data, at + 1))
            at += 11 + palette(data[at + 9])
        elif data[at : at + 1] == b"!":
            at += 2
        else:
            return
        while at < len(data) and data[at]:
            at += data[at] + 1
        at += 1


def gif_frames(data: bytes) -> int:
    """Count the frames of a GIF, up to one more than `MOST_FRAMES`."""
    return sum(1 for _ in islice(_gif_frames(data), MOST_FRAMES + 1))


def tiff_pages(data: bytes) -> int:
    """Count the pages of a TIFF (6.0 or BigTIFF), up to one more than `MOST_FRAMES`."""
    order = "<" if data[:2] == b"II" else ">"
    big = 43 in data[2:4]
    count, entry, offset, first = (8, 20, "Q", 8) if big else (2, 12, "I", 4)
    seen: set[int] = set()
    try:
        (at,) = struct.unpack_from(order + offset, data, first)
        while 0 < at < len(data) and at not in seen and len(seen) <= MOST_FRAMES:
            (entries,) = struct.unpack_from(order + ("Q" if big else "H"), data, at)
            following = at + count + entries * entry
            seen.add(at)
            if following >= len(data):
                break
            (at,) = struct.unpack_from(order + offset, data, following)
    except struct.error:
        return len(seen)
    return len(seen)


FORMATS = (
    Format(
        "PNG",
        _begins(rb"\x89PNG\r\n\x1a\n"),
        "PIL.PngImagePlugin:PngImageFile",
        settle=scale_clear_value,
    ),
    Format("JPEG", _begins(rb"\xff\xd8\xff"), "PIL.JpegImagePlugin:JpegImageFile"),
    Format("WebP", _begins(rb"RIFF....WEBPVP8[ LX]"), "PIL.WebPImagePlugin:WebPImageFile", size=webp_size),
    Format("GIF", _begins(rb"GIF8[79]a"), "PIL.GifImagePlugin:GifImageFile", size=gif_size, frames=gif_frames),
    Format("TIFF", _begins(rb"II[*+]\0|MM\0[*+]"), "PIL.TiffImagePlugin:TiffImageFile", frames=tiff_pages),
    Format(
        "AVIF",
        _begins(rb"....ftyp(?:avi[fs]|(?=.{8,60}avi[fs])(?:mif1|msf1))"),
        "PIL.AvifImagePlugin:AvifImageFile",
    ),
    Format(
        "HEIC",
        _begins(rb"....ftyp(?:hei[cxms]|hev[cxms]|mif1|msf1)"),
        "pi_heif.as_plugin:HeifImageFile",
        extra="heif",
    ),
    Format("BMP", _begins(rb"BM.{8}"), "PIL.BmpImagePlugin:BmpImageFile"),
)
"""Every format that is read, in the order the first bytes are tried."""

_MARK = rb"(?:\xef\xbb\xbf)?\s*"

_OTHERS = (
    (
        _begins(_MARK + rb"(?:<!--.{0,500}?-->\s*)?(?i:<(?:!doctype\s+html|html|head|body)\b)"),
        "is HTML, not a picture",
    ),
    (_begins(_MARK + rb"<(?:svg\b|.{0,900}<svg\b)"), "is an SVG drawing; convert it to PNG first"),
    (_begins(_MARK + rb"<\?xml"), "is XML, not a picture"),
    (_begins(rb"%PDF-"), "is a PDF document; export the page as PNG first"),
    (_begins(rb"%!PS"), "is a PostScript document; convert it to PNG first"),
    (_begins(rb"8BPS"), "is a Photoshop document; export it as PNG or TIFF first"),
    (_begins(rb"\xff\x0a|\0\0\0\x0cJXL "), "is JPEG XL, which cannot be read; convert it to PNG first"),
    (
        _begins(rb"\0\0\0\x0cjP  |\xff\x4f\xff\x51"),
        "is JPEG 2000, which cannot be read; convert it to PNG first",
    ),
    (_begins(rb"....ftypcrx "), "is a camera's raw file; develop it to JPEG or TIFF first"),
    (
        _begins(rb"....(?:ftyp|moov)|\x1aE\xdf\xa3|RIFF....AVI |FLV\x01|\0\0\x01[\xb3\xba]"),
        "is a video, not a picture",
    ),
    (_begins(rb"ID3|OggS|fLaC|RIFF....WAVE"), "is a sound, not a picture"),
    (_begins(rb"PK\x03\x04|\x1f\x8b|7z\xbc\xaf|Rar!|BZh|\xfd7zXZ"), "is an archive; unpack it first"),
    (_begins(rb"[\t\n\f\r\x20-\x7e]{64}|[\t\n\f\r\x20-\x7e]+\Z"), "is text, not a picture"),
)
"""What else files turn out to be, and what to say of it."""


def sniff(data: bytes, name: str) -> Format:
    """Tell the format from the first bytes.

    Raises:
        NotAPicture: it is none of `FORMATS`; the sentence says what it is where that is known.

    >>> sniff(b"GIF89a", "photo.jpg").name
    'GIF'
    """
    head = data[:_HEAD]
    for format in FORMATS:
        if format.begins.match(head):
            return format
    for pattern, what in _OTHERS:
        if pattern.match(head):
            raise NotAPicture(f"{name} {what}.")
    readable = ", ".join(format.name for format in FORMATS)
    raise NotAPicture(f"{name} is not a picture of a kind that can be read ({readable}).")
