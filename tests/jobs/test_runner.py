"""The runner: what is taken is settled or given back, whatever happens to it."""

import asyncio
import logging
from collections import Counter
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from cleancut.errors import (
    Closing,
    FetchFailed,
    JobsFailed,
    KeysFailed,
    ModelFailed,
    NoRoom,
    NotAPicture,
    QueueFull,
    Stopped,
)
from cleancut.jobs.runner import Made, Pace, Runner
from cleancut.jobs.spool import Spool
from cleancut.jobs.sqlite import SqliteStore
from cleancut.jobs.store import Order, Stored
from tests.jobs.orders import LIMITS, Clock

pytestmark = pytest.mark.anyio

PACE = Pace(look=0.01, sweep=0.02, retry=0.01)


@pytest.fixture
def anyio_backend():
    return "asyncio"


class House:
    """A store and a spool in a folder, and a runner where one is asked for."""

    def __init__(self, folder, **limits):
        self.limits = replace(LIMITS, **limits)
        self.clock = Clock()
        self.spool = Spool(folder / "spool")
        self.store = SqliteStore(self.spool.root / "jobs.sqlite3", self.limits, self.clock)
        self.posted = []

    def put(self, *sources, owner="ann", assets=(), **more):
        pictures = [Stored(f"{data.decode()}.jpg", self.spool.write(data), len(data)) for data in sources]
        handed = [Stored(name, self.spool.write(data), len(data)) for name, data in assets]
        return self.store.put(Order(owner, {}, pictures, handed, **more))[0].id

    def states(self, id):
        job = self.store.get(id)
        return job.state, [item.state for item in job.items]

    def files(self):
        return {path.name for path in (self.spool.root / "files").iterdir()}

    async def post(self, notice):
        self.posted.append(notice)

    @asynccontextmanager
    async def running(self, work, post=None):
        runner = Runner(self.store, self.spool, work, post or self.post, self.limits, PACE)
        async with runner.running():
            yield runner

    async def until(self, true):
        async with asyncio.timeout(10):
            while not true():
                await asyncio.sleep(0.005)

    async def ended(self, *ids):
        await self.until(lambda: all(not self.store.get(id).live for id in ids))


@pytest.fixture
def make(tmp_path):
    houses = []

    def make(**limits):
        houses.append(House(tmp_path, **limits))
        return houses[-1]

    yield make
    for house in houses:
        house.store.close()
        house.spool.close()


@pytest.fixture
def house(make):
    return make()


async def upper(task):
    """Work that takes no time."""
    task.tell("cutting")
    return Made(task.source.upper() + b"".join(task.assets.values()), "image/png", {"confidence": 0.5})


async def test_pictures_are_made_and_their_sources_removed(house):
    id = house.put(b"one", b"two", assets=[("sky", b"!")])
    async with house.running(upper):
        await house.ended(id)
        await house.until(lambda: house.files() == house.store.files())
    job = house.store.get(id)
    assert [house.spool.read(item.result.file) for item in job.items] == [b"ONE!", b"TWO!"]
    assert [item.result.report for item in job.items] == [{"confidence": 0.5}] * 2
    assert len(house.files()) == 2
    assert house.store.holders() == []


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (NotAPicture("It is none."), (400, "NotAPicture", "It is none.")),
        (ModelFailed("/secret/path"), (500, "ModelFailed", "The picture could not be processed; please report this.")),
        (ZeroDivisionError("/secret/path"), (500, "Broken", "The picture could not be processed; please report this.")),
    ],
)
async def test_a_picture_that_cannot_be_made_spoils_no_other(house, error, told, caplog):
    async def work(task):
        if task.source == b"bad":
            raise error
        return await upper(task)

    id = house.put(b"bad", b"good")
    async with house.running(work):
        await house.ended(id)
    assert house.states(id) == ("done", ["failed", "done"])
    failure = house.store.get(id).items[0].failure
    assert (failure.status, failure.error, failure.message) == told


@pytest.mark.parametrize("error", [QueueFull("Later.", retry_after=2), Stopped("Not now."), KeysFailed("Away.")])
async def test_what_cannot_be_done_now_is_done_later(house, error):
    tries = []

    async def work(task):
        tries.append(task.claim.attempt)
        if len(tries) == 1:
            raise error
        return await upper(task)

    id = house.put(b"one")
    async with house.running(work):
        await house.until(lambda: len(tries) == 2 or (tries and house.states(id)[1] == ["queued"]))
        house.clock.now += 2
        await house.ended(id)
    assert tries == [1, 1]
    assert house.states(id)[0] == "done"


async def test_nothing_more_is_taken_once_the_work_is_closing(house):
    tries = []

    async def work(task):
        tries.append(task.claim.number)
        raise Closing("The service is about to end.", retry_after=5)

    id = house.put(b"one", b"two", b"three")
    async with house.running(work):
        await house.until(lambda: tries)
        await asyncio.sleep(0.1)
    assert len(tries) <= house.limits.job_workers
    assert house.states(id) == ("running", ["queued"] * 3)
    assert house.store.take("next", alone=False).attempt == 1  # at once, and as if nothing had been


async def test_no_more_than_so_many_at_once(make):
    house, now, most = make(job_workers=2), [], []

    async def work(task):
        now.append(1)
        most.append(len(now))
        await house.until(lambda: 2 in most)
        now.pop()
        return await upper(task)

    ids = [house.put(b"one", b"two", b"three"), house.put(b"four", owner="bob")]
    async with house.running(work):
        await house.ended(*ids)
    assert max(most) == 2


async def test_a_cancelled_job_is_dropped(house):
    begun = asyncio.Event()

    async def work(task):
        begun.set()
        while not await task.gone():
            await asyncio.sleep(0.005)
        with pytest.raises(Stopped):
            task.tell("writing")
        raise Stopped("Gone.")

    id = house.put(b"one")
    async with house.running(work) as runner:
        await begun.wait()
        house.spool.remove(house.store.cancel(id))
        await house.until(lambda: not runner._tasks)
    assert house.store.get(id).state == "cancelled"
    assert house.files() == set()


async def test_what_is_unfinished_at_the_end_is_given_back(make):
    house = make(drain_seconds=1)
    begun = asyncio.Event()

    async def work(task):
        begun.set()
        await asyncio.sleep(100)

    id = house.put(b"one")
    async with house.running(work):
        await begun.wait()
    item = house.store.get(id).items[0]
    assert (item.state, item.attempts) == ("queued", 0)
    assert house.files() == house.store.files()


async def test_what_was_begun_is_finished_at_the_end(house):
    begun = asyncio.Event()

    async def work(task):
        begun.set()
        await asyncio.sleep(0.05)
        return await upper(task)

    id = house.put(b"one", b"two", b"three", b"four")
    async with house.running(work):
        await begun.wait()
    states = house.states(id)[1]
    assert set(states) == {"done", "queued"}  # nothing half-way


async def test_the_claims_of_the_dead_are_taken_over_and_their_leftovers_swept(make, tmp_path):
    dead = make()
    id = dead.put(b"one")
    dead.store.take(dead.spool.writer, alone=True)
    left = dead.spool.write(b"left")
    dead.spool.close()  # the kernel does this when a process dies
    alive = House(tmp_path)
    async with alive.running(upper):
        assert left not in alive.files()
        await alive.ended(id)
    assert alive.store.get(id).items[0].attempts == 2
    alive.store.close()
    alive.spool.close()


async def test_a_suspect_runs_alone(make):
    house = make(job_workers=2)
    suspect, other = house.put(b"suspect"), house.put(b"other", owner="bob")
    house.store.take("dead", alone=True)
    house.store.leave("dead")
    beside = []

    async def work(task):
        if task.source == b"suspect":
            await asyncio.sleep(0.1)
            beside.append(house.states(other)[1])
        return await upper(task)

    async with house.running(work):
        await house.ended(suspect, other)
    assert beside in ([["queued"]], [["done"]])


async def test_a_result_without_room_fails_its_picture(house, monkeypatch):
    def full(data):
        raise NoRoom("Full.")

    id = house.put(b"one")
    monkeypatch.setattr(house.spool, "write", full)
    async with house.running(upper):
        await house.ended(id)
    assert house.store.get(id).items[0].failure.status == 507
    assert house.files() == set()


async def test_a_result_beyond_the_limit_leaves_no_file(make):
    house = make(spool_bytes_per_key=10)

    async def work(task):
        return Made(b"x" * 100, "image/png", {})

    id = house.put(b"one")
    async with house.running(work):
        await house.ended(id)
        await house.until(lambda: not house.files())
    assert house.store.get(id).items[0].failure.error == "TooManyJobs"


async def test_a_store_that_fails_for_a_while_is_asked_again(house, monkeypatch, caplog):
    caplog.set_level(logging.CRITICAL)
    asked = Counter()
    for method in (house.store.take, house.store.failed, house.store.due, house.store.beat):

        def flaky(*given, method=method, **named):
            asked[method.__name__] += 1
            if asked[method.__name__] < 3:
                raise JobsFailed("The disk is away.")
            return method(*given, **named)

        monkeypatch.setattr(house.store, method.__name__, flaky)

    async def work(task):
        raise NotAPicture("It is none.")

    id = house.put(b"one")
    async with house.running(work):
        await house.ended(id)
    assert house.states(id) == ("failed", ["failed"])
    assert asked["take"] >= 3 and asked["failed"] == 3


async def test_retention_is_enforced(house):
    id = house.put(b"one")
    async with house.running(upper):
        await house.ended(id)
        house.clock.now += 900
        await house.until(lambda: house.store.get(id) is None and not house.files())


async def test_a_webhook_is_told_until_it_accepts(house, caplog):
    caplog.set_level(logging.CRITICAL)
    told = []

    async def post(notice):
        told.append(notice.attempt)
        if len(told) < 3:
            raise FetchFailed("503")

    id = house.put(b"one", webhook="https://example.org/")
    async with house.running(upper, post):
        for attempt in (1, 2, 3):
            await house.until(lambda attempt=attempt: len(told) == attempt)
            house.clock.now += 100
        await house.until(lambda: house.store.get(id).posting == "delivered")
    assert told == [1, 2, 3]
