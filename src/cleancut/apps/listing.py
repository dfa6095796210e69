"""`cleancut models`, `cleancut effects` and `cleancut presets`: what there is to choose from."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cleancut.jobs.batch.presets import Preset, presets
from cleancut.matting.edges import refinements
from cleancut.matting.effects import effects
from cleancut.matting.plugins import load_effects
from cleancut.matting.recipe import to_json
from cleancut.matting.steps import Catalogue
from cleancut.models import licenses
from cleancut.models.registry import RUNNING, Model, Weights, models
from cleancut.models.weights import path_of

_IN_A_PIPE = 160
"""Columns where there is no terminal: a line a model."""


def show_models(as_json: bool) -> int:
    """Print the models, one a line."""
    if as_json:
        click.echo(json.dumps([described(model) for model in models()], indent=2))
        return 0
    table = Table(box=None, pad_edge=False)
    for heading in ("name", "what for", "licence", "commercial", "size", "IoU", "time", "here"):
        table.add_column(heading, no_wrap=heading != "what for")
    for model in models():
        about = described(model)
        title = model.title if about["runs"] else f"{model.title}; not run by this version"
        here = "yes" if about["here"] else "no"
        size, (iou, time) = megabytes(about["bytes"]), _measured(model)
        cells = (model.name, title, model.license, _commercial(model), size, iou, time, here)
        table.add_row(*map(Text, cells))  # text of a user's table is no markup
    Console(width=None if sys.stdout.isatty() else _IN_A_PIPE).print(table)
    click.echo("\nIoU: mean over seven sets of photos. Time: of the network beside cleancut-small's.", err=True)
    return 0


def described(model: Model) -> dict[str, object]:
    """Tell of a model what its table and this machine say."""
    sizes = [_size(weights) for weights in model.weights.values()]
    return {
        "name": model.name,
        "aliases": model.aliases,
        "title": model.title,
        "kind": model.kind,
        "runs": model.kind in RUNNING,
        "license": model.license,
        "commercial": model.commercial,
        "accepted": licenses.accepted(model),
        "paper": model.paper,
        "source": model.source,
        "layers": model.layers,
        "measured": asdict(model.measured) if model.measured else None,
        "bytes": sum(size for size in sizes if size) if all(sizes) else None,
        "here": all(path_of(weights).is_file() for weights in model.weights.values()),
        "files": {part: asdict(weights) for part, weights in model.weights.items()},
        "input": asdict(model.input),
        "output": asdict(model.output),
    }


def _size(weights: Weights) -> int | None:
    """Give a file's size: that of its table, else that of the file where it is here."""
    path = path_of(weights)
    return weights.bytes or (path.stat().st_size if path.is_file() else None)


def _measured(model: Model) -> tuple[str, str]:
    if model.measured is None:
        return "", ""
    return f"{model.measured.iou:.2f}", f"{model.measured.time:.3g}×"


def _commercial(model: Model) -> str:
    if model.commercial:
        return "yes"
    return "no, accepted" if licenses.accepted(model) else "no"


def megabytes(size: object) -> str:
    """Write a size as people read it; one that is not known is not guessed, and 0 is that of no weights."""
    if size == 0:
        return "no weights"
    return f"{size / 1e6:.1f} MB" if isinstance(size, int) else "not stated"


def show_steps(as_json: bool) -> int:
    """Print effects and refinements with their settings."""
    load_effects()
    if as_json:
        click.echo(json.dumps({"effects": effects.schema(), "refine": refinements.schema()}, indent=2))
        return 0
    click.echo("Effects, -e NAME:key=value\n")
    _show(effects)
    click.echo("Steps of --refine\n")
    _show(refinements)
    return 0


def show_presets(as_json: bool) -> int:
    """Print the presets, one a line."""
    found = presets().values()
    if as_json:
        listed = [{"name": one.name, "title": one.title, "recipe": _stated(one), "source": one.source} for one in found]
        click.echo(json.dumps(listed, indent=2))
        return 0
    table = Table(box=None, pad_edge=False)
    for heading in ("name", "what it makes"):
        table.add_column(heading, no_wrap=heading == "name")
    for one in found:
        table.add_row(Text(one.name), Text(one.title))
    Console(width=None if sys.stdout.isatty() else _IN_A_PIPE).print(table)
    click.echo("\nUse one with --preset NAME; docs/presets.md says how to write your own.", err=True)
    return 0


def _stated(preset: Preset) -> dict[str, Any]:
    """Give the fields of a recipe that a preset states, as plain data."""
    return {name: value for name, value in to_json(preset.recipe()).items() if name in preset.fields}


def _show(catalogue: Catalogue[Any]) -> None:
    for entry in catalogue:
        click.echo(f"  {entry.name}: {entry.doc}")
        for setting in entry.settings.values():
            default = "needed" if setting.default is None else setting.default
            click.echo(f"      {setting.name} = {default}    {setting.kind}")
    click.echo()
