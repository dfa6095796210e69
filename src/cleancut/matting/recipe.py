"""Recipes as people, forms and wires write them: checked against the models, effects and refinements there are.

>>> recipe = make(effects=["blur:radius=20"], refine="none")
>>> from_json(to_json(recipe)) == recipe
True
"""

from __future__ import annotations

import difflib
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import Field, fields, replace
from typing import Any

import numpy as np

from cleancut.errors import BadRecipe, BadSetting
from cleancut.matting.band.learned import is_refiner
from cleancut.matting.edges import refinements
from cleancut.matting.effects import effects
from cleancut.matting.plugins import load_effects
from cleancut.matting.predict import complete, members
from cleancut.matting.scribbles import strokes
from cleancut.matting.settings import Asset, Choice, Kind, Range, Switch
from cleancut.matting.steps import Catalogue
from cleancut.types import Picture, Recipe, Step

CATALOGUES: Mapping[str, Catalogue[Any]] = {"effects": effects, "refine": refinements}
"""The catalogue that each field of steps is read with."""

_LONGEST = 64
"""Steps in one list at the most: a recipe from a stranger must not be a day's work."""

FIELDS: Mapping[str, Field[Any]] = {field.name: field for field in fields(Recipe)}

LISTS = tuple(name for name, field in FIELDS.items() if isinstance(field.default, tuple))
"""The fields that hold several of a kind, so that a form may state them more than once."""


def make(**given: object) -> Recipe:
    """Make a recipe from loosely written values: text for steps, numbers as text, "none" for no steps.

    Args:
        given: fields of `Recipe`. Steps are text (`"blur:radius=12"`), mappings (`{"name": "blur", "radius": 12}`),
            `Step`s, or a list of them.

    Raises:
        BadRecipe: a field is unknown.
        UnknownEffect, BadSetting: a step does not fit.
    """
    for name in given:
        if name not in FIELDS:
            near = difflib.get_close_matches(name, FIELDS, 1)
            raise BadRecipe(f"A recipe has no {name!r}; it may have {', '.join(near or FIELDS)}.")
    read: dict[str, Any] = {name: _read(name, value) for name, value in given.items()}
    return Recipe(**read)


def checked(recipe: Recipe) -> Recipe:
    """Check a recipe that was made by hand and complete its steps with their defaults."""
    return make(**{name: getattr(recipe, name) for name in FIELDS})


def to_json(recipe: Recipe) -> dict[str, Any]:
    """Give a recipe as plain data, every field stated."""
    shown = {name: getattr(recipe, name) for name in FIELDS}
    steps = {name: [{"name": s.name, **dict(s.settings)} for s in shown[name]] for name in CATALOGUES}
    return shown | steps | {"strokes": [strokes.to_json(stroke) for stroke in recipe.strokes]}


def from_json(data: object) -> Recipe:
    """Read a recipe from plain data, such as `json.loads` gives.

    Raises:
        BadRecipe: it is not an object, or does not fit.
    """
    if not isinstance(data, Mapping):
        raise BadRecipe('A recipe is an object, such as {"effects": [{"name": "blur"}]}.')
    return make(**{str(name): value for name, value in data.items()})


def digest(recipe: Recipe) -> str:
    """Give the sha256 of a recipe; equal recipes have equal digests.

    >>> digest(make(refine="none")) == digest(make(refine=[]))
    True
    """
    return hashlib.sha256(json.dumps(to_json(recipe), sort_keys=True).encode()).hexdigest()


def models(recipe: Recipe) -> tuple[str, ...]:
    """Name every model that a recipe asks, without settings: those that find the subject, and those that refine it.

    >>> models(make(model="u2netp+grabcut:box=1,2,3,4", refine="vitmatte"))
    ('u2netp', 'grabcut', 'vitmatte-small-distinctions-646')
    """
    found = [name.partition(":")[0] for name in members(recipe.model)]
    refining = [str(value) for step in recipe.refine for name, value in step.settings if name == "model"]
    return tuple(dict.fromkeys((*found, *refining)))


def assets(recipe: Recipe) -> set[str]:
    """Name the pictures that must be handed over beside a recipe."""
    return {
        str(dict(step.settings)[setting.name])
        for step in recipe.effects
        for setting in effects[step.name].settings.values()
        if isinstance(setting.kind, Asset)
    }


def named_by_content(recipe: Recipe, handed: Mapping[str, Picture]) -> tuple[Recipe, dict[str, Picture]]:
    """Name the pictures that a recipe needs by what they show, so that it carries no word that a person typed.

    Raises:
        BadRecipe: one was not handed over.
    """
    needed = assets(recipe)
    if missing := needed - set(handed):
        raise BadRecipe(f"The recipe names the picture {min(missing)!r}, which was not handed over.")
    names = {name: content_name(handed[name]) for name in needed}
    return _renamed(recipe, names), {names[name]: handed[name] for name in needed}


def content_name(picture: Picture) -> str:
    """Name a picture by a digest of its pixels, alpha and profile."""
    digest = hashlib.sha256(f"{picture.size}".encode())
    for plane in (picture.rgb, picture.alpha):
        digest.update(b"|" if plane is None else np.ascontiguousarray(plane).data)
    digest.update(picture.profile or b"")
    return f"sha256-{digest.hexdigest()[:32]}"


def _renamed(recipe: Recipe, names: Mapping[str, str]) -> Recipe:

    def rename(step: Step) -> Step:
        kinds = effects[step.name].settings
        return Step(
            step.name,
            tuple((k, names.get(str(v), v) if isinstance(kinds[k].kind, Asset) else v) for k, v in step.settings),
        )

    return replace(recipe, effects=tuple(map(rename, recipe.effects)))


def schema() -> dict[str, Any]:
    """Describe a recipe in JSON schema (draft 2020-12)."""
    load_effects()
    shown = {name: _schema(field) for name, field in FIELDS.items()}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Recipe",
        "description": "What to do to a picture.",
        "type": "object",
        "properties": shown,
        "additionalProperties": False,
    }


def kind_of(field: Field[Any]) -> Kind | None:
    """Tell the kind of setting a field of a recipe is; None for text and steps."""
    stated = field.metadata
    if "choices" in stated:
        return Choice(stated["choices"])
    if "low" in stated:
        return Range(stated["low"], stated.get("high", 100_000), whole=True)
    return Switch() if isinstance(field.default, bool) else None


def _schema(field: Field[Any]) -> dict[str, Any]:
    about = {"description": field.metadata["doc"]}
    if field.name in CATALOGUES:
        return about | {"type": "array", "items": CATALOGUES[field.name].schema(), "maxItems": _LONGEST}
    if field.name == "strokes":
        return about | {"type": "array", "items": strokes.schema(), "maxItems": strokes.MOST_STROKES}
    kind = kind_of(field)
    typed = kind.schema() if kind else {"type": "string"}
    if field.default is None:
        return about | {"anyOf": [typed, {"type": "null"}], "default": None}
    return about | typed | {"default": field.default}


def _read(name: str, value: object) -> object:
    field = FIELDS[name]
    if name in CATALOGUES:
        return _steps(name, value)
    if name == "strokes":
        return strokes.read_all(value)
    if value is None and field.default is None:
        return None
    kind = kind_of(field)
    if kind is None:
        return complete(_text(name, value)) if name == "model" else _text(name, value)
    try:
        return kind.read(value)
    except (ValueError, OverflowError):
        raise BadSetting(f"{name} must be {kind}, not {value!r}.") from None


def _text(name: str, value: object) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= 200:
        raise BadSetting(f"{name} must be a name, not {value!r}.")
    return value


def _steps(name: str, value: object) -> tuple[Step, ...]:
    """Read one step or a list of them; None and the words none and "" are no steps."""
    listed = value if isinstance(value, Iterable) and not isinstance(value, str | Mapping) else [value]
    given = [item for item in listed if item not in (None, "", "none")]
    if len(given) > _LONGEST:
        raise BadRecipe(f"{name} has {len(given)} steps; {_LONGEST} are the most.")
    if given and name == "effects":
        load_effects()
    return tuple(_step(CATALOGUES[name], item) for item in given)


def _step(catalogue: Catalogue[Any], item: object) -> Step:
    readers: tuple[tuple[type[Any], Callable[[Any], Step]], ...] = (
        (str, lambda text: catalogue.parse(_spelled_out(catalogue, text))),
        (Step, lambda step: catalogue[step.name].step(dict(step.settings))),
        (Mapping, catalogue.step),
    )
    for kind, read in readers:
        if isinstance(item, kind):
            return read(item)
    raise BadRecipe(f"A {catalogue.noun} is text such as name:key=value, not {item!r}.")


def _spelled_out(catalogue: Catalogue[Any], text: str) -> str:
    """Read a refinement that is a model's name, such as vitmatte:tiles=2, as the step that asks this model."""
    name, _, rest = text.strip().partition(":")
    if catalogue is not refinements or name in refinements or not is_refiner(name):
        return text
    return ",".join(filter(None, (f"trimap:model={name}", rest)))
