import asyncio
import sys
import time

import pytest

from cleancut.apps.keys.rates import Rates
from cleancut.errors import BadSetting, KeysFailed, TooManyRequests
from tests.apps.keys.redis import redis

pytestmark = pytest.mark.anyio


async def test_megapixels_are_counted_and_no_more_are_let_through():
    rates = Rates()
    for cost in (10, 10, 5):
        await rates.spend("a", 25, cost)
    with pytest.raises(TooManyRequests, match="25 megapixels a minute") as refused:
        await rates.spend("a", 25, 1)
    assert 1 <= refused.value.retry_after <= 60
    await rates.spend("b", 25, 1)


async def test_what_is_refused_costs_nothing():
    rates = Rates()
    await rates.spend("a", 25, 20)
    for _ in range(5):
        with pytest.raises(TooManyRequests):
            await rates.spend("a", 25, 6)
    await rates.spend("a", 25, 5)


async def test_a_burst_waits_until_it_is_a_minute_old():
    rates = Rates()
    await rates.spend("a", 10, 10)
    with pytest.raises(TooManyRequests) as refused:
        await rates.spend("a", 10, 1)
    assert 50 <= refused.value.retry_after <= 60


async def test_a_picture_larger_than_the_rate_takes_the_minute_whole():
    rates = Rates()
    await rates.spend("a", 25, 100)
    with pytest.raises(TooManyRequests):
        await rates.spend("a", 25, 1)
    with pytest.raises(TooManyRequests):
        await rates.spend("a", 25, 100)


async def test_without_a_rate_nothing_is_counted():
    rates = Rates()
    for _ in range(3):
        await rates.spend("a", None, 1_000_000)
    assert await rates.window("a", None) is None


async def test_what_is_left_of_the_minute_is_told():
    rates = Rates()
    fresh = await rates.window("a", 25)
    await rates.spend("a", 25, 10)
    begun = await rates.window("a", 25)
    assert (fresh.limit, fresh.remaining, begun.remaining) == (25, 25, 15)
    assert abs(fresh.reset - time.time()) < 10
    assert 50 < begun.reset - time.time() < 65


async def test_no_more_than_the_rate_is_let_through_at_once():
    rates = Rates()
    done = await asyncio.gather(*[rates.spend("a", 10, 1) for _ in range(30)], return_exceptions=True)
    assert sum(result is None for result in done) == 10


async def test_services_share_their_counters_through_redis():
    async with redis() as (counters, address):
        one, other = Rates(address), Rates(address)
        await one.spend("a", 10, 6)
        await other.spend("a", 10, 4)
        with pytest.raises(TooManyRequests) as refused:
            await one.spend("a", 10, 1)
        assert 50 <= refused.value.retry_after <= 60
        assert (await other.window("a", 10)).remaining == 0
        counters.pass_time(61)
        await other.spend("a", 10, 10)
        await one.close()
        await other.close()


async def test_a_redis_that_is_not_there_refuses_in_a_sentence():
    async with redis() as (_, address):
        pass
    rates = Rates(address)
    with pytest.raises(KeysFailed, match="Redis") as failed:
        await rates.spend("a", 10, 1)
    with pytest.raises(KeysFailed):
        await rates.window("a", 10)
    assert "127.0.0.1" not in failed.value.public
    await rates.close()


@pytest.mark.parametrize("address", ["", "http://127.0.0.1/", "memory://", "redis://h:port/", "redis+cluster://h"])
async def test_an_address_that_is_no_redis_is_refused_at_the_start(address):
    with pytest.raises(BadSetting, match="CLEANCUT_REDIS_URL"):
        Rates(address)


async def test_redis_without_its_package_is_told_at_the_start(monkeypatch):
    monkeypatch.setitem(sys.modules, "redis.asyncio", None)
    with pytest.raises(BadSetting, match=r"cleancut\[redis\]"):
        Rates("redis://127.0.0.1/")
