import numpy as np
import pytest

from cleancut.matting import figures as module
from cleancut.matting.figures import figures
from cleancut.raster import rows as rows_module
from cleancut.raster.rows import Rows
from tests.stubs import disc


def of(alpha):
    return figures(Rows.of(np.asarray(alpha, np.float32)))


def ramp(width, size=120):
    return np.tile(np.clip((np.arange(size) + 0.5 - size / 2) / width + 0.5, 0, 1), (40, 1))


@pytest.mark.parametrize("width", [10, 20, 50])
def test_a_ramp_is_as_wide_as_its_soft_part(width):
    found = of(ramp(width))
    assert found.softness == pytest.approx(0.9 * width, abs=1)
    assert found.outline == pytest.approx(40, rel=1e-4)
    assert found.steepness == pytest.approx(1 / width, rel=0.06)
    assert found.uncertain == pytest.approx(0.9 * width / 120, abs=0.01)


def test_a_hard_edge_has_no_width():
    for alpha in (ramp(1e-6), ramp(1e-6).T):
        found = of(alpha)
        assert (found.softness, found.uncertain, found.steepness) == (0, 0, 1)
        assert found.outline == pytest.approx(40)


def test_the_width_is_the_mean_along_the_outline():
    assert of(np.vstack([*[ramp(10)] * 8, *[ramp(30)] * 8])).softness == pytest.approx(0.9 * 20, abs=1.5)


def test_the_outline_of_a_disc_is_its_circumference():
    assert of(disc(200, 0.3)).outline == pytest.approx(2 * np.pi * 60, rel=0.1)


def test_haze_is_no_edge():
    hazy = disc(64)
    hazy[hazy == 0] = 0.04
    hazy[::2][hazy[::2] == 1] = 0.96
    assert of(hazy).softness == pytest.approx(of(disc(64)).softness, abs=0.05)


@pytest.mark.parametrize("value", [0, 1])
def test_without_an_edge_there_is_nothing_to_measure(value):
    found = of(np.full((30, 40), value))
    assert (found.softness, found.uncertain, found.steepness) == (0, 0, 0)
    assert found.box == ((0, 0, 40, 30) if value else None)


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (7, 1)])
def test_the_smallest_pictures(shape):
    found = of(np.full(shape, 0.5))
    assert found.uncertain == 1
    assert found.softness == 0


def test_strips_make_no_difference(monkeypatch):
    alpha = np.clip(disc(90, 0.3) + np.random.default_rng(0).normal(0, 0.02, (90, 90)), 0, 1)
    whole = of(alpha)
    monkeypatch.setattr(rows_module, "STRIP_PIXELS", 90 * 7)
    parts = of(alpha)
    assert len(Rows.of(alpha).strips()) == 13
    assert (parts.box, parts.soft) == (whole.box, whole.soft)
    assert parts.outline == pytest.approx(whole.outline)
    assert module.box_of(Rows.of(alpha)) == whole.box
