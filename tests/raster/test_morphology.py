"""Erosion, dilation and their compositions, against brute force and on shapes whose answer is known."""

import numpy as np
import pytest

from cleancut.raster.morphology import Element, closed, dilated, eroded, opened
from cleancut.raster.rows import Rows


def run(step, plane, radius):
    return step(Rows.of(np.asarray(plane, np.float32)), radius).whole()


def disc(size, radius, soft=1.0):
    y, x = np.mgrid[:size, :size] - (size - 1) / 2
    return np.clip(0.5 + (radius - np.hypot(y, x)) / soft, 0, 1).astype(np.float32)


def shape(element):
    """The pixels of an element, (n, n) bool."""
    size = 2 * element.reach + 1
    point = np.zeros((size + 2 * element.reach,) * 2, np.uint16)
    point[2 * element.reach, 2 * element.reach] = 1
    return element.extreme(point, np.maximum) > 0


@pytest.mark.parametrize("radius", [1, 2, 3, 4, 6, 10, 25, 60, 100])
def test_the_element_is_round_symmetric_and_has_no_gap(radius):
    pixels = shape(Element.round(radius))
    for turned in (pixels[::-1], pixels[:, ::-1], pixels.T):
        np.testing.assert_array_equal(turned, pixels)
    edges = np.flatnonzero(np.diff(np.pad(pixels, ((0, 0), (1, 1))).astype(int), axis=1).any(axis=1))
    assert len(edges) == len(pixels), "every row holds pixels"
    assert (np.abs(np.diff(np.pad(pixels, ((0, 0), (1, 1))).astype(int), axis=1)).sum(axis=1) == 2).all()
    y, x = np.nonzero(pixels)
    away = np.hypot(y - len(pixels) // 2, x - len(pixels) // 2)
    outside = np.hypot(*np.nonzero(~np.pad(pixels, 1)) - np.array([[len(pixels) // 2 + 1]] * 2))
    assert away.max() < radius * 1.03 + 0.5
    assert outside.min() > radius * 0.97 - 0.5


@pytest.mark.parametrize("radius", [1, 2, 3, 7])
@pytest.mark.parametrize(("step", "pick"), [(eroded, np.min), (dilated, np.max)])
def test_it_is_the_extreme_over_the_element(radius, step, pick):
    plane = np.random.default_rng(5).random((30, 200)).astype(np.float32)
    plane[:, 60:150] = 1
    pixels = shape(Element.round(radius))
    reach = len(pixels) // 2
    padded = np.pad(plane, reach, mode="edge")
    expected = [[pick(padded[y : y + len(pixels), x : x + len(pixels)][pixels]) for x in range(200)] for y in range(30)]
    np.testing.assert_allclose(run(step, plane, radius), expected, atol=1 / 510)


@pytest.mark.parametrize("radius", [1, 2.5, 4.75, 12])
@pytest.mark.parametrize(("step", "sign"), [(eroded, -1), (dilated, 1)])
def test_an_edge_moves_by_the_radius_and_stays_as_soft(radius, step, sign):
    x = np.arange(120)
    edge = lambda at: np.tile(np.clip((at - x) / 10 + 0.5, 0, 1), (40, 1))  # noqa: E731
    np.testing.assert_allclose(run(step, edge(60), radius), edge(60 + sign * radius), atol=0.02)


@pytest.mark.parametrize("radius", [0.5, 1, 1.5, 3, 8.25, 20])
def test_a_disc_shrinks_and_grows_to_a_disc(radius):
    area = np.pi * (40 + np.array([-radius, radius])) ** 2
    assert run(eroded, disc(161, 40), radius).sum() == pytest.approx(area[0], rel=0.03)
    assert run(dilated, disc(161, 40), radius).sum() == pytest.approx(area[1], rel=0.03)


def test_what_reaches_the_border_is_not_drawn_in_there():
    plane = np.zeros((40, 60))
    plane[:, :30] = 1
    assert run(eroded, plane, 5)[:, 0].tolist() == [1] * 40
    assert run(eroded, plane, 5)[0].sum() == 25


def test_opening_removes_thin_things_and_leaves_the_rest():
    plane = disc(121, 40)
    plane[58:62] = 1
    np.testing.assert_allclose(run(opened, plane, 4)[:, :15], 0)
    assert np.abs(run(opened, plane, 4) - disc(121, 40))[:, 30:90].max() < 0.15


def test_closing_fills_thin_gaps_and_leaves_the_rest():
    plane = disc(121, 40)
    plane[59:62] = 0
    assert (run(closed, plane, 4)[59:62, 30:90] == 1).all()
    assert run(closed, plane, 4)[:, :15].max() == 0


@pytest.mark.parametrize("radius", [1, 3, 6])
def test_opening_only_takes_and_closing_only_adds(radius):
    plane = np.random.default_rng(2).random((50, 70)).astype(np.float32)
    assert (run(opened, plane, radius) <= plane + 1 / 510).all()
    assert (run(closed, plane, radius) >= plane - 1 / 510).all()
