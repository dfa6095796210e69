"""Those who work: what is taken is settled, tried again or given back, whatever happens to it."""

import threading
import time

import pytest

from cleancut.errors import NotAPicture, QueueFull, StorageFailed
from cleancut.jobs.queue.alone import Alone
from cleancut.jobs.queue.orders import Handed
from cleancut.jobs.queue.tending import Tender
from cleancut.jobs.queue.turns import Takers, Turns
from cleancut.jobs.queue.worker import Crew
from cleancut.jobs.runner import Made
from cleancut.jobs.store import Stored
from tests.jobs.orders import LIMITS

SECONDS = 30


def until(true):
    end = time.monotonic() + SECONDS
    while not true():
        assert time.monotonic() < end, "it did not come to be"
        time.sleep(0.01)


def shout(picked):
    picked.tell("cutting")
    return Made(picked.source.upper(), "text/plain", {"told": 1})


@pytest.fixture
def crew(store, depot):
    def crew(work=shout, able=lambda claim: ""):
        return Crew(store, depot, store._ledger, work, able, LIMITS)

    return crew


@pytest.fixture
def put(store, depot):
    def put(*sources, **more):
        pictures = [Stored(data.decode(), depot.write(data), len(data)) for data in sources]
        return store.put(Handed(owner="ann", recipe={}, pictures=pictures, **more))[0].id

    return put


def item(store, id, number=1):
    return store.get(id).items[number - 1]


def test_a_picture_is_made_and_settled(store, depot, crew, put):
    id = put(b"one")
    assert crew().turn("m") is None
    done = item(store, id)
    assert (done.state, depot.read(done.result.file), done.result.report) == ("done", b"ONE", {"told": 1})
    assert set(depot.paths("files")) == {f"files/{done.result.file}"}  # its source is gone
    assert next(store._ledger.entries()).settled == {1: done.result}


def test_a_turn_without_a_picture_is_dropped(crew):
    assert crew().turn("m") is None


def test_what_is_the_pictures_fault_fails_at_once(store, crew, put):
    def work(picked):
        raise NotAPicture("It is no picture.")

    id, made = put(b"one"), crew(work)
    assert made.turn("m") is None
    assert (item(store, id).failure.status, store.dead()) == (400, [])
    assert made.outcomes == {"failed": 1}


@pytest.mark.parametrize("error", [StorageFailed("No."), RuntimeError("what?")])
def test_what_is_our_fault_is_tried_again_and_then_dead(store, clock, crew, put, error):
    def work(picked):
        raise error

    id, made = put(b"one"), crew(work)
    pauses = []
    for _ in range(3):
        pauses.append(made.turn("m"))
        clock.now += 5
    assert pauses == [0.5, 1.0, None]
    assert (item(store, id).state, store.dead()) == ("failed", [(id, 1)])


def test_what_is_no_fault_is_put_back_and_not_counted(store, clock, crew, put):
    def work(picked):
        raise QueueFull("Not now.", retry_after=4)

    id, made = put(b"one"), crew(work)
    for _ in range(5):
        assert made.turn("m") == 4
        clock.now += 4
    assert (item(store, id).state, item(store, id).attempts) == ("queued", 0)


def test_what_a_worker_cannot_make_is_left_to_others(store, clock, crew, put):
    id = put(b"one")
    other = crew(able=lambda claim: "it is for version 0.0.9")
    assert other.turn("m") == 2.0
    assert (item(store, id).state, other.outcomes) == ("queued", {"elsewhere": 1})
    clock.now += 2
    assert crew().turn("m") is None
    assert item(store, id).state == "done"


def test_nobody_gets_what_was_cancelled(store, depot, crew, put):
    def work(picked):
        depot.remove(store.cancel(picked.claim.job))
        picked.tell("writing")
        raise AssertionError("it went on")

    id, made = put(b"one"), crew(work)
    assert made.turn("m") is None
    assert (store.get(id).state, made.outcomes) == ("cancelled", {"unwanted": 1})
    assert depot.paths("files") == {}


def test_a_result_that_came_too_late_is_removed(store, depot, crew, put):
    id = put(b"one")

    def work(picked):
        store.leave(picked.claim.holder)
        store.take("another", alone=True)
        return Made(b"late", "text/plain", {})

    made = crew(work)
    made.turn("m")
    assert (item(store, id).state, made.outcomes) == ("running", {"unwanted": 1})
    assert len(depot.paths("files")) == 1  # the source, which the other needs


def test_what_is_under_way_at_the_end_is_given_back(store, crew, put):
    id = put(b"one")
    begun, end = threading.Event(), threading.Event()

    def work(picked):
        begun.set()
        end.wait(SECONDS)
        picked.check()
        raise AssertionError("it went on")

    made = crew(work)
    thread = threading.Thread(target=made.turn, args=("m",))
    thread.start()
    assert begun.wait(SECONDS)
    assert made.give_back() == 1
    end.set()
    thread.join(SECONDS)
    assert (item(store, id).state, item(store, id).attempts) == ("queued", 0)


def test_what_killed_a_process_runs_beside_nothing(store, crew, put):
    deadly = put(b"deadly")
    store.turn("dead", alone=True)
    put(b"good", urgent=True)
    begun, end, seen = threading.Event(), threading.Event(), []

    def work(picked):
        seen.append((picked.source, made.busy))
        if picked.source == b"good":
            begun.set()
            end.wait(SECONDS)
        return shout(picked)

    made = crew(work)
    beside = threading.Thread(target=made.turn, args=("good",))
    beside.start()
    assert begun.wait(SECONDS)
    alone = threading.Thread(target=made.turn, args=("dead",))  # its turn comes again
    alone.start()
    time.sleep(0.1)
    assert seen == [(b"good", 1)]
    end.set()
    for thread in (beside, alone):
        thread.join(SECONDS)
    assert seen[1:] == [(b"deadly", 1)]
    assert item(store, deadly).attempts == 2


def test_alone_goes_before_those_who_come_later():
    lock, order, inside = Alone(), [], threading.Event()

    def alone():
        with lock.alone():
            order.append("alone")

    def beside():
        with lock.beside():
            order.append("beside")

    with lock.beside():
        threads = [threading.Thread(target=alone), threading.Thread(target=beside)]
        threads[0].start()
        until(lambda: lock._wanted)
        threads[1].start()
        inside.wait(0.05)
        assert order == []
    for thread in threads:
        thread.join(SECONDS)
    assert order == ["alone", "beside"]


@pytest.fixture
def turns(server):
    turns = Turns(server.url, "cleancut")
    yield turns
    turns.close()


@pytest.fixture
def tender(server, store, depot, turns):
    from cleancut.jobs.queue.commands import connected

    client = connected(server.url)
    yield Tender(store, depot, turns, client, LIMITS, "cleancut")
    client.close()


def test_each_turn_is_taken_once_by_somebody(server, turns):
    taken = []
    takers = [Takers(server.url, "cleancut", taken.append, 2) for _ in range(2)]
    for each in takers:
        each.start()
    turns.send(40)
    for each in takers:
        each.ring()
    until(lambda: len(taken) >= 40)
    for each in takers:
        each.stop(SECONDS)
    assert len(set(taken)) == len(taken) == 40
    with server.client() as client:
        assert client.hlen("cleancut:dramatiq:turns.msgs") == 0


def test_a_turn_that_must_come_again_comes_again(server, turns):
    taken = []

    def take(id):
        taken.append(id)
        return 0.2 if len(taken) == 1 else None

    takers = Takers(server.url, "cleancut", take, 1)
    takers.start()
    turns.send()
    takers.ring()
    until(lambda: len(taken) == 2)
    takers.stop(SECONDS)
    assert len(set(taken)) == 1


def test_turns_that_are_missing_are_sent_again(store, server, turns, tender, put, clock):
    put(b"one", b"two")
    assert tender.replenish(old=5) == 0  # they may be on the way
    clock.now += 6
    turns.send(1)
    assert tender.replenish(old=5) == 1
    assert turns.waiting() == 2
    assert tender.replenish(old=5) == 0


def test_whoever_tends_removes_what_is_over(store, depot, tender, put, crew, clock):
    id = put(b"one")
    crew().turn("m")
    clock.now += 900
    tender.tend()
    assert store.get(id) is None
    assert (depot.paths("files"), depot.paths("orders")) == ({}, {})


def test_one_tends_at_a_time(store, tender, put, clock):
    tender.tend()
    id = put(b"one")
    clock.now += 4000
    tender.tend()
    assert store.get(id).live  # another has just been round, as far as it knows


def test_a_redis_that_lost_everything_gets_its_turns_too(store, server, turns, tender, put):
    put(b"one", b"two")
    with server.client() as client:
        client.flushall()
    tender.tend()
    assert (store.gauges().waiting, turns.waiting()) == (2, 2)
