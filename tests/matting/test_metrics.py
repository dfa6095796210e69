import numpy as np

from cleancut.matting.metrics import iou, mae


def test_iou_by_hand():
    alpha = np.array([[0.9, 0.6], [0.4, 0.0]])
    truth = np.array([[1.0, 0.0], [1.0, 0.0]])
    assert iou(alpha, truth) == 1 / 3


def test_iou_of_nothing_and_nothing_is_one():
    assert iou(np.zeros((2, 2)), np.zeros((2, 2))) == 1


def test_mae_by_hand():
    assert mae(np.array([1.0, 0.0, 0.5, 0.5]), np.array([0.0, 0.0, 0.5, 1.0])) == 0.375
