"""Where jobs are handed in and asked for: the store, the spool, what works on them and what tells of them."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, ExitStack, asynccontextmanager, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any, Protocol

from cleancut.apps.server.jobs.webhooks import Webhooks
from cleancut.apps.server.service import MEDIA_TYPES, Caller, Service
from cleancut.errors import NoSuchJob, QueueFull
from cleancut.jobs.runner import Made, Runner, Task
from cleancut.jobs.spool import Spool
from cleancut.jobs.sqlite import SqliteStore
from cleancut.jobs.store import Claim, Job, JobStore, Notice, Order, Result, Stored
from cleancut.matting import recipe as recipes
from cleancut.matting.cutout import Cutout
from cleancut.matting.write import encoded
from cleancut.models.folder import home
from cleancut.types import Recipe

_SECRET = "webhook-secret"


@dataclass(frozen=True, slots=True, eq=False)
class Wanted:
    """A job as it was sent, its pictures still in memory.

    Attributes:
        owner: id of the caller's key; "" without one.
        pictures: (name, bytes) of what is to be cut.
        recipe: what to do.
        assets: the pictures that the recipe names.
        webhook: the address to tell.
        key: the Idempotency-Key.
    """

    owner: str
    pictures: Sequence[tuple[str, bytes]]
    recipe: Recipe
    assets: Mapping[str, bytes]
    webhook: str | None
    key: str | None

    @property
    def bytes(self) -> int:
        """What it would take in the spool."""
        return sum(len(data) for _, data in (*self.pictures, *self.assets.items()))

    def fingerprint(self) -> str:
        """Give the sha256 of all that was asked."""
        asked = {
            "recipe": recipes.to_json(self.recipe),
            "pictures": [(name, hashlib.sha256(data).hexdigest()) for name, data in self.pictures],
            "assets": {name: hashlib.sha256(data).hexdigest() for name, data in self.assets.items()},
            "webhook": self.webhook,
        }
        return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()


class Files(Protocol):
    """Where pictures of jobs lie; `Spool` says what each method does."""

    def write(self, data: bytes) -> str:
        """Write a file; give its name."""

    def open(self, name: str) -> IO[bytes]:
        """Open a file."""

    def remove(self, names: Iterable[str]) -> None:
        """Remove files."""


class Running(Protocol):
    """What sees to jobs as long as the service runs."""

    def wake(self) -> None:
        """Say that there may be something to do."""

    def running(self) -> AbstractAsyncContextManager[None]:
        """See to jobs meanwhile."""


class Desk:
    """Takes jobs and gives them out.

    Attributes:
        store: where they are written down.
        spool: where their pictures lie.
        webhooks: tells addresses.
        runner: works on them, or sees that others do; made once the rest is there.
    """

    def __init__(
        self,
        service: Service,
        store: JobStore,
        spool: Files,
        webhooks: Webhooks,
        runner: Callable[[Desk], Running],
    ) -> None:
        self.store, self.spool, self.webhooks = store, spool, webhooks
        self._service, self.limits = service, service.limits
        self._watching = 0
        self.runner = runner(self)

    async def accepted(self, wanted: Wanted) -> tuple[Job, bool]:
        """Do what `accept` does, in a thread."""
        return await asyncio.to_thread(self.accept, wanted)

    def accept(self, wanted: Wanted) -> tuple[Job, bool]:
        """Write a job down; give it, and whether it is new. It is either there as a whole or not at all.

        Raises:
            KeyReused: the key came before with another job.
            TooManyJobs, NoRoom: there is no room for it.
        """
        fingerprint = wanted.fingerprint()
        if wanted.key and (known := self.store.known(wanted.owner, wanted.key, fingerprint)):
            return known, False
        self.store.check_room(wanted.owner, wanted.bytes)
        with self._spooled(wanted) as (pictures, assets):
            job, new = self.store.put(self._order(wanted, pictures, assets, fingerprint))
        if not new:  # the same order came twice at once
            self.spool.remove(stored.file for stored in (*pictures, *assets))
        return job, new

    def find(self, id: str, owner: str) -> Job:
        """Give a job to its owner.

        Raises:
            NoSuchJob: there is none, or it is somebody else's, which is not told apart.
        """
        job = self.store.get(id)
        if job is None or job.owner != owner:
            raise NoSuchJob("There is no such job; it may have expired.")
        return job

    def cancel(self, id: str, owner: str) -> None:
        """End a job and wipe it.

        Raises:
            NoSuchJob: as `find` says.
        """
        self.spool.remove(self.store.cancel(self.find(id, owner).id))

    def results(self, wanted: Iterable[Result]) -> list[IO[bytes]]:
        """Open the files of results; from now on they may be wiped, and are read to their end nevertheless.

        Raises:
            NoSuchJob: they have just been wiped.
        """
        with ExitStack() as opened:
            try:
                streams = [opened.enter_context(self.spool.open(result.file)) for result in wanted]
            except FileNotFoundError:
                raise NoSuchJob("There is no such job; it has just expired.") from None
            opened.pop_all()
            return streams

    def check_watchers(self) -> None:
        """Refuse one more who follows a job.

        Raises:
            QueueFull: as many do as may.
        """
        if self._watching >= self._service.limits.jobs_watched:
            raise QueueFull("Too many callers follow their jobs; ask for the job itself instead.", retry_after=5)

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Count one who follows a job."""
        self._watching += 1
        try:
            yield
        finally:
            self._watching -= 1

    @contextmanager
    def _spooled(self, wanted: Wanted) -> Iterator[tuple[list[Stored], list[Stored]]]:
        """Write the pictures of a job to the spool; whatever fails, none of them stays."""
        written: list[str] = []

        def stored(name: str, data: bytes) -> Stored:
            written.append(self.spool.write(data))
            return Stored(name, written[-1], len(data))

        try:
            yield (
                [stored(name, data) for name, data in wanted.pictures],
                [stored(name, data) for name, data in wanted.assets.items()],
            )
        except BaseException:
            self.spool.remove(written)
            raise

    def _order(self, wanted: Wanted, pictures: Sequence[Stored], assets: Sequence[Stored], fingerprint: str) -> Order:
        recipe = recipes.to_json(wanted.recipe)
        return Order(wanted.owner, recipe, pictures, assets, wanted.webhook, wanted.key, fingerprint)

    async def posted(self, notice: Notice) -> None:
        """Tell an address that a job has ended; raises where it was not accepted."""
        await self.webhooks.post(notice)

    async def made(self, task: Task) -> Made:
        """Make one picture on the road of every request, behind those who wait for an answer."""
        claim = task.claim

        def finish(cutout: Cutout) -> Made:
            task.tell("writing")
            data = encoded(cutout)
            return Made(data, MEDIA_TYPES[cutout.recipe.format or "png"], _report(cutout))

        return await self._service.run(
            task.source,
            recipes.from_json(claim.recipe),
            finish,
            _on_behalf(claim),
            assets=task.assets,
            name=claim.source.name,
            gone=task.gone,
            background=True,
            begun=lambda: task.tell("cutting"),
        )


def _on_behalf(claim: Claim) -> Caller:
    """Say for whom a picture is made; a job's whole id opens it where there are no keys, so logs hold a part."""
    return Caller(claim.owner or None, "job", frozenset({"jobs"}), f"job-{claim.job[:8]}-{claim.number}")


def _report(cutout: Cutout) -> dict[str, Any]:
    """Tell of a result; its name is the item's."""
    return {name: value for name, value in asdict(cutout.report).items() if name != "name"}


@asynccontextmanager
async def opened(service: Service) -> AsyncIterator[Desk]:
    """Open the desk, work on what is there, and close it.

    Raises:
        CannotWrite, JobsFailed: the folder of jobs cannot be used.
    """
    if service.tier is not None:
        from cleancut.apps.queue.desk import queued  # noqa: PLC0415 - of an extra

        async with queued(service, service.tier) as desk:
            yield desk
        return
    spool, store, webhooks = await asyncio.to_thread(_parts, service)
    try:
        desk = Desk(service, store, spool, webhooks, lambda desk: _runner(desk, spool))
        async with desk.runner.running():
            yield desk
    finally:
        await asyncio.to_thread(store.close)
        await asyncio.to_thread(spool.close)


def _runner(desk: Desk, spool: Spool) -> Runner:
    return Runner(desk.store, spool, desk.made, desk.posted, desk.limits)


def _parts(service: Service) -> tuple[Spool, SqliteStore, Webhooks]:
    settings, limits = service.settings, service.limits
    root = Path(settings.spool) if settings.spool else home() / "jobs"
    spool = Spool(root, spare=limits.spool_spare)
    try:
        store = SqliteStore(root / "jobs.sqlite3", limits)
        given = settings.webhook_secret
        secret = given.get_secret_value().encode() if given else spool.secret(_SECRET)
    except BaseException:
        spool.close()
        raise
    return spool, store, Webhooks(secret, service.fetcher)
