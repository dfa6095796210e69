import numpy as np
import pytest

from cleancut.errors import ModelFailed
from cleancut.matting.band.closeup import FARTHEST, FIRM, HAIRY, LEAD, REACH, STEP, TILE, _ramp, closer
from cleancut.raster.resample import Fit
from tests.stubs import disc


def echo(inputs):
    """A network that moves nothing; like ours it keeps away from 0 and 1."""
    return {"alpha": inputs["coarse"] * (1 - 2 * FIRM) + FIRM}


def bright(inputs):
    """A network that takes what is bright for subject."""
    return {"alpha": (inputs["image"].mean(1, keepdims=True) > 0).astype(np.float32)}


def fit(width, height, side=64):
    return Fit.stretch((width, height), (side, side), "bicubic")


def picture(width, height, radius=0.3):
    y, x = np.mgrid[:height, :width]
    inside = np.hypot((x + 0.5) / width - 0.5, (y + 0.5) / height - 0.5) < radius
    return np.repeat((inside * 255).astype(np.uint8)[..., None], 3, axis=2)


@pytest.mark.parametrize("length", [20, STEP, STEP + 1, STEP + 30, 3 * STEP - 1, 3 * STEP])
def test_weights_of_neighbours_add_up_to_one_as_far_as_the_border(length):
    line = np.zeros(length + 2 * TILE)
    for start in range(-LEAD, length - LEAD, STEP):
        line[TILE + start : 2 * TILE + start] += _ramp(start, length)
    assert np.allclose(line[TILE : TILE + length], 1)


@pytest.mark.parametrize("size", [(280, 200), (1000, 700), (64, 900), (30, 20)])
def test_an_echo_changes_nothing(size):
    plane = disc(64)
    looked = closer(picture(*size), plane, fit(*size), echo, 500)
    coarse = fit(*size).enlarge(plane).whole()
    assert looked.alpha.shape == size[::-1]
    if max(size) / 64 <= FARTHEST:  # one look: the same numbers but for the rounding of tiles
        assert np.abs(looked.alpha.whole() - coarse).max() < 0.004
    assert np.abs(looked.alpha.whole() - coarse).mean() < 0.01


def test_the_edge_comes_from_the_pictures_own_pixels():
    rgb = picture(900, 600, 0.31)
    plane = disc(64, 0.3)
    looked = closer(rgb, plane, fit(900, 600), bright, 500)
    truth = rgb[..., 0] / 255
    coarse = fit(900, 600).enlarge(plane).whole()
    assert np.abs(looked.alpha.whole() - truth).mean() < 0.1 * np.abs(coarse - truth).mean()


def test_strips_make_no_difference():
    looked = closer(picture(700, 500), disc(64), fit(700, 500), bright, 500)
    whole = looked.alpha.read(0, 500)
    parts = np.concatenate([looked.alpha.read(top, min(top + 37, 500)) for top in range(0, 500, 37)])
    assert np.allclose(whole, parts, atol=1e-6)


def test_the_budget_holds_and_is_told():
    size = (3000, 2000)
    asked = []

    def counting(inputs):
        asked.append(inputs["image"].shape)
        return echo(inputs)

    looked = closer(picture(*size), disc(64), fit(*size), counting, 5)
    assert len(asked) == looked.tiles == 5
    assert looked.wanted > 5
    assert set(asked) == {(1, 3, TILE, TILE)}


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_without_an_edge_nothing_is_asked(value):
    plane = np.full((64, 64), value, np.float32)
    looked = closer(picture(500, 400), plane, fit(500, 400), None, 50)
    assert (looked.tiles, looked.wanted) == (0, 0)
    assert np.allclose(looked.alpha.whole(), value)


@pytest.mark.parametrize("size", [(1, 1), (3000, 4), (5, 2000)])
def test_the_smallest_and_the_longest(size):
    looked = closer(picture(*size), disc(64), fit(*size), echo, 50)
    assert looked.alpha.whole().shape == size[::-1]
    assert looked.tiles <= 50


def test_a_letterboxed_answer_lies_right():
    lay = Fit.letterbox((800, 400), (64, 64), "bicubic")
    plane = np.zeros((64, 64), np.float32)
    plane[16:48, :32] = 1
    looked = closer(np.zeros((400, 800, 3), np.uint8), plane, lay, echo, 99)
    assert np.abs(looked.alpha.whole() - lay.enlarge(plane).whole()).mean() < 0.02


def test_a_hard_edge_is_left_where_only_wide_ones_are_asked_for():
    size = (1200, 1200)
    y, x = np.mgrid[:64, :64]
    away = 0.3 * 64 - np.hypot(y - 31.5, x - 31.5)
    hard, soft = (np.clip(away / width + 0.5, 0, 1).astype(np.float32) for width in (2, 12))
    left = closer(picture(*size), hard, fit(*size), None, 500, wide=HAIRY)
    assert (left.tiles, left.wanted) == (0, 0)
    assert np.array_equal(left.alpha.whole(), fit(*size).enlarge(hard).whole())
    asked = closer(picture(*size), soft, fit(*size), echo, 500, wide=HAIRY)
    assert asked.tiles == closer(picture(*size), soft, fit(*size), echo, 500).tiles > 10


def test_spokes_are_looked_at_though_none_is_wide():
    size = (1200, 1200)
    spokes = np.zeros((64, 64), np.float32)
    spokes[8:56, 8:56:4] = 0.5
    spokes[8:56, 9:56:4] = 0.8
    looked = closer(picture(*size), spokes, fit(*size), echo, 500, wide=HAIRY)
    assert looked.tiles > 0


@pytest.mark.parametrize(
    "answer", [np.full((1, 1, TILE, TILE), np.nan, np.float32), np.zeros((1, 1, 8, 8), np.float32)]
)
def test_an_answer_that_is_no_alpha_is_told(answer):
    with pytest.raises(ModelFailed, match="no alpha"):
        closer(picture(500, 400), disc(64), fit(500, 400), lambda given: {"alpha": answer}, 50)


def test_far_from_every_edge_the_coarse_alpha_stays():
    width = height = 512
    plane = np.zeros((128, 128), np.float32)
    plane[:, 20:] = 1  # an edge at a sixth of the width
    fit = Fit.stretch((width, height), (128, 128), "bicubic")
    rgb = np.zeros((height, width, 3), np.uint8)
    hazy = closer(rgb, plane, fit, lambda given: {"alpha": np.full((1, 1, TILE, TILE), 0.5, np.float32)}, 128)
    alpha, coarse = hazy.alpha.whole(), fit.enlarge(plane).whole()
    far = round(80 + 4 * 2 * REACH)
    assert np.abs(alpha[:, far:] - coarse[:, far:]).max() < 1e-3
    assert np.abs(alpha[:, 70:90] - 0.5).max() < 0.02
