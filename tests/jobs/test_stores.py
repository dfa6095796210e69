"""Every job store: claims that one holder has, jobs that end, files that are named for as long as they are needed."""

import threading
from dataclasses import replace

import pytest

from cleancut.errors import KeyReused, NoRoom, TooManyJobs
from cleancut.jobs.queue.commands import connected
from cleancut.jobs.queue.depot import Depot
from cleancut.jobs.queue.ledger import Ledger
from cleancut.jobs.queue.shared import RedisStore
from cleancut.jobs.sqlite import SqliteStore
from cleancut.jobs.store import Failure, Result
from tests import redis
from tests.jobs.orders import LIMITS, Clock, order, stored

BAD = Failure(400, "NotAPicture", "It is no picture.")


def result(name="r", size=5):
    return Result(f"result-{name}", size, "image/png", {"confidence": 1.0})


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture(scope="module")
def server():
    if redis.PROGRAM is None:
        pytest.skip("redis-server is not installed (apt-get install redis-server)")
    with redis.server("--appendfsync", "no") as it:
        yield it


def _in_redis(server, folder, limits, clock):
    store = RedisStore(connected(server.url), limits, Ledger(Depot(str(folder / "depot"))), clock=clock)
    store.check()
    return store


@pytest.fixture(params=["sqlite", "redis"])
def make(request, tmp_path, clock):
    """Opens the same store as often as it is called, as several processes would."""
    opened = []
    server = request.getfixturevalue("server") if request.param == "redis" else None
    if server:
        with server.client() as client:
            client.flushall()

    def make(**limits):
        given = replace(LIMITS, **limits)
        in_sqlite = server is None
        opened.append(
            SqliteStore(tmp_path / "jobs.sqlite3", given, clock)
            if in_sqlite
            else _in_redis(server, tmp_path, given, clock)
        )
        return opened[-1]

    yield make
    for store in opened:
        store.close()


@pytest.fixture
def store(make):
    return make()


def states(store, job):
    found = store.get(job.id)
    return found.state, [item.state for item in found.items]


def test_a_job_from_beginning_to_end(store):
    job, new = store.put(order("one", "two"))
    assert (new, job.state, [item.name for item in job.items]) == (True, "queued", ["one.jpg", "two.jpg"])
    first = store.take("a", alone=True)
    assert (first.job, first.number, first.source, first.attempt) == (job.id, 1, stored("one"), 1)
    assert states(store, job) == ("running", ["running", "queued"])
    assert store.stage(first, "cutting")
    assert store.get(job.id).items[0].stage == "cutting"
    assert store.done(first, result()) == ("file-one",)
    second = store.take("a", alone=True)
    assert store.failed(second, BAD) == ("file-two",)
    ended = store.get(job.id)
    assert (ended.state, ended.ended, ended.expires) == ("done", 1_000_000.0, 1_000_900.0)
    assert (ended.items[0].result, ended.items[0].failure) == (result(), None)
    assert (ended.items[1].result, ended.items[1].failure) == (None, BAD)
    assert store.take("a", alone=True) is None
    assert store.files() == {"result-r"}


def test_a_job_of_failures_has_failed(store):
    job, _ = store.put(order("one", assets=[stored("sky")]))
    assert set(store.failed(store.take("a", alone=True), BAD)) == {"file-one", "file-sky"}
    assert states(store, job) == ("failed", ["failed"])
    assert store.files() == set()


def test_every_change_is_a_revision(store):
    job, _ = store.put(order("one", "two"))
    seen = [job.revision]
    claim = store.take("a", alone=True)
    seen.append(store.revision(job.id))
    store.stage(claim, "cutting")
    seen.append(store.revision(job.id))
    now = store.get(job.id)
    assert seen == sorted(set(seen))
    assert [item.revision for item in now.items] == [seen[-1], 1]
    assert 1 < now.changed < now.revision  # it began to run, and its picture went on since
    assert store.revision("nothing") is None


def test_ids_cannot_be_guessed(store):
    ids = {store.put(order(f"{number}"))[0].id for number in range(20)}
    assert len(ids) == 20
    assert all(len(id) == 22 for id in ids)  # 128 bits in base64


def test_a_picture_is_claimed_once(make):
    first = make()
    for number in range(12):
        first.put(order(f"{number}"))
    taken, stores = [], [first, make()]

    def work(store, name):
        while claim := store.take(name, alone=True):
            taken.append(claim.job)

    threads = [threading.Thread(target=work, args=(stores[n % 2], f"h{n}")) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == len(set(taken)) == 12


def test_owners_take_turns(store, clock):
    for name in ("a1", "a2", "a3"):
        store.put(order(name, owner="ann"))
    clock.now += 1
    for name in ("b1", "b2"):
        store.put(order(name, owner="bob"))
    served = []
    for _ in range(5):
        clock.now += 1
        served.append(store.take("h", alone=True).source.name[:2])
    assert served == ["a1", "b1", "a2", "b2", "a3"]


def test_a_holder_that_is_silent_loses_its_claims(store, clock):
    store.put(order())
    lost = store.take("a", alone=True)
    clock.now += 15
    store.beat("a")
    clock.now += 15
    assert store.take("b", alone=True) is None
    assert store.holds(lost)
    clock.now += 6
    again = store.take("b", alone=True)
    assert (again.number, again.attempt) == (1, 2)
    assert not store.holds(lost)
    assert not store.stage(lost, "writing")
    assert store.done(lost, result("late")) == ("result-late",)
    assert store.failed(lost, BAD) == ()
    store.back(lost)
    assert store.holds(again)
    assert store.done(again, result()) == ("file-one",)


def test_whoever_leaves_loses_nothing_for_others(store):
    store.put(order())
    store.take("a", alone=True)
    assert store.holders() == ["a"]
    store.leave("a")
    assert store.take("b", alone=True).attempt == 2


def test_a_picture_that_kills_is_tried_alone_and_not_for_ever(store):
    job, _ = store.put(order("deadly", "good"))
    for attempt in (1, 2, 3):
        claim = store.take("a", alone=True)
        assert (claim.source.name, claim.attempt) == ("deadly.jpg", attempt)
        store.leave("a")
        if attempt < 3:
            assert store.take("b", alone=False) is None  # nobody overtakes it, and nothing runs beside it
    assert store.take("a", alone=False).source.name == "good.jpg"
    failed = store.get(job.id).items[0]
    assert (failed.state, failed.failure.status) == ("failed", 500)
    assert "3 times" in failed.failure.message


def test_what_is_given_back_does_not_count(store, clock):
    store.put(order())
    store.back(store.take("a", alone=True), pause=5)
    assert store.take("a", alone=True) is None
    clock.now += 5
    assert store.take("a", alone=False).attempt == 1


@pytest.mark.parametrize("begun", [False, True])
def test_cancelling_wipes_an_unfinished_job(store, begun):
    job, _ = store.put(order("one", webhook="https://example.org/hook", key="k", fingerprint="f"))
    claim = store.take("a", alone=True) if begun else None
    assert store.cancel(job.id) == ("file-one",)
    left = store.get(job.id)
    assert (left.state, left.items, left.posting) == ("cancelled", (), None)
    assert store.due() is None
    assert store.take("b", alone=True) is None
    assert claim is None or store.done(claim, result()) == ("result-r",)
    assert store.put(order("two", key="k", fingerprint="g"))[1]


def test_cancelling_removes_a_job_that_has_ended(store):
    job, _ = store.put(order())
    store.done(store.take("a", alone=True), result())
    assert store.cancel(job.id) == ("result-r",)
    assert store.get(job.id) is None
    assert store.cancel(job.id) == ()


def test_retention_ends(store, clock):
    job, _ = store.put(order())
    store.done(store.take("a", alone=True), result())
    clock.now += 899
    assert store.expired() == ()
    clock.now += 1
    assert store.expired() == ("result-r",)
    assert store.get(job.id) is None


def test_a_job_has_no_longer_than_its_deadline(store, clock):
    job, _ = store.put(order("one", "two"))
    store.done(store.take("a", alone=True), result())
    claim = store.take("a", alone=True)
    clock.now += 3600
    assert store.expired() == ("file-two",)
    assert states(store, job) == ("done", ["done", "failed"])
    assert store.get(job.id).items[1].failure.status == 504
    assert not store.holds(claim)


def test_the_same_order_is_one_job(make):
    first, new = make().put(order(key="k", fingerprint="f"))
    other = make()
    again, newly = other.put(order(key="k", fingerprint="f"))
    assert (first.id, new, newly) == (again.id, True, False)
    with pytest.raises(KeyReused):
        other.put(order(key="k", fingerprint="g"))
    assert other.put(order("two", owner="bob", key="k", fingerprint="g"))[1]


def test_jobs_of_one_owner_are_bounded(make):
    store = make(jobs_per_key=2)
    store.put(order("one"))
    assert store.put(order("two"))[1]
    for refused in (lambda: store.check_room("ann", 1), lambda: store.put(order("three"))):
        with pytest.raises(TooManyJobs, match="2 jobs"):
            refused()
    assert store.put(order("four", owner="bob"))[1]
    assert [job.items[0].name for job in store.owned("ann")] == ["two.jpg", "one.jpg"]


def test_bytes_are_bounded_for_one_and_for_all(make):
    store = make(spool_bytes_per_key=25, spool_bytes=35)
    store.put(order("1", "2"))
    with pytest.raises(TooManyJobs, match="delete some"):
        store.put(order("3"))
    store.put(order("4", owner="bob"))
    with pytest.raises(NoRoom):
        store.put(order("5", owner="eve"))
    claim = store.take("a", alone=True)
    with pytest.raises(TooManyJobs):
        store.done(claim, result(size=16))  # its source goes, and yet there is no room
    assert store.holds(claim)
    assert store.done(claim, result(size=15)) == ("file-1",)


def test_a_webhook_is_due_until_it_is_delivered(store, clock):
    job, _ = store.put(order(webhook="https://example.org/hook"))
    assert (store.get(job.id).posting, store.due()) == ("waiting", None)
    store.done(store.take("a", alone=True), result())
    notice = store.due()
    assert (notice.url, notice.attempt, notice.job.state) == ("https://example.org/hook", 1, "done")
    assert store.due() is None
    clock.now += 10
    again = store.due()
    assert again.attempt == 2
    store.delivered(again)
    clock.now += 1000
    assert store.due() is None
    assert store.get(job.id).posting == "delivered"


def test_a_webhook_is_given_up(store, clock):
    job, _ = store.put(order(webhook="https://example.org/hook"))
    store.failed(store.take("a", alone=True), BAD)
    attempts = 0
    while store.get(job.id).posting == "pending":
        attempts += store.due() is not None
        clock.now += 500
    assert (attempts, store.get(job.id).posting) == (5, "failed")
