"""What a file says of itself before anything is decoded."""

import io

import numpy as np
import pytest
from PIL import Image

from cleancut.errors import NotAPicture, TooBig
from cleancut.limits import Limits
from cleancut.pictures.images import header

PICTURE = Image.fromarray(np.zeros((30, 40, 3), np.uint8))


def written(format, **how):
    stream = io.BytesIO()
    PICTURE.save(stream, format, **how)
    return stream.getvalue()


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP", "GIF", "TIFF", "AVIF", "BMP"])
def test_format_size_and_frames(format):
    found = header(written(format))
    assert (found.format.upper(), found.size, found.frames) == (format, (40, 30), 1)


def test_frames_are_counted():
    others = [Image.fromarray(np.full((30, 40, 3), shade, np.uint8)) for shade in (50, 200)]
    assert header(written("GIF", save_all=True, append_images=others)).frames == 3


def test_what_is_cut_off_after_the_header_still_says_its_size():
    assert header(written("PNG")[:60]).size == (40, 30)


def test_limits_hold():
    with pytest.raises(TooBig, match="40 × 30 pixels"):
        header(written("PNG"), limits=Limits(max_pixels=1000))
    with pytest.raises(TooBig, match="MB"):
        header(written("PNG"), limits=Limits(max_bytes=10))


def test_what_is_no_picture_is_told_by_name():
    with pytest.raises(NotAPicture, match=r"cat\.jpg is text"):
        header(b"hello", name="cat.jpg")
