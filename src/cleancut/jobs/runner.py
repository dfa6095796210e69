"""Take what the store holds, have it made, settle it; sweep, and tell the webhooks. No HTTP in it.

Whoever starts a runner says how a picture is made and how an address is told. Several runners, in one process or in
several, may share a store and a spool.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeAlias, TypeVar

from cleancut.errors import AuditFailed, Broken, Busy, CleancutError, Closing, KeysFailed, Stopped
from cleancut.jobs.spool import Spool
from cleancut.jobs.store import Claim, Failure, JobStore, Notice, Result
from cleancut.limits import ServiceLimits

P = ParamSpec("P")
T = TypeVar("T")

_LOG = logging.getLogger(__name__)

_LATER = (Busy, Stopped, KeysFailed, AuditFailed)
"""What says nothing of the picture: it is put off."""

_POSTS = 8
"""Webhooks that are told at once."""


@dataclass(frozen=True, slots=True)
class Task:
    """One attempt at one picture.

    Attributes:
        claim: whose it is and what is to be done.
        source: the bytes of the picture.
        assets: the bytes of the pictures that the recipe names.
        tell: notes what is being done, from any thread; raises `Stopped` once nobody wants the result.
        gone: tells whether nobody wants it.
    """

    claim: Claim
    source: bytes
    assets: Mapping[str, bytes]
    tell: Callable[[str], None]
    gone: Callable[[], Awaitable[bool]]


@dataclass(frozen=True, slots=True)
class Made:
    """A finished picture: its bytes, their type and what is told of it, as plain data."""

    data: bytes
    media_type: str
    report: Mapping[str, Any]


Work: TypeAlias = Callable[[Task], Awaitable[Made]]
Post: TypeAlias = Callable[[Notice], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds between two looks, where nobody says that there is something to see."""

    look: float = 0.5
    sweep: float = 5.0
    retry: float = 1.0


class Runner:
    """Works on the jobs of a store until it is told to stop.

    Args:
        store: where jobs are written down.
        spool: where their pictures lie.
        work: makes one picture; what it raises settles the picture, but for what says only that now is not the time.
        post: tells an address that a job has ended; raises where it was not accepted.
        limits: `job_workers`, `job_lease` and `drain_seconds` count.
        pace: how often it looks.
    """

    def __init__(
        self, store: JobStore, spool: Spool, work: Work, post: Post, limits: ServiceLimits, pace: Pace | None = None
    ) -> None:
        self._store, self._spool, self._work, self._post = store, spool, work, post
        self._limits = limits
        self._pace = pace or Pace()
        self._stopping = False
        self._closing = False  # what does the work is about to end and takes no more
        self._wakes: list[asyncio.Event] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._posts: set[asyncio.Task[None]] = set()
        self._alone = False

    def wake(self) -> None:
        """Say that there may be something to do."""
        for event in self._wakes:
            event.set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Work on jobs meanwhile; at the end finish what was begun, as far as `drain_seconds` allow."""
        await asyncio.to_thread(self.sweep)  # before anything else: what a crash left must not outlive the start
        sweep = min(self._pace.sweep, self._limits.job_retention / 4)
        steps = ((self._take, self._pace.look), (self._tell, self._pace.look), (self._sweep, sweep))
        loops = [asyncio.create_task(self._repeat(step, pause)) for step, pause in steps]
        beating = asyncio.create_task(self._beat())
        try:
            yield
        finally:
            await self._stop(loops, beating)

    def sweep(self) -> None:
        """Enforce retention, take the claims of dead processes back and remove what they left."""
        for holder in self._store.holders():
            if self._spool.is_gone(holder):
                self._store.leave(holder)
        self._spool.remove(self._store.expired())
        self._spool.sweep(self._store.files())

    async def _repeat(self, step: Callable[[], Awaitable[bool]], pause: float) -> None:
        """Repeat a step until the end, at once where it says that there is more; a failure is told and survived."""
        wake = asyncio.Event()
        self._wakes.append(wake)
        while not self._stopping:
            wake.clear()
            try:
                if await step():
                    continue
            except Exception:  # noqa: BLE001 - the store may fail for a while; the loop must outlive that
                _LOG.exception("jobs: a step failed; it is repeated")
            with suppress(TimeoutError):
                await asyncio.wait_for(wake.wait(), pause)

    async def _take(self) -> bool:
        """Begin the picture that is next, if a worker is free; tell whether to look again at once."""
        if self._closing or self._alone or len(self._tasks) >= self._limits.job_workers:
            return False
        claim = await asyncio.to_thread(self._store.take, self._spool.writer, alone=not self._tasks)
        if claim is None:
            return False
        self._alone = claim.attempt > 1
        task = asyncio.create_task(self._attempt(claim))
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return True

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._alone = False
        self.wake()

    async def _attempt(self, claim: Claim) -> None:
        """Make one picture and settle it; where the process is about to end, give it back."""
        try:
            outcome = await self._made(claim)
        except Closing:
            self._closing = True
            await self._insist(self._store.back, claim)
            return
        except _LATER as error:
            await self._insist(self._store.back, claim, float(getattr(error, "retry_after", self._pace.retry)))
            return
        except asyncio.CancelledError:
            await self._insist(self._store.back, claim)
            raise
        await self._settle(claim, outcome)

    async def _made(self, claim: Claim) -> Made | Failure:
        """Make one picture, or say why there is none.

        Raises:
            Busy, Stopped, KeysFailed, AuditFailed: not now.
        """

        def tell(stage: str) -> None:
            if not _still(self._store.stage, claim, stage):
                raise Stopped("Nobody waits for the picture any more.")

        async def gone() -> bool:
            return not await asyncio.to_thread(_still, self._store.holds, claim)

        try:
            source, *assets = await asyncio.to_thread(self._read, claim)
            named = {stored.name: data for stored, data in zip(claim.assets, assets, strict=True)}
            return await self._work(Task(claim, source, named, tell, gone))
        except _LATER:
            raise
        except CleancutError as error:
            return failure(error)
        except Exception:  # noqa: BLE001 - a picture that fails in an unknown way must not be tried for ever
            _LOG.exception("jobs: a picture failed")
            return failure(Broken("The picture failed in an unknown way."))

    def _read(self, claim: Claim) -> list[bytes]:
        return [self._spool.read(stored.file) for stored in (claim.source, *claim.assets)]

    async def _settle(self, claim: Claim, outcome: Made | Failure) -> None:
        if isinstance(outcome, Made):
            try:
                freed = await asyncio.to_thread(self._keep, claim, outcome)
            except CleancutError as error:
                outcome = failure(error)
        if isinstance(outcome, Failure):
            freed = await self._insist(self._store.failed, claim, outcome)
        await asyncio.to_thread(self._spool.remove, freed)

    def _keep(self, claim: Claim, made: Made) -> tuple[str, ...]:
        """Write a result and note it; where the one succeeds and the other fails, neither was done."""
        file = self._spool.write(made.data)
        try:
            return self._store.done(claim, Result(file, len(made.data), made.media_type, made.report))
        except BaseException:
            self._spool.remove([file])
            raise

    async def _insist(self, act: Callable[P, T], *given: P.args, **named: P.kwargs) -> T:
        """Do what must be done though the store fails for a while: what it holds would be held for ever."""
        while True:
            try:
                return await asyncio.to_thread(act, *given, **named)
            except CleancutError:
                if self._stopping:
                    raise
                _LOG.exception("jobs: the store failed; it is asked again")
                await asyncio.sleep(self._pace.retry)

    async def _beat(self) -> None:
        """Hold on to what was claimed, to the very end."""
        while True:
            try:
                await asyncio.to_thread(self._store.beat, self._spool.writer)
            except CleancutError:
                _LOG.exception("jobs: the lease was not prolonged; it is tried again")
            await asyncio.sleep(self._limits.job_lease / 4)

    async def _sweep(self) -> bool:
        await asyncio.to_thread(self.sweep)
        return False

    async def _tell(self) -> bool:
        """Tell an address that is due; tell whether to look again at once."""
        if len(self._posts) >= _POSTS:
            return False
        notice = await asyncio.to_thread(self._store.due)
        if notice is None:
            return False
        task = asyncio.create_task(self._told(notice))
        self._posts.add(task)
        task.add_done_callback(self._posts.discard)
        return True

    async def _told(self, notice: Notice) -> None:
        try:
            await self._post(notice)
        except CleancutError as error:
            _LOG.warning("jobs: a webhook was not delivered (%s, attempt %d)", type(error).__name__, notice.attempt)
            return
        await self._insist(self._store.delivered, notice)

    async def _stop(self, loops: list[asyncio.Task[None]], beating: asyncio.Task[None]) -> None:
        self._stopping = True
        self.wake()
        await asyncio.gather(*loops)  # not cancelled: what is claimed in a thread would be lost
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=self._limits.drain_seconds)
        left = [*self._tasks, *self._posts, beating]
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        await asyncio.to_thread(self._store.leave, self._spool.writer)


def failure(error: CleancutError) -> Failure:
    """Write down an error as a stranger may read it."""
    return Failure(error.http_status, type(error).__name__, error.public)


def _still(ask: Callable[P, bool], *given: P.args, **named: P.kwargs) -> bool:
    """Ask the store whether a claim is good; where it cannot say, the picture is put off and not failed."""
    try:
        return ask(*given, **named)
    except CleancutError as error:
        raise Stopped("The job store cannot be asked.") from error
