"""What is compared: two files, two folders, or one picture cut in two ways."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cleancut.apps.cut import chosen_model
from cleancut.errors import BadInput, BadRecipe
from cleancut.limits import Limits
from cleancut.matting import recipe as recipes
from cleancut.matting.pipeline import cut
from cleancut.models.runtime import Engine
from cleancut.pictures import images
from cleancut.pictures.files import load, shown
from cleancut.pictures.formats import PICTURES
from cleancut.types import Picture, Recipe

_LONGEST_RECIPE = Limits(max_bytes=1_000_000)


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """One of the two, or the truth.

    Attributes:
        cut: (H, W, 4) uint8, straight.
        colored: whether its colours are a cut-out's; those of a mask say nothing.
        ms: milliseconds of cutting it, or None where it was cut before.
    """

    cut: NDArray[np.uint8]
    colored: bool
    ms: float | None = None

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        return self.cut.shape[1], self.cut.shape[0]

    @property
    def alpha(self) -> NDArray[np.float32]:
        """α, (H, W) float32 in [0, 1]."""
        return self.cut[..., 3] * np.float32(1 / 255)


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """Two cut-outs of one picture.

    Attributes:
        name: what to call it.
        sides: A and B, of one size.
        truth: the right one, of the same size, or None.
        source: the picture, (H, W, 3) uint8, where it is known.
    """

    name: str
    sides: tuple[Side, Side]
    truth: Side | None = None
    source: NDArray[np.uint8] | None = None


Way = Callable[[Path], tuple[Side, NDArray[np.uint8] | None]]
"""Gives one side of a path, and the picture it is of where that is known."""


@dataclass(frozen=True, slots=True)
class Task:
    """Files that make one case."""

    name: str
    first: Path
    second: Path
    truth: Path | None


def tasks(first: Path, second: Path, truth: Path | None) -> tuple[list[Task], list[str]]:
    """Pair files by their names without extension; give the pairs, and a word on each file that has no partner.

    Raises:
        BadInput: one is a folder and another is not, or nothing pairs.
    """
    given = [path for path in (first, second, truth) if path is not None]
    if len({path.is_dir() for path in given}) > 1:
        raise BadInput("Compare files with files or folders with folders, the truth included.")
    if not first.is_dir():
        return [Task(shown(first.name), first, second, truth)], []
    sides = [_files(path) for path in given]
    common = sorted(set.intersection(*map(set, sides)))
    if not common:
        raise BadInput("The folders have no picture of one name; pictures are paired by name, extensions aside.")
    missing = [
        f"{shown(side[name].name)} is not in every folder, so it is left out."
        for side in sides
        for name in sorted(set(side) - set(common))
    ]
    found = [Task(shown(name), sides[0][name], sides[1][name], sides[2][name] if truth else None) for name in common]
    return found, list(dict.fromkeys(missing))


def case(task: Task, ways: tuple[Way, Way], limits: Limits) -> Case:
    """Read or cut both sides of a task.

    Raises:
        BadInput: a file cannot be read or has no alpha, or sizes differ.
    """
    (one, source), (other, _) = (way(path) for way, path in zip(ways, (task.first, task.second), strict=True))
    truth = None if task.truth is None else reading(limits)(task.truth)[0]
    for side, what in ((other, "B"), (truth, "the truth")):
        if side is not None and side.size != one.size:
            (w, h), (x, y) = one.size, side.size
            raise BadInput(f"{task.name}: A is {w} × {h} pixels and {what} {x} × {y}; compare pictures of one size.")
    return Case(task.name, (one, other), truth, source)


def reading(limits: Limits) -> Way:
    """Give the way of a cut-out or mask that exists."""

    def way(path: Path) -> tuple[Side, None]:
        picture = images.read(path, limits=limits)
        rgb, alpha = picture.rgb, picture.alpha
        if alpha is not None:
            return Side(np.dstack((rgb, alpha)), colored=True), None
        if not ((rgb[..., 0] == rgb[..., 1]) & (rgb[..., 1] == rgb[..., 2])).all():
            raise BadInput(
                f"{picture.name} has no alpha; compare takes cut-outs or masks, or a photo and two models: "
                f"cleancut compare PHOTO -m NAME -m NAME."
            )
        return Side(np.repeat(rgb[..., :1], 4, axis=2), colored=False), None

    return way


def cutting(recipe: Recipe, engine: Engine, assets: Mapping[str, Picture], limits: Limits) -> Way:
    """Give the way of a photo that is cut by a recipe; its networks are loaded before anything is timed."""

    def way(path: Path) -> tuple[Side, NDArray[np.uint8]]:
        for name in recipes.models(recipe):
            engine.load(name)
        start = time.perf_counter()
        cutout = cut(path, recipe, load=engine.load, assets=assets, limits=limits)
        pixels = cutout.rgba()
        took = (time.perf_counter() - start) * 1000
        return Side(pixels, colored=True, ms=took), cutout.source.rgb

    return way


def recipes_of(
    models: Sequence[str], texts: Sequence[str], like: str | None, engine: Engine
) -> list[tuple[str, Recipe]]:
    """Read the two recipes that a command names, models first, each with what to call it.

    Raises:
        BadRecipe: they are not two, or one does not fit.
    """
    if len(models) + len(texts) != 2:
        raise BadRecipe("Name two models or recipes for one photo: -m NAME -m NAME, or -r RECIPE -r RECIPE.")
    if like is not None and not any(name.endswith(".onnx") for name in models):
        raise BadRecipe("--like goes with a model file: -m FILE.onnx --like NAME.")
    named = [(_short(name), recipes.make(model=chosen_model(engine, name, _like(name, like)))) for name in models]
    return named + [(_title(text, number), _recipe(text)) for number, text in enumerate(texts, 1)]


def _short(name: str) -> str:
    """Give a model's name as a report shows it: of a file without its folder."""
    return "+".join(shown(Path(part).name) for part in name.split("+"))


def _like(name: str, like: str | None) -> str | None:
    return like if any(part.endswith(".onnx") for part in name.split("+")) else None


def _recipe(text: str) -> Recipe:
    """Read a recipe from JSON, or from a file of it."""
    try:
        data: Any = json.loads(text if text.lstrip().startswith("{") else load(Path(text), _LONGEST_RECIPE))
    except (ValueError, RecursionError):
        raise BadRecipe(f"{shown(text)} is no recipe in JSON.") from None
    return recipes.from_json(data)


def _title(text: str, number: int) -> str:
    return f"recipe {number}" if text.lstrip().startswith("{") else shown(Path(text).stem)


def _files(folder: Path) -> dict[str, Path]:
    """List the pictures of a folder and those below it by their path there without extension."""
    found: dict[str, Path] = {}
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        if path.suffix.lower() in PICTURES and not any(part.startswith(".") for part in inside.parts):
            name = inside.with_suffix("").as_posix()
            if name in found:
                raise BadInput(f"{shown(path.name)} and {shown(found[name].name)} differ in their extension alone.")
            found[name] = path
    return found
