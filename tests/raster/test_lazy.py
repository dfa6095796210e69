"""Work that is put off: done once, by whichever thread comes first, and blocks that strips share."""

import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from cleancut.raster import lazy, rows
from cleancut.raster.lazy import in_blocks, once
from cleancut.raster.local import local
from cleancut.raster.rows import Rows


@pytest.fixture
def eager_switching():
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def counted(array, reads, fail_at=None):
    def read(top, bottom):
        reads.append((top, bottom))
        if top == fail_at:
            raise MemoryError("no room")
        return array[top:bottom]

    return Rows(array.shape, read)


def test_once_is_once_for_many_threads(eager_switching):
    calls = []
    ready = threading.Barrier(8)
    answer = once(lambda: calls.append(1) or len(calls))

    def ask(_):
        ready.wait()
        return answer()

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ask, range(8))) == [1] * 8


def test_a_failure_is_tried_again():
    answers = iter([ZeroDivisionError, 7])

    def work():
        found = next(answers)
        if found is ZeroDivisionError:
            raise ZeroDivisionError
        return found

    answer = once(work)
    with pytest.raises(ZeroDivisionError):
        answer()
    assert answer() == 7


@pytest.mark.parametrize("step", [1, 7, 100, 1000])
@pytest.mark.parametrize("threads", [1, 2, 5])
def test_blocks_are_computed_once_in_order(step, threads, monkeypatch, eager_switching):
    monkeypatch.setattr(lazy, "processors", lambda: threads)
    monkeypatch.setattr(rows, "processors", lambda: threads)
    monkeypatch.setattr(rows, "STRIP_PIXELS", 3 * 5)
    array = np.random.default_rng(0).random((301, 5)).astype(np.float32)
    reads = []
    np.testing.assert_array_equal(in_blocks(counted(array, reads), step).whole(), array)
    assert all(bottom - top <= step for top, bottom in reads)
    if step > 3 * threads:
        assert sorted(reads) == [(top, min(top + step, 301)) for top in range(0, 301, step)]


def test_blocks_serve_any_rows_again():
    array = np.arange(200.0).reshape(100, 2)
    blocks = in_blocks(Rows.of(array), 9)
    for top, bottom in ((90, 100), (0, 1), (8, 10), (0, 100), (50, 51)):
        np.testing.assert_array_equal(blocks.read(top, bottom), array[top:bottom])


def test_a_block_that_fails_fails_for_all_and_not_for_ever():
    array = np.ones((40, 2), np.float32)
    reads = []
    blocks = in_blocks(counted(array, reads, fail_at=20), 10)
    for _ in range(2):
        with pytest.raises(MemoryError):
            blocks.whole()
    assert blocks.read(0, 20).all()
    assert reads.count((20, 30)) >= 2


@pytest.mark.parametrize("reach", [1, 5, 30])
def test_a_local_filter_works_only_where_there_is_an_edge(reach, monkeypatch):
    monkeypatch.setattr(rows, "STRIP_PIXELS", 1 << 14)
    alpha = np.full((300, 1000), 0.0005, np.float32)
    alpha[:, 500:] = 0.9995
    alpha[100:110, 800:] = 0.5
    pixels = []

    def work(span):
        inner = span[reach:-reach, reach:-reach]
        pixels.append(inner.size)
        return inner

    result = local(Rows.of(alpha), reach, work).whole()
    np.testing.assert_array_equal(result, np.select([alpha < 0.1, alpha > 0.9], [0, 1], alpha))
    assert 0 < sum(pixels) < alpha.size / 2
