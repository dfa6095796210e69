import threading

import numpy as np
import pytest

import cleancut
from cleancut.errors import BadRecipe, Stopped, TooBig
from cleancut.limits import Limits
from cleancut.matting.pipeline import cut, cut_all
from cleancut.matting.recipe import make
from cleancut.models import weights
from cleancut.types import Picture
from tests.stubs import disc, loading

RNG = np.random.default_rng(1)
NOISE = Picture(RNG.integers(0, 256, (90, 120, 3), dtype=np.uint8), name="noise")
PLAIN = make(refine="none", foreground="source")


def test_the_road_gives_the_networks_alpha_at_full_size():
    cutout = cut(NOISE, PLAIN, load=loading(disc()))
    assert cutout.alpha.shape == (90, 120)
    assert cutout.alpha[45, 60] == 1
    assert cutout.alpha[0, 0] == 0
    assert cutout.report.provider == "stub"
    left, top, right, bottom = cutout.box
    assert (abs(left - 24) <= 1, abs(right - 96) <= 1, abs(top - 18) <= 1, abs(bottom - 72) <= 1) == (True,) * 4


def test_opaque_pixels_are_the_sources_and_removed_ones_are_gone():
    rgba = cut(NOISE, load=loading(disc())).rgba()
    opaque, gone = rgba[..., 3] == 255, rgba[..., 3] == 0
    assert opaque.any() and gone.any()
    assert (rgba[opaque][:, :3] == NOISE.rgb[opaque]).all()
    assert (rgba[gone] == 0).all()


def test_no_subject_is_an_empty_alpha_and_a_note():
    cutout = cut(NOISE, load=loading(np.full((64, 64), 0.2)))
    assert not cutout.rgba().any()
    assert cutout.box is None
    assert cutout.confidence < 0.3
    assert cutout.notes == ("No subject was found.",)


def test_the_sources_own_alpha_is_multiplied_in():
    own = np.full((90, 120), 255, np.uint8)
    own[:, 60:] = 51
    alpha = cut(Picture(NOISE.rgb, own), PLAIN, load=loading(disc())).alpha
    assert alpha[45, 50] == 1
    assert alpha[45, 70] == pytest.approx(0.2)


def test_many_pictures_load_one_network():
    loads, asked = [], []
    load = loading(disc(), asked=asked)
    cutouts = list(cut_all([NOISE] * 3, PLAIN, load=lambda name: loads.append(name) or load(name)))
    assert (len(cutouts), len(loads), len(asked)) == (3, 1, 3)


def test_a_second_call_never_reloads(monkeypatch):
    first = cleancut.cut(NOISE)
    reads = []
    monkeypatch.setattr(weights, "read", lambda *given: reads.append(given) or pytest.fail("read again"))
    assert (cleancut.cut(NOISE).rgba() == first.rgba()).all()
    assert not reads


def test_threads_agree():
    expected = cut(NOISE).rgba()
    found = []
    threads = [threading.Thread(target=lambda: found.append(cut(NOISE).rgba())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert all((rgba == expected).all() for rgba in found)


def test_a_layer_is_chosen_by_name():
    planes = np.stack([disc(radius=0.2), disc(radius=0.4)])
    load = loading(planes, layers=("shirt", "trousers"))
    shirt = cut(NOISE, make(refine="none", layer="shirt"), load=load).alpha.mean()
    trousers = cut(NOISE, make(refine="none", layer="trousers"), load=load).alpha.mean()
    everything = cut(NOISE, make(refine="none"), load=load).alpha.mean()
    assert shirt < trousers == everything
    with pytest.raises(BadRecipe, match="no layer 'hat'; it has shirt, trousers"):
        cut(NOISE, make(layer="hat"), load=load)


def test_auto_tidies_at_the_networks_size_and_says_so():
    plane = disc()
    plane[2, 2] = 1
    assert cut(NOISE, make(refine="none"), load=loading(plane)).alpha[3, 4] > 0.5
    tidy = cut(NOISE, make(), load=loading(plane))
    assert tidy.alpha[3, 4] == 0
    assert tidy.report.refine == ("auto",)


def test_effects_run_in_order_and_a_picture_is_handed_over_by_name():
    blue = Picture(np.full((5, 5, 3), (0, 0, 255), np.uint8))
    recipe = make(refine="none", effects=["behind:picture=sky"])
    rgba = cut(NOISE, recipe, load=loading(disc()), assets={"sky": blue}).rgba()
    assert rgba[0, 0].tolist() == [0, 0, 255, 255]
    with pytest.raises(BadRecipe, match="picture 'sky', which was not handed over"):
        cut(NOISE, recipe, load=loading(disc()))


def test_work_can_be_ended_between_steps():
    def stop():
        raise Stopped("The caller left.")

    asked = []
    with pytest.raises(Stopped):
        cut(NOISE, load=loading(disc(), asked=asked), check=stop)
    assert not asked


def test_max_side_reduces_first():
    cutout = cut(NOISE, make(refine="none", max_side=60), load=loading(disc()))
    assert cutout.size == (60, 45)


def test_limits_hold_before_decoding():
    import io

    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(NOISE.rgb).save(stream, "PNG")
    with pytest.raises(TooBig):
        cut(stream.getvalue(), limits=Limits(max_pixels=100))


def test_every_stage_is_timed():
    cutout = cut(NOISE, load=loading(disc()))
    cutout.rgba()
    assert {"read", "shrink", "network", "alpha", "foreground", "composite"} <= set(cutout.report.ms)


def test_equal_recipes_give_equal_bytes_whatever_the_threads(monkeypatch):
    from cleancut.raster import rows

    expected = cut(NOISE).rgba()
    monkeypatch.setattr(rows, "processors", lambda: 1)
    assert (cut(NOISE).rgba() == expected).all()
