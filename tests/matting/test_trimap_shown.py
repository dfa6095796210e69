"""`show="trimap"`: what was certain before the edge was refined."""

import io

import numpy as np
import pytest
from PIL import Image

from cleancut.matting.pipeline import cut
from cleancut.matting.recipe import make
from cleancut.matting.write import encoded
from cleancut.types import Picture
from tests.matting.drawn import cutout as handmade
from tests.stubs import disc, loading

PHOTO = Picture(np.random.default_rng(1).integers(0, 256, (240, 320, 3), dtype=np.uint8))


def made(answer=None, **recipe):
    return cut(PHOTO, make(model="u2netp", show="trimap", **recipe), load=loading(disc() if answer is None else answer))


def test_three_values_of_which_the_band_is_the_narrowest():
    marked = made(refine="none").trimap
    assert marked.shape == (240, 320) and marked.dtype == np.uint8
    assert set(np.unique(marked)) == {0, 128, 255}
    assert marked[120, 160] == 255 and marked[0, 0] == 0
    assert (marked == 128).mean() < 0.3


@pytest.mark.parametrize("format", ["png", "tiff", "webp"])
def test_it_is_written_grey(format):
    cutout = made(refine="none", format=format)
    with Image.open(io.BytesIO(encoded(cutout))) as opened:
        assert np.array_equal(np.asarray(opened.convert("L")), cutout.trimap)
    assert cutout.image().mode == "L"


def test_refining_does_not_change_it():
    assert np.array_equal(made(refine="none").trimap, made(refine="guided").trimap)


def test_effects_move_it():
    plain = made(refine="none")
    left, top, right, bottom = plain.box
    trimmed = made(refine="none", effects=["trim"])
    assert np.array_equal(trimmed.trimap, plain.trimap[top:bottom, left:right])
    fitted = made(refine="none", effects=["fit:width=200,height=300"]).trimap
    assert fitted.shape == (300, 200) and set(np.unique(fitted)) == {0, 128, 255}


def test_without_a_subject_all_is_background():
    assert not made(np.zeros((64, 64))).trimap.any()
    assert (made(np.ones((64, 64)), refine="none").trimap == 255).all()


def test_what_the_source_does_not_show_is_background():
    own = np.full((240, 320), 255, np.uint8)
    own[:, :160], own[:, 160:170] = 0, 90
    photo = Picture(PHOTO.rgb, own)
    marked = cut(photo, make(model="u2netp", refine="none"), load=loading(disc())).trimap
    assert not marked[:, :160].any()
    assert (marked[120, 160:170] == 128).all() and marked[120, 180] == 255


def test_one_made_by_hand_has_that_of_its_alpha():
    assert set(np.unique(handmade().trimap)) == {0, 128, 255}
