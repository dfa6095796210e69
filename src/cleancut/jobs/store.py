"""Where jobs are written down: the nouns, and the protocol that every store keeps.

A job is a recipe for one or more pictures, each of which is taken, worked on and settled by itself. The store holds
words and numbers; pictures lie in the spool and are named here. A method that ends the use of files gives their names
back, and whoever called removes them: a file that no row names is a leftover and may go.

Every claim names its holder and the attempt. What a holder says of an attempt that is no longer its own (its lease
ran out, the job was cancelled) changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeAlias

State: TypeAlias = Literal["queued", "running", "done", "failed", "cancelled"]
Posting: TypeAlias = Literal["waiting", "pending", "delivered", "failed"]

LIVE: tuple[State, ...] = ("queued", "running")


@dataclass(frozen=True, slots=True)
class Stored:
    """A file in the spool and what the caller calls it."""

    name: str
    file: str
    bytes: int


@dataclass(frozen=True, slots=True)
class Order:
    """What is asked for.

    Attributes:
        owner: whose job it is; other owners do not see it.
        recipe: as `matting.recipe.to_json` gives it.
        pictures: what is to be cut, in the caller's order.
        assets: the pictures that the recipe names.
        webhook: the address that is told when the job has ended.
        key: what makes asking twice ask once (Idempotency-Key), unique to the owner.
        fingerprint: a digest of all that was asked; a key must not come back with another.
    """

    owner: str
    recipe: Mapping[str, Any]
    pictures: Sequence[Stored]
    assets: Sequence[Stored] = ()
    webhook: str | None = None
    key: str | None = None
    fingerprint: str = ""

    @property
    def bytes(self) -> int:
        """What its files take in the spool."""
        return sum(stored.bytes for stored in (*self.pictures, *self.assets))


@dataclass(frozen=True, slots=True)
class Result:
    """A finished picture: its file in the spool and what is told of it."""

    file: str
    bytes: int
    media_type: str
    report: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Failure:
    """Why there is no result, as a stranger may read it."""

    status: int
    error: str
    message: str


@dataclass(frozen=True, slots=True)
class Item:
    """One picture of a job.

    Attributes:
        stage: what is being done to it; "" while nothing is.
        attempts: how often work on it was begun.
        revision: the job's revision when this last changed.
    """

    number: int
    name: str
    state: State
    stage: str
    attempts: int
    revision: int
    result: Result | None
    failure: Failure | None


@dataclass(frozen=True, slots=True)
class Job:
    """A job as it is now.

    Attributes:
        created, ended: seconds since the epoch.
        expires: when it is given up while it is unfinished, and wiped once it has ended.
        revision: grows by one with every change of the job or of a picture in it; `changed` is the last of its state.
        posting: how far the webhook is; None without one.
    """

    id: str
    owner: str
    state: State
    created: float
    ended: float | None
    expires: float
    revision: int
    changed: int
    posting: Posting | None
    posts: int
    items: tuple[Item, ...]

    @property
    def live(self) -> bool:
        """Whether work on it is still to be done."""
        return self.state in LIVE


@dataclass(frozen=True, slots=True)
class Claim:
    """The right of one holder to one attempt at one picture, and what it takes to make it."""

    job: str
    number: int
    holder: str
    attempt: int
    owner: str
    recipe: Mapping[str, Any]
    source: Stored
    assets: tuple[Stored, ...]


@dataclass(frozen=True, slots=True)
class Notice:
    """A webhook that is due: the job has ended and the address is to be told."""

    job: Job
    url: str
    attempt: int


class JobStore(Protocol):
    """Where jobs are written down. Every method may be called from any thread, and by several processes at once."""

    def known(self, owner: str, key: str, fingerprint: str) -> Job | None:
        """Give the job that the same order made before.

        Raises:
            KeyReused: the key came before with another order.
        """

    def check_room(self, owner: str, more: int) -> None:
        """Refuse before the work what `put` would refuse after it.

        Raises:
            TooManyJobs: the owner has as many jobs or bytes as one may have.
            NoRoom: the spool is full.
        """

    def put(self, order: Order) -> tuple[Job, bool]:
        """Write a job down; give it, and whether it is new. One that is not new leaves the order's files unnamed.

        Raises:
            KeyReused: the order's key came before with another order.
            TooManyJobs, NoRoom: as `check_room` says.
        """

    def get(self, job: str) -> Job | None:
        """Give a job as it is now."""

    def owned(self, owner: str) -> list[Job]:
        """Give an owner's jobs, the newest first."""

    def revision(self, job: str) -> int | None:
        """Give the number of changes to a job so far, cheaply; None where there is none."""

    def take(self, holder: str, *, alone: bool) -> Claim | None:
        """Claim the picture that is next; None where there is nothing to do.

        Owners take turns. A picture whose attempt before ended without a word (the process died) is only given to a
        holder that does nothing beside it, so that it takes no innocent one down with it; nobody overtakes it.
        After as many attempts as are allowed it fails.
        """

    def beat(self, holder: str) -> None:
        """Prolong the lease of all that a holder has claimed."""

    def holders(self) -> list[str]:
        """Name the holders that have not left."""

    def leave(self, holder: str) -> None:
        """End the lease of all that a holder has claimed; it is claimed anew at once."""

    def holds(self, claim: Claim) -> bool:
        """Tell whether a claim is still good."""

    def stage(self, claim: Claim, stage: str) -> bool:
        """Note what is being done; tell whether the claim is still good."""

    def back(self, claim: Claim, pause: float = 0.0) -> None:
        """Give a claim back as if it had not been made; it is not taken again for so many seconds."""

    def done(self, claim: Claim, result: Result) -> tuple[str, ...]:
        """Settle a picture; give the files that nothing names any more, the result's own if the claim was lost.

        Raises:
            NoRoom: the result would fill the spool beyond its limit.
        """

    def failed(self, claim: Claim, failure: Failure) -> tuple[str, ...]:
        """Settle a picture that cannot be made; give the files that nothing names any more."""

    def cancel(self, job: str) -> tuple[str, ...]:
        """End a job and wipe what is kept of it; give its files.

        Of an unfinished job the word `cancelled` stays until retention ends; an ended one is removed.
        """

    def expired(self) -> tuple[str, ...]:
        """Fail the jobs that took too long, remove those whose retention has ended; give their files."""

    def files(self) -> set[str]:
        """Name every file of the spool that is still needed."""

    def due(self) -> Notice | None:
        """Claim a webhook that is due. Unless `delivered` is told, it is due again after a pause, some times."""

    def delivered(self, notice: Notice) -> None:
        """Note that a webhook was accepted."""

    def close(self) -> None:
        """Let go of what the store holds open."""
