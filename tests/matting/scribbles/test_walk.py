"""Marks on flat shapes: each shape is what a mark may take, and its border is where it ends."""

import numpy as np
import pytest

from cleancut.matting.metrics import iou
from cleancut.matting.scribbles.walk import Walk, applied, certain

HEIGHT, WIDTH = 180, 240
Y, X = np.mgrid[:HEIGHT, :WIDTH]
BODY = np.hypot((Y - 100) / 1.2, X - 70) < 50
PART = (np.abs(Y - 60) < 14) & (X > 100) & (X < 200)
OTHER = np.hypot(Y - 130, X - 200) < 28
COLORS = ((BODY, (180, 60, 50)), (PART, (60, 150, 70)), (OTHER, (210, 190, 60)))


def photo():
    rgb = np.empty((HEIGHT, WIDTH, 3))
    rgb[:] = (90, 110, 160)
    for shape, color in COLORS:
        rgb[shape] = color
    return (rgb + np.random.default_rng(3).normal(0, 4, rgb.shape)).clip(0, 255).astype(np.uint8)


def marks(keep=None, remove=None):
    plane = np.full((HEIGHT, WIDTH), 128, np.uint8)
    for spot, value in ((keep, 255), (remove, 0)):
        if spot:
            plane[np.hypot(Y - spot[0], X - spot[1]) < 5] = value
    return plane


def corrected(alpha, said):
    alpha = alpha.astype(np.float32)
    return applied(alpha, Walk.of(photo(), alpha).pull(said))


def test_a_mark_to_keep_brings_back_a_lost_part_up_to_its_edges():
    whole = BODY | PART
    found = corrected(BODY, marks(keep=(60, 150)))
    assert iou(BODY.astype(np.float32), whole.astype(np.float32)) < 0.8
    assert iou(found, whole.astype(np.float32)) > 0.95
    assert found[OTHER].max() < 0.05


def test_a_mark_to_remove_takes_the_whole_of_another_object():
    found = corrected(BODY | PART | OTHER, marks(remove=(130, 200)))
    assert found[OTHER].mean() < 0.03
    assert iou(found, (BODY | PART).astype(np.float32)) > 0.95


def test_two_marks_work_at_once():
    found = corrected(BODY | OTHER, marks(keep=(60, 150), remove=(130, 200)))
    assert iou(found, (BODY | PART).astype(np.float32)) > 0.94


def test_what_no_mark_reaches_stays_bit_for_bit():
    alpha = np.where(BODY, np.float32(0.8), np.float32(0))
    found = corrected(alpha, marks(keep=(130, 200)))
    assert np.array_equal(found[:, :40], alpha[:, :40])
    assert np.array_equal(corrected(alpha, marks()), alpha)


def test_a_mark_that_agrees_changes_next_to_nothing():
    alpha = BODY.astype(np.float32)
    change = np.abs(corrected(alpha, marks(keep=(100, 70), remove=(20, 220))) - alpha)
    assert change.max() < 0.06
    assert change.mean() < 0.001


def test_a_mark_on_something_small_takes_no_more():
    rgb = photo()
    speck = (np.abs(Y - 20) < 2) & (np.abs(X - 200) < 2)
    rgb[speck] = (255, 0, 0)
    said = np.full((HEIGHT, WIDTH), 128, np.uint8)
    said[speck] = 255
    alpha = BODY.astype(np.float32)
    found = applied(alpha, Walk.of(rgb, alpha).pull(said))
    assert (found[speck] == 1).all()
    assert (np.abs(found - alpha) > 0.5).sum() < 6 * speck.sum()


@pytest.mark.parametrize("value", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("size", [(1, 1), (1, 300), (300, 1), (2, 2), (7, 400)])
def test_any_size_and_any_alpha_is_taken(size, value):
    alpha = np.full(size, value, np.float32)
    rgb = np.full((*size, 3), 99, np.uint8)
    said = np.full(size, 128, np.uint8)
    walk = Walk.of(rgb, alpha)
    assert np.array_equal(applied(alpha, walk.pull(said)), alpha)
    said[0, 0] = 0
    said[-1, -1] = 255
    found = certain(applied(alpha, walk.pull(said)), said)
    assert np.isfinite(found).all() and found.min() >= 0 and found.max() <= 1
    assert found[-1, -1] == 1


def test_everything_may_be_marked():
    said = np.zeros((HEIGHT, WIDTH), np.uint8)
    assert not corrected(BODY, said).any()
