"""What is known of the request being answered: noted as it goes, told once at its end.

The log line, the metrics and the trace of a request all come from here. It holds no picture, no name of a file and
no address: an id, names from our own tables, and times.

>>> trail = Trail("a1b2")
>>> token = _current.set(trail)
>>> note(model="u2netp:refine=1", key="k7")
>>> trail.model, trail.key
('u2netp', 'k7')
>>> _current.reset(token)
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True)
class Lap:
    """A stage of the work.

    Attributes:
        name: of the stage.
        start, end: when it first began and last ended, in seconds of `time.perf_counter`.
        busy: seconds spent in it, summed over threads; more or less than `end - start`.
    """

    name: str
    start: float
    end: float
    busy: float


@dataclass(slots=True)
class Trail:
    """One request.

    Attributes:
        request_id: its name in logs, answers and traces.
        model: the model that was asked for, a name from our tables; empty where none was.
        key: the id of the caller's key (never its secret); empty without one.
        cached: whether the answer was known before.
        laps: the stages of its work so far.
    """

    request_id: str
    model: str = ""
    key: str = ""
    cached: bool = False
    laps: list[Lap] = field(default_factory=list)


_current: ContextVar[Trail | None] = ContextVar("cleancut_trail", default=None)


def current() -> Trail | None:
    """Give the trail of the request that this task answers; None outside of one."""
    return _current.get()


@contextmanager
def follow(trail: Trail) -> Iterator[Trail]:
    """Make a trail the current one."""
    token = _current.set(trail)
    try:
        yield trail
    finally:
        _current.reset(token)


def note(*, model: str | None = None, key: str | None = None, cached: bool | None = None) -> None:
    """Note what was learnt of the request being answered; outside of one, nothing.

    Args:
        model: a model that exists, so only after the recipe was checked; its settings are left out.
        key: the id of a key that exists.
        cached: whether the answer was known before.
    """
    trail = _current.get()
    if trail is None:
        return
    trail.model = trail.model if model is None else model.partition(":")[0]
    trail.key = trail.key if key is None else key
    trail.cached = trail.cached if cached is None else cached


def request_id(offered: str) -> str:
    """Take the id that a caller offers if it is short and plain, else make one.

    >>> request_id("order-17"), len(request_id("two words")), len(request_id("x" * 65))
    ('order-17', 32, 32)
    """
    return offered if _PLAIN.fullmatch(offered) else secrets.token_hex(16)
