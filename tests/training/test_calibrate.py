import numpy as np
import pytest

pytest.importorskip("torch", reason="training needs PyTorch")
pytest.importorskip("onnx", reason="the export needs onnx")

from training.calibrate import Judged, isotonic, line


def test_violators_are_pooled_by_hand():
    assert isotonic(np.array([1.0, 3.0, 2.0, 4.0])).tolist() == [1, 2.5, 2.5, 4]
    assert isotonic(np.array([3.0, 2.0, 1.0])).tolist() == [2, 2, 2]
    assert isotonic(np.array([0.1, 0.2])).tolist() == [0.1, 0.2]


def test_the_line_is_one_that_a_table_takes():
    from cleancut.models.keys import curve

    random = np.random.default_rng(1)
    raw = random.uniform(0, 1, 300)
    points = line(Judged(raw, np.clip(raw**2 + random.normal(0, 0.1, 300), 0, 1)))
    assert curve([list(point) for point in points]) == points
    assert points[0] == (0, 0)
    at = np.interp([0.3, 0.6, 0.9], *np.array(points).T)
    assert at == pytest.approx([0.09, 0.36, 0.81], abs=0.08)
