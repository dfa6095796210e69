"""`cleancut replay`: a result carries its recipe, so it can be made again from its source."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

import cleancut
from cleancut.apps.cut import chosen_model
from cleancut.errors import BadInput, WrongHash
from cleancut.limits import Limits
from cleancut.matting import recipe as recipes
from cleancut.matting.pipeline import cut
from cleancut.matting.predict import members
from cleancut.matting.write import provenance_of
from cleancut.models.runtime import Engine, engine
from cleancut.pictures import images
from cleancut.pictures.files import shown
from cleancut.types import Recipe


def run(
    *,
    result: str,
    source: str,
    output: str | None,
    assets: tuple[str, ...],
    model: str | None,
    like: str | None,
    device: str,
    overwrite: bool,
) -> int:
    """Make a result again; give 0 where it is the same byte for byte, else 1."""
    limits = Limits.from_env()
    made = Path(result)
    noted = provenance_of(made)
    recipe = recipes.from_json(noted["recipe"])
    running = engine(device)
    if model is not None:
        chosen_model(running, model, like)
    _check_weights(recipe, running, noted, shown(made))
    if noted["version"] != cleancut.__version__:
        click.echo(f"{shown(made)} was made by cleancut {noted['version']}.", err=True)
    pictures = [images.read(Path(given), limits=limits) for given in assets]
    handed = {recipes.content_name(picture): picture for picture in pictures}
    if missing := recipes.assets(recipe) - set(handed):
        raise BadInput(f"The recipe uses the picture {min(missing)}; hand its file over with --asset FILE.")
    target = Path(output) if output else made.with_name(f"{made.stem}_replayed{made.suffix}")
    cutout = cut(Path(source), recipe, load=running.load, assets=handed, limits=limits)
    cutout.save(target, overwrite=overwrite)
    click.echo(str(target))
    same = _digest(target) == _digest(made)
    click.echo("The same file, byte for byte." if same else f"Differs from {shown(made)}.", err=True)
    return 0 if same else 1


def _check_weights(recipe: Recipe, running: Engine, noted: Mapping[str, Any], made: str) -> None:
    """Refuse other weights than those a result was made by; of several models each is noted, joined by +."""
    names = members(recipe.model)
    hashes = str(noted["sha256"]).split("+")
    for name, then in zip(names, hashes if len(hashes) == len(names) else [""] * len(names), strict=True):
        now = running.load(name).sha256
        if now != then:
            raise WrongHash(
                f"{made} was made by other weights of {name} ({then[:12]}, here {now[:12]}); "
                f"install cleancut {noted['version']}."
            )


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
