import numpy as np
import pytest

from cleancut.errors import BadRecipe, ModelFailed
from cleancut.matting.predict import fit_of, judged, normalised, predict, seen
from cleancut.matting.stopwatch import Stopwatch
from cleancut.models.registry import Input, Output
from cleancut.raster.resample import Fit
from cleancut.types import Picture
from tests.stubs import disc, loading

HALF = Input(size=(64, 64), mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5))
PEAK = Input(size=(64, 64), mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0), scale="peak")
GREY = Picture(np.full((30, 40, 3), 100, np.uint8))


def ask(answer, **more):
    loaded = loading(answer, **more)("stub")
    return predict(GREY, loaded, fit_of(GREY, loaded.model.input), Stopwatch())


def test_pixels_become_the_networks_numbers():
    rgb = np.zeros((2, 2, 3), np.uint8)
    rgb[0, 0] = 255, 0, 51
    tensor = normalised(rgb, HALF)
    assert tensor.shape == (1, 3, 2, 2)
    assert tensor.dtype == np.float32
    assert np.allclose(tensor[0, :, 0, 0], [1, -1, -0.6])


def test_peak_divides_by_the_pictures_own_maximum():
    assert normalised(np.full((2, 2, 3), 64, np.uint8), PEAK).max() == 1
    assert normalised(np.zeros((2, 2, 3), np.uint8), PEAK).max() == 0


def test_a_firm_answer_is_trusted():
    prediction = ask(disc())
    assert prediction.subject
    assert prediction.confidence > 0.95


@pytest.mark.parametrize("haze", [0.0, 0.1, 0.28])
def test_haze_is_no_subject(haze):
    prediction = ask(np.full((64, 64), haze))
    assert not prediction.subject
    assert prediction.confidence < 0.3


def test_a_dot_is_no_subject():
    plane = np.zeros((64, 64))
    plane[0, 0] = 1
    assert ask(plane).confidence == 0


def test_stretching_hides_nothing_from_the_judge():
    prediction = judged(disc()[None] * np.float32(0.2), Output(stretch=True))
    assert prediction.alpha.max() == 1
    assert not prediction.subject


def test_sigmoid_squashes():
    assert judged(np.zeros((1, 1, 1), np.float32), Output(squash="sigmoid")).alpha == 0.5


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_numbers_that_are_not_finite_are_refused(bad):
    plane = disc()
    plane[3, 3] = bad
    with pytest.raises(ModelFailed, match="not finite"):
        ask(plane)


def test_a_wrong_shape_is_refused():
    with pytest.raises(ModelFailed, match="answered with the shape"):
        ask(np.zeros((2, 2, 2, 2)))


def test_a_kind_that_cannot_run_says_so():
    from dataclasses import replace

    loaded = loading(disc())("stub")
    loaded = replace(loaded, model=replace(loaded.model, kind="prompted"))
    with pytest.raises(BadRecipe, match="prompted model, which this version cannot run"):
        predict(GREY, loaded, fit_of(GREY, loaded.model.input), Stopwatch())


def test_transparent_parts_are_shown_grey():
    rgb = np.zeros((64, 64, 3), np.uint8)
    alpha = np.zeros((64, 64), np.uint8)
    alpha[:, 32:] = 255
    shown = seen(Picture(rgb, alpha), Fit.stretch((64, 64), (64, 64), "bicubic"))
    assert (shown[:, :30] == 128).all()
    assert (shown[:, 34:] == 0).all()


def test_transparent_parts_stay_in_place_in_a_letterbox():
    rgb = np.zeros((32, 64, 3), np.uint8)
    alpha = np.full((32, 64), 255, np.uint8)
    shown = seen(Picture(rgb, alpha), Fit.letterbox((64, 32), (64, 64), "bicubic"))
    assert (shown[:16] == 128).all() and (shown[48:] == 128).all()
    assert (shown[16:48] == 0).all()


def scores(*planes):
    return np.stack([np.asarray(plane, np.float32) for plane in planes])


def test_softmax_gives_each_class_its_probability():
    raw = scores(np.zeros((1, 2)), [[0.0, 100.0]], [[0.0, -100.0]], np.zeros((1, 2)))
    alpha = judged(raw, Output(squash="softmax")).alpha
    assert alpha.shape == (3, 1, 2)
    assert np.allclose(alpha[:, 0, 0], 0.25)
    assert np.allclose(alpha[:, 0, 1], [1, 0, 0])


def test_without_a_layer_all_classes_are_one_minus_the_background():
    from cleancut.matting.predict import together

    raw = np.random.default_rng(0).normal(0, 3, (4, 5, 6)).astype(np.float32)
    background = (np.exp(raw) / np.exp(raw).sum(axis=0))[0]
    output = Output(squash="softmax")
    assert np.allclose(together(judged(raw, output).alpha, output), 1 - background, atol=1e-6)
    assert (together(np.stack([disc(), disc() / 2]), Output()) == disc()).all()


@pytest.mark.parametrize("huge", [1e4, -1e4, 3e38])
def test_huge_scores_stay_within_0_and_1(huge):
    for squash in ("sigmoid", "softmax", "none"):
        alpha = judged(np.full((2, 3, 3), huge, np.float32), Output(squash=squash)).alpha
        assert ((alpha >= 0) & (alpha <= 1)).all()


@pytest.mark.parametrize(
    ("planes", "squash", "said"), [(3, "softmax", "3 planes; its table states 4"), (2, "none", "2 planes; .* states 3")]
)
def test_planes_must_be_those_that_the_table_names(planes, squash, said):
    with pytest.raises(ModelFailed, match=said):
        ask(np.zeros((planes, 8, 8)), output=Output(squash=squash), layers=("upper", "lower", "full"))


def test_stretching_takes_the_answer_as_it_is():
    answer = np.linspace(-2, 3, 11, dtype=np.float32)[None, None]
    assert np.allclose(judged(answer, Output(stretch=True)).alpha, np.linspace(0, 1, 11))
