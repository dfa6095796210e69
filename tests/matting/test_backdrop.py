import numpy as np
import pytest
from PIL import Image

from cleancut.matting.backdrop import colored, pictured
from cleancut.raster.color import strip_to_srgb
from cleancut.types import Picture
from tests.matting.drawn import noise, profile


def halves(width, height):
    """Red on the left, blue on the right."""
    rgb = np.zeros((height, width, 3), np.uint8)
    rgb[:, : width // 2, 0] = 255
    rgb[:, width // 2 :, 2] = 255
    return Picture(rgb)


def drawn(picture, fit, width, height):
    layer = pictured(picture, fit)(width, height)
    assert layer.size == (width, height)
    return layer.color.whole(), layer.alpha.whole()


def test_a_colour_fills_any_canvas():
    layer = colored(1, 2, 3, 51)(7, 5)
    assert layer.size == (7, 5)
    assert (layer.color.whole() == (1, 2, 3)).all()
    assert layer.alpha.whole() == pytest.approx(0.2)


@pytest.mark.parametrize("size", [(40, 20), (20, 40), (400, 200), (13, 77)])
def test_cover_leaves_nothing_open_and_keeps_the_middle(size):
    color, alpha = drawn(halves(80, 80), "cover", *size)
    assert (alpha == 1).all()
    middle = size[1] // 2
    assert color[middle, 0].tolist() == [255, 0, 0]
    assert color[middle, -1].tolist() == [0, 0, 255]


def test_cover_of_a_wide_canvas_is_pillows_crop():
    rgb = noise(60, 60)
    color, _ = drawn(Picture(rgb), "cover", 120, 60)
    large = np.asarray(Image.fromarray(rgb).resize((120, 120), Image.Resampling.LANCZOS))
    assert np.abs(color.astype(int) - large[30:90]).max() <= 1


def test_contain_shows_all_and_leaves_the_rest_open():
    color, alpha = drawn(halves(80, 40), "contain", 100, 100)
    assert (alpha[25:75] == 1).all()
    assert not alpha[:25].any()
    assert not alpha[75:].any()
    assert color[50, 10].tolist() == [255, 0, 0]
    assert color[50, 90].tolist() == [0, 0, 255]


def test_stretch_fills_whatever_the_shape():
    color, alpha = drawn(halves(80, 40), "stretch", 30, 90)
    assert (alpha == 1).all()
    assert (color[:, :10] == (255, 0, 0)).all()
    assert (color[:, 20:] == (0, 0, 255)).all()


def test_a_picture_of_the_canvass_size_is_not_touched():
    rgb = noise(20, 30)
    for fit in ("cover", "contain", "stretch"):
        assert (drawn(Picture(rgb), fit, 30, 20)[0] == rgb).all()


def test_its_own_alpha_counts():
    own = np.zeros((20, 30), np.uint8)
    own[:, 10:] = 102
    _, alpha = drawn(Picture(noise(20, 30), alpha=own), "stretch", 30, 20)
    assert (alpha[:, :10] == 0).all()
    assert alpha[:, 10:] == pytest.approx(0.4)


def test_it_is_converted_to_srgb():
    icc, rgb = profile(gamma=1.0), noise(20, 30)
    color, _ = drawn(Picture(rgb, profile=icc), "cover", 30, 20)
    assert (color == strip_to_srgb(icc)(rgb)).all()


def test_one_pixel_covers_all():
    color, alpha = drawn(Picture(np.array([[[9, 8, 7]]], np.uint8)), "cover", 50, 3)
    assert (color == (9, 8, 7)).all()
    assert (alpha == 1).all()
