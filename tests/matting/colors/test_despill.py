"""Despilling: what goes, what stays bit for bit, and by which colour."""

import numpy as np
import pytest

from cleancut.errors import BadSetting
from cleancut.matting.colors.despill import despilled
from cleancut.raster.rows import Rows
from tests.matting.drawn import disc, flat, noise

GREEN, BLUE = (20, 220, 40), (30, 60, 210)


def run(colors, alpha, backdrop=GREEN, **settings):
    return despilled(Rows.of(colors), Rows.of(alpha), backdrop, **settings).whole()


def excess(colors, channel):
    others = [other for other in range(3) if other != channel]
    return colors[..., channel].astype(int) - colors[..., others].max(axis=-1)


@pytest.mark.parametrize(("backdrop", "channel"), [(GREEN, 1), (BLUE, 2), ((230, 20, 30), 0)])
def test_a_backdrops_light_goes_whatever_its_colour(backdrop, channel):
    skin = np.array([200, 150, 120])
    spilled = np.rint(skin * 0.6 + np.array(backdrop) * 0.4).astype(np.uint8)
    alpha = np.full((6, 6), 0.5, np.float32)
    before, after = flat(spilled, 6, 6), run(flat(spilled, 6, 6), alpha, backdrop)
    assert (excess(after, channel) <= np.maximum(excess(before, channel), 0)).all()
    assert np.abs(after.astype(int).sum(axis=2) - before.astype(int).sum(axis=2)).max() <= 2  # the grey stays


def test_a_green_fringe_loses_most_of_its_green():
    fringe = flat((110, 190, 90), 6, 6)
    assert excess(run(fringe, np.full((6, 6), 0.5, np.float32)), 1).max() < excess(fringe, 1).min() / 4


@pytest.mark.parametrize("color", [(200, 150, 120), (128, 128, 128), (30, 40, 200), (220, 200, 60), (0, 0, 0)])
def test_colours_far_from_the_backdrops_stay(color):
    alpha = np.full((5, 5), 0.5, np.float32)
    np.testing.assert_array_equal(run(flat(color, 5, 5), alpha), flat(color, 5, 5))


def test_opaque_pixels_away_from_the_edge_and_clear_ones_stay():
    colors, alpha = noise(), disc(radius=25, softness=4)
    result = run(colors, alpha, reach=3)
    y, x = np.mgrid[:80, :100]
    soft = (alpha > 0.002) & (alpha < 0.998)
    edge = np.argwhere(soft)
    away = np.sqrt(((np.stack([y, x], -1)[:, :, None] - edge) ** 2).sum(-1)).min(axis=2)
    far = (away > 4) | (alpha == 0)
    np.testing.assert_array_equal(result[far], colors[far])
    assert (result[soft] != colors[soft]).any()
    assert (result[~soft] != colors[~soft]).any()


def test_without_reach_every_opaque_pixel_stays():
    colors, alpha = noise(), disc(radius=25, softness=4)
    result = run(colors, alpha, reach=0)
    np.testing.assert_array_equal(result[alpha == 1], colors[alpha == 1])


def test_the_amount_is_a_share():
    colors, alpha = flat((110, 190, 90), 5, 5), np.full((5, 5), 0.5, np.float32)
    half, whole = (run(colors, alpha, amount=amount).astype(int) for amount in (0.5, 1))
    assert np.abs((colors + whole) / 2 - half).max() <= 1


@pytest.mark.parametrize("backdrop", [(255, 255, 255), (0, 0, 0), (128, 128, 130)])
def test_a_grey_backdrop_leaves_no_trace_to_take_away(backdrop):
    colors = noise()
    np.testing.assert_array_equal(run(colors, np.full((80, 100), 0.5, np.float32), backdrop), colors)


@pytest.mark.parametrize("pixels", [100, 100 * 7, 100 * 50])
def test_strips_make_no_difference(pixels, monkeypatch):
    colors, alpha = noise(), disc(radius=25, softness=10)
    at_once = run(colors, alpha)
    monkeypatch.setattr("cleancut.raster.rows.STRIP_PIXELS", pixels)
    np.testing.assert_array_equal(run(colors, alpha), at_once)


@pytest.mark.parametrize("shape", [(1, 1), (1, 30), (30, 1)])
@pytest.mark.parametrize("value", [0.0, 0.5, 1.0])
def test_any_shape_and_a_flat_alpha(shape, value):
    colors = np.random.default_rng(3).integers(0, 256, (*shape, 3), np.uint8)
    result = run(colors, np.full(shape, value, np.float32))
    assert result.dtype == np.uint8
    if value != 0.5:
        np.testing.assert_array_equal(result, colors)


@pytest.mark.parametrize("settings", [{"amount": 2}, {"reach": -1}, {"reach": float("nan")}, {"backdrop": (0, 300, 0)}])
def test_settings_out_of_range(settings):
    with pytest.raises(BadSetting, match="Despilling"):
        run(noise(), disc(), **settings)
