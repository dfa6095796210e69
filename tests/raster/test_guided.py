"""The guided filter: the exact one against its definition, the fast one against the exact, and what stays as it is."""

import numpy as np
import pytest

from cleancut.errors import BadSetting
from cleancut.raster.guided import guided
from cleancut.raster.rows import Rows

H, W = 72, 96
Y, X = np.mgrid[:H, :W].astype(np.float32)
DISC = np.clip(0.5 - (np.hypot(Y - 36, X - 48) - 22) / 2, 0, 1).astype(np.float32)
EVERYWHERE = np.ones((H, W), bool)


def photo(seed=0):
    """The disc, reddish before blue, with grain."""
    front, back = np.array([190, 120, 90]), np.array([60, 90, 170])
    grain = np.random.default_rng(seed).normal(0, 4, (H, W, 3))
    return np.clip(np.rint(front * DISC[..., None] + back * (1 - DISC[..., None]) + grain), 0, 255).astype(np.uint8)


def shrunken():
    """The disc as a network of a sixth of the size would have it."""
    boxes = DISC.reshape(H // 6, 6, W // 6, 6).mean(axis=(1, 3))
    return boxes.repeat(6, axis=0).repeat(6, axis=1)


def run(guide, alpha, where=EVERYWHERE, **settings):
    return guided(Rows.of(guide), Rows.of(alpha), Rows.of(where), **settings).whole()


def by_definition(guide, alpha, radius, epsilon):
    """He, Sun and Tang 2013, eq. 19 to 21, a pixel at a time, border pixels repeated."""
    seen = np.pad(guide / 255, ((2 * radius, 2 * radius), (2 * radius, 2 * radius), (0, 0)), "edge")
    plane = np.pad(alpha.astype(float), 2 * radius, "edge")
    height, width = plane.shape
    lines = np.zeros((height, width, 4))
    for y in range(radius, height - radius):
        for x in range(radius, width - radius):
            part = np.s_[y - radius : y + radius + 1, x - radius : x + radius + 1]
            colors, values = seen[part].reshape(-1, 3), plane[part].ravel()
            mean = colors.mean(axis=0)
            spread = (colors - mean).T @ (colors - mean) / len(colors) + epsilon * np.eye(3)
            slope = np.linalg.solve(spread, (colors - mean).T @ values / len(values))
            lines[y, x] = *slope, values.mean() - slope @ mean
    result = np.empty(alpha.shape)
    for y in range(alpha.shape[0]):
        for x in range(alpha.shape[1]):
            line = lines[y + radius : y + 3 * radius + 1, x + radius : x + 3 * radius + 1].mean(axis=(0, 1))
            result[y, x] = line[:3] @ (guide[y, x] / 255) + line[3]
    return np.clip(result, 0, 1)


def test_with_cells_of_one_pixel_it_is_the_exact_filter():
    guide, alpha = photo()[20:44, 30:58], shrunken()[20:44, 30:58]
    found = run(guide, alpha, np.ones((24, 28), bool), radius=3, epsilon=1e-3, cell=1)
    np.testing.assert_allclose(found, by_definition(guide, alpha, 3, 1e-3), atol=2e-4)


def test_the_fast_one_comes_near_the_exact():
    guide, alpha = photo(), shrunken()
    fast, exact = (run(guide, alpha, radius=12, epsilon=1e-3, cell=cell) for cell in (3, 1))
    assert np.abs(fast - exact).mean() < 0.01


def test_edges_come_back():
    before = np.abs(shrunken() - DISC).mean()
    assert np.abs(run(photo(), shrunken(), radius=16, epsilon=1e-4) - DISC).mean() < 0.7 * before


def test_elsewhere_alpha_stays_bit_for_bit():
    where = np.hypot(Y - 36, X - 48) > 30
    alpha = np.random.default_rng(1).random((H, W)).astype(np.float32)
    found = run(photo(), alpha, where)
    np.testing.assert_array_equal(found[~where], alpha[~where])
    assert (found[where] != alpha[where]).any()
    np.testing.assert_array_equal(run(photo(), alpha, np.zeros((H, W), bool)), alpha)


def test_where_nothing_is_asked_for_the_picture_is_not_read():
    def read(top, bottom):
        raise AssertionError

    rows = guided(Rows((H, W, 3), read), Rows.of(DISC), Rows.of(np.zeros((H, W), bool)))
    np.testing.assert_array_equal(rows.whole(), DISC)


@pytest.mark.parametrize("pixels", [W, W * 7, W * 50])
@pytest.mark.parametrize("settings", [{}, {"radius": 5}, {"radius": 8, "cell": 3}])
def test_strips_make_no_difference(pixels, settings, monkeypatch):
    at_once = guided(Rows.of(photo()), Rows.of(shrunken()), Rows.of(EVERYWHERE), **settings).read(0, H)
    monkeypatch.setattr("cleancut.raster.rows.STRIP_PIXELS", pixels)
    np.testing.assert_array_equal(run(photo(), shrunken(), **settings), at_once)


def test_what_is_asked_for_elsewhere_makes_no_difference(monkeypatch):
    monkeypatch.setattr("cleancut.raster.guided._TILE", 16)
    part = (X > 40) & (X < 60)
    whole, some = run(photo(), shrunken()), run(photo(), shrunken(), part)
    np.testing.assert_array_equal(some[part], whole[part])


@pytest.mark.parametrize("shape", [(1, 1), (1, 90), (90, 1), (5, 7)])
@pytest.mark.parametrize("value", [0.0, 0.25, 1.0])
def test_a_flat_alpha_stays_in_any_shape(shape, value):
    guide = np.random.default_rng(2).integers(0, 256, (*shape, 3), np.uint8)
    found = run(guide, np.full(shape, value, np.float32), np.ones(shape, bool))
    np.testing.assert_allclose(found, value, atol=1e-3)


@pytest.mark.parametrize("settings", [{"radius": 0}, {"epsilon": 0}, {"epsilon": float("nan")}, {"cell": 0}])
def test_settings_out_of_range(settings):
    with pytest.raises(BadSetting, match="guided filter"):
        run(photo(), DISC, **settings)
