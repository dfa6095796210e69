"""`cleancut compare` itself: each case by itself, so that one that fails spoils no other."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cleancut.apps.compare.cases import Case, Task, Way, case, cutting, reading, recipes_of, tasks
from cleancut.apps.compare.measured import Measured, mean, measured, written
from cleancut.apps.compare.page import MOST, Entry, page, pictures
from cleancut.apps.files import assets, make_folder
from cleancut.apps.screen import Screen, screen
from cleancut.errors import BadInput, CannotWrite, CleancutError
from cleancut.limits import Limits
from cleancut.models.runtime import engine
from cleancut.pictures.files import replacing, shown

_LISTED = 10
"""Cases that the terminal lists of many, those that differ most."""

_BY = "difference, mean"


@dataclass(slots=True)
class _Done:
    """What was compared so far."""

    found: dict[str, Measured] = field(default_factory=dict)
    drawn: dict[str, str] = field(default_factory=dict)
    words: list[str] = field(default_factory=list)
    code: int = 0

    def names(self) -> list[str]:
        """The cases, those that differ most first."""
        return sorted(self.found, key=lambda name: -self.found[name].between[_BY])


def run(
    *,
    first: str,
    second: str | None,
    models: Sequence[str],
    recipes: Sequence[str],
    like: str | None,
    truth: str | None,
    report: str | None,
    device: str,
    as_json: bool,
    overwrite: bool,
    **limited: int | None,
) -> int:
    """Compare A with B, or two ways to cut A; give the exit code of the first case that could not be compared."""
    limits = replace(Limits.from_env(), **{name: value for name, value in limited.items() if value is not None})
    if report is not None and Path(report).exists() and not overwrite:
        raise CannotWrite(f"{shown(report)} exists; use --overwrite to replace it.")
    if report is not None:
        make_folder(Path(report).parent)
    labels, ways = _ways(first, second, models, recipes, like, device, limits)
    pairs, missing = tasks(Path(first), Path(second or first), None if truth is None else Path(truth))
    done = _Done(words=missing, code=BadInput.exit_code if missing else 0)
    for word in missing:
        click.echo(f"cleancut: {word}", err=True)
    with screen(len(pairs)) as shown_on:
        for task in pairs:
            _compare(task, ways, labels, limits, done, shown_on, draw=report is not None)
            shown_on.advance()
    if not done.found:
        return done.code
    if as_json:
        click.echo(json.dumps(_plain(labels, done), ensure_ascii=False, indent=2))
    else:
        _print(labels, done)
    if report is not None:
        _write(Path(report), labels, done, overwrite)
    return done.code


def _ways(
    first: str,
    second: str | None,
    models: Sequence[str],
    recipes: Sequence[str],
    like: str | None,
    device: str,
    limits: Limits,
) -> tuple[tuple[str, str], tuple[Way, Way]]:
    """Tell what to call A and B, and how each is come by."""
    if second is not None:
        if models or recipes:
            raise BadInput("Compare either two cut-outs, A and B, or one photo cut in two ways with -m or -r.")
        one, other = (shown(Path(given).name or given) for given in (first, second))
        return (("A", "B") if one == other else (one, other)), (reading(limits), reading(limits))
    running = engine(device)
    named = recipes_of(models, recipes, like, running)
    (a, one_way), (b, other_way) = (
        (label, cutting(recipe, running, assets(recipe, limits), limits)) for label, recipe in named
    )
    return (("A", "B") if a == b else (a, b)), (one_way, other_way)


def _compare(
    task: Task, ways: tuple[Way, Way], labels: tuple[str, str], limits: Limits, done: _Done, on: Screen, *, draw: bool
) -> None:
    try:
        compared = case(task, ways, limits)
    except CleancutError as error:
        done.code = done.code or error.exit_code
        done.words.append(str(error))
        on.word(f"cleancut: {error}")
        return
    done.found[task.name] = measured(compared)
    if draw:
        _draw(compared, labels, done)


def _draw(compared: Case, labels: tuple[str, str], done: _Done) -> None:
    """Draw a case if it is among those that differ most; so memory does not grow with the folder."""
    kept = done.names()[:MOST]
    for name in [name for name in done.drawn if name not in kept]:
        del done.drawn[name]
    if compared.name in kept:
        done.drawn[compared.name] = pictures(compared, labels)


def _print(labels: tuple[str, str], done: _Done) -> None:
    found = mean(done.found.values())
    table = Table(box=None, pad_edge=False)
    for heading in ("", *labels, "between them"):
        table.add_column(Text(heading), justify="left" if not heading else "right")
    for name, value in found.between.items():
        table.add_row(name, "", "", written(value))
    for name, pair in found.sides.items():
        table.add_row(name, *map(written, pair), "")
    console = Console(width=None if sys.stdout.isatty() else 120)
    console.print(table, highlight=False)
    if len(done.found) > 1:
        click.echo(f"\nMeans of {len(done.found)} pictures. Those that differ most:")
        for name in done.names()[:_LISTED]:
            click.echo(f"  {written(done.found[name].between[_BY])}  {name}")


def _plain(labels: tuple[str, str], done: _Done) -> Mapping[str, Any]:
    def plain(found: Measured) -> dict[str, Any]:
        sides = {name: dict(zip(("a", "b"), pair, strict=True)) for name, pair in found.sides.items()}
        return {"between": found.between, "sides": sides}

    return {
        "a": labels[0],
        "b": labels[1],
        "mean": plain(mean(done.found.values())),
        "pictures": [{"name": name, **plain(found)} for name, found in done.found.items()],
    }


def _write(path: Path, labels: tuple[str, str], done: _Done, overwrite: bool) -> None:
    entries = [Entry(name, done.found[name], done.drawn.get(name, "")) for name in done.names()]
    words = list(done.words)
    if len(entries) > MOST:
        words.append(f"The {MOST} pictures that differ most are shown; the figures are of all {len(entries)}.")
    with replacing(path, overwrite) as stream:
        stream.write(page(labels, entries, mean(done.found.values()), words).encode("utf-8"))
    click.echo(str(path), err=True)
