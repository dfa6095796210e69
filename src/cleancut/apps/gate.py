"""Admission: a waiting room, workers, a deadline, and turns between keys. No HTTP in it.

Work is a function that computes, run in a thread. It gets `check`, which it calls between steps and which raises once
the work is no longer wanted: the deadline has passed, or whoever asked has left.

>>> async def twice() -> tuple[int, int]:
...     gate = Gate(ServiceLimits(workers=1))
...     return await gate.run(lambda check: 1), await gate.run(lambda check: 2, key="k7")
>>> asyncio.run(twice())
(1, 2)
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from cleancut.errors import CleancutError, Closing, Deadline, QueueFull, Stopped
from cleancut.limits import ServiceLimits

T = TypeVar("T")

Check = Callable[[], None]
"""Raises once the work is no longer wanted; any thread may call it."""

_BACKGROUND_TURN = 8
"""One start in this many goes to what runs in the background, so that it is slow under load and never stands still."""

_POLL_SECONDS = 0.25
"""How often it is asked whether a caller has left."""

_NEWEST = 0.2
"""Weight of the work that ended last in what work is expected to take."""


@dataclass(slots=True, eq=False)
class _Ticket(Generic[T]):
    """Work that was admitted."""

    work: Callable[[Check], T]
    key: str
    megapixels: float
    ends: float
    answer: asyncio.Future[T]
    entered: float = field(default_factory=time.monotonic)
    why: CleancutError | None = None

    def check(self) -> None:
        if self.why is not None:
            raise self.why
        if time.monotonic() > self.ends:
            raise _late()

    def run(self) -> T:
        self.check()
        return self.work(self.check)

    def turn_away(self, why: CleancutError) -> None:
        self.why = why
        if not self.answer.done():
            self.answer.set_exception(why)


class _Room:
    """Those that wait, a queue a key; keys take turns."""

    def __init__(self) -> None:
        self._queues: OrderedDict[str, deque[_Ticket[Any]]] = OrderedDict()
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[_Ticket[Any]]:
        return (ticket for queue in list(self._queues.values()) for ticket in list(queue))

    def add(self, ticket: _Ticket[Any]) -> None:
        self._queues.setdefault(ticket.key, deque()).append(ticket)
        self._count += 1

    def next(self) -> _Ticket[Any]:
        return next(iter(self._queues.values()))[0]

    def take(self) -> None:
        """Remove the next one; its key is last in turn from now on."""
        key, queue = self._queues.popitem(last=False)
        queue.popleft()
        self._count -= 1
        if queue:
            self._queues[key] = queue

    def drop(self, ticket: _Ticket[Any]) -> None:
        """Remove one that waits no more; one that is not here was started."""
        queue = self._queues.get(ticket.key, deque())
        if ticket in queue:
            queue.remove(ticket)
            self._count -= 1
        if not queue:
            self._queues.pop(ticket.key, None)

    def greediest(self, key: str) -> _Ticket[Any] | None:
        """Give the last in the longest queue, if `key` would still have fewer than that after one more."""
        longest = max(self._queues.values(), key=len, default=deque[_Ticket[Any]]())
        return longest[-1] if len(longest) > len(self._queues.get(key, ())) + 1 else None


class Gate:
    """Lets so much work in and runs so much at once. It belongs to the event loop it is first used on.

    Args:
        limits: `workers`, `waiting`, `deadline` and `max_megapixels` count.

    Attributes:
        busy: workers at work.
        megapixels: that they work on.
        closing: whether new work is refused.
    """

    def __init__(self, limits: ServiceLimits) -> None:
        self.limits = limits
        self.busy = 0
        self.megapixels = 0.0
        self.closing = False
        self._pool = ThreadPoolExecutor(limits.workers, "cleancut-work")
        self._room, self._back_room = _Room(), _Room()
        self._running: set[_Ticket[Any]] = set()
        self._starts = 0
        self._seconds = 0.0  # what a piece of work is expected to take

    @property
    def waiting(self) -> int:
        """How many wait for a worker."""
        return len(self._room) + len(self._back_room)

    async def run(
        self,
        work: Callable[[Check], T],
        *,
        key: str = "",
        megapixels: float = 1.0,
        background: bool = False,
        deadline: float | None = None,
    ) -> T:
        """Do a piece of work in a thread, once it is its turn. To drop it, cancel.

        Args:
            work: what to do; it calls `check` between steps.
            key: whose it is; keys take turns.
            megapixels: what it takes of `max_megapixels` while it runs.
            background: let others go first; it has no deadline by itself.
            deadline: seconds until it is given up; by default that of the limits.

        Raises:
            QueueFull: the waiting room is full.
            Deadline: it was not done in time.
            Closing: the gate is closed, or was while it waited.
        """
        if self.closing:
            raise Closing("The service is about to end; ask again in a moment.", retry_after=5)
        room = self._back_room if background else self._room
        self._make_place(room, key)
        seconds = deadline or (math.inf if background else self.limits.deadline)
        answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        ticket = _Ticket(work, key, megapixels, time.monotonic() + seconds, answer)
        room.add(ticket)
        self._start()
        try:
            return await asyncio.wait_for(answer, None if math.isinf(seconds) else seconds)
        except TimeoutError:
            ticket.why = _late()
            raise ticket.why from None
        except asyncio.CancelledError:
            ticket.why = Stopped("The caller left before the answer was ready.")
            raise
        finally:
            room.drop(ticket)
            self._start()  # what waited behind it may fit

    def close(self) -> None:
        """Refuse new work from now on; what was admitted is finished."""
        self.closing = True

    async def drained(self, seconds: float) -> bool:
        """Wait until nothing runs or waits; after so many seconds turn the rest away. Tell whether all was done."""
        until = time.monotonic() + seconds
        while (self.busy or self.waiting) and time.monotonic() < until:
            await asyncio.sleep(0.05)
        done = not (self.busy or self.waiting)
        for ticket in (*self._room, *self._back_room, *self._running):
            ticket.turn_away(Closing("The service ended before the answer was ready.", retry_after=5))
        self._pool.shutdown(wait=False, cancel_futures=True)
        return done

    def _make_place(self, room: _Room, key: str) -> None:
        """See that there is a place in the waiting room; who holds most of it gives way to who holds less."""
        if len(room) < self.limits.waiting:
            return
        full = QueueFull("The service has more to do than it can; ask again later.", retry_after=self._retry_after())
        crowd = room.greediest(key)
        if crowd is None:
            raise full
        room.drop(crowd)
        crowd.turn_away(full)

    def _retry_after(self) -> int:
        """Seconds in which about half of those who wait will have had their turn."""
        return max(1, math.ceil(self.waiting * self._seconds / self.limits.workers / 2))

    def _start(self) -> None:
        """Give free workers what is next, as far as it fits."""
        while self.busy < self.limits.workers and (room := self._turn()) is not None:
            ticket = room.next()
            fits = self.megapixels + ticket.megapixels <= self.limits.max_megapixels
            if self._running and not fits:
                return  # nothing overtakes it, or a large picture would wait for ever
            room.take()
            if ticket.answer.done():
                continue
            if self._too_late(ticket):
                ticket.turn_away(_late())
                continue
            self._begin(ticket)

    def _turn(self) -> _Room | None:
        """The room whose turn it is; None where nobody waits."""
        others_turn = self._starts % _BACKGROUND_TURN == _BACKGROUND_TURN - 1
        first, second = (self._back_room, self._room) if others_turn else (self._room, self._back_room)
        return first if len(first) else second if len(second) else None

    def _too_late(self, ticket: _Ticket[Any]) -> bool:
        """Whether it would not be done in time: to begin it would only take a worker from another."""
        now = time.monotonic()
        expected = min(self._seconds, (ticket.ends - ticket.entered) / 2)
        return now - ticket.entered > expected and now + expected > ticket.ends

    def _begin(self, ticket: _Ticket[Any]) -> None:
        self._starts += 1
        self.busy += 1
        self.megapixels += ticket.megapixels
        self._running.add(ticket)
        started = time.monotonic()
        done = asyncio.get_running_loop().run_in_executor(self._pool, ticket.run)
        done.add_done_callback(lambda done: self._ended(ticket, done, time.monotonic() - started))

    def _ended(self, ticket: _Ticket[Any], done: asyncio.Future[Any], seconds: float) -> None:
        self.busy -= 1
        self._running.discard(ticket)
        self.megapixels = sum(other.megapixels for other in self._running)
        self._seconds += (seconds - self._seconds) * (_NEWEST if self._seconds else 1)
        error = Stopped("The service ended.") if done.cancelled() else done.exception()
        if not ticket.answer.done():
            if error is None:
                ticket.answer.set_result(done.result())
            else:
                ticket.answer.set_exception(error)
        if not self.closing or self.waiting:
            self._start()


async def unless_gone(work: Coroutine[Any, Any, T], gone: Callable[[], Awaitable[bool]] | None) -> T:
    """Await work, and cancel it once `gone` says that nobody waits for it.

    Raises:
        Stopped: nobody does.
    """
    if gone is None:
        return await work
    task = asyncio.create_task(work)
    try:
        while not (await asyncio.wait({task}, timeout=_POLL_SECONDS))[0]:
            if await gone():
                raise Stopped("The caller left before the answer was ready.")
        return task.result()
    finally:
        if not task.done():
            task.cancel()
            await asyncio.wait({task})


def _late() -> Deadline:
    return Deadline("The picture was not done in time; ask again later, or for less.", retry_after=5)
