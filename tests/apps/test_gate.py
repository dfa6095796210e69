import asyncio
import threading
from dataclasses import replace

import pytest

from cleancut.apps.gate import Gate, unless_gone
from cleancut.errors import Closing, Deadline, QueueFull, Stopped
from cleancut.limits import ServiceLimits

pytestmark = pytest.mark.anyio

LIMITS = ServiceLimits(workers=1, waiting=4, deadline=60, max_megapixels=100)


@pytest.fixture
def anyio_backend():
    return "asyncio"


class Door:
    """Work that stands still until it is let go, and what ran, in order."""

    def __init__(self):
        self.open, self.begun = threading.Event(), threading.Event()
        self.ran = []

    def hold(self, check):
        self.begun.set()
        assert self.open.wait(20)
        check()
        return "held"

    def note(self, name):
        return lambda check: self.ran.append(name)


async def begun(gate, busy=1):
    while gate.busy < busy:
        await asyncio.sleep(0)


async def waiting(gate, count):
    while gate.waiting < count:
        await asyncio.sleep(0)


async def test_work_runs_in_a_thread_and_gives_what_it_gives():
    gate = Gate(LIMITS)
    assert await gate.run(lambda check: threading.current_thread().name) != threading.main_thread().name
    assert (gate.busy, gate.waiting, gate.megapixels) == (0, 0, 0)


async def test_what_work_raises_is_raised_and_frees_its_worker():
    gate = Gate(LIMITS)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            await gate.run(lambda check: 1 // 0)
    assert gate.busy == 0


async def test_no_more_run_at_once_than_there_are_workers():
    gate, door = Gate(replace(LIMITS, workers=2)), Door()
    tasks = [asyncio.create_task(gate.run(door.hold)) for _ in range(4)]
    await begun(gate, 2)
    await waiting(gate, 2)
    assert (gate.busy, gate.waiting) == (2, 2)
    door.open.set()
    assert await asyncio.gather(*tasks) == ["held"] * 4


async def test_a_full_waiting_room_turns_away_with_a_time_to_come_back():
    gate, door = Gate(LIMITS), Door()
    tasks = [asyncio.create_task(gate.run(door.hold, key="a")) for _ in range(5)]
    await waiting(gate, 4)
    with pytest.raises(QueueFull) as full:
        await gate.run(door.hold, key="a")
    assert full.value.retry_after >= 1
    door.open.set()
    assert await asyncio.gather(*tasks) == ["held"] * 5


async def test_keys_take_turns():
    gate, door = Gate(LIMITS), Door()
    tasks = [asyncio.create_task(gate.run(door.hold))]
    await begun(gate)
    for name in ("a1", "a2", "a3", "b1"):
        tasks.append(asyncio.create_task(gate.run(door.note(name), key=name[0])))
        await waiting(gate, len(tasks) - 1)
    door.open.set()
    await asyncio.gather(*tasks)
    assert door.ran == ["a1", "b1", "a2", "a3"]


async def test_who_holds_most_of_a_full_room_gives_way_to_who_holds_less():
    gate, door = Gate(LIMITS), Door()
    held = asyncio.create_task(gate.run(door.hold))
    await begun(gate)
    greedy = [asyncio.create_task(gate.run(door.note(f"a{i}"), key="a")) for i in range(4)]
    await waiting(gate, 4)
    modest = asyncio.create_task(gate.run(door.note("b"), key="b"))
    with pytest.raises(QueueFull):
        await greedy[-1]
    door.open.set()
    await asyncio.gather(held, modest, *greedy[:-1])
    assert door.ran == ["a0", "b", "a1", "a2"]


async def test_what_waits_too_long_is_given_up_and_never_begun():
    gate, door = Gate(LIMITS), Door()
    held = asyncio.create_task(gate.run(door.hold))
    await begun(gate)
    with pytest.raises(Deadline):
        await gate.run(door.note("late"), deadline=0.02)
    door.open.set()
    await held
    assert door.ran == [] and gate.waiting == 0


async def test_what_runs_too_long_is_answered_in_time_and_ends_at_its_next_step():
    gate, door = Gate(LIMITS), Door()
    late = asyncio.create_task(gate.run(door.hold, deadline=1))
    await asyncio.to_thread(door.begun.wait, 20)
    with pytest.raises(Deadline):
        await late
    assert gate.busy == 1  # the thread still computes, so its worker is not free
    door.open.set()
    assert await gate.run(lambda check: "next") == "next"


async def test_a_caller_that_leaves_frees_its_place_and_stops_its_work():
    gate, door = Gate(LIMITS), Door()
    stopped = threading.Event()

    def work(check):
        assert door.open.wait(20)
        try:
            check()
        except Stopped:
            stopped.set()
            raise

    running = asyncio.create_task(gate.run(work))
    await begun(gate)
    queued = asyncio.create_task(gate.run(door.note("never")))
    await waiting(gate, 1)
    for task in (queued, running):
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert gate.waiting == 0
    door.open.set()
    assert await gate.run(lambda check: "next") == "next"
    assert stopped.is_set() and door.ran == []


async def test_megapixels_at_once_are_bounded_and_nothing_overtakes_what_waits_for_room():
    gate, door = Gate(replace(LIMITS, workers=3)), Door()
    first = asyncio.create_task(gate.run(door.hold, megapixels=60))
    await begun(gate)
    large = asyncio.create_task(gate.run(door.note("large"), megapixels=60))
    small = asyncio.create_task(gate.run(door.note("small"), megapixels=1))
    await waiting(gate, 2)
    await asyncio.sleep(0.02)
    assert gate.busy == 1 and gate.megapixels == 60
    door.open.set()
    await asyncio.gather(first, large, small)
    assert door.ran == ["large", "small"]


async def test_a_picture_larger_than_the_bound_runs_alone():
    assert await Gate(LIMITS).run(lambda check: "done", megapixels=1000) == "done"


async def test_the_background_lets_others_go_first_and_is_not_starved():
    gate, door = Gate(replace(LIMITS, waiting=40)), Door()
    tasks = [asyncio.create_task(gate.run(door.hold))]
    await begun(gate)
    tasks.append(asyncio.create_task(gate.run(door.note("back"), background=True)))
    tasks += [asyncio.create_task(gate.run(door.note(i))) for i in range(12)]
    await waiting(gate, 13)
    door.open.set()
    await asyncio.gather(*tasks)
    assert 0 < door.ran.index("back") < 12


async def test_closing_refuses_what_is_new_and_finishes_what_was_admitted():
    gate, door = Gate(LIMITS), Door()
    admitted = [asyncio.create_task(gate.run(door.hold)) for _ in range(2)]
    await waiting(gate, 1)
    gate.close()
    with pytest.raises(Closing):
        await gate.run(door.hold)
    draining = asyncio.create_task(gate.drained(20))
    door.open.set()
    assert await draining is True
    assert await asyncio.gather(*admitted) == ["held", "held"]


async def test_what_is_not_done_when_draining_ends_is_turned_away():
    gate, door = Gate(LIMITS), Door()
    admitted = [asyncio.create_task(gate.run(door.hold)) for _ in range(2)]
    await waiting(gate, 1)
    gate.close()
    assert await gate.drained(0.05) is False
    for task in admitted:
        with pytest.raises(Closing):
            await task
    door.open.set()


async def test_work_that_could_not_be_done_in_time_is_not_begun():
    gate, door = Gate(LIMITS), Door()
    gate._seconds = 30.0  # what work has taken of late
    held = asyncio.create_task(gate.run(door.hold))
    await begun(gate)
    hopeless = asyncio.create_task(gate.run(door.note("hopeless"), deadline=0.5))
    await waiting(gate, 1)
    await asyncio.sleep(0.3)
    door.open.set()
    await held
    with pytest.raises(Deadline):
        await hopeless
    assert door.ran == []


async def test_work_nobody_waits_for_is_cancelled():
    left = asyncio.Event()

    async def gone():
        return True

    async def work():
        try:
            await asyncio.sleep(60)
        finally:
            left.set()

    with pytest.raises(Stopped):
        await unless_gone(work(), gone)
    assert left.is_set()


async def test_work_somebody_waits_for_is_done():
    async def gone():
        return False

    assert await unless_gone(asyncio.sleep(0.3, "done"), gone) == "done"
    assert await unless_gone(asyncio.sleep(0, "done"), None) == "done"
