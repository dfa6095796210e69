"""What the shared store does beyond every store: tries again, buries, goes by urgency, outlives Redis."""

from dataclasses import replace

import pytest

from cleancut.errors import BadSetting, JobsFailed, NoRoom, NoSuchJob, TooBig
from cleancut.jobs.queue.commands import connected
from cleancut.jobs.queue.ledger import Ledger
from cleancut.jobs.queue.orders import Handed
from cleancut.jobs.queue.shared import RedisStore
from cleancut.jobs.store import Failure, Result, Stored
from tests import redis
from tests.jobs.orders import LIMITS, order, stored

OURS = Failure(503, "StorageFailed", "It failed.")
THEIRS = Failure(400, "NotAPicture", "It is no picture.")
KEY = "a" * 64


def handed(*names, owner="ann", **more):
    return Handed(owner=owner, recipe={}, pictures=[stored(name) for name in names or ("one",)], **more)


def result(name="r"):
    return Result(name, 5, "image/png", {"confidence": 1.0})


def named(claim):
    return claim.source.name.removesuffix(".jpg")


def test_a_failure_of_ours_is_tried_again_after_pauses_that_double(store, clock):
    job, _ = store.put(order())
    for pause in (0.5, 1.0):
        assert store.put_off(store.take("a", alone=True), OURS) == (pause, ())
        assert store.take("a", alone=True) is None
        clock.now += pause
    assert store.put_off(store.take("a", alone=True), OURS) == (None, ())
    (item,) = store.get(job.id).items
    assert (item.state, item.failure) == ("failed", OURS)


def test_what_is_put_off_was_no_attempt_that_killed(store, clock):
    store.put(order())
    store.put_off(store.take("a", alone=True), OURS)
    clock.now += 1
    assert store.take("b", alone=False).attempt == 1


def test_what_is_dead_can_be_sent_again(store, clock):
    job, _ = store.put(order("one", "two"))
    assert store.failed(store.take("a", alone=True), OURS) == ()
    store.failed(store.take("a", alone=True), THEIRS)
    assert store.dead() == [(job.id, 1)]
    assert store.files() == {"file-one"}  # its source is needed yet; the other's is not
    store.again(job.id, 1)
    assert (store.dead(), store.get(job.id).state) == ([], "queued")
    store.done(store.take("a", alone=True), result())
    ended = store.get(job.id)
    assert (ended.state, [item.state for item in ended.items]) == ("done", ["done", "failed"])
    with pytest.raises(NoSuchJob, match="not among the dead"):
        store.again(job.id, 2)


def test_what_killed_too_often_is_dead(store):
    job, _ = store.put(order())
    for _ in range(3):
        store.take("a", alone=True)
        store.leave("a")
    assert store.take("a", alone=True) is None
    assert store.dead() == [(job.id, 1)]


def test_a_turn_that_comes_again_gives_up_what_it_had(store):
    store.put(order())
    before, _ = store.turn("message", alone=True)
    again, _ = store.turn("message", alone=True)
    assert (before.attempt, again.attempt) == (1, 2)
    assert not store.holds(before)
    assert store.done(before, result("late")) == ("late",)


def test_it_is_told_that_a_picture_wants_a_process_for_itself(store):
    store.put(order())
    store.turn("dead", alone=False)
    store.leave("dead")
    assert store.turn("mine", alone=False) == (None, True)
    assert store.turn("mine", alone=True)[0].attempt == 2
    assert store.turn("other", alone=False) == (None, False)


def test_who_is_waited_for_goes_first_and_the_others_do_not_starve(store):
    for number in range(9):
        store.put(handed(f"later{number}", owner="bob"))
        store.put(handed(f"now{number}", urgent=True))
    taken = [named(store.take("a", alone=True)) for _ in range(9)]
    assert taken == [*[f"now{n}" for n in range(7)], "later0", "now7"]


def test_who_waits_is_no_job_of_its_owners(store):
    job, _ = store.put(handed(urgent=True))
    assert store.owned("ann") == []
    assert store.get(job.id).state == "queued"
    assert [found.id for found in store.all()] == [job.id]


def test_nobody_works_for_who_has_stopped_waiting(store, clock):
    job, _ = store.put(handed(urgent=True, seconds=30))
    clock.now += 30
    assert store.take("a", alone=True) is None
    assert store.get(job.id).items[0].failure.status == 504
    assert store.dead() == []


def test_a_result_that_is_there_answers_the_next(store):
    store.put(handed(made=[KEY]))
    made = result(f"{KEY}-1")
    store.done(store.take("a", alone=True), made)
    again, _ = store.put(handed("two", made=[KEY]))
    assert (again.state, again.items[0].result) == ("done", made)
    assert store.take("a", alone=True) is None
    assert store.made(KEY) == made


def test_a_shared_result_stays_as_long_as_somebody_needs_it(store):
    first, _ = store.put(handed(made=[KEY]))
    store.done(store.take("a", alone=True), result(f"{KEY}-1"))
    second, _ = store.put(handed("two", made=[KEY]))
    assert store.cancel(first.id) == ()
    assert store.cancel(second.id) == (f"{KEY}-1",)
    assert store.made(KEY) is None


def test_what_another_made_meanwhile_is_not_made_again(store):
    store.put(handed("one", made=[KEY]))
    store.put(handed("two", made=[KEY]))
    first, second = (store.take(holder, alone=True) for holder in "ab")
    store.done(first, result(f"{KEY}-1"))
    assert store.reuse(second) == (True, ("file-two",))
    assert store.get(second.job).items[0].result == result(f"{KEY}-1")


def test_a_lost_claim_takes_no_file_that_somebody_needs(store):
    store.put(handed(made=[KEY]))
    claim = store.take("a", alone=True)
    store.done(claim, result(f"{KEY}-1"))
    assert store.done(claim, result(f"{KEY}-1")) == ()  # told twice, as after an answer that was lost


def test_gauges_count_what_there_is(store, clock):
    store.put(handed("a", "b", pixels=[2_000_000, 500_000]))
    clock.now += 7
    store.put(handed("c", pixels=[1_000_000]))
    gauges = store.gauges()
    assert (gauges.waiting, gauges.megapixels, gauges.oldest, gauges.bytes) == (3, 3.5, 7.0, 30)
    store.take("h", alone=True)
    gauges = store.gauges()
    assert (gauges.waiting, gauges.running, gauges.megapixels) == (2, 1, 1.5)


def test_what_is_too_much_for_redis_is_refused(store):
    with pytest.raises(TooBig, match="65,536"):
        store.put(replace(handed(), recipe={"strokes": "x" * 70_000}))
    assert store.all() == []


def test_redis_that_lost_everything_is_told_again(store, server, opened, clock):
    whole, _ = store.put(handed("one", "two", key="k", fingerprint="f"))
    ledger = store._ledger
    claim = store.take("a", alone=True)
    store.done(claim, result())
    ledger.settled(claim, result())
    other, _ = store.put(handed("three", owner="bob"))
    with server.client() as client:
        client.flushall()
    for refused in (lambda: store.get(whole.id), lambda: store.put(handed()), lambda: store.take("b", alone=True)):
        with pytest.raises(JobsFailed, match="lost its data"):
            refused()
    assert store.recover() == 2
    assert store.recover() == 0
    again = store.get(whole.id)
    assert ([item.state for item in again.items], again.items[0].result) == (["done", "queued"], result())
    assert store.put(handed("one", "two", key="k", fingerprint="f"))[0].id == whole.id
    assert {named(store.take("b", alone=True)) for _ in range(2)} == {"two", "three"}
    assert store.get(other.id).state == "running"


def test_what_nobody_was_promised_is_not_told_again(store, server):
    cancelled, _ = store.put(handed())
    store.cancel(cancelled.id)
    store.put(handed("now", urgent=True))
    refusing = RedisStore(connected(server.url), replace(LIMITS, jobs_per_key=1), store._ledger)
    with pytest.raises(Exception, match="1 jobs"):
        refusing.put(handed())
    refusing.close()
    with server.client() as client:
        client.flushall()
    assert store.recover() == 0


def test_a_redis_that_is_full_takes_nothing_new_and_settles_what_it_has(depot, opened):
    if redis.PROGRAM is None:
        pytest.skip("redis-server is not installed (apt-get install redis-server)")
    with redis.server("--maxmemory", "4mb", "--maxmemory-policy", "noeviction", "--appendfsync", "no") as server:
        store = opened(server.url)
        store.put(order("before"))
        claim = store.take("a", alone=True)
        with pytest.raises(NoRoom):
            for number in range(500):
                store.put(replace(handed(f"{number}"), recipe={"x": "y" * 30_000}, id=f"{number}"))
        with server.client() as client, pytest.raises(Exception, match="maxmemory"):
            for number in range(500):
                client.set(f"other{number}", "z" * 30_000)
        with pytest.raises(NoRoom):
            store.put(order("more"))
        assert store.done(claim, result()) == ("file-before",)
        assert store.get(claim.job).state == "done"


def test_a_redis_that_forgets_keys_is_refused(depot):
    if redis.PROGRAM is None:
        pytest.skip("redis-server is not installed (apt-get install redis-server)")
    with redis.server("--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru") as server:
        store = RedisStore(connected(server.url), LIMITS, Ledger(depot))
        with pytest.raises(BadSetting, match="noeviction"):
            store.check()
        store.close()


def test_a_redis_that_is_away_is_said_to_be(depot):
    store = RedisStore(connected("redis://127.0.0.1:1/0"), LIMITS, Ledger(depot))
    with pytest.raises(JobsFailed, match="does not answer"):
        store.check()
    with pytest.raises(JobsFailed):
        store.put(order())
    store.close()
    assert list(Ledger(depot).entries()) == []  # what was not promised is not done later


@pytest.mark.parametrize("url", ["http://127.0.0.1", "redis://[bad", "queue"])
def test_what_is_no_address_of_a_redis_is_refused(url):
    with pytest.raises(BadSetting):
        connected(url)


def test_names_may_hold_anything(store):
    picture = Stored("a:b:c\n: é.jpg", "file-x", 3)
    store.put(replace(handed(), pictures=[picture], assets=[Stored("x:y", "file-y", 4)]))
    claim = store.take("h", alone=True)
    assert (claim.source, claim.assets) == (picture, (Stored("x:y", "file-y", 4),))
