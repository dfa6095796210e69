"""TIFF: what Pillow's libtiff reads back, in either byte order, in one strip or many."""

import io

import numpy as np
import pytest
from PIL import Image

from cleancut.errors import BadSetting
from cleancut.pictures import tiff
from cleancut.pictures.metadata import kept, parsed
from cleancut.raster.rows import Rows
from tests.matting.drawn import noise

SHAPES = {"L": (23, 31), "RGB": (23, 31, 3), "RGBA": (23, 31, 4)}


def written(array, **settings):
    stream = io.BytesIO()
    tiff.write_tiff(stream, Rows.of(array), **settings)
    return stream.getvalue()


@pytest.mark.parametrize("strip", [1 << 18, 100, 1])
@pytest.mark.parametrize("mode", SHAPES)
def test_libtiff_reads_every_pixel(mode, strip, monkeypatch):
    monkeypatch.setattr("cleancut.raster.rows.STRIP_PIXELS", strip)
    array = np.random.default_rng(1).integers(0, 256, SHAPES[mode], dtype=np.uint8)
    with Image.open(io.BytesIO(written(array))) as image:
        assert image.mode == mode
        assert (np.asarray(image) == array).all()


@pytest.mark.parametrize("order", ["<", ">"])
def test_what_stands_beside_the_pixels_in_either_byte_order(order):
    exif = Image.Exif()
    exif.endian = order
    exif[0x010F] = "Maker"
    exif.get_ifd(0x8769)[0xA434] = "50mm F1.4"
    array = np.full((5, 4, 4), 9, np.uint8)
    data = written(array, profile=b"profile" * 300, dpi=(300, 150), exif=kept(parsed(exif.tobytes())))
    assert data[:2] == (b"II" if order == "<" else b"MM")
    with Image.open(io.BytesIO(data)) as image:
        assert (np.asarray(image) == array).all()
        assert image.info["icc_profile"] == b"profile" * 300
        assert image.info["dpi"] == (300, 150)
        assert image.getexif()[0x010F] == "Maker"
        assert image.getexif().get_ifd(0x8769) == {0xA434: "50mm F1.4"}


def test_a_plain_gradient_becomes_small():
    y, x = np.mgrid[0:600, 0:800]
    data = written(np.stack([x % 256, y % 256, (x + y) % 256], axis=2).astype(np.uint8))
    assert len(data) < 600 * 800 * 3 / 50


def test_what_no_tiff_can_hold_is_refused(monkeypatch):
    monkeypatch.setattr(tiff, "_LARGEST", 1000)
    with pytest.raises(BadSetting, match="at most 4 GB"):
        written(noise(40, 40))
