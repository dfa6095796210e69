"""Jobs as callers see them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from cleancut import errors
from cleancut.apps.server.problems import told
from cleancut.errors import Broken, CleancutError
from cleancut.jobs.store import Failure, Item, Job


def address(job: Job) -> str:
    """Give the path of a job."""
    return f"/v1/jobs/{job.id}"


def moment(seconds: float | None) -> str | None:
    """Write a moment as RFC 3339 does.

    >>> moment(0)
    '1970-01-01T00:00:00.000Z'
    """
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def counts(job: Job) -> dict[str, int]:
    """Count a job's pictures."""
    states = [item.state for item in job.items]
    return {"total": len(states), "done": states.count("done"), "failed": states.count("failed")}


def shown(job: Job) -> dict[str, Any]:
    """Tell of a job and of every picture in it."""
    return {**summary(job), "pictures": [picture(job, item) for item in job.items]}


def summary(job: Job) -> dict[str, Any]:
    """Tell of a job as a whole."""
    here = address(job)
    return {
        "id": job.id,
        "state": job.state,
        "progress": counts(job),
        "created": moment(job.created),
        "ended": moment(job.ended),
        "expires": moment(job.expires),
        "webhook": job.posting and {"state": job.posting, "attempts": job.posts},
        "links": {"self": here, "result": f"{here}/result", "events": f"{here}/events"},
    }


def picture(job: Job, item: Item) -> dict[str, Any]:
    """Tell of one picture of a job."""
    about: dict[str, Any] = {"number": item.number, "name": item.name, "state": item.state}
    if item.stage:
        about["stage"] = item.stage
    if item.result is not None:
        about["result"] = {
            **item.result.report,
            "media_type": item.result.media_type,
            "bytes": item.result.bytes,
            "link": f"{address(job)}/result/{item.number}",
        }
    if item.failure is not None:
        about["error"] = told(revived(item.failure))
    return about


def revived(failure: Failure) -> CleancutError:
    """Make the error again that a failure was written down from."""
    kind = getattr(errors, failure.error, Broken)
    known = isinstance(kind, type) and issubclass(kind, CleancutError)
    return kind(failure.message) if known else Broken(failure.message)
