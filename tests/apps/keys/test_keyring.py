import asyncio
import logging

import pytest

from cleancut.apps.keys import keyring as module
from cleancut.apps.keys.keyring import Balance, Keyring
from cleancut.apps.keys.nouns import Proof, Use
from cleancut.apps.keys.rates import Rates
from cleancut.apps.keys.store import KeyStore
from cleancut.errors import KeysFailed, OverQuota, QueueFull, TooManyRequests, WrongKey

pytestmark = pytest.mark.anyio
NOON = 1_750_000_000.0  # 2025-06-15


class Clock:
    now = NOON

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def store(tmp_path):
    """What another process, the command line say, has of the same keys."""
    opened = KeyStore(tmp_path / "keys.sqlite")
    yield opened
    opened.close()


@pytest.fixture
async def ring(store, clock):
    opened = Keyring(KeyStore(store.path), Rates(), clock)
    yield opened
    await opened.close()


@pytest.fixture
def hashed(monkeypatch):
    """The secrets that were hashed, in place of scrypt's time."""
    seen = []
    right = Proof.holds

    def holds(self, secret):
        seen.append((self.cost, secret))
        return right(self, secret)

    monkeypatch.setattr(Proof, "holds", holds)
    return seen


async def test_a_key_is_known_by_its_text(store, ring):
    key, text = store.create("shop")
    assert await ring.verified(text) == key


@pytest.mark.parametrize(
    "spoil",
    [lambda text: "", lambda text: text[:-1], lambda text: f"{text[:-1]}{'0' if text[-1] != '0' else '1'}",
     lambda text: f"cc_000000000000{text[15:]}", lambda text: f" {text}", lambda text: text.upper(), lambda text: "é"],
)  # fmt: skip
async def test_another_text_is_refused_in_one_sentence(store, ring, spoil):
    _, text = store.create("shop")
    with pytest.raises(WrongKey) as refused:
        await ring.verified(spoil(text))
    assert str(refused.value) == "The key is unknown, revoked or expired; ask whoever runs this service for one."


async def test_an_unknown_id_costs_what_a_wrong_secret_costs(store, ring, hashed):
    _, text = store.create("shop")
    for wrong in (f"cc_000000000000{text[15:]}", f"{text[:-4]}0000"):
        with pytest.raises(WrongKey):
            await ring.verified(wrong)
    assert len(hashed) == 2
    assert hashed[0][0] == hashed[1][0]


async def test_a_key_is_hashed_once_and_remembered_for_a_while(store, ring, hashed, clock):
    _, text = store.create("shop")
    for _ in range(5):
        await ring.verified(text)
    assert len(hashed) == 1
    clock.now += 601
    await ring.verified(text)
    assert len(hashed) == 2


async def test_a_wrong_key_is_not_remembered_as_a_right_one(store, ring, hashed):
    _, text = store.create("shop")
    for _ in range(2):
        with pytest.raises(WrongKey):
            await ring.verified(f"{text[:-4]}0000")
    assert len(hashed) == 2


async def test_what_another_process_revokes_is_refused_from_the_next_request_on(store, ring):
    key, text = store.create("shop")
    await ring.verified(text)
    store.revoke(key.id)
    with pytest.raises(WrongKey):
        await ring.verified(text)


async def test_what_another_process_forgets_is_refused_too(store, ring):
    key, text = store.create("shop")
    await ring.verified(text)
    store.forget(key.id)
    with pytest.raises(WrongKey):
        await ring.verified(text)


async def test_a_key_expires_while_it_is_remembered(store, ring, clock):
    _, text = store.create("shop", expires=NOON + 10)
    await ring.verified(text)
    clock.now += 10
    with pytest.raises(WrongKey):
        await ring.verified(text)


async def test_no_more_keys_are_remembered_than_fit(store, ring, hashed, monkeypatch):
    monkeypatch.setattr(module, "_REMEMBERED", 2)
    texts = [store.create("shop")[1] for _ in range(3)]
    for text in texts:
        await ring.verified(text)
    await ring.verified(texts[2])
    assert len(hashed) == 3
    await ring.verified(texts[0])
    assert len(hashed) == 4


async def test_a_flood_of_wrong_keys_keeps_no_known_key_waiting(store, ring, monkeypatch):
    monkeypatch.setattr(module, "_WAITING", 2)
    key, text = store.create("shop")
    await ring.verified(text)
    flood = [asyncio.ensure_future(ring.verified(f"cc_{n:012}_{'0' * 48}")) for n in range(20)]
    assert await ring.verified(text) == key
    done = await asyncio.gather(*flood, return_exceptions=True)
    assert {type(error) for error in done} == {WrongKey, QueueFull}


async def test_a_picture_is_charged_and_written_down(store, ring):
    key, _ = store.create("shop", quota=10)
    for seconds in (0.25, 0.5):
        async with ring.charge(key.id, 2.5) as charge:
            charge.network_seconds = seconds
    assert store.usage("0", "9") == {}, "it is written in batches"
    await ring.flush()
    assert store.usage("0", "9") == {(key.id, "2025-06-15"): Use(2, 5.0, 0.75)}
    assert await ring.balance(key.id) == Balance(10, 2)


async def test_a_picture_that_fails_is_not_charged(store, ring):
    key, _ = store.create("shop", quota=1)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            async with ring.charge(key.id, 1):
                raise ZeroDivisionError
    async with ring.charge(key.id, 1):
        pass
    await ring.flush()
    assert store.usage("0", "9") == {(key.id, "2025-06-15"): Use(1, 1.0, 0.0)}
    with pytest.raises(OverQuota, match="1 pictures of this month"):
        async with ring.charge(key.id, 1):
            raise AssertionError("it was let through")


async def test_a_caller_who_leaves_is_not_charged(store, ring):
    key, _ = store.create("shop", quota=1)
    begun = asyncio.Event()

    async def work():
        async with ring.charge(key.id, 1):
            begun.set()
            await asyncio.sleep(60)

    task = asyncio.ensure_future(work())
    await begun.wait()
    assert (await ring.balance(key.id)).spent == 1
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (await ring.balance(key.id)).spent == 0


async def test_a_quota_holds_among_requests_at_once(store, ring):
    key, _ = store.create("shop", quota=3)

    async def one():
        async with ring.charge(key.id, 1):
            await asyncio.sleep(0.01)

    done = await asyncio.gather(*[one() for _ in range(10)], return_exceptions=True)
    assert sum(result is None for result in done) == 3
    assert sum(isinstance(result, OverQuota) for result in done) == 7


async def test_a_new_month_has_a_new_quota(store, ring, clock):
    key, _ = store.create("shop", quota=1)
    async with ring.charge(key.id, 1):
        pass
    clock.now += 31 * 86400
    async with ring.charge(key.id, 1):
        pass
    assert await ring.balance(key.id) == Balance(1, 1)


async def test_a_rate_is_held_before_the_quota_is_touched(store, ring):
    key, _ = store.create("shop", rate=10, quota=10)
    async with ring.charge(key.id, 9.5):
        pass
    with pytest.raises(TooManyRequests):
        async with ring.charge(key.id, 0.1):
            raise AssertionError("it was let through")
    assert await ring.balance(key.id) == Balance(10, 1)
    assert (await ring.window(key.id)).remaining == 0


async def test_without_a_key_nothing_is_charged(store, ring):
    async with ring.charge(None, 1e9) as charge:
        charge.network_seconds = 1e9
    await ring.flush()
    assert (store.usage("0", "9"), await ring.balance(None), await ring.window(None)) == ({}, None, None)


async def test_a_key_that_is_revoked_in_between_is_not_served(store, ring):
    key, _ = store.create("shop")
    store.revoke(key.id)
    with pytest.raises(WrongKey):
        async with ring.charge(key.id, 1):
            raise AssertionError("it was let through")


async def test_use_that_cannot_be_written_is_kept_for_the_next_time(store, ring, monkeypatch, caplog):
    key, _ = store.create("shop")
    async with ring.charge(key.id, 1):
        pass
    wrong = ["full"]

    def add(self, used):
        if wrong:
            raise KeysFailed(wrong.pop())
        real(self, used)

    real = KeyStore.add
    monkeypatch.setattr(KeyStore, "add", add)
    monkeypatch.setattr(module, "_FLUSH_SECONDS", 0.001)
    keeping = asyncio.ensure_future(ring.keep())
    with caplog.at_level(logging.ERROR, "cleancut.keys"):
        while not store.usage("0", "9"):
            await asyncio.sleep(0.005)
    keeping.cancel()
    assert store.usage("0", "9") == {(key.id, "2025-06-15"): Use(1, 1.0, 0.0)}
    assert [record.message for record in caplog.records] == ["What was used is not written down yet: full"]


async def test_a_quota_that_cannot_be_given_back_is_logged(store, ring, monkeypatch, caplog):
    key, _ = store.create("shop")

    def give_back(self, key, month):
        raise KeysFailed("full")

    monkeypatch.setattr(KeyStore, "give_back", give_back)
    with caplog.at_level(logging.ERROR, "cleancut.keys"):
        with pytest.raises(ZeroDivisionError):
            async with ring.charge(key.id, 1):
                raise ZeroDivisionError
        await ring.balance(key.id)  # the same thread, after it
    assert "stays counted to its key's quota: full" in caplog.text


async def test_what_is_left_is_written_down_at_the_end(store):
    key, _ = store.create("shop")
    ring = Keyring(KeyStore(store.path), Rates())
    async with ring.charge(key.id, 3):
        pass
    await ring.close()
    assert [use.megapixels for use in store.usage("0", "9").values()] == [3.0]
