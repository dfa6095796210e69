import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cleancut.raster.blend import mix, over
from cleancut.raster.layer import Layer
from cleancut.raster.rows import Rows
from tests.matting.drawn import disc, flat, light_of, noise, values_of

ONES = np.ones((80, 100), np.float32)


def written(alpha):
    return np.rint(alpha * 255).astype(np.uint8)


def test_over_a_colour_it_is_alpha_f_plus_the_rest_of_it():
    F, C, a = noise(), np.array((30, 144, 255)), written(disc())
    found = mix([(flat(C), ONES)], F, a)
    truth = F * (a / 255)[..., None] + C * (1 - a / 255)[..., None]
    assert np.abs(found[..., :3] - truth).max() <= 0.501
    assert (found[..., 3] == 255).all()


def test_in_linear_light_it_is_that_of_light():
    F, C, a = noise(), np.array((30, 144, 255)), written(disc())
    found = mix([(flat(C), ONES)], F, a, linear=True)
    share = (a / 255.0)[..., None]
    truth = values_of(light_of(F) * share + light_of(C) * (1 - share))
    assert np.abs(found[..., :3] - truth).max() <= 0.6


@pytest.mark.parametrize("linear", [False, True])
@pytest.mark.parametrize("opacity", [0, 1, 127, 128, 254, 255])
def test_white_over_white_stays_white(linear, opacity):
    white = flat((255, 255, 255))
    found = mix([(white, ONES)], white, np.full((80, 100), opacity, np.uint8), linear=linear)
    assert (found == 255).all()


@pytest.mark.parametrize("linear", [False, True])
def test_a_colour_over_itself_stays_itself(linear):
    every = np.repeat(np.arange(256, dtype=np.uint8), 3).reshape(1, 256, 3)
    opacity = np.full((1, 256), 128, np.uint8)
    found = mix([(every, np.ones((1, 256), np.float32))], every, opacity, linear=linear)
    assert (found[..., :3] == every).all()


def test_translucent_layers_stack_as_porter_and_duff_say():
    rng = np.random.default_rng(3)
    below = [(noise(seed=s), rng.random((80, 100)).astype(np.float32)) for s in (1, 2, 3)]
    F, a = noise(seed=4), written(disc())
    premultiplied, cover = np.zeros((80, 100, 3)), np.zeros((80, 100))
    for color, alpha in [*below, (F, a / 255)]:
        premultiplied = color * alpha[..., None] + premultiplied * (1 - alpha)[..., None]
        cover = alpha + cover * (1 - alpha)
    found = mix(below, F, a)
    assert np.abs(found[..., 3] - cover * 255).max() <= 0.501
    seen = found[..., 3] > 0
    assert np.abs(found[seen][:, :3] - premultiplied[seen] / cover[seen][:, None]).max() <= 0.501


@settings(deadline=None)
@given(st.integers(0, 255), st.integers(0, 255), st.floats(0, 1, width=32), st.booleans(), st.integers(0, 9))
def test_opaque_is_bit_for_bit_and_nothing_is_nothing(value, opacity, alpha, linear, seed):
    color = np.full((1, 2, 3), value, np.uint8)
    below = (noise(1, 2, seed=seed), np.array([[0, alpha]], np.float32))
    found = mix([below], color, np.array([[opacity, 255]], np.uint8), linear=linear)
    assert (found[0, 1, :3] == color[0, 1]).all()
    assert found[0, 1, 3] == 255
    if found[0, 0, 3] == 0:
        assert (found[0, 0] == 0).all()


def test_without_anything_below_the_subject_stands_as_it_is():
    F, a = noise(), written(disc())
    found = mix([], F, a)
    assert (found[..., :3] == np.where(a[..., None] > 0, F, 0)).all()
    assert (found[..., 3] == a).all()
    assert (a == 0).any() and (a == 255).any()


@pytest.mark.parametrize("linear", [False, True])
def test_a_layer_over_a_layer(linear):
    upper = Layer(Rows.of(noise(seed=1)), Rows.of(disc()))
    lower = Layer(Rows.of(noise(seed=2)), Rows.of(disc(center=(40, 60))))
    both = over(upper, lower, linear=linear)
    a, b = upper.alpha.whole(), lower.alpha.whole()
    assert np.abs(both.alpha.whole() - (a + b * (1 - a))).max() < 1e-6
    color = both.color.whole()
    assert (color[a == 1] == noise(seed=1)[a == 1]).all()
    only_lower = (a == 0) & (b == 1)
    assert (color[only_lower] == noise(seed=2)[only_lower]).all()
