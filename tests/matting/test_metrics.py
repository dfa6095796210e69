import math

import numpy as np
import pytest

from cleancut.matting.metrics import (
    boundary_iou,
    connectivity_error,
    e_measure,
    f_curve,
    false_positives,
    gradient_error,
    iou,
    mae,
    mse,
    s_measure,
    sad,
    ssim,
)


def test_iou_by_hand():
    alpha = np.array([[0.9, 0.6], [0.4, 0.0]])
    truth = np.array([[1.0, 0.0], [1.0, 0.0]])
    assert iou(alpha, truth) == 1 / 3


def test_iou_of_nothing_and_nothing_is_one():
    assert iou(np.zeros((2, 2)), np.zeros((2, 2))) == 1


def test_mae_by_hand():
    assert mae(np.array([1.0, 0.0, 0.5, 0.5]), np.array([0.0, 0.0, 0.5, 1.0])) == 0.375


def test_false_positives_are_a_share_of_the_background_alone():
    alpha = np.array([[1.0, 1.0, 0.0, 0.6]])
    truth = np.array([[1.0, 0.0, 0.0, 0.0]])
    assert false_positives(alpha, truth) == pytest.approx(2 / 3)
    assert false_positives(alpha, np.ones((1, 4))) == 0


def test_f_at_three_levels_by_hand():
    """Above 0.8 one right pixel of two; above 0.4 both and a wrong one; at 0 everything."""
    alpha = np.array([[0.8, 0.4, 0.4, 0.0]])
    truth = np.array([[1.0, 1.0, 0.0, 0.0]])
    curve = f_curve(alpha, truth)

    def f(precision, recall):
        return 1.3 * precision * recall / (0.3 * precision + recall)

    assert curve[0] == 0
    assert curve[255 - 204] == pytest.approx(f(1, 1 / 2))
    assert curve[255 - 102] == pytest.approx(f(2 / 3, 1))
    assert curve[255] == pytest.approx(f(1 / 2, 1))
    assert curve.max() == pytest.approx(f(1, 1 / 2))  # 0.8125, above 0.7222


def test_f_of_an_empty_truth_is_nothing():
    assert not f_curve(np.ones((2, 2)), np.zeros((2, 2))).any()


def test_alignment_by_hand():
    """A hard mask has two answers: its own above 0, all of the picture at 0."""
    found = np.array([[1.0, 1.0, 0.0, 0.0]])
    truth = np.array([[1.0, 0.0, 0.0, 0.0]])

    def align(one, other):
        return (2 * one * other / (one**2 + other**2) + 1) ** 2 / 4

    own = (align(0.5, 0.75) + align(0.5, -0.25) + 2 * align(-0.5, -0.25)) / 4
    everything = 1 / 4  # no deviation from the mean anywhere: alignment 0
    assert e_measure(found, truth) == pytest.approx((255 * own + everything) / 256)


def test_alignment_without_a_subject_is_the_share_left_out():
    assert e_measure(np.zeros((2, 2)), np.zeros((2, 2))) == pytest.approx(255 / 256)
    assert e_measure(np.ones((2, 2)), np.ones((2, 2))) == 1


def test_structure_of_one_value_by_hand():
    """A grey answer to a half picture: two even halves, and no likeness in any quarter that has an edge."""
    truth = np.zeros((4, 4))
    truth[:, :2] = 1
    grey = np.full((4, 4), 0.5)
    evenness = 2 * 0.5 / (0.25 + 1)
    # The centroid is row 1.5 → 2 and column 0.5 → 0, so the cuts are at 3 and 1; the left parts are all subject, the
    # right ones mixed; none of the four has any variance in common with a grey answer, and two have none at all.
    left = 4 / 16 * 1.0
    assert s_measure(grey, truth) == pytest.approx((evenness + left) / 2)


def test_structure_of_the_truth_is_one_and_of_its_opposite_nothing_of_the_kind():
    truth = np.zeros((20, 20))
    truth[5:12, 4:15] = 1
    assert s_measure(truth, truth) == pytest.approx(1)
    assert s_measure(1 - truth, truth) < 0.1


def test_structure_without_a_subject_is_what_is_left_out():
    assert s_measure(np.full((3, 3), 0.25), np.zeros((3, 3))) == 0.75
    assert s_measure(np.full((3, 3), 0.25), np.ones((3, 3))) == 0.25


def test_boundary_by_hand():
    """A 6 × 6 and a 6 × 4 block: bands one pixel wide have 20 and 16 pixels, 12 of them in common."""
    truth, found = np.zeros((10, 10)), np.zeros((10, 10))
    truth[2:8, 2:8] = 1
    found[2:8, 2:6] = 1
    assert boundary_iou(found, truth, width=0.05) == pytest.approx(12 / 24)


def test_a_boundary_at_the_picture_s_border_counts():
    full = np.ones((10, 10))
    inner = np.zeros((10, 10))
    inner[1:9, 1:9] = 1
    assert boundary_iou(inner, full, width=0.05) == 0


def test_sad_and_mse_inside_a_part():
    alpha, truth = np.array([[1.0, 0.5, 0.0]]), np.array([[0.0, 0.0, 0.0]])
    where = np.array([[False, True, True]])
    assert sad(alpha, truth) == pytest.approx(1.5 / 1000)
    assert sad(alpha, truth, where) == pytest.approx(0.5 / 1000)
    assert mse(alpha, truth, where) == pytest.approx(0.125)
    assert mse(alpha, truth, np.zeros((1, 3), bool)) == 0


def test_the_gradient_of_a_ramp():
    """A ramp's slope is the filter's response to one unit a pixel, everywhere but at the ends."""
    ramp = np.tile(np.arange(40, dtype=float) / 40, (30, 1))
    inside = np.zeros(ramp.shape, bool)
    inside[10:20, 15:25] = True
    reach = math.ceil(1.4 * math.sqrt(-2 * math.log(math.sqrt(2 * math.pi) * 1.4 * 0.01)))
    at = np.arange(-reach, reach + 1)
    gauss = np.exp(-(at**2) / (2 * 1.4**2))
    slope = at * gauss
    response = gauss.sum() * (slope * at).sum() / math.sqrt((gauss**2).sum() * (slope**2).sum())
    expected = (response / 40) ** 2 * inside.sum() / 1000
    assert gradient_error(ramp, np.zeros_like(ramp), inside) == pytest.approx(expected)


def test_an_island_costs_what_it_lacks():
    """Two pixels that the truth joins and the answer does not: the smaller piece is connected at no level."""
    truth = np.ones((1, 7))
    found = np.array([[1.0, 1.0, 1.0, 0.0, 0.0, 1.0, 1.0]])
    # Neither the gap nor the island is connected to the largest piece, so λ is 0 there: the answer's degree is 1 in the
    # gap and 0 on the island, the truth's 0 in both.
    assert connectivity_error(found, truth) == pytest.approx(2 / 1000)


def test_a_small_shortfall_does_not_count_as_disconnected():
    truth = np.ones((3, 3))
    assert connectivity_error(np.full((3, 3), 0.95), truth) == 0


@pytest.mark.parametrize("measure", [s_measure, e_measure, boundary_iou, iou])
def test_the_truth_scores_highest(measure):
    random = np.random.default_rng(4)
    truth = np.zeros((40, 50))
    truth[10:30, 12:40] = 1
    worse = np.clip(truth + random.normal(0, 0.6, truth.shape), 0, 1)
    assert measure(worse, truth) < measure(truth, truth)
    assert measure(truth, truth) == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("measure", [sad, mse, gradient_error, connectivity_error, mae])
def test_the_truth_has_no_error(measure):
    truth = np.random.default_rng(5).random((20, 20))
    assert measure(truth, truth) == 0


def test_ssim_of_two_flat_planes_by_hand():
    """Nothing varies, so only the means count: (2·0.5·0.25 + 0.01²) / (0.5² + 0.25² + 0.01²)."""
    found = ssim(np.full((20, 30), 0.5), np.full((20, 30), 0.25))
    assert found == pytest.approx((2 * 0.5 * 0.25 + 1e-4) / (0.5**2 + 0.25**2 + 1e-4))


def test_ssim_of_a_pixel_by_hand():
    """In the middle of 11 × 11 pixels, by the sums of the paper's window, all inside."""
    rng = np.random.default_rng(4)
    one, other = rng.random((11, 11)), rng.random((11, 11))
    at = np.arange(-5, 6)
    window = np.exp(-(at[:, None] ** 2 + at**2) / (2 * 1.5**2))
    window /= window.sum()
    x, y = (window * one).sum(), (window * other).sum()
    xx, yy = (window * (one - x) ** 2).sum(), (window * (other - y) ** 2).sum()
    xy = (window * (one - x) * (other - y)).sum()
    middle = (2 * x * y + 1e-4) * (2 * xy + 9e-4) / ((x * x + y * y + 1e-4) * (xx + yy + 9e-4))
    # Alone among flat rows and columns of borders, the middle is what one more of it adds.
    from cleancut.matting import metrics

    gauss = np.exp(-(at**2) / (2 * 1.5**2))
    assert metrics._similarity(one, other, gauss / gauss.sum())[5, 5] == pytest.approx(middle)


def test_ssim_of_opposites_is_low_and_of_equals_one():
    checks = np.indices((40, 40)).sum(axis=0) % 2.0
    assert ssim(checks, checks) == pytest.approx(1)
    assert ssim(checks, 1 - checks) < -0.9


def test_ssim_does_not_depend_on_the_rows_worked_out_at_a_time(monkeypatch):
    from cleancut.matting import metrics

    rng = np.random.default_rng(5)
    one, other = rng.random((70, 20)), rng.random((70, 20))
    whole = ssim(one, other)
    monkeypatch.setattr(metrics, "_ROWS", 13)
    assert ssim(one, other) == pytest.approx(whole, abs=1e-12)
