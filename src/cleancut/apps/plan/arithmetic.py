"""The arithmetic of a plan: how many pictures come, what each costs, and what of a machine runs out first."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from cleancut.apps.plan.units import Cost

DAY = 86_400


@dataclass(frozen=True, slots=True)
class Demand:
    """What is asked for.

    Attributes:
        pictures: a day.
        busiest: how many times the mean the busiest hour brings.
        repeats: share of the requests that the result cache answers.
        downloads: how often each result is fetched.
        cdn: share of those fetches that a CDN answers.
        kept_days: how long results are kept in an object store.
    """

    pictures: float
    busiest: float = 2.5
    repeats: float = 0.0
    downloads: float = 1.0
    cdn: float = 0.0
    kept_days: float = 0.0


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine of those that do the work.

    Attributes:
        cores: of it.
        memory: in bytes.
        bits: that its network carries a second, each way.
        load: share of each that may be used in the busiest hour.
        price: of an hour; 0 where it does not matter.
    """

    cores: int
    memory: float
    bits: float = 10e9
    load: float = 0.7
    price: float = 0.0


@dataclass(frozen=True, slots=True)
class Plan:
    """What is needed.

    Attributes:
        mean, peak: requests a second, over the day and in the busiest hour.
        worked: pictures a day that the cache does not answer.
        cores_mean, cores_peak: processors that are busy.
        workers: pictures at a time on one machine.
        machine_bytes: memory they take there.
        by: machines that each resource alone asks for.
        machines: machines.
        first: what runs out first.
        a_machine: requests a second that one machine carries, with its load.
        in_day, out_day: bytes a day that come and go.
        in_peak, out_peak: bits a second in the busiest hour.
        kept: bytes in the object store.
        saved_cores: processors in the busiest hour that the result cache saves.
        saved_bytes: bytes a day that a CDN saves.
        price_day: of all machines; 0 where an hour has no price.
    """

    mean: float
    peak: float
    worked: float
    cores_mean: float
    cores_peak: float
    workers: int
    machine_bytes: float
    by: dict[str, int]
    machines: int
    first: Literal["processors", "memory", "network"]
    a_machine: float
    in_day: float
    out_day: float
    in_peak: float
    out_peak: float
    kept: float
    saved_cores: float
    saved_bytes: float
    price_day: float


def planned(demand: Demand, machine: Machine, cost: Cost) -> Plan:
    """Do the arithmetic.

    A worker takes one picture at a time on one processor, so a machine has as many as it has processors, or as its
    memory holds. Where even one does not fit, `workers` is 0 and no number of such machines is enough.
    """
    mean = demand.pictures / DAY
    peak = mean * demand.busiest
    fresh = 1 - demand.repeats
    workers = _workers(machine, cost)
    asked = {
        "processors": peak * fresh * cost.cpu_seconds / (machine.cores * machine.load),
        "memory": peak * fresh * cost.cpu_seconds / (workers * machine.load) if workers else math.inf,
        "network": max(peak * cost.bytes_in, _fetched(peak, demand, cost)) * 8 / (machine.bits * machine.load),
    }
    # Of two that ask for the same, the first is named: memory is short only where it holds fewer than the processors.
    first = max(asked, key=lambda resource: asked[resource])
    by = {resource: math.ceil(count) if math.isfinite(count) else 0 for resource, count in asked.items()}
    machines = max(1, *by.values()) if workers else 0
    return Plan(
        mean=mean,
        peak=peak,
        worked=demand.pictures * fresh,
        cores_mean=mean * fresh * cost.cpu_seconds,
        cores_peak=peak * fresh * cost.cpu_seconds,
        workers=workers,
        machine_bytes=cost.idle_bytes + workers * cost.worker_bytes,
        by=by,
        machines=machines,
        first=first,  # type: ignore[arg-type]  # its keys are those of `first`
        a_machine=peak / asked[first] if asked[first] and workers else 0.0,
        in_day=demand.pictures * cost.bytes_in,
        out_day=_fetched(demand.pictures, demand, cost),
        in_peak=peak * cost.bytes_in * 8,
        out_peak=_fetched(peak, demand, cost) * 8,
        kept=demand.pictures * fresh * demand.kept_days * cost.bytes_out,
        saved_cores=peak * demand.repeats * cost.cpu_seconds,
        saved_bytes=demand.pictures * demand.downloads * demand.cdn * cost.bytes_out,
        price_day=machines * machine.price * 24,
    )


def _workers(machine: Machine, cost: Cost) -> int:
    """Count the pictures that a machine can work on at a time; its load leaves room for the system."""
    room = machine.memory * machine.load - cost.idle_bytes
    return max(0, min(machine.cores, int(room / cost.worker_bytes) if cost.worker_bytes else machine.cores))


def _fetched(pictures: float, demand: Demand, cost: Cost) -> float:
    """Give the bytes of results that we ourselves send."""
    return pictures * demand.downloads * (1 - demand.cdn) * cost.bytes_out
