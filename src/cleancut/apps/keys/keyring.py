"""`Keyring`: what a service asks of keys, without ever waiting on its event loop.

A key is proved by scrypt once, and remembered for a while: what is remembered is that this text proved that hash, so
its row (revoked? expired? which scopes?) is read anew at every request, and what another process changes counts from
the next one on. What was used is written down in batches; quotas are counted at once.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import secrets
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

from cleancut.apps.keys.nouns import NOBODY, Key, Proof, Use, cost, day, parts
from cleancut.apps.keys.rates import Rates, Window
from cleancut.apps.keys.store import KeyStore
from cleancut.errors import KeysFailed, OverQuota, QueueFull, WrongKey

T = TypeVar("T")

_REMEMBERED = 1_000
_REMEMBERED_SECONDS = 600
_WAITING = 32
_FLUSH_SECONDS = 5.0

_log = logging.getLogger("cleancut.keys")


@dataclass(slots=True)
class Charge:
    """What a piece of work costs a key; whoever does the work notes how long networks ran for it."""

    network_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Balance:
    """What is left of a key's quota.

    Attributes:
        quota: pictures a month; None is without limit.
        spent: pictures of this month so far.
    """

    quota: int | None
    spent: int


class Keyring:
    """The keys of one service.

    Args:
        store: of the keys; the keyring closes it.
        rates: counts how fast they are used.
        clock: seconds since the epoch.
    """

    def __init__(self, store: KeyStore, rates: Rates, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._rates = rates
        self._clock = clock
        self._pepper = secrets.token_bytes(32)
        self._proved: OrderedDict[bytes, tuple[Proof, float]] = OrderedDict()
        self._used: dict[tuple[str, str], Use] = {}
        self._disk = ThreadPoolExecutor(1, thread_name_prefix="cleancut-keys")
        self._hashing = ThreadPoolExecutor(1, thread_name_prefix="cleancut-hashing")
        self._hashed = 0

    async def verified(self, text: str) -> Key:
        """Give the key whose text this is.

        Raises:
            WrongKey: it is unknown, revoked or expired.
            QueueFull: too many unproved keys are being hashed.
            KeysFailed: the file of keys cannot be read.
        """
        wrong = WrongKey("The key is unknown, revoked or expired; ask whoever runs this service for one.")
        if (named := parts(text)) is None:
            raise wrong
        found = await self._on(self._disk, self._store.find, named[0])
        key, proof = found or (None, NOBODY)
        if not await self._proves(text, named[1], proof) or key is None or key.state(self._clock()) != "good":
            raise wrong
        return key

    @asynccontextmanager
    async def charge(self, key_id: str | None, megapixels: float, *, again: bool = False) -> AsyncIterator[Charge]:
        """Charge a key for one picture: its rate before, its quota unless the work fails, and what it used after.

        Args:
            key_id: of a key that was verified; without one nothing is charged.
            megapixels: of the source.
            again: this picture was charged before and is only written anew: its rate counts, its quota does not.

        Raises:
            TooManyRequests: the key's rate is used up.
            OverQuota: its quota is.
            WrongKey: it was revoked or forgotten meanwhile.
            KeysFailed: there is no counting.
        """
        charge = Charge()
        if key_id is None:
            yield charge
            return
        key = await self._good(key_id)
        await self._rates.spend(key.id, key.rate, cost(megapixels))
        if again:
            yield charge
            return
        month = day(self._clock())[:7]
        if not await self._on(self._disk, self._store.spend, key, month):
            raise OverQuota(f"This key's {key.quota} pictures of this month are used up.")
        try:
            yield charge
        except BaseException:
            # Not awaited, as what is cancelled cannot wait; the thread does it in turn.
            self._disk.submit(self._store.give_back, key.id, month).add_done_callback(_lamented)
            raise
        at = (key.id, day(self._clock()))
        self._used[at] = self._used.get(at, Use()) + Use(1, megapixels, charge.network_seconds)

    async def window(self, key_id: str | None) -> Window | None:
        """Tell what a key has left of its minute; None without a key or a rate.

        Raises:
            WrongKey, KeysFailed: as `charge` says.
        """
        return None if key_id is None else await self._rates.window(key_id, (await self._good(key_id)).rate)

    async def balance(self, key_id: str | None) -> Balance | None:
        """Tell what a key has left of its month; None without a key.

        Raises:
            WrongKey, KeysFailed: as `charge` says.
        """
        if key_id is None:
            return None
        key = await self._good(key_id)
        return Balance(key.quota, await self._on(self._disk, self._store.spent, key.id, day(self._clock())[:7]))

    async def flush(self) -> None:
        """Write down what was used. Where that fails it is kept, and goes with the next.

        Raises:
            KeysFailed: the file of keys cannot be written.
        """
        used, self._used = self._used, {}
        if not used:
            return
        try:
            await self._on(self._disk, self._store.add, used)
        except BaseException:
            for at, use in used.items():
                self._used[at] = self._used.get(at, Use()) + use
            raise

    async def keep(self) -> None:
        """Write down what was used every few seconds, until cancelled."""
        while True:
            await asyncio.sleep(_FLUSH_SECONDS)
            try:
                await self.flush()
            except KeysFailed as error:
                _log.error("What was used is not written down yet: %s", error)

    async def close(self) -> None:
        """Write down what is left, and close the file.

        Raises:
            KeysFailed: the file of keys cannot be written.
        """
        try:
            await self.flush()
        finally:
            await self._rates.close()
            await self._on(self._disk, self._store.close)
            self._disk.shutdown()
            self._hashing.shutdown(wait=False, cancel_futures=True)

    async def _good(self, key_id: str) -> Key:
        found = await self._on(self._disk, self._store.find, key_id)
        if found is None or found[0].state(self._clock()) != "good":
            raise WrongKey("The key was revoked or has expired meanwhile.")
        return found[0]

    async def _proves(self, text: str, secret: str, proof: Proof) -> bool:
        """Tell whether a secret is the one of a proof; what was proved a moment ago is not hashed again."""
        mark = hashlib.blake2b(text.encode(), key=self._pepper, digest_size=32).digest()
        known = self._proved.get(mark)
        if known and known[0] == proof and known[1] > self._clock():
            self._proved.move_to_end(mark)
            return True
        if self._hashed >= _WAITING:
            raise QueueFull("Too many keys are being checked; try again in a moment.")
        self._hashed += 1
        try:
            right = await self._on(self._hashing, proof.holds, secret)
        finally:
            self._hashed -= 1
        if right:
            self._proved[mark] = (proof, self._clock() + _REMEMBERED_SECONDS)
            if len(self._proved) > _REMEMBERED:
                self._proved.popitem(last=False)
        return right

    async def _on(self, threads: ThreadPoolExecutor, work: Callable[..., T], *values: object) -> T:
        return await asyncio.get_running_loop().run_in_executor(threads, work, *values)


def _lamented(done: Future[None]) -> None:
    """Log what failed where nobody waits for it."""
    if not done.cancelled() and (error := done.exception()):
        _log.error("A picture that failed stays counted to its key's quota: %s", error)
