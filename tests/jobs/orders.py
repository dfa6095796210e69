"""Orders and stores for the tests of jobs."""

from cleancut.jobs.sqlite import SqliteStore
from cleancut.jobs.store import Order, Stored
from cleancut.limits import ServiceLimits

LIMITS = ServiceLimits(job_lease=20, job_retention=900, job_deadline=3600, job_attempts=3)


class Clock:
    """A clock that a test moves."""

    def __init__(self, now=1_000_000.0):
        self.now = now

    def __call__(self):
        return self.now


def stored(name, size=10):
    return Stored(f"{name}.jpg", f"file-{name}", size)


def order(*names, owner="ann", **more):
    return Order(owner, {"model": "stub"}, [stored(name) for name in names or ("one",)], **more)


def store(folder, clock=None, **limits):
    from dataclasses import replace

    return SqliteStore(folder / "jobs.sqlite3", replace(LIMITS, **limits), clock or Clock())
