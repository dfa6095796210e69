"""The progress of a job as server-sent events (HTML, section 9.2).

An event's id is the job's revision, and it tells of a picture, or of the job, as it is now: a caller that was away and
names the last id it saw is told of everything that has changed since, each once.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

from cleancut.apps.server.jobs.shown import picture, summary
from cleancut.jobs.store import Job, JobStore

_LOOK = 0.25
"""Seconds between two looks at the store."""

_SILENCE = 15.0
"""Seconds after which a line is sent though nothing happened, so that nobody in between closes the connection."""

_AGAIN = 1000
"""Milliseconds after which a browser comes back."""


def last_seen(header: str) -> int:
    """Read Last-Event-ID; what is no revision has seen nothing.

    >>> last_seen("17"), last_seen(""), last_seen("x"), last_seen("9" * 30)
    (17, 0, 0, 0)
    """
    return int(header) if header.isascii() and header.isdigit() and len(header) < 16 else 0


def since(job: Job, seen: int) -> list[tuple[int, str]]:
    """Write an event for everything that has changed since a revision, in order."""
    changes: list[tuple[int, str, dict[str, Any]]] = [
        (item.revision, "picture", picture(job, item)) for item in job.items if item.revision > seen
    ]
    if job.changed > seen:
        changes.append((job.changed, "job", summary(job)))
    changes.sort(key=lambda change: change[0])  # a new job's pictures come before the job: they have its revision
    return [(revision, _written(revision, name, data)) for revision, name, data in changes]


async def progress(store: JobStore, job: str, seen: int, closing: Callable[[], bool]) -> AsyncIterator[str]:
    """Tell of a job until it has ended, is removed, or the service is about to end.

    Args:
        store: where it is written down.
        job: its id.
        seen: the revision that the caller has seen already.
        closing: whether the service is about to end.
    """
    yield f"retry: {_AGAIN}\n\n"
    spoke = time.monotonic()
    while not closing():
        revision = await asyncio.to_thread(store.revision, job)
        if revision is None:
            return
        now = await asyncio.to_thread(store.get, job) if revision > seen else None
        if now is not None:
            for _, text in since(now, seen):
                yield text
            seen, spoke = now.revision, time.monotonic()
            if not now.live:
                return
        elif time.monotonic() - spoke > _SILENCE:
            yield ": still here\n\n"
            spoke = time.monotonic()
        await asyncio.sleep(_LOOK)


def _written(revision: int, name: str, data: dict[str, Any]) -> str:
    """Write an event; the data is one line of ASCII, so that nothing in it ends the event."""
    return f"id: {revision}\nevent: {name}\ndata: {json.dumps(data, separators=(',', ':'))}\n\n"
