"""A service in two tiers in one process: a Redis, the tier that is asked, and a worker."""

import threading
from contextlib import contextmanager

import pytest

from cleancut.apps.queue.place import Place
from cleancut.apps.queue.run import Worker
from cleancut.apps.scene import scene
from cleancut.limits import ServiceLimits
from cleancut.models.runtime import Engine
from tests import redis
from tests.apps.server.conftest import SECONDS, discs, encoded, serving, until


@pytest.fixture(scope="session")
def server():
    if redis.PROGRAM is None:
        pytest.skip("redis-server is not installed (apt-get install redis-server)")
    with redis.server("--appendfsync", "no") as it:
        yield it


@pytest.fixture(scope="session")
def photo():
    return encoded(scene(96, 120).photo.rgb, quality=92)


@contextmanager
def working(url, storage, load=None, threads=2, models=(), **limits):
    """A worker in a thread of this process."""
    given = ServiceLimits(**limits)
    engine = Engine("auto", given.loaded_bytes, 1, "auto")
    load = load or discs()
    worker = Worker(Place(url, storage, given), engine, load, models, given, threads, "127.0.0.1", 0)
    thread = threading.Thread(target=worker.run, args=([],))
    thread.start()
    try:
        yield worker
    finally:
        worker.ending.asked.set()
        thread.join(SECONDS)
    assert not thread.is_alive()


@pytest.fixture
def storage(tmp_path):
    return str(tmp_path / "depot")


@pytest.fixture
def house(server, storage):
    """`house(limits={…}, …)` gives a client of a tier whose work nobody does yet."""
    with server.client() as client:
        client.flushall()

    @contextmanager
    def house(limits=None, **settings):
        with serving(None, limits, queue=server.url, queue_storage=storage, **settings) as client:
            until(lambda: client.get("/health/ready").status_code == 200)
            yield client

    return house


@pytest.fixture
def work(server, storage):
    return lambda load=None, **more: working(server.url, storage, load, **more)
