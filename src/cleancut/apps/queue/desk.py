"""The desk of a service in two tiers: jobs are written down for workers, and addresses are told here."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import anyio.to_thread

from cleancut.apps.queue.tier import Tier
from cleancut.apps.server.jobs.desk import Desk, Wanted
from cleancut.apps.server.jobs.webhooks import Webhooks
from cleancut.apps.server.service import Service
from cleancut.errors import CleancutError
from cleancut.jobs.queue.orders import Handed
from cleancut.jobs.store import Job, JobStore, Notice, Stored
from cleancut.pictures import images

_LOG = logging.getLogger(__name__)

_LOOK = 0.5
_AT_ONCE = 8


class Telling:
    """Tells the webhooks that are due; the work is done elsewhere.

    Args:
        store: where jobs are written down.
        webhooks: tells addresses.
    """

    def __init__(self, store: JobStore, webhooks: Webhooks) -> None:
        self._store, self._webhooks = store, webhooks
        self._posts: set[asyncio.Task[None]] = set()

    def wake(self) -> None:
        """Do nothing: workers are woken by the turns that a job sends."""

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Tell meanwhile."""
        telling = asyncio.create_task(self._tell())
        try:
            yield
        finally:
            left = [telling, *self._posts]
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)

    async def _tell(self) -> None:
        while True:
            try:
                notice = await asyncio.to_thread(self._store.due) if len(self._posts) < _AT_ONCE else None
            except CleancutError as error:
                _LOG.warning("jobs: webhooks are not looked up (%s)", error)
                notice = None
            if notice is None:
                await asyncio.sleep(_LOOK)
                continue
            task = asyncio.create_task(self._told(notice))
            self._posts.add(task)
            task.add_done_callback(self._posts.discard)

    async def _told(self, notice: Notice) -> None:
        try:
            await asyncio.to_thread(self._webhooks.secret, notice.job)  # it may have to be fetched
            await self._webhooks.post(notice)
            await asyncio.to_thread(self._store.delivered, notice)
        except CleancutError as error:
            _LOG.warning("jobs: a webhook was not delivered (%s, attempt %d)", type(error).__name__, notice.attempt)


class _Webhooks(Webhooks):
    """Signs with what every process of the tier signs with; asked for when it is needed, as the queue may be away."""

    def __init__(self, service: Service, tier: Tier) -> None:
        given = service.settings.webhook_secret
        super().__init__(given.get_secret_value().encode() if given else b"", service.fetcher)
        self._tier = tier

    def secret(self, job: Job) -> bytes:
        """Give the 32 bytes that a job's webhook is signed with."""
        self._secret = self._secret or self._tier.place.secret()
        return super().secret(job)


class _Known(Exception):
    """A job that was there before: what was charged for it is given back."""

    def __init__(self, job: Job) -> None:
        self.job = job


class QueuedDesk(Desk):
    """Takes jobs for workers, and gives them out.

    A key is charged for a job's pictures when it is taken: workers know no keys.
    """

    def __init__(self, service: Service, tier: Tier, webhooks: Webhooks) -> None:
        store = tier.place.store
        super().__init__(service, store, tier.place.depot, webhooks, lambda _: Telling(store, webhooks))
        self._tier = tier

    async def accepted(self, wanted: Wanted) -> tuple[Job, bool]:
        """Charge for a job and take it; one that is known costs nothing.

        Raises:
            TooManyRequests, OverQuota: the key's rate or quota is used up.
            Whatever `accept` raises.
        """
        service, owner = self._service, wanted.owner
        if wanted.key:
            known = await asyncio.to_thread(self.store.known, owner, wanted.key, wanted.fingerprint())
            if known:
                return known, False
        try:
            async with AsyncExitStack() as stack:
                lines = []
                for name, data in wanted.pictures:
                    entered = service.audit.line(owner, "job", data, wanted.recipe, name)
                    lines.append(await stack.enter_async_context(entered))
                    if service.keys is not None:
                        pixels = await anyio.to_thread.run_sync(pixels_of, data, service)
                        await stack.enter_async_context(service.keys.charge(owner or None, pixels / 1e6))
                job, new = await super().accepted(wanted)
                if not new:
                    raise _Known(job)
                for line in lines:
                    await service.audit.done(line, "queued")
        except _Known as known:
            return known.job, False
        return job, new

    def accept(self, wanted: Wanted) -> tuple[Job, bool]:
        """Write a job down and wake workers."""
        job, new = super().accept(wanted)
        if new:
            self._tier.send(len(wanted.pictures))
        return job, new

    def _order(self, wanted: Wanted, pictures: Sequence[Stored], assets: Sequence[Stored], fingerprint: str) -> Handed:
        plain = super()._order(wanted, pictures, assets, fingerprint)
        sources = [data for _, data in wanted.pictures]
        return Handed(
            owner=plain.owner,
            recipe=plain.recipe,
            pictures=plain.pictures,
            assets=plain.assets,
            webhook=plain.webhook,
            key=plain.key,
            fingerprint=plain.fingerprint,
            pixels=[pixels_of(data, self._service) for data in sources],
            made=[
                self._service.result_key(wanted.owner or None, data, wanted.recipe, wanted.assets) for data in sources
            ],
        )


def pixels_of(data: bytes, service: Service) -> int:
    """Give the pixels of a picture as its header says; 0 where it cannot be read, which its worker will say."""
    with suppress(CleancutError):
        width, height = images.header(data, limits=service.limits).size
        return width * height
    return 0


@asynccontextmanager
async def queued(service: Service, tier: Tier) -> AsyncIterator[Desk]:
    """Open the desk of a service in two tiers."""
    desk = QueuedDesk(service, tier, _Webhooks(service, tier))
    async with desk.runner.running():
        yield desk
