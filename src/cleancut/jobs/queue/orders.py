"""What the shared store knows of an order and a claim beyond what every store does."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field

import cleancut
from cleancut.jobs.store import Claim, Order

PICTURE = ""
"""The finish of a plain result: it is encoded as its recipe says."""


def new_id() -> str:
    """Make an id that cannot be guessed: 128 bits."""
    return secrets.token_urlsafe(16)


@dataclass(frozen=True, slots=True, kw_only=True)
class Handed(Order):
    """An order as an API tier hands it to workers.

    Attributes:
        id: of the job.
        urgent: whether somebody waits for it; it goes first, and is no job of its owner's.
        seconds: that it may take; None is the limit of jobs.
        kept: seconds for which it is kept once it has ended; None is the limit of jobs.
        pixels: of each picture; 0 where its header was not read.
        made: the result key of each picture; "" where its result is for nobody else.
        finish: what is made of the cutout: `PICTURE`, or what the apps write there.
        version: of cleancut; a worker of another one leaves it to others.
    """

    id: str = field(default_factory=new_id)
    urgent: bool = False
    seconds: float | None = None
    kept: float | None = None
    pixels: Sequence[int] = ()
    made: Sequence[str] = ()
    finish: str = PICTURE
    version: str = cleancut.__version__


def handed(order: Order) -> Handed:
    """Give an order as it is handed over; a plain one at its defaults."""
    if isinstance(order, Handed):
        return order
    named = ("owner", "recipe", "pictures", "assets", "webhook", "key", "fingerprint")
    return Handed(**{name: getattr(order, name) for name in named})


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken(Claim):
    """A claim on a picture that was handed over.

    Attributes:
        seconds: for which somebody wants it, from the claim on.
        made: its result key.
        finish, version, urgent: as `Handed` says.
        pixels: of its source.
    """

    seconds: float
    made: str
    finish: str
    version: str
    urgent: bool
    pixels: int
