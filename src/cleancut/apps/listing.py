"""`cleancut models` and `cleancut effects`: what there is to choose from."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from cleancut.matting.effects import effects
from cleancut.matting.refine import refinements
from cleancut.matting.steps import Catalogue
from cleancut.models.registry import Model, models
from cleancut.models.weights import path_of


def show_models(as_json: bool) -> int:
    """Print the models, one a line."""
    if as_json:
        click.echo(json.dumps([described(model) for model in models()], indent=2))
        return 0
    table = Table("name", "what for", "licence", "commercial use", "size", "here", box=None, pad_edge=False)
    for model in models():
        about = described(model)
        table.add_row(model.name, model.title, model.license, "yes" if model.commercial else "no",
                      megabytes(about["bytes"]), "yes" if about["here"] else "no")  # fmt: skip
    Console().print(table)
    return 0


def described(model: Model) -> dict[str, object]:
    """Tell of a model what its table and this machine say."""
    sizes = [weights.bytes for weights in model.weights.values()]
    return {
        "name": model.name,
        "title": model.title,
        "kind": model.kind,
        "license": model.license,
        "commercial": model.commercial,
        "paper": model.paper,
        "bytes": sum(size for size in sizes if size) if all(sizes) else None,
        "here": all(path_of(weights).is_file() for weights in model.weights.values()),
        "input": asdict(model.input),
        "output": asdict(model.output),
    }


def megabytes(size: object) -> str:
    """Write a size as people read it; one that is not known is not guessed."""
    return f"{size / 1e6:.1f} MB" if isinstance(size, int) else "not stated"


def show_steps(as_json: bool) -> int:
    """Print effects and refinements with their settings."""
    if as_json:
        click.echo(json.dumps({"effects": effects.schema(), "refine": refinements.schema()}, indent=2))
        return 0
    click.echo("Effects, -e NAME:key=value\n")
    _show(effects)
    click.echo("Steps of --refine\n")
    _show(refinements)
    return 0


def _show(catalogue: Catalogue[Any]) -> None:
    for entry in catalogue:
        click.echo(f"  {entry.name}: {entry.doc}")
        for setting in entry.settings.values():
            default = "needed" if setting.default is None else setting.default
            click.echo(f"      {setting.name} = {default}    {setting.kind}")
    click.echo()
