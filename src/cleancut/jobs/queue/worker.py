"""Take a turn, make what is next, settle it. No HTTP in it, and no model: whoever starts it says how a picture is made.

What is the picture's fault fails at once. What is ours is tried again after a pause that doubles, by whoever comes
next, and is dead after some tries. Of a process that dies, the store is told by the turn that comes again.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import ParamSpec, TypeAlias, TypeVar

from cleancut.errors import Broken, Busy, CleancutError, Deadline, JobsFailed, Stopped
from cleancut.jobs.queue.alone import Alone
from cleancut.jobs.queue.depot import Depot
from cleancut.jobs.queue.ledger import Ledger
from cleancut.jobs.queue.orders import Taken
from cleancut.jobs.queue.shared import RedisStore
from cleancut.jobs.runner import Made, failure
from cleancut.jobs.store import Failure, Result
from cleancut.limits import ServiceLimits

P = ParamSpec("P")
T = TypeVar("T")

_LOG = logging.getLogger(__name__)

_PULSE = 0.5
"""Seconds between two looks whether claims are still good."""

_ELSEWHERE = 2.0
"""Seconds for which a picture that this worker cannot make is left to others."""

_RETRY = 0.5


@dataclass(frozen=True, slots=True)
class Picked:
    """One attempt at one picture.

    Attributes:
        claim: whose it is and what is to be done.
        source: the bytes of the picture.
        assets: the bytes of the pictures that the recipe names.
        tell: notes what is being done.
        check: raises once nobody wants the result; any thread may call it.
    """

    claim: Taken
    source: bytes
    assets: Mapping[str, bytes]
    tell: Callable[[str], None]
    check: Callable[[], None]


Work: TypeAlias = Callable[[Picked], Made]


@dataclass(slots=True, eq=False)
class _Attempt:
    """A claim, and whether it is still good."""

    claim: Taken
    ends: float
    lost: bool = False

    def check(self) -> None:
        if self.lost:
            raise Stopped("Nobody waits for the picture any more.")
        if time.monotonic() > self.ends:
            raise Deadline("The picture was not done in time; ask again later, or for less.", retry_after=5)


@dataclass(slots=True)
class Crew:
    """Makes pictures, as many at once as threads take turns.

    Args:
        store, depot, ledger: of the queue.
        work: makes one picture; what it raises settles the picture.
        able: tells why this worker cannot make a picture, in a word; "" where it can.
        limits: `job_lease` counts.

    Attributes:
        outcomes: how often a turn ended how.
    """

    store: RedisStore
    depot: Depot
    ledger: Ledger
    work: Work
    able: Callable[[Taken], str]
    limits: ServiceLimits
    outcomes: Counter[str] = field(default_factory=Counter)
    _alone: Alone = field(default_factory=Alone)
    _attempts: dict[str, _Attempt] = field(default_factory=dict)
    _ending: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def busy(self) -> int:
        """How many pictures are being made."""
        return len(self._attempts)

    def start(self) -> None:
        """Hold on to what is claimed from now on, in a thread."""
        threading.Thread(target=self._pulse, name="cleancut-pulse", daemon=True).start()

    def turn(self, holder: str) -> float | None:
        """Make the picture that is next; give the seconds after which the turn must come again, if it must.

        What may kill the process is made while nothing else is.
        """
        with self._alone.beside():
            claim, deadly = self._insist(self.store.turn, holder, alone=False)
            if not deadly:
                return self._attempt(claim) if claim else None
        with self._alone.alone():
            claim, _ = self._insist(self.store.turn, holder, alone=True)
            return self._attempt(claim) if claim else None

    def give_back(self) -> int:
        """Give back what is not done yet, as if it had not been begun; give how much that was."""
        self._ending.set()
        attempts = list(self._attempts.values())
        for attempt in attempts:
            attempt.lost = True
            with suppress(CleancutError):  # where Redis does not answer, the lease will run out
                self.store.back(attempt.claim)
        return len(attempts)

    def _attempt(self, claim: Taken) -> float | None:
        """Make and settle one picture; give the pause after which to come again."""
        if why := self.able(claim):
            _LOG.warning("queue: a picture is left to other workers: %s", why)
            self._count("elsewhere")
            self._insist(self.store.back, claim, _ELSEWHERE)
            return _ELSEWHERE
        attempt = self._attempts[claim.holder] = _Attempt(claim, time.monotonic() + claim.seconds)
        try:
            return self._settled(attempt)
        except (Stopped, Busy) as error:
            if attempt.lost:
                self._count("unwanted")
                return None
            self._count("put back")
            pause = float(getattr(error, "retry_after", _RETRY))
            self._insist(self.store.back, claim, pause)
            return pause
        finally:
            self._attempts.pop(claim.holder, None)

    def _settled(self, attempt: _Attempt) -> float | None:
        claim = attempt.claim
        try:
            if claim.made and self._reused(claim):
                return None
            made = self._made(attempt)
            result = self._written(claim, made)
            freed = self._insist(self.store.done, claim, result)
        except (Stopped, Busy) as error:
            if isinstance(error, Deadline):
                self._failed(claim, failure(error))
                return None
            raise
        except CleancutError as error:
            told = failure(error)
            if told.status >= 500:
                return self._put_off(claim, told)
            self._failed(claim, told)
            return None
        except Exception:  # noqa: BLE001 - a picture that fails in an unknown way must not be tried for ever
            _LOG.exception("queue: a picture failed")
            return self._put_off(claim, failure(Broken("The picture failed in an unknown way.")))
        lost = result.file in freed
        self._count("unwanted" if lost else "done")
        self._note(claim, None if lost else result, freed)
        return None

    def _reused(self, claim: Taken) -> bool:
        """Settle a picture by a result that another attempt made meanwhile, where there is one."""
        settled, freed = self._insist(self.store.reuse, claim)
        if settled:
            self._count("known")
            self._note(claim, self.store.made(claim.made), freed)
        return settled

    def _made(self, attempt: _Attempt) -> Made:
        claim = attempt.claim

        def tell(stage: str) -> None:
            if not claim.urgent and not self.store.stage(claim, stage):
                attempt.lost = True
                attempt.check()

        try:
            source, *assets = [self.depot.read(stored.file) for stored in (claim.source, *claim.assets)]
        except FileNotFoundError:
            if not self.store.holds(claim):
                attempt.lost = True
                attempt.check()
            raise
        named = {stored.name: data for stored, data in zip(claim.assets, assets, strict=True)}
        return self.work(Picked(claim, source, named, tell, attempt.check))

    def _written(self, claim: Taken, made: Made) -> Result:
        file = self.depot.write(made.data, key=claim.made, durable=not claim.urgent)
        return Result(file, len(made.data), made.media_type, made.report)

    def _failed(self, claim: Taken, told: Failure) -> None:
        freed = self._insist(self.store.failed, claim, told)
        self._count("failed")
        self._note(claim, told, freed)

    def _put_off(self, claim: Taken, told: Failure) -> float | None:
        pause, freed = self._insist(self.store.put_off, claim, told)
        self._count("failed" if pause is None else "tried again")
        if pause is None:
            self._note(claim, told, freed)
        return pause

    def _note(self, claim: Taken, told: Result | Failure | None, freed: Iterable[str]) -> None:
        """Write an end down before what could make it again is removed; what fails of this, a sweep will find."""
        try:
            if told is not None and not claim.urgent:
                self.ledger.settled(claim, told)
            self.depot.remove(freed)
        except CleancutError as error:
            _LOG.warning("queue: an end was not written down (%s)", error)

    def _insist(self, act: Callable[P, T], *given: P.args, **named: P.kwargs) -> T:
        """Do what must be done though Redis fails for a while."""
        while True:
            try:
                return act(*given, **named)
            except JobsFailed as error:
                if self._ending.is_set():
                    raise
                _LOG.warning("queue: %s It is tried again", error)
                self._ending.wait(_RETRY)

    def _pulse(self) -> None:
        beaten = 0.0
        while not self._ending.wait(_PULSE):
            attempts = list(self._attempts.values())
            try:
                if attempts and time.monotonic() - beaten > self.limits.job_lease / 4:
                    self.store.beat(*(attempt.claim.holder for attempt in attempts))
                    beaten = time.monotonic()
                for attempt in attempts:
                    attempt.lost = attempt.lost or not self.store.holds(attempt.claim)
            except CleancutError as error:
                _LOG.warning("queue: leases were not prolonged (%s)", error)

    def _count(self, outcome: str) -> None:
        with self._lock:
            self.outcomes[outcome] += 1
