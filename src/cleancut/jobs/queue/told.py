"""Nouns ↔ what the store's commands take and give."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from cleancut.errors import JobsFailed
from cleancut.jobs.queue.orders import Handed, Taken
from cleancut.jobs.store import Failure, Item, Job, Result, Stored
from cleancut.limits import ServiceLimits


@dataclass(frozen=True, slots=True)
class Gauges:
    """What is in the queue now.

    Attributes:
        waiting, running, paused, dead: pictures; paused ones wait for another try, dead ones for a person.
        oldest: seconds that the oldest of those that wait has waited.
        megapixels: of those that wait.
        bytes: of all files that jobs need.
    """

    waiting: int
    oldest: float
    megapixels: float
    running: int
    paused: int
    dead: int
    bytes: int


def put_of(order: Handed, limits: ServiceLimits) -> dict[str, Any]:
    """Write an order as the command `put` takes it."""
    count = len(order.pictures)
    pixels, made = [*order.pixels, *[0] * count], [*order.made, *[""] * count]
    pictures = [asdict(stored) | {"pixels": pixels[n], "made": made[n]} for n, stored in enumerate(order.pictures)]
    plain = ("id", "owner", "fingerprint", "urgent", "version", "finish")
    return {
        **{name: getattr(order, name) for name in plain},
        "recipe": json.dumps(dict(order.recipe)),
        "key": order.key or "",
        "webhook": order.webhook or "",
        "more": order.bytes,
        "pictures": pictures,
        "assets": [asdict(stored) for stored in order.assets],
        "seconds": limits.job_deadline if order.seconds is None else order.seconds,
        "keep": limits.job_retention if order.kept is None else order.kept,
    }


def gauges(told: Sequence[str]) -> Gauges:
    """Read what the command `gauges` gives."""
    waiting, oldest, pixels, running, paused, dead, size = told
    return Gauges(
        waiting=int(waiting),
        oldest=max(0.0, float(oldest)),
        megapixels=round(int(pixels) / 1e6, 6),
        running=int(running),
        paused=int(paused),
        dead=int(dead),
        bytes=int(size),
    )


def paired(flat: Sequence[str]) -> dict[str, str]:
    """Make a mapping of names and values in turn."""
    return dict(zip(flat[::2], flat[1::2], strict=True))


def job(told: Sequence[Any]) -> Job | None:
    """Make a job of its hash and those of its pictures; None where there is none."""
    if not told:
        return None
    about = paired(told[0])
    items = tuple(_item(number, paired(item)) for number, item in enumerate(told[1], 1) if item)
    return Job(
        id=about["id"],
        owner=about["owner"],
        state=about["state"],  # type: ignore[arg-type]  # only our commands write it
        created=float(about["created"]),
        ended=float(about["ended"]) if about["ended"] else None,
        expires=float(about["expires"]),
        revision=int(about["revision"]),
        changed=int(about["changed"]),
        posting=about["posting"] or None,  # type: ignore[arg-type]
        posts=int(about["posts"]),
        items=items,
    )


def _item(number: int, about: dict[str, str]) -> Item:
    found = json.loads(about["told"] or "{}")
    return Item(
        number=number,
        name=about["name"],
        state=about["state"],  # type: ignore[arg-type]
        stage=about["stage"],
        attempts=int(about["attempts"]),
        revision=int(about["revision"]),
        result=Result(**found) if "file" in found else None,
        failure=Failure(**found) if "error" in found else None,
    )


def taken(told: Sequence[Any], holder: str) -> Taken:
    """Make a claim of what `take` gives."""
    id, number, attempt, job, item, files = told[0], int(told[1]), int(told[2]), *map(paired, told[3:6])
    stored = [(row.split(":", 3), file) for file, row in files.items()]
    sources = [Stored(row[3], file, int(row[2])) for row, file in stored if row[:2] == ["source", str(number)]]
    if not sources:
        raise JobsFailed("The queue lost the picture of a job that it named.")
    return Taken(
        job=id,
        number=number,
        holder=holder,
        attempt=attempt,
        owner=job["owner"],
        recipe=json.loads(job["recipe"]),
        source=sources[0],
        assets=tuple(Stored(row[3], file, int(row[2])) for row, file in stored if row[0] == "asset"),
        seconds=float(told[6]),
        made=item["made"],
        finish=job["finish"],
        version=job["version"],
        urgent=job["urgent"] == "1",
        pixels=int(item["pixels"]),
    )
