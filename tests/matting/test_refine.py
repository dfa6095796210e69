"""Every refinement: what it does to a formula, and that strips, shapes and borders make no difference."""

import numpy as np
import pytest

from cleancut.errors import BadSetting
from cleancut.matting.refine import refinements
from cleancut.matting.steps import text_of
from cleancut.raster import rows
from cleancut.raster.rows import Rows

STEPS = [
    "auto",
    "threshold",
    "feather",
    "feather:9",
    "feather:30",
    "tighten:1.5",
    "tighten:8",
    "grow:1.5",
    "grow:8",
    "opening:3",
    "closing:3",
    "specks:5px",
    "holes:5px",
]


def refined(text, alpha):
    return refinements.bind(refinements.parse(text), {})(Rows.of(np.asarray(alpha, np.float32))).whole()


def blob(height=90, width=130):
    """A soft-edged blob with specks, pin-holes and haze."""
    y, x = np.mgrid[:height, :width]
    alpha = np.clip(0.5 - (np.hypot(y - height / 2, (x - width / 2) / 1.3) - height / 3) / 6, 0, 1)
    spots = (np.sin(x * 0.9) * np.sin(y * 0.7)) ** 30
    return np.where(alpha > 0.5, alpha - 0.8 * spots, alpha + 0.8 * spots + 0.001).clip(0, 1).astype(np.float32)


@pytest.mark.parametrize("text", STEPS)
def test_strips_make_no_difference(text, monkeypatch):
    alpha = blob()
    at_once = refined(text, alpha)
    for pixels in (130, 130 * 7, 1000):
        monkeypatch.setattr(rows, "STRIP_PIXELS", pixels)
        np.testing.assert_allclose(refined(text, alpha), at_once, atol=1e-6)


@pytest.mark.parametrize("text", STEPS)
def test_any_rows_may_be_asked_for(text, monkeypatch):
    monkeypatch.setattr(rows, "STRIP_PIXELS", 1000)
    alpha = Rows.of(blob())
    result = refinements.bind(refinements.parse(text), {})(alpha)
    np.testing.assert_allclose(result.read(13, 61), result.whole()[13:61], atol=1e-6)


@pytest.mark.parametrize("text", STEPS)
@pytest.mark.parametrize("shape", [(1, 5), (1, 40), (40, 1), (2, 3), (70, 5)])
@pytest.mark.parametrize("value", [0, 1])
def test_a_constant_stays_in_any_shape(text, shape, value):
    result = refined(text, np.full(shape, value))
    assert result.dtype == np.float32
    assert result.shape == shape
    assert (result == value).all()


@pytest.mark.parametrize("text", STEPS)
@pytest.mark.parametrize("value", [0, 1])
def test_a_single_pixel_stays_unless_it_is_a_speck(text, value):
    assert refined(text, [[value]]).item() == (0 if text.startswith("specks") else value)


@pytest.mark.parametrize("text", STEPS)
def test_the_result_is_an_alpha_and_the_input_is_not_written_to(text):
    alpha = blob()
    before = alpha.copy()
    result = refined(text, alpha)
    assert result.min() >= 0
    assert result.max() <= 1
    np.testing.assert_array_equal(alpha, before)


@pytest.mark.parametrize("text", ["feather:0", "tighten:0", "grow:0", "opening:0", "closing:0"])
def test_a_radius_of_nothing_changes_nothing_that_is_written(text):
    np.testing.assert_allclose(refined(text, blob()), blob(), atol=1 / 510)


@pytest.mark.parametrize("text", ["specks:0px", "holes:0%"])
def test_an_area_of_nothing_changes_nothing(text):
    np.testing.assert_array_equal(refined(text, blob()), blob())


def test_threshold_is_one_from_its_value_on():
    assert refined("threshold:0.5", [[0.0, 0.49, 0.5, 1.0]]).tolist() == [[0, 0, 1, 1]]


def test_auto_clears_haze_and_makes_the_nearly_opaque_opaque():
    alpha = np.full((100, 100), 0.015)
    alpha[20:80, 20:80] = 0.985
    alpha[40:60, 40:60] = 0.5
    result = refined("auto", alpha)
    assert (result[:20] == 0).all()
    assert (result[25:35, 25:75] == 1).all()
    assert result[50, 50] == pytest.approx(0.5)


def test_auto_removes_specks_but_no_flock():
    alpha = np.zeros((100, 100))
    alpha[5:7, 5:7] = 1
    assert refined("auto", alpha).sum() == 4, "the only island is no speck"
    alpha[30:80, 30:80] = 1
    assert refined("auto", alpha).sum() == 2500
    flock = np.zeros((100, 100))
    flock[::10, ::10] = 1
    np.testing.assert_array_equal(refined("auto", flock), flock)


def test_settings_out_of_range_are_refused():
    for text in ("feather:101", "threshold:2", "tighten:-1", "opening:51", "specks:soft", "specks:200%"):
        with pytest.raises(BadSetting):
            refinements.parse(text)


def test_every_step_reads_back_and_has_help():
    for entry in refinements:
        needed = {"model": "vitmatte"} if entry.name == "trimap" else {}
        assert refinements.parse(text_of(entry.step(needed))) == entry.step(needed)
        assert entry.doc.endswith(".")
