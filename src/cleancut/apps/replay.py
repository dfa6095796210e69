"""`cleancut replay`: a result carries its recipe, so it can be made again from its source."""

from __future__ import annotations

import hashlib
from pathlib import Path

import click

import cleancut
from cleancut.apps.cut import chosen_model
from cleancut.errors import BadInput, WrongHash
from cleancut.limits import Limits
from cleancut.matting import recipe as recipes
from cleancut.matting.pipeline import cut
from cleancut.matting.write import provenance_of
from cleancut.models.runtime import engine
from cleancut.pictures import images
from cleancut.pictures.files import shown


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
    loaded = running.load(recipe.model)
    if loaded.sha256 != noted["sha256"]:
        raise WrongHash(
            f"{shown(made)} was made by other weights of {recipe.model} "
            f"({str(noted['sha256'])[:12]}, here {loaded.sha256[:12]}); install cleancut {noted['version']}."
        )
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


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
