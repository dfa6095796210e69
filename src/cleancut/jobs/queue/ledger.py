"""Orders, and what came of their pictures, written down where the pictures lie: Redis may lose all it knows.

An order is written before the job is promised to anybody, and a picture's end after the store knows of it and before
its source is removed. So whatever the moment of a loss, a picture is either settled here or its source is there.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from cleancut.errors import JobsFailed
from cleancut.jobs.queue.depot import Depot
from cleancut.jobs.queue.orders import Handed
from cleancut.jobs.store import Claim, Failure, Result, Stored

_ROOT = "orders"


@dataclass(frozen=True, slots=True)
class Entry:
    """A job as the ledger knows it.

    Attributes:
        order: as it was handed over.
        created: when, in seconds since the epoch.
        settled: what came of the pictures that ended, by number.
    """

    order: Handed
    created: float
    settled: dict[int, Result | Failure]


class Ledger:
    """Writes down and finds again.

    Args:
        depot: where the files lie.
    """

    def __init__(self, depot: Depot) -> None:
        self._depot = depot

    def keep(self, order: Handed, created: float) -> None:
        """Write an order down.

        Raises:
            NoRoom, CannotWrite, StorageFailed: it could not be written.
        """
        text = json.dumps({"created": created, "order": asdict(order)})
        self._depot.put(f"{_ROOT}/{order.id}/order", text.encode())

    def settled(self, claim: Claim, told: Result | Failure) -> None:
        """Write down what came of a picture.

        Raises:
            NoRoom, CannotWrite, StorageFailed: it could not be written.
        """
        self._depot.put(f"{_ROOT}/{claim.job}/{claim.number}", json.dumps(asdict(told)).encode())

    def reopened(self, job: str, number: int) -> None:
        """Forget what came of a picture: it is tried again.

        Raises:
            StorageFailed: it could not be removed.
        """
        self._depot.drop(f"{_ROOT}/{job}/{number}")

    def forget(self, job: str, pictures: int) -> None:
        """Forget a job; its order goes first, as nothing else of it counts without.

        Raises:
            StorageFailed: it could not be removed.
        """
        for name in ("order", *range(1, pictures + 1)):
            self._depot.drop(f"{_ROOT}/{job}/{name}")

    def entries(self) -> Iterator[Entry]:
        """Give every job that was promised, the oldest first.

        Raises:
            StorageFailed, JobsFailed: they could not be read.
        """
        paths = self._depot.paths(_ROOT)
        jobs = [(written, path.split("/")[1]) for path, written in paths.items() if path.endswith("/order")]
        for _, job in sorted(jobs):
            numbers = [int(name) for name in _names(paths, job) if name.isdigit()]
            try:
                yield self._entry(job, numbers)
            except FileNotFoundError:
                continue  # it was forgotten meanwhile

    def _entry(self, job: str, numbers: list[int]) -> Entry:
        told = _parsed(self._depot.get(f"{_ROOT}/{job}/order"))
        settled = {number: _parsed(self._depot.get(f"{_ROOT}/{job}/{number}")) for number in numbers}
        given = told["order"]
        for name in ("pictures", "assets"):
            given[name] = [Stored(**stored) for stored in given[name]]
        ends = {number: Result(**end) if "file" in end else Failure(**end) for number, end in settled.items()}
        return Entry(Handed(**given), told["created"], ends)


def _names(paths: dict[str, float], job: str) -> list[str]:
    begin = f"{_ROOT}/{job}/"
    return [path.removeprefix(begin) for path in paths if path.startswith(begin)]


def _parsed(data: bytes) -> dict[str, Any]:
    try:
        found = json.loads(data)
    except ValueError as error:
        raise JobsFailed("An order in the store of pictures cannot be read; another program wrote there.") from error
    if not isinstance(found, dict):
        raise JobsFailed("An order in the store of pictures is none of ours; another program wrote there.")
    return found
