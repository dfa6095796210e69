"""Islands and holes, against a flood fill and on drawn cases."""

import numpy as np
import pytest

from cleancut.matting.refine import refinements
from cleancut.raster import rows
from cleancut.raster.rows import Rows
from cleancut.raster.runs import Pieces


def refined(text, alpha):
    return refinements.bind(refinements.parse(text), {})(Rows.of(np.asarray(alpha, np.float32))).whole()


def flooded(mask, corners):
    """Label connected pixels one at a time: -1 outside, else the number of the piece."""
    steps = [(0, 1), (1, 0), (0, -1), (-1, 0)] + [(1, 1), (1, -1), (-1, 1), (-1, -1)] * corners
    labels = np.full(mask.shape, -1)
    count = 0
    for seed in zip(*np.nonzero(mask), strict=True):
        if labels[seed] >= 0:
            continue
        labels[seed], todo = count, [seed]
        while todo:
            y, x = todo.pop()
            for dy, dx in steps:
                there = (y + dy, x + dx)
                inside = 0 <= there[0] < mask.shape[0] and 0 <= there[1] < mask.shape[1]
                if inside and mask[there] and labels[there] < 0:
                    labels[there] = count
                    todo.append(there)
        count += 1
    return labels


def spiral(size):
    """One line that winds inwards, (size, size) bool."""
    mask = np.zeros((size, size), bool)
    for ring in range(0, size // 2, 2):
        mask[ring, max(ring - 2, 0) : size - ring] = True
        mask[ring : size - ring, size - ring - 1] = True
        mask[size - ring - 1, ring : size - ring] = True
        mask[ring + 2 : size - ring, ring] = True
    return mask


MASKS = {
    "sparse": np.random.default_rng(0).random((40, 53)) > 0.8,
    "critical": np.random.default_rng(1).random((60, 60)) > 0.45,
    "dense": np.random.default_rng(2).random((40, 53)) > 0.2,
    "checkerboard": np.indices((31, 34)).sum(axis=0) % 2 > 0,
    "spiral": spiral(41),
    "comb": np.vstack([np.tile([True, False], (20, 20)), np.ones((1, 40), bool)]),
    "full": np.ones((7, 9), bool),
    "empty": np.zeros((7, 9), bool),
    "column": np.array([[1], [0], [1]], bool),
}


@pytest.mark.parametrize("name", MASKS)
@pytest.mark.parametrize("corners", [True, False])
def test_pieces_are_those_of_a_flood_fill(name, corners):
    labels = flooded(MASKS[name], corners)
    pieces = Pieces.of(MASKS[name], corners=corners)
    assert sorted(pieces.area()) == sorted(np.bincount(labels[labels >= 0]))
    for index in range(0, pieces.count, 7):
        drawn = pieces.drawn(np.arange(pieces.count) == index)
        np.testing.assert_array_equal(drawn, labels == labels[drawn][0])


@pytest.mark.parametrize("name", MASKS)
@pytest.mark.parametrize("strip", [1, 3, 1000])
@pytest.mark.parametrize("least", [2, 5, 60])
def test_specks_and_holes_across_strips(name, strip, least, monkeypatch):
    mask = MASKS[name]
    monkeypatch.setattr(rows, "STRIP_PIXELS", strip * mask.shape[1])
    labels = flooded(mask, corners=True)
    areas = np.bincount(labels[mask], minlength=1)
    kept = mask & (areas[labels] >= least)
    np.testing.assert_array_equal(refined(f"specks:{least}px", mask), kept)

    labels = flooded(mask, corners=False)
    areas = np.bincount(labels[mask], minlength=1)
    frame = np.concatenate((labels[0], labels[-1], labels[:, 0], labels[:, -1]))
    filled = mask & (areas[labels] < least) & ~np.isin(labels, frame)
    np.testing.assert_array_equal(refined(f"holes:{least}px", ~mask), ~mask | filled)


def soft_disc(y, x, radius, size=100):
    """A disc whose α falls over 8 px, all of it to exactly 0."""
    yy, xx = np.mgrid[:size, :size]
    return np.clip(0.5 + (radius - np.hypot(yy - y, xx - x)) / 8, 0, 1)


def test_a_speck_leaves_nothing_behind_and_what_stays_is_untouched():
    subject, speck = soft_disc(60, 60, 25), soft_disc(12, 12, 3)
    result = refined("specks:200px", np.maximum(subject, speck))
    np.testing.assert_array_equal(result, subject.astype(np.float32))


def test_a_pin_hole_is_filled_with_its_rim_and_a_large_one_stays():
    subject = soft_disc(50, 50, 45)
    large = np.minimum(subject, 1 - soft_disc(60, 60, 12))
    result = refined("holes:200px", np.minimum(large, 1 - soft_disc(35, 35, 3)))
    np.testing.assert_array_equal(result, large.astype(np.float32))


def test_haze_that_joins_a_speck_to_the_subject_does_not_save_it():
    alpha = np.full((60, 60), 0.01)
    alpha[20:50, 20:50] = 1
    alpha[5:8, 5:8] = 0.6
    result = refined("specks:50px", alpha)
    assert result[5:8, 5:8].max() == 0
    assert result[50, 50] == pytest.approx(0.01), "the haze that touches the subject stays"


def test_haze_on_its_own_goes_only_where_it_is_small():
    alpha = np.zeros((60, 60))
    alpha[2:5, 2:5] = 0.03
    alpha[10:50, 10:50] = 0.03
    result = refined("specks:50px", alpha)
    assert result[:6].max() == 0
    assert result[10:50, 10:50].min() == np.float32(0.03)


def test_a_gap_at_the_border_is_no_hole():
    alpha = np.ones((20, 20))
    alpha[0, 5] = alpha[10, 0] = alpha[10, 10] = 0
    result = refined("holes:50px", alpha)
    assert result[0, 5] == result[10, 0] == 0
    assert result[10, 10] == 1


def test_percent_is_of_the_picture():
    alpha = np.zeros((100, 100))
    alpha[10:15, 10:20] = 1  # 0.5 %
    assert refined("specks:0.5%", alpha).sum() == 50
    assert refined("specks:0.51%", alpha).sum() == 0
