import importlib.util
import sys
from dataclasses import replace

import numpy as np
import pytest

from cleancut.errors import BadRecipe, BadSetting
from cleancut.matting.keying.grabcut import Corners
from cleancut.matting.pipeline import cut
from cleancut.matting.predict import complete
from cleancut.matting.recipe import make
from cleancut.types import Picture
from tests.matting.drawn import disc, flat, noise
from tests.stubs import loading

needs_opencv = pytest.mark.skipif(importlib.util.find_spec("cv2") is None, reason="OpenCV (extra opencv) is absent")

ALPHA = disc(160, 200, (80, 100), 50.0, 2.0)


def scene():
    """A reddish textured disc on greenish texture, soft by two pixels."""
    front = flat((190, 80, 60), 160, 200) + noise(160, 200) // 6
    back = flat((60, 120, 80), 160, 200) + noise(160, 200, seed=8) // 6
    return Picture(np.rint(ALPHA[..., None] * front + (1 - ALPHA[..., None]) * back).astype(np.uint8))


def claiming(alpha):
    stub = loading(alpha)

    def load(name):
        loaded = stub(name)
        model = replace(loaded.model, kind="grabcut", settings=name.partition(":")[2])
        return replace(loaded, model=model)

    return load


def run(picture, model="grabcut", claimed=ALPHA[::4, ::4]):
    return cut(picture, make(model=model, refine="none"), load=claiming(claimed))


@needs_opencv
@pytest.mark.parametrize("model", ["grabcut", "grabcut:box=40,20,160,140"])
def test_a_disc_is_cut_with_its_soft_edge(model):
    found = run(scene(), model).alpha
    assert np.abs(found - ALPHA).mean() < 0.01
    assert ((found > 0.1) & (found < 0.9)).any()


@needs_opencv
def test_a_coarse_seed_is_drawn_to_the_edge():
    seed = np.clip(disc(40, 50, (20, 25), 12.5, 8.0), 0.06, 0.94)
    assert np.abs(run(scene(), claimed=seed).alpha - ALPHA).mean() < 0.3 * np.abs(seed - ALPHA[::4, ::4]).mean()


@needs_opencv
def test_the_same_seed_gives_the_same_cut():
    first, second = (run(scene()).alpha for _ in range(2))
    assert (first == second).all()


@needs_opencv
def test_a_large_picture_is_cut_on_a_small_copy():
    large = Picture(scene().rgb.repeat(8, axis=0).repeat(8, axis=1))
    found = run(large, "grabcut:box=320,160,1280,1120").alpha
    assert found.shape == (1280, 1600)
    assert np.abs(found[4::8, 4::8] - ALPHA).mean() < 0.01


@needs_opencv
@pytest.mark.parametrize("shape", [(1, 1), (2, 3), (5000, 4)])
@pytest.mark.parametrize("model", ["grabcut", "grabcut:box=0,0,1,1", "grabcut:box=0,0,9999,9999"])
def test_odd_shapes_end_in_a_result_or_a_sentence(shape, model):
    picture = Picture(noise(*shape))
    try:
        assert run(picture, model).alpha.shape == shape
    except BadRecipe as error:
        assert "larger picture" in str(error)


@needs_opencv
def test_where_the_network_sees_nothing_nothing_is_cut():
    result = run(scene(), claimed=np.zeros((40, 50)))
    assert result.alpha.max() == 0
    assert result.notes == ("No subject was found.",)


def test_a_box_outside_the_picture_is_refused():
    with pytest.raises(BadSetting, match=r"The box 300,0,400,50 lies outside the picture, which has 200 × 160 pixels"):
        run(scene(), "grabcut:box=300,0,400,50")
    assert Corners.within("190,150,900,900", (200, 160)) == (190, 150, 200, 160)


@pytest.mark.parametrize(
    "box", ["1,2,3", "5,5,5,9", "9,9,1,1", "-1,0,5,5", "a,b,c,d", "0,0,5,2000000", "0,0,1e3,5", "1" * 99]
)
def test_a_box_that_is_none_says_what_one_is(box):
    with pytest.raises(BadSetting, match="box of grabcut must be left,top,right,bottom in pixels"):
        complete(f"grabcut:box={box}")


def test_a_box_is_written_one_way():
    assert complete("grabcut: 1, 2,3 ,4") == complete("grabcut:box=1,2,3,4") == "grabcut:box=1,2,3,4"
    assert complete("grabcut:") == "grabcut"


def test_without_opencv_one_sentence_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(BadRecipe, match=r'GrabCut needs OpenCV; run: pip install "cleancut\[opencv\]"'):
        run(scene())
