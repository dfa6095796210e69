import threading

import numpy as np
import pytest

from cleancut.limits import processors
from cleancut.raster import rows as rows_module
from cleancut.raster.rows import Rows, in_order, strips

ARRAY = np.random.default_rng(0).random((37, 11, 3)).astype(np.float32)


@pytest.fixture(params=[1, 11, 11 * 5, 1 << 18])
def strip_pixels(request, monkeypatch):
    monkeypatch.setattr(rows_module, "STRIP_PIXELS", request.param)


def mean_of_neighbours(strip, reach=2):
    padded = np.pad(strip, ((reach, reach), *((0, 0),) * (strip.ndim - 1)), mode="edge")
    return sum(padded[k : k + len(strip)] for k in range(2 * reach + 1)) / (2 * reach + 1)


@pytest.mark.usefixtures("strip_pixels")
class TestInStripsOfAnySize:
    def test_an_array_comes_back_as_it_was(self):
        assert (Rows.of(ARRAY).whole() == ARRAY).all()

    def test_a_pointwise_map_is_that_of_the_whole(self):
        assert (Rows.of(ARRAY).map(np.sqrt).whole() == np.sqrt(ARRAY)).all()

    def test_a_map_with_overlap_is_that_of_the_whole(self):
        assert (Rows.of(ARRAY).map(mean_of_neighbours, overlap=2).whole() == mean_of_neighbours(ARRAY)).all()

    def test_an_overlap_larger_than_the_array_repeats_the_border(self):
        few = ARRAY[:2]
        found = Rows.of(few).map(lambda strip: mean_of_neighbours(strip, 5), overlap=5).whole()
        assert (found == mean_of_neighbours(few, 5)).all()

    def test_a_crop_is_a_slice(self):
        assert (Rows.of(ARRAY).cropped(2, 5, 9, 30).whole() == ARRAY[5:30, 2:9]).all()

    @pytest.mark.parametrize(
        "place", [(50, 20, 4, 3), (20, 6, -9, -2), (10, 8, 7, -10), (9, 9, 50, 50), (8, 8, -99, 0)]
    )
    def test_placing_is_a_slice_of_a_canvas_of_zeros(self, place):
        height, width, top, left = place
        canvas = np.zeros((300, 300, 3), np.float32)
        canvas[100 + top : 137 + top, 100 + left : 111 + left] = ARRAY
        placed = Rows.of(ARRAY).placed(height, width, top, left).whole()
        assert placed.dtype == np.float32
        assert (placed == canvas[100 : 100 + height, 100 : 100 + width]).all()


def test_what_is_read_outside_repeats_the_nearest_row():
    padded = Rows.of(ARRAY).padded
    assert (padded(-2, 2) == ARRAY[[0, 0, 0, 1]]).all()
    assert (padded(35, 40) == ARRAY[[35, 36, 36, 36, 36]]).all()
    assert (padded(-9, -7) == ARRAY[[0, 0]]).all()
    assert (padded(40, 42) == ARRAY[[36, 36]]).all()


def test_what_is_read_inside_is_not_copied():
    assert np.shares_memory(Rows.of(ARRAY).padded(3, 9), ARRAY)


def test_a_constant_takes_no_memory():
    rows = Rows.constant(1000, 1000, np.array((1, 2, 3), np.uint8))
    strip = rows.read(10, 20)
    assert rows.shape == (1000, 1000, 3)
    assert strip.shape == (10, 1000, 3)
    assert strip.strides[:2] == (0, 0)
    assert (strip == (1, 2, 3)).all()


def test_remembered_strips_are_computed_once_and_few_are_kept():
    asked = []

    def read(top, bottom):
        asked.append((top, bottom))
        return ARRAY[top:bottom]

    rows = Rows(ARRAY.shape, read).remembered()
    for _ in range(3):
        rows.read(0, 4)
    assert asked == [(0, 4)]
    for top in range(1, 9):
        rows.read(top, top + 1)
    rows.read(0, 4)
    assert asked.count((0, 4)) == 2


def test_strips_cover_every_row_once():
    for height, width in ((1, 1), (7, 1 << 20), (1000, 999)):
        parts = strips(height, width)
        assert [row for top, bottom in parts for row in range(top, bottom)] == list(range(height))


def test_an_only_row_has_a_type():
    assert Rows.of(ARRAY[:1]).dtype == np.float32


@pytest.fixture(params=[1, 3])
def count(request, monkeypatch):
    monkeypatch.setattr(rows_module, "processors", lambda: request.param)
    return request.param


def test_results_come_in_order_whichever_is_done_first(count):
    first_may_end = threading.Event()

    def work(part):
        if part == 0 and count > 1:
            assert first_may_end.wait(10)
        if part == 1:
            first_may_end.set()
        return part * part

    assert list(in_order(range(30), work)) == [part * part for part in range(30)]


def test_nothing_to_do_is_no_result(count):
    assert list(in_order([], lambda part: part)) == []


def test_a_failure_reaches_the_reader_in_its_turn(count):
    def work(part):
        if part == 5:
            raise ZeroDivisionError
        return part

    got = []
    with pytest.raises(ZeroDivisionError):
        got.extend(in_order(range(100), work))
    assert got == [0, 1, 2, 3, 4]


def test_a_slow_reader_holds_back_the_workers(count):
    started = []
    results = in_order(range(100), started.append)
    next(results)
    results.close()
    assert len(started) <= 2 * count + 1


def test_a_reader_who_leaves_stops_the_work(count):
    started = []
    for _ in in_order(range(1000), started.append):
        break
    assert len(started) < 20
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("cleancut-strip")]


def test_there_is_a_processor():
    assert processors() >= 1
