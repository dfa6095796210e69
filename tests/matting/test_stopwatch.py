import threading

import pytest

from cleancut.matting import stopwatch as stopwatch_module
from cleancut.matting.stopwatch import Stopwatch


@pytest.fixture
def clock(monkeypatch):
    """A clock that only moves when it is told to."""

    class Clock:
        now = 0.0

        def perf_counter(self):
            return self.now

    clock = Clock()
    monkeypatch.setattr(stopwatch_module, "time", clock)
    return clock


def test_a_stage_within_a_stage_counts_for_itself_alone(clock):
    watch = Stopwatch()
    with watch.stage("outer"):
        clock.now += 1
        with watch.stage("inner"):
            clock.now += 2
            with watch.stage("innermost"):
                clock.now += 4
        clock.now += 8
        with watch.stage("inner"):
            clock.now += 16
    assert watch.ms() == {"innermost": 4000.0, "inner": 18000.0, "outer": 9000.0}


def test_a_stage_that_fails_is_counted(clock):
    watch = Stopwatch()
    with pytest.raises(KeyError), watch.stage("read"):
        clock.now += 0.5
        raise KeyError
    assert watch.ms() == {"read": 500.0}


def test_threads_add_up_and_do_not_mix(clock):
    watch = Stopwatch()

    def work():
        with watch.stage("strip"):
            watch.add("net", 0.25)

    with watch.stage("whole"):
        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        clock.now += 1
    assert watch.ms()["net"] == 2000.0
    assert watch.ms()["whole"] == 1000.0


def test_what_is_given_is_a_copy():
    watch = Stopwatch()
    watch.add("read", 1)
    watch.ms()["read"] = 0
    assert watch.ms() == {"read": 1000.0}
