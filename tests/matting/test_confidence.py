import numpy as np
import pytest

from cleancut.matting.confidence import calibrated, raw


def half(value=1.0):
    plane = np.zeros((10, 10), np.float32)
    plane[:, :5] = value
    return plane


def test_firmness_by_hand():
    assert raw(half(0.8)) == pytest.approx(0.8)


def test_expected_errors_are_weighed_against_what_is_claimed():
    assert raw(half(), error=np.full((5, 5), 0.125, np.float32)) == pytest.approx(0.5 / 0.625)


def test_a_doubted_subject_is_trusted_less():
    error = np.zeros((5, 5), np.float32)
    assert raw(half(), error, 0.9) > raw(half(), error, 0.2)


def test_less_than_a_subject_is_no_claim():
    dot = np.zeros((100, 100), np.float32)
    dot[0, 0] = 1
    assert raw(dot) == 0
    assert raw(np.full((10, 10), 0.5, np.float32)) == 0


def test_calibration_follows_the_line_and_stops_at_its_ends():
    points = ((0.2, 0.1), (0.6, 0.5))
    assert calibrated(0.4, points) == pytest.approx(0.3)
    assert calibrated(0.0, points) == 0.1
    assert calibrated(1.0, points) == 0.5
    assert calibrated(0.7, ()) == 0.7
