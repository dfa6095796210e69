"""A Redis for the tests of this folder, emptied before each, and one of a test's own to be killed."""

import pytest

from cleancut.jobs.queue.commands import connected
from cleancut.jobs.queue.depot import Depot
from cleancut.jobs.queue.ledger import Ledger
from cleancut.jobs.queue.shared import RedisStore
from tests import redis
from tests.jobs.orders import LIMITS, Clock


@pytest.fixture(scope="session")
def shared_redis():
    if redis.PROGRAM is None:
        pytest.skip("redis-server is not installed (apt-get install redis-server)")
    with redis.server("--appendfsync", "no") as server:
        yield server


@pytest.fixture
def server(shared_redis):
    with shared_redis.client() as client:
        client.flushall()
    return shared_redis


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def depot(tmp_path):
    return Depot(str(tmp_path / "depot"))


@pytest.fixture
def opened(depot):
    """Opens stores over a Redis; closes them."""
    stores = []

    def opened(url, limits=LIMITS, clock=None):
        stores.append(RedisStore(connected(url), limits, Ledger(depot), clock=clock))
        stores[-1].check()
        return stores[-1]

    yield opened
    for store in stores:
        store.close()


@pytest.fixture
def store(server, opened, clock):
    return opened(server.url, clock=clock)
