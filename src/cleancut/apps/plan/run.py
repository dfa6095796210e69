"""Make a plan of a command's flags, and print it."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from typing import Any

import click

from cleancut.apps.plan.arithmetic import Demand, Machine, Plan, planned
from cleancut.apps.plan.units import Cost, read_units

_MEMORY_A_CORE = 2.0
"""Gigabytes that a machine has for each processor, where nobody says."""

_RUNS = 3


@dataclass(frozen=True, slots=True)
class _Found:
    """A cost with what is to be said of it: the machine it is of, and whether the size was measured."""

    cost: Cost
    machine: str
    note: str = ""


def make_plan(
    *,
    pictures: float,
    megapixels: float,
    model: str,
    refine: str,
    cores: int,
    memory: float | None,
    gbit: float,
    as_json: bool,
    measure: bool,
    photo: str | None,
    **given: Any,
) -> int:
    """Print what pictures a day take."""
    found = _measured(model, refine, megapixels, photo) if measure or photo else _known(model, refine, megapixels)
    told = {name: given[key] * 1e3 for name, key in (("bytes_in", "kb_in"), ("bytes_out", "kb_out")) if given[key]}
    cost = dataclasses.replace(found.cost, **told)
    demand = Demand(pictures, given["busiest"], given["repeats"], given["downloads"], given["cdn"], given["days"])
    room = (memory or cores * _MEMORY_A_CORE) * 1e9
    machine = Machine(cores, room, gbit * 1e9, given["load"], given["price"])
    made = planned(demand, machine, cost)
    if as_json:
        parts: dict[str, Any] = {"demand": demand, "machine": machine, "cost": cost, "plan": made}
        told_all = {name: dataclasses.asdict(part) for name, part in parts.items()}
        click.echo(json.dumps({"model": model, "refine": refine, "measured_on": found.machine, **told_all}, indent=2))
    else:
        click.echo(_text(model, refine, demand, machine, cost, made, found))
    return 0


def _known(model: str, refine: str, megapixels: float) -> _Found:
    units = read_units()
    cost = units.cost(model, refine, megapixels)
    beyond = units.beyond(model, refine, megapixels)
    return _Found(cost, units.machine, "That size lies beyond those that were measured." if beyond else "")


def _measured(model: str, refine: str, megapixels: float, photo: str | None) -> _Found:
    from cleancut.apps.plan.measure import measured, size_of, this_machine  # noqa: PLC0415

    cost = measured(model, refine, photo or size_of(megapixels), _RUNS)
    return _Found(cost, f"{this_machine()} (now)")


def _text(model: str, refine: str, demand: Demand, machine: Machine, cost: Cost, made: Plan, found: _Found) -> str:
    size = f"{cost.megapixels:.1f} MP"
    lines = [
        f"{demand.pictures:,.0f} pictures a day of {size} by {model} ({refine})",
        f"measured on {found.machine}. {found.note}".rstrip(),
        "",
        f"a picture   {cost.cpu_seconds:.3f} s of a processor, {_bytes(cost.bytes_in)} in, {_bytes(cost.bytes_out)} "
        f"out, {_bytes(cost.worker_bytes)} of memory beside {_bytes(cost.idle_bytes)} a process",
        f"rate        {made.mean:,.1f} a second over the day, {made.peak:,.1f} in the busiest hour",
        f"processors  {made.cores_mean:,.1f} busy over the day, {made.cores_peak:,.1f} in the busiest hour",
        f"coming in   {_bytes(made.in_day)} a day, {_bits(made.in_peak)} in the busiest hour",
        f"going out   {_bytes(made.out_day)} a day, {_bits(made.out_peak)} in the busiest hour",
    ]
    if made.kept:
        lines.append(f"kept        {_bytes(made.kept)} in {demand.kept_days:g} days")
    if demand.repeats:
        lines.append(f"cache       saves {made.saved_cores:,.1f} processors in the busiest hour")
    if demand.cdn:
        lines.append(f"CDN         saves {_bytes(made.saved_bytes)} a day")
    return "\n".join([*lines, "", _machines(machine, made)])


def _machines(machine: Machine, made: Plan) -> str:
    """Say how many machines, and what asks for them."""
    about = f"{machine.cores} processors, {_bytes(machine.memory)} and {_bits(machine.bits)}"
    if not made.workers:
        return f"Machines of {about} are too small: not one picture fits into their memory."
    by = ", ".join(f"{name} {count:,}" for name, count in made.by.items())
    lines = [
        f"machines    {made.machines:,} of {about}, {machine.load:.0%} used in the busiest hour",
        f"            by {by}: first to run out, {made.first}",
        f"each        {made.workers} pictures at a time in {_bytes(made.machine_bytes)}, "
        f"{made.a_machine:,.1f} requests a second",
    ]
    if made.price_day:
        lines.append(f"price       {made.price_day:,.2f} a day")
    return "\n".join(lines)


def _bytes(number: float) -> str:
    """Write bytes with a unit.

    >>> _bytes(1_234_000_000)
    '1.2 GB'
    """
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if number < 1000:
            return f"{number:.3g} {unit}" if number < 1 else f"{number:,.{0 if number >= 100 else 1}f} {unit}"
        number /= 1000
    return f"{number:,.1f} PB"


def _bits(number: float) -> str:
    """Write bits a second with a unit.

    >>> _bits(2_500_000)
    '2.5 Mbit/s'
    """
    return f"{number / 1e9:,.1f} Gbit/s" if number >= 1e9 else f"{number / 1e6:,.1f} Mbit/s"
