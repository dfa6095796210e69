"""Who does the work of a batch: how many pictures at once, on how many processors each, and in which threads."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass

from cleancut.jobs.batch.nouns import Plan
from cleancut.limits import processors, share_processors

_AHEAD = 3
"""Pictures in memory for each worker: one that is worked on, one that was read, one that is being written."""

_CLERKS = 8
"""Threads that read, and as many that write, at the most."""


@dataclass(frozen=True, slots=True)
class Crew:
    """Who does the work.

    Attributes:
        workers: pictures that are worked on at once.
        threads: processors for each of them.
        ahead: pictures in memory at once.
    """

    workers: int
    threads: int
    ahead: int

    @classmethod
    def of(cls, plan: Plan) -> Crew:
        """Choose what the plan leaves open."""
        workers = plan.workers or processors()
        ahead = plan.ahead or _AHEAD * workers
        workers = min(workers, ahead)
        return cls(workers, max(1, processors() // workers), ahead)


@dataclass(frozen=True, slots=True)
class Stations:
    """The threads that read, cut and write."""

    readers: ThreadPoolExecutor
    cutters: ThreadPoolExecutor
    writers: ThreadPoolExecutor

    @classmethod
    def opened(cls, crew: Crew, stack: ExitStack) -> Stations:
        """Start them; the stack ends them."""
        clerks = min(crew.ahead, _CLERKS)
        cutters = ThreadPoolExecutor(
            crew.workers, "cleancut-cut", initializer=share_processors, initargs=(crew.threads,)
        )
        return cls(
            stack.enter_context(ThreadPoolExecutor(clerks, "cleancut-read")),
            stack.enter_context(cutters),
            stack.enter_context(ThreadPoolExecutor(clerks, "cleancut-write")),
        )
