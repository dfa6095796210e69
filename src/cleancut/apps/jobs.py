"""`cleancut jobs`: look into a queue, send again what died, and drop what is not wanted."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import TYPE_CHECKING, Any

import click

from cleancut.errors import BadSetting, NoSuchJob
from cleancut.limits import ServiceLimits

if TYPE_CHECKING:
    from cleancut.apps.queue.place import Place
    from cleancut.jobs.store import Job

_ADDRESS = (
    click.option("--queue", metavar="URL", envvar="CLEANCUT_QUEUE", help="Redis of the queue, redis://HOST:6379/0."),
    click.option(
        "--queue-storage",
        "storage",
        metavar="DIR|URL",
        envvar="CLEANCUT_QUEUE_STORAGE",
        help="Where its pictures lie; the same as the service's.",
    ),
)


@click.group()
def jobs() -> None:
    """Look into a queue, send again what died, drop what is not wanted."""


def _asking(work: Callable[..., int]) -> Callable[..., int]:
    """Give a command the queue that its flags name."""

    @wraps(work)
    def run(queue: str | None, storage: str | None, **given: Any) -> int:
        with _opened(queue, storage) as place:
            return work(place, **given)

    for option in reversed(_ADDRESS):
        run = option(run)
    return run


@jobs.command("list")
@click.option("--state", type=click.Choice(["queued", "running", "done", "failed", "cancelled"]), help="Only these.")
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON a job.")
@_asking
def list_jobs(place: Place, state: str | None, as_json: bool) -> int:
    """List the jobs of everybody, and what is in the queue."""
    found = [job for job in place.store.all() if state in {None, job.state}]
    if as_json:
        _print_json(found)
        return 0
    for job in sorted(found, key=lambda job: job.created):
        click.echo(_line(job))
    now = place.store.gauges()
    click.echo(
        f"{now.waiting} wait ({now.megapixels:.1f} megapixels, the oldest {now.oldest:.0f} s), {now.running} run, "
        f"{now.paused} are to be tried again, {now.dead} are dead",
        err=True,
    )
    return 0


@jobs.command()
@click.argument("job")
@_asking
def show(place: Place, job: str) -> int:
    """Print all that is known of JOB, as JSON."""
    click.echo(json.dumps(_told(_found(place, job)), indent=2))
    return 0


@jobs.command()
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON a picture.")
@_asking
def dead(place: Place, as_json: bool) -> int:
    """List the pictures that failed by our fault, and why."""
    for id, number in place.store.dead():
        job = place.store.get(id)
        failure = job.items[number - 1].failure if job else None
        why = failure.message if failure else ""
        about = {"job": id, "picture": number, "error": failure.error if failure else "", "message": why}
        click.echo(json.dumps(about) if as_json else f"{id}  {number}  {about['error']}: {why}")
    return 0


@jobs.command()
@click.argument("job", required=False)
@click.option("--all", "everything", is_flag=True, help="Send all that is dead once more.")
@_asking
def retry(place: Place, job: str | None, everything: bool) -> int:
    """Send the dead pictures of JOB once more, with all their tries before them."""
    if (job is None) != everything:
        raise BadSetting("Name one job, or say --all.")
    wanted = [(id, number) for id, number in place.store.dead() if everything or id == job]
    if job is not None and not wanted:
        raise NoSuchJob(f"Nothing of job {job} is dead; cleancut jobs dead lists what is.")
    for id, number in wanted:
        place.store.again(id, number)
    place.turns.send(len(wanted))
    click.echo(f"{len(wanted)} pictures are sent once more", err=True)
    return 0


@jobs.command()
@click.argument("job")
@_asking
def drop(place: Place, job: str) -> int:
    """Cancel JOB and wipe its pictures and results; one that has ended is removed."""
    _found(place, job)
    place.depot.remove(place.store.cancel(job))
    return 0


@contextmanager
def _opened(queue: str | None, storage: str | None) -> Iterator[Place]:
    from cleancut.apps.queue.place import Place, stated  # noqa: PLC0415 - each command loads only what it needs

    place = Place(stated(queue), storage, ServiceLimits.from_env())
    try:
        place.store.check()
        yield place
    finally:
        place.close()


def _found(place: Place, id: str) -> Job:
    job = place.store.get(id)
    if job is None:
        raise NoSuchJob(f"There is no job {id}; it may have expired.")
    return job


def _line(job: Job) -> str:
    states = [item.state for item in job.items]
    counts = ", ".join(f"{states.count(state)} {state}" for state in dict.fromkeys(states))
    return f"{job.id}  {job.state:<9}  {_moment(job.created)}  {job.owner or '-'}  {counts}"


def _print_json(found: list[Job]) -> None:
    for job in found:
        click.echo(json.dumps(_told(job)))


def _told(job: Job) -> dict[str, Any]:
    """Tell of a job to whoever runs the service: who sees this may see names, and no picture is in it."""
    pictures = [
        {
            "number": item.number,
            "name": item.name,
            "state": item.state,
            "stage": item.stage,
            "attempts": item.attempts,
            "bytes": item.result.bytes if item.result else None,
            "error": item.failure.error if item.failure else None,
            "message": item.failure.message if item.failure else None,
        }
        for item in job.items
    ]
    plain = {name: getattr(job, name) for name in ("id", "owner", "state", "posting", "posts")}
    times = {name: _moment(getattr(job, name)) for name in ("created", "ended", "expires")}
    return {**plain, **times, "pictures": pictures}


def _moment(seconds: float | None) -> str | None:
    from datetime import UTC, datetime  # noqa: PLC0415

    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
