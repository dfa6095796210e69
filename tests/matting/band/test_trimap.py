"""Trimaps: how wide the band is, what it must hold, and that strips and odd shapes make no difference."""

import numpy as np
import pytest
from PIL import Image

from cleancut.errors import BadSetting
from cleancut.matting.band.trimap import trimap, unknown_share
from cleancut.raster.rows import Rows
from tests.matting.drawn import disc


def marked(alpha, uncertainty=None, **settings):
    return trimap(Rows.of(alpha), uncertainty if uncertainty is None else Rows.of(uncertainty), **settings).whole()


def ramp(length, width=400, height=5):
    """α that rises from 0 to 1 over `length` pixels in the middle."""
    x = np.arange(width) - width / 2 + 0.5
    return np.repeat(np.clip(x / length + 0.5, 0, 1)[None].astype(np.float32), height, axis=0)


def band(alpha, **settings):
    return int((marked(alpha, **settings) == 128)[2].sum())


def test_values_are_three():
    assert set(np.unique(marked(disc(radius=20, softness=6)))) == {0, 128, 255}


def test_a_hard_edge_has_a_band_of_four_pixels():
    assert band((ramp(1) > 0.5).astype(np.float32)) == 4


def test_the_band_follows_the_edges_own_softness():
    widths = [band(ramp(length)) for length in (1, 8, 30)]
    assert widths[0] <= 6
    assert widths[1] > 8
    assert widths[2] > 30 + 8
    assert widths == sorted(widths)


def test_both_kinds_of_edge_in_one_picture():
    alpha = np.concatenate([ramp(1, height=60), ramp(24, height=60)])
    unknown = (marked(alpha) == 128).sum(axis=1)
    assert unknown[0] <= 6
    assert unknown[-1] >= 34


def test_what_is_soft_is_unknown():
    alpha = disc(200, 200, center=(100, 100), radius=50, softness=12)
    unknown = marked(alpha) == 128
    assert unknown[(alpha > 0.05) & (alpha < 0.95)].all()


def test_strands_that_a_small_alpha_lost_are_in_the_band():
    """Strands of 1 px that stick out 10 px from a disc, seen at an eighth of the size."""
    y, x = np.mgrid[:512, :512] - 255.5
    away, angle = np.hypot(y, x), np.arctan2(y, x) * 30
    strand = (np.abs(angle - np.rint(angle)) / 30 * away < 0.7) & (away < 160)
    truth = np.maximum(away < 150, strand).astype(np.float32)
    small = Image.fromarray(truth).resize((64, 64), Image.Resampling.BOX)
    alpha = np.clip(np.asarray(small.resize((512, 512), Image.Resampling.BICUBIC)), 0, 1)
    found = marked(alpha, scale=8)
    wrong = ((found == 0) & (truth > 0.5)) | ((found == 255) & (truth < 0.5))
    assert wrong.sum() <= 0.001 * (found == 128).sum()
    assert unknown_share(Rows.of(found)) < 0.25


def test_the_band_of_an_enlarged_edge_covers_where_it_may_have_been():
    assert 8 + 2 * 8 <= band(ramp(8), scale=8) <= 8 + 4 * 8


def test_uncertainty_widens_the_band_there_and_only_there():
    alpha = ramp(2, height=240)
    uncertainty = np.zeros_like(alpha)
    uncertainty[:60] = 0.4
    unknown = (marked(alpha, uncertainty) == 128).sum(axis=1)
    assert unknown[0] >= unknown[-1] + 6
    assert unknown[-1] == band(ramp(2))


def test_what_the_network_doubts_is_unknown_whatever_its_alpha():
    alpha = np.zeros((60, 60), np.float32)
    uncertainty = alpha.copy()
    uncertainty[30, 30] = 0.9
    found = marked(alpha, uncertainty)
    assert found[30, 30] == 128
    assert found[0, 0] == 0


def test_haze_is_no_edge():
    haze = np.random.default_rng(0).random((50, 50)).astype(np.float32) * 0.04
    assert not marked(haze).any()
    assert (marked(1 - haze) == 255).all()


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (300, 1), (13, 17)])
@pytest.mark.parametrize("value", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("scale", [1, 7.5])
def test_any_shape_and_a_flat_alpha(shape, value, scale):
    found = marked(np.full(shape, value, np.float32), scale=scale)
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, np.full(shape, {0.0: 0, 0.5: 128, 1.0: 255}[value]))


@pytest.mark.parametrize("pixels", [150, 150 * 7, 150 * 60])
@pytest.mark.parametrize("scale", [1, 6])
def test_strips_make_no_difference(pixels, scale, monkeypatch):
    alpha = disc(230, 150, center=(120, 70), radius=50, softness=15)
    at_once = trimap(Rows.of(alpha), scale=scale).read(0, 230)
    monkeypatch.setattr("cleancut.raster.rows.STRIP_PIXELS", pixels)
    rows = trimap(Rows.of(alpha), scale=scale)
    np.testing.assert_array_equal(rows.whole(), at_once)
    np.testing.assert_array_equal(rows.read(101, 109), at_once[101:109])


@pytest.mark.parametrize("scale", [0.5, 0, -3, float("nan"), float("inf")])
def test_a_scale_must_make_sense(scale):
    with pytest.raises(BadSetting, match="scale"):
        trimap(Rows.of(np.zeros((3, 3), np.float32)), scale=scale)


def test_the_share_of_unknown_pixels():
    found = marked(ramp(1))
    assert unknown_share(Rows.of(found)) == (found == 128).mean()
