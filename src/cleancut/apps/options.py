"""Flags read off the recipe and the limits, so that an option is stated once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import Field, fields
from typing import Any

import click

from cleancut.limits import Limits
from cleancut.types import Recipe

Command = Callable[..., Any]


def recipe_options(command: Command) -> Command:
    """Give a command one flag for each field of `Recipe`, and one for presets; what is not given is None or empty."""
    for field in reversed(fields(Recipe)):
        command = _flag(field)(command)
    help_ = "Recipe by name, see cleancut presets; a flag beside it takes the place of the recipe's own."
    return click.option("--preset", metavar="NAME", help=help_)(command)


def limit_options(command: Command) -> Command:
    """Give a command one flag for each limit."""
    for field in reversed(fields(Limits)):
        help_ = f"Refuse a picture of more {field.name.removeprefix('max_')}; {field.default:,} by default."
        flag = f"--{field.name.replace('_', '-')}"
        command = click.option(flag, field.name, type=click.IntRange(1), metavar="N", help=help_)(command)
    return command


def _flag(field: Field[Any]) -> Command:
    stated = field.metadata
    long = f"--{field.name.replace('_', '-')}"
    flags = stated.get("flags", ())
    names = flags if any(flag.startswith("--") for flag in flags) else (*flags, long)
    shared: dict[str, Any] = {"help": _help(field), "default": None, "metavar": stated.get("metavar")}
    if isinstance(field.default, bool):
        return click.option(f"{long}/--no-{long[2:]}" if field.default else long, field.name, help=shared["help"],
                            default=None, is_flag=True)  # fmt: skip
    if isinstance(field.default, tuple):
        return click.option(*names, field.name, multiple=True, **{**shared, "default": ()})
    if "choices" in stated:
        return click.option(*names, field.name, type=click.Choice(stated["choices"]), **shared)
    kind = click.IntRange(stated["low"], stated.get("high")) if "low" in stated else str
    return click.option(*names, field.name, type=kind, **shared)


def _help(field: Field[Any]) -> str:
    if field.name == "refine":
        return f"{field.metadata['doc']} Repeat for more. [auto]"
    default = field.default
    told = isinstance(default, str) and bool(default)
    return f"{field.metadata['doc']} [{default}]" if told else str(field.metadata["doc"])


def stated(given: dict[str, Any]) -> dict[str, Any]:
    """Take the fields of the recipe that were given, by a preset or a flag, out of a command's arguments.

    Raises:
        UnknownPreset: there is no such preset.
    """
    names = [field.name for field in fields(Recipe)]
    flags = {name: given[name] for name in names if given.get(name) not in (None, ())}
    if not given.get("preset"):
        return flags
    from cleancut.jobs.batch.presets import presets  # noqa: PLC0415 - who names none need not read them

    return {**presets()[given["preset"]].fields, **flags}
