"""How pictures and cutouts show themselves in a notebook."""

import io
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

import cleancut
from cleancut.pictures.showing import SIDE, png


def shown(thing):
    data, metadata = thing._repr_mimebundle_()
    assert metadata == {} and data["image/png"] == thing._repr_png_()
    return Image.open(io.BytesIO(data["image/png"])), data["text/plain"]


def test_a_large_picture_is_shown_as_large_as_a_screen():
    image, text = shown(cleancut.Picture(np.full((1500, 3000, 3), 90, np.uint8), name="wide.jpg"))
    assert image.size == (SIDE, SIDE // 2) and text == "<Picture wide.jpg, 3000 × 1500>"


def test_what_is_clear_shows_squares():
    picture = cleancut.Picture(np.full((40, 40, 3), 10, np.uint8), alpha=np.zeros((40, 40), np.uint8))
    image, _ = shown(picture)
    assert set(np.unique(np.asarray(image))) == {204, 255}
    cutout = cleancut.cut(cleancut.Picture(np.zeros((40, 48, 3), np.uint8)))
    image, text = shown(cutout)
    assert set(np.unique(np.asarray(image))) == {204, 255} and image.size == (48, 40)
    assert text.startswith("<Cutout picture, 48 × 40, confidence ")


@pytest.mark.parametrize("show", ["alpha", "trimap", "foreground"])
def test_a_cutout_shows_what_it_would_write(show):
    cutout = cleancut.cut(cleancut.Picture(np.zeros((40, 48, 3), np.uint8)), cleancut.recipe(show=show))
    assert set(np.unique(np.asarray(shown(cutout)[0]))) == {0}


def test_colours_keep_their_profile():
    from PIL import ImageCms

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert Image.open(io.BytesIO(png(np.zeros((4, 4, 3), np.uint8), profile))).info["icc_profile"] == profile


def test_a_picture_is_still_light():
    code = "import sys; from cleancut.types import Picture; print([m for m in ('numpy', 'PIL') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"
