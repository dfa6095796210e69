"""A job store in Redis: what the machines of a cluster share.

Every change is one script, so that a process may be killed at any moment. Orders and ends are in the ledger too: a
Redis that comes back without its data refuses everything until it has been told of them again.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from cleancut.errors import JobsFailed, NoSuchJob, TooBig
from cleancut.jobs.queue.commands import Commands, check_policy
from cleancut.jobs.queue.ledger import Entry, Ledger
from cleancut.jobs.queue.orders import Handed, Taken, handed
from cleancut.jobs.queue.told import Gauges, gauges, job, put_of, taken
from cleancut.jobs.store import Claim, Failure, Job, Notice, Order, Result
from cleancut.limits import ServiceLimits

if TYPE_CHECKING:
    from redis import Redis

PREFIX = "cleancut"
MOST_BYTES = 65_536
"""What of a job may lie in Redis: its recipe, its names and what is made of its cutouts."""

_PAUSES = (10, 60, 180, 420)
"""Seconds between two attempts to tell a webhook; after the last it is given up."""

_MEMORY = 0.9
"""Share of Redis' memory that new jobs may fill: the rest is for bringing to an end what is there."""

_FIRST_PAUSE, _LONGEST_PAUSE, _MOST_SHOWN = 0.5, 60.0, 10_000


class RedisStore:
    """The protocol of `jobs.store` over Redis, and what an operator asks beyond it.

    Args:
        client: of Redis, whose answers are text (`commands.connected`).
        limits: how many jobs and bytes there may be, and for how long.
        ledger: outlives the loss of what Redis knows.
        prefix: of every key.
        clock: seconds since the epoch; by default Redis' own.
    """

    def __init__(
        self,
        client: Redis,
        limits: ServiceLimits,
        ledger: Ledger,
        prefix: str = PREFIX,
        clock: Callable[[], float] | None = None,
    ) -> None:
        self._client, self._limits, self._ledger, self._prefix = client, limits, ledger, prefix
        self._clock = clock or time.time
        self._run = Commands(client, prefix, limits, clock)
        late = f"The job was not done within {limits.job_deadline} seconds."
        self._late = {
            "late": _dumped(Failure(504, "Deadline", late)),
            "late_now": _dumped(Failure(504, "Deadline", "The picture was not done in time; ask again later.")),
        }
        self._room = {
            "jobs": limits.jobs_per_key,
            "per_owner": limits.spool_bytes_per_key,
            "all": limits.spool_bytes,
            "memory": _MEMORY,
        }
        times = f"The service ended {limits.job_attempts} times while it worked on this picture."
        self._deadly = _dumped(Failure(500, "GivenUp", times))

    def check(self) -> None:
        """See that Redis answers and is set up to forget nothing by itself; tell it again what it has lost.

        Raises:
            BadSetting: it may throw keys away when it is full.
            JobsFailed, StorageFailed: it does not answer, or the ledger cannot be read.
        """
        check_policy(self._client)
        self.recover()

    def recover(self) -> int:
        """Tell Redis again what it has lost; give how many jobs that was. Where it lost nothing, do nothing.

        Raises:
            JobsFailed, StorageFailed: it does not answer, or the ledger cannot be read.
        """
        import redis  # noqa: PLC0415 - of an extra

        try:
            if self._client.exists(f"{self._prefix}:epoch"):
                return 0
            with self._client.lock(f"{self._prefix}:recovering", timeout=60, blocking_timeout=5):
                if self._client.exists(f"{self._prefix}:epoch"):
                    return 0
                count = sum(self._restore(entry) for entry in self._ledger.entries())
                self._run("found")
                return count
        except redis.RedisError as error:
            raise JobsFailed(f"The queue's Redis does not answer: {error}.") from error

    def known(self, owner: str, key: str, fingerprint: str) -> Job | None:
        """Give the job that the same order made before."""
        return job(self._run("known", owner=owner, key=key, fingerprint=fingerprint))

    def check_room(self, owner: str, more: int) -> None:
        """Refuse before the work what `put` would refuse after it."""
        self._run("check_room", owner=owner, more=more, **self._room)

    def put(self, order: Order) -> tuple[Job, bool]:
        """Write a job down; give it, and whether it is new.

        Raises:
            TooBig: its recipe and names are more than belongs into Redis.
            KeyReused, TooManyJobs, NoRoom: as `JobStore` says.
            JobsFailed, StorageFailed: it is not certain to be done, and is as good as never asked.
        """
        whole = handed(order)
        self._check_size(whole)
        if not whole.urgent:
            self._ledger.keep(whole, self._clock())
        try:
            told, new = self._run.insist("put", **put_of(whole, self._limits), **self._room)
        except BaseException:
            self._ledger.forget(whole.id, 0)
            raise
        if new == "0":
            self._ledger.forget(whole.id, 0)
        return _known(told), new == "1"

    def get(self, id: str) -> Job | None:
        """Give a job as it is now."""
        return job(self._run("get", id=id))

    def owned(self, owner: str) -> list[Job]:
        """Give an owner's jobs, the newest first."""
        return [_known(told) for told in self._run("owned", owner=owner)]

    def all(self) -> list[Job]:
        """Give every job, those first that expire first."""
        return [_known(told) for told in self._run("all", most=_MOST_SHOWN)]

    def revision(self, id: str) -> int | None:
        """Give the number of changes to a job so far; None where there is none."""
        (found,) = self._run("revision", id=id)
        return int(found) if found else None

    def take(self, holder: str, *, alone: bool) -> Taken | None:
        """Claim the picture that is next; None where there is nothing to do."""
        return self.turn(holder, alone=alone, anew=False)[0]

    def turn(self, holder: str, *, alone: bool, anew: bool = True) -> tuple[Taken | None, bool]:
        """Claim the picture that is next for a holder of one picture at a time.

        Args:
            holder: who takes it.
            alone: whether its process does nothing beside it.
            anew: whether what it had claimed before is given up: that its turn came again means that it died.

        Returns:
            The claim, and whether there is none only because the next picture wants a process for itself.
        """
        limits = {"attempts": self._limits.job_attempts, "lease": self._limits.job_lease, "deadly": self._deadly}
        found = self._run("take", holder=holder, alone=alone, anew=anew, **limits, **self._late)
        return (taken(found, holder), False) if len(found) > 1 else (None, found == ["alone"])

    def beat(self, *holders: str) -> None:
        """Prolong the leases of holders."""
        self._run("beat", holders=holders, lease=self._limits.job_lease)

    def holders(self) -> list[str]:
        """Name the holders that have not left."""
        return self._run("holders")

    def leave(self, holder: str) -> None:
        """End the lease of all that a holder has claimed."""
        self._run("leave", holder=holder)

    def holds(self, claim: Claim) -> bool:
        """Tell whether a claim is still good."""
        return self._run("holds", **_about(claim)) == ["1"]

    def stage(self, claim: Claim, stage: str) -> bool:
        """Note what is being done; tell whether the claim is still good."""
        return self._run("stage", stage=stage, **_about(claim)) == ["1"]

    def back(self, claim: Claim, pause: float = 0.0) -> None:
        """Give a claim back as if it had not been made; it is not taken again for so many seconds."""
        self._run("back", pause=pause, **_about(claim))

    def put_off(self, claim: Claim, failure: Failure) -> tuple[float | None, tuple[str, ...]]:
        """Give a claim back for another try after a pause that doubles; the last try settles it as failed.

        Returns:
            The pause in seconds, None where it is not tried again; and the files that nothing names any more.
        """
        most = {"most": self._limits.job_attempts, "first": _FIRST_PAUSE, "longest": _LONGEST_PAUSE}
        pause, freed = self._run("put_off", told=_dumped(failure), **most, **_about(claim))
        return (None if pause in {"failed", "lost"} else float(pause)), tuple(freed)

    def done(self, claim: Claim, result: Result) -> tuple[str, ...]:
        """Settle a picture; give the files that nothing names any more."""
        told = _dumped(result)
        return tuple(self._run("done", told=told, **_about(claim), **self._room))

    def reuse(self, claim: Claim) -> tuple[bool, tuple[str, ...]]:
        """Settle a picture by a result that was made meanwhile; tell whether it is settled, and what may be removed."""
        settled, freed = self._run("reuse", **_about(claim))
        return settled == "1", tuple(freed)

    def made(self, key: str) -> Result | None:
        """Give the result that is there already under a key."""
        (found,) = self._run("made", made=key)
        return Result(**json.loads(found)) if found else None

    def failed(self, claim: Claim, failure: Failure) -> tuple[str, ...]:
        """Settle a picture that cannot be made; where the fault is ours it is dead, and its source stays a while."""
        return tuple(self._run("failed", told=_dumped(failure), **_about(claim)))

    def cancel(self, id: str) -> tuple[str, ...]:
        """End a job and wipe what is kept of it; give its files."""
        found = self.get(id)
        if found is None:
            return ()
        self._ledger.forget(id, len(found.items))
        return tuple(self._run("cancel", id=id, **self._late))

    def expired(self) -> tuple[str, ...]:
        """Fail the jobs that took too long, remove those whose retention has ended; give their files."""
        freed, gone = self._run("expired", **self._late) or ([], [])
        for id, pictures in (text.rsplit(":", 1) for text in gone):
            self._ledger.forget(id, int(pictures))
        return tuple(freed)

    def files(self) -> set[str]:
        """Name every file of the depot that is still needed."""
        return set(self._run("files"))

    def due(self) -> Notice | None:
        """Claim a webhook that is due; until it is told delivered it is due again after a pause."""
        found = self._run("due", pauses=(*_PAUSES, self._limits.job_lease))
        return Notice(_known(found[0]), found[1], int(found[2])) if found else None

    def delivered(self, notice: Notice) -> None:
        """Note that a webhook was accepted."""
        self._run("delivered", id=notice.job.id)

    def dead(self) -> list[tuple[str, int]]:
        """Name what failed by our fault, as job and number, the newest first."""
        rows = (text.rsplit(":", 1) for text in self._run("dead", most=_MOST_SHOWN))
        return [(id, int(number)) for id, number in rows]

    def again(self, id: str, number: int) -> None:
        """Send a dead picture once more, with all its tries before it.

        Raises:
            NoSuchJob: it is not dead.
        """
        self._ledger.reopened(id, number)
        if self._run("again", job=id, number=number, seconds=self._limits.job_deadline) == ["0"]:
            raise NoSuchJob(f"Picture {number} of job {id} is not among the dead; cleancut jobs dead lists them.")

    def gauges(self) -> Gauges:
        """Count what is in the queue."""
        return gauges(self._run("gauges"))

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _check_size(self, order: Handed) -> None:
        size = len(json.dumps(put_of(order, self._limits)))
        if size > MOST_BYTES:
            raise TooBig(f"The job's recipe and names take {size:,} bytes; {MOST_BYTES:,} are the most in a queue.")

    def _restore(self, entry: Entry) -> bool:
        """Write a job of the ledger down again, with the pictures of it that have ended."""
        whole = put_of(entry.order, self._limits) | self._room | {"forced": True, "created": entry.created}
        self._run("put", **whole)
        for number, told in entry.settled.items():
            self._run("restore", job=entry.order.id, number=number, told=_dumped(told), forced=True)
        return True


def _about(claim: Claim) -> dict[str, Any]:
    return {"job": claim.job, "number": claim.number, "holder": claim.holder, "attempt": claim.attempt}


def _dumped(told: Result | Failure) -> str:
    return json.dumps(asdict(told))


def _known(told: Iterable[Any]) -> Job:
    found = job(list(told))
    if found is None:
        raise JobsFailed("The queue lost a job that it named.")
    return found
