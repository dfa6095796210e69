"""Damaged files of every format: `read` gives a picture or one of our errors, never anything else.

Quick and repeatable here. For a long hunt: CLEANCUT_FUZZ=20000 python -m pytest tests/pictures/test_fuzz.py
"""

import importlib.util
import io
import os
import struct
import zlib

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from cleancut.errors import CleancutError
from cleancut.limits import Limits
from cleancut.pictures.formats import FORMATS
from cleancut.pictures.images import read
from cleancut.types import Picture
from tests.pictures.heic import heic

LONG = int(os.environ.get("CLEANCUT_FUZZ", "0"))
FUZZ = settings(
    max_examples=LONG or 300,
    deadline=None,
    derandomize=not LONG,
    suppress_health_check=list(HealthCheck),
    database=None,
)
LIMITS = Limits(max_bytes=100_000, max_pixels=100_000)


def saved(image, format, **more):
    stream = io.BytesIO()
    image.copy().save(stream, format, **more)  # Pillow leaves settings in what it saves
    return stream.getvalue()


def seeds():
    """Small valid files, with what makes each format's parser work: metadata, profiles, frames, palettes."""
    y, x = np.mgrid[0:12, 0:16]
    rgba = Image.fromarray(np.stack([x * 16, y * 20, x * y, 255 - x], axis=2).astype(np.uint8))
    rgb, grey, palette = rgba.convert("RGB"), rgba.convert("L"), rgba.convert("RGB").convert("P")
    exif = Image.Exif()
    exif[0x0112], exif[0x010F], exif[282], exif[283] = 6, "Maker", 72.0, 72.0
    exif.get_ifd(0x8769)[0xA434] = "50mm F1.4"
    rich = {"exif": exif, "icc_profile": b"profile" * 30}
    frames = {"save_all": True, "append_images": [rgb.rotate(180), rgb.rotate(90)]}
    deep = Image.fromarray(np.asarray(grey).astype(np.uint16) * 257)
    return {
        "PNG": [
            saved(rgba, "PNG", dpi=(72, 72), **rich),
            saved(palette, "PNG", transparency=3),
            saved(rgb, "PNG", **frames),
            saved(deep, "PNG"),
        ],
        "JPEG": [
            saved(rgb, "JPEG", dpi=(72, 72), **rich),
            saved(rgb, "JPEG", progressive=True),
            saved(rgb.convert("CMYK"), "JPEG"),
            saved(rgb, "MPO", save_all=True, append_images=[rgb.rotate(270)]),
        ],
        "WebP": [saved(rgba, "WEBP", lossless=True, **rich), saved(rgb, "WEBP"), saved(rgba, "WEBP", **frames)],
        "GIF": [saved(palette, "GIF", transparency=1), saved(rgb, "GIF", **frames), saved(grey, "GIF", interlace=1)],
        "TIFF": [
            saved(rgba, "TIFF", compression="tiff_lzw", **rich),
            saved(rgb, "TIFF", **frames),
            saved(deep, "TIFF", compression="tiff_adobe_deflate"),
            saved(rgb, "TIFF", compression="jpeg"),
            saved(grey.convert("1"), "TIFF", compression="group4"),
            saved(Image.fromarray(np.asarray(grey) / np.float32(255)), "TIFF", big_tiff=True),
        ],
        "AVIF": [saved(rgba, "AVIF", speed=10, **rich), saved(rgb, "AVIF", speed=10, **frames)],
        "HEIC": [heic(bytes(range(256)), bytes(range(64)), bytes(range(64)), turns) for turns in (0, 1)],
        "BMP": [saved(rgb, "BMP"), saved(palette, "BMP"), saved(grey.convert("1"), "BMP")],
    }  # fmt: skip


SEEDS = seeds()
if not importlib.util.find_spec("pi_heif"):
    del SEEDS["HEIC"]
SIZES = [0, 1, 2, 7, 255, 256, 65535, 65536, 2**24 - 1, 2**31 - 1, 2**31, 2**32 - 1]


def with_right_checksums(data):
    """Repair a PNG's checksums, so that the damage reaches what lies behind them."""
    out, at = bytearray(data), 8
    while at + 12 <= len(out):
        (length,) = struct.unpack_from(">I", out, at)
        if at + 12 + length > len(out):
            break
        struct.pack_into(">I", out, at + 8 + length, zlib.crc32(out[at + 4 : at + 8 + length]))
        at += 12 + length
    return bytes(out)


@st.composite
def damaged(draw, files):
    """A file with a few bytes flipped, cut out, put in, numbers replaced, or two files spliced."""
    data = bytearray(draw(st.sampled_from(files)))
    early = st.integers(0, 120)  # headers are where the trouble is
    for _ in range(draw(st.integers(1, 5))):
        at = draw(st.one_of(early, st.integers(0, max(len(data) - 1, 0)))) % max(len(data), 1)
        kind = draw(st.sampled_from(["flip", "cut", "insert", "number", "splice", "truncate"]))
        if kind == "flip" and data:
            data[at] ^= draw(st.integers(1, 255))
        elif kind == "cut":
            del data[at : at + draw(st.integers(1, 40))]
        elif kind == "insert":
            data[at:at] = draw(st.binary(min_size=1, max_size=20))
        elif kind == "number":
            order, size = draw(st.sampled_from(["<", ">"])), draw(st.sampled_from(SIZES))
            number = struct.pack(f"{order}I", size) if draw(st.booleans()) else struct.pack(f"{order}H", size & 0xFFFF)
            data[at : at + len(number)] = number
        elif kind == "splice":
            other = draw(st.sampled_from(files))
            data[at:] = other[draw(st.integers(0, len(other) - 1)) :]
        elif kind == "truncate":
            del data[at:]
    return bytes(data)


def check(data):
    try:
        picture = read(data, name="fuzz", limits=LIMITS, max_side=64, keep_metadata=True)
    except CleancutError as error:
        assert str(error).startswith("fuzz ")
        assert str(error).isprintable()
        return
    assert isinstance(picture, Picture)
    assert picture.rgb.dtype == np.uint8
    assert picture.rgb.ndim == 3
    assert 1 <= max(picture.size) <= 64
    assert picture.alpha is None or picture.alpha.shape == picture.rgb.shape[:2]


def test_every_format_is_fuzzed():
    assert set(SEEDS) | {"HEIC"} == {format.name for format in FORMATS}


@pytest.mark.parametrize("format", list(SEEDS))
def test_the_files_to_be_damaged_are_valid(format):
    for data in SEEDS[format]:
        assert read(data).size in {(16, 12), (12, 16), (16, 16)}


@pytest.mark.parametrize("format", list(SEEDS))
def test_a_damaged_file_is_a_picture_or_one_of_our_errors(format):
    @FUZZ
    @given(damaged(SEEDS[format]))
    def damage(data):
        check(data)

    damage()


@FUZZ
@given(damaged(SEEDS["PNG"]))
def test_a_damaged_png_with_right_checksums(data):
    check(with_right_checksums(data))


@FUZZ
@given(st.sampled_from([data[:16] for files in SEEDS.values() for data in files]), st.binary(max_size=200))
def test_any_bytes_behind_a_valid_beginning(start, data):
    check(start + data)


@FUZZ
@given(st.binary(max_size=300))
def test_any_bytes(data):
    check(data)
