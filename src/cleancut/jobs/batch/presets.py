"""Presets: recipes by name, ours and the user's, each a table of TOML.

A user's tables lie in `cleancut/presets.toml` of the folder of settings, or where `$CLEANCUT_PRESETS` says.

>>> recipe = presets()["amazon"].recipe()
>>> recipe.format, recipe.effects[1].name
('jpeg', 'fit')
"""

from __future__ import annotations

import difflib
import functools
import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from cleancut.errors import BadRecipe, BadTable, UnknownPreset
from cleancut.matting import recipe as recipes
from cleancut.matting.effects import effects
from cleancut.matting.settings import Asset
from cleancut.models.keys import Check, text
from cleancut.models.registry import user_tables
from cleancut.types import Recipe, Step

OURS = Path(__file__).with_name("presets.toml")

_FILE = "presets.toml"
_VARIABLE = "CLEANCUT_PRESETS"
_MOST_BYTES = 1_000_000
_MOST = 1_000
"""Presets in one file: each is checked before any is used."""

_NAME = text(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", "a name of letters, digits and . _ -")
_TITLE = text()
_BESIDE = ("title", "like")
"""Keys that are no fields of a recipe."""


@dataclass(frozen=True, slots=True)
class Preset:
    """A recipe that goes by a name.

    Attributes:
        name: what `--preset` takes.
        title: what it makes, in a line.
        fields: of the recipe, those it states; checked.
        source: what to call the file that it stands in.
    """

    name: str
    title: str
    fields: Mapping[str, object]
    source: str

    def recipe(self, **given: object) -> Recipe:
        """Make its recipe; a field that is given takes the place of the preset's.

        Raises:
            BadRecipe: what is given does not fit.
        """
        return recipes.make(**{**self.fields, **given})


class Presets(Mapping[str, Preset]):
    """Presets by name; an unknown name is an error that suggests a known one."""

    def __init__(self, found: Mapping[str, Preset]) -> None:
        self._found = found

    def __getitem__(self, name: str) -> Preset:
        if name in self._found:
            return self._found[name]
        near = difflib.get_close_matches(name, self._found, 1)
        hint = f"did you mean {near[0]}?" if near else "cleancut presets lists those there are."
        raise UnknownPreset(f"There is no preset {name[:100]!r}; {hint}")

    def __contains__(self, name: object) -> bool:
        return name in self._found

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)


@functools.cache
def presets() -> Presets:
    """Give the presets of this package and of the user.

    Raises:
        BadTable: a file has a mistake, or two presets have one name.
    """
    found: dict[str, Preset] = {}
    for source, path in (("cleancut's presets.toml", OURS), *user_tables(os.environ, _FILE, _VARIABLE)):
        for preset in read_presets(path, source, found):
            if preset.name in found:
                raise BadTable(
                    f"There are two presets {preset.name}, in {found[preset.name].source} and in {source}; rename one."
                )
            found[preset.name] = preset
    return Presets(found)


def read_presets(path: Path, source: str, known: Mapping[str, Preset] = MappingProxyType({})) -> Iterator[Preset]:
    """Read a file of presets and check every one of them.

    Args:
        path: of the file; pictures that its recipes name lie beside it unless their paths are whole.
        source: what to call it in messages.
        known: presets of other files that `like` may name.

    Raises:
        BadTable: it cannot be read, or a table has a mistake; the sentence names the table and the key.
    """
    tables = _tables(path, source)
    for name, table in tables.items():
        where = f"{source}: [{name[:100]}]"
        if not isinstance(table, dict):
            raise BadTable(f"{where} must be a table with a title and fields of a recipe.")
        title = _line(table.get("title"), _TITLE, f"{where}: title")
        fields = _checked(_merged(table, tables, known, where), where, path.parent)
        yield Preset(_line(name, _NAME, f"{where}: a preset's name"), title, fields, source)


def _line(value: object, check: Check, where: str) -> str:
    try:
        return str(check(value))
    except ValueError as error:
        raise BadTable(f"{where} must be {error}, not {value!r}.") from None


def _tables(path: Path, source: str) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise BadTable(f"{source} cannot be read: {error.strerror}.") from None
    if len(data) > _MOST_BYTES:
        raise BadTable(f"{source} has more than {_MOST_BYTES:,} bytes; split it.")
    try:
        tables = tomllib.loads(data.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadTable(f"{source} is not TOML: {error}.") from None
    if len(tables) > _MOST:
        raise BadTable(f"{source} has {len(tables):,} presets; {_MOST:,} are the most.")
    return tables


def _merged(
    table: Mapping[str, Any], tables: Mapping[str, Any], known: Mapping[str, Preset], where: str
) -> dict[str, object]:
    """Lay a table's fields over those of the preset it is like; one level, no more."""
    own = {key: value for key, value in table.items() if key not in _BESIDE}
    like = table.get("like")
    if like is None:
        return own
    if isinstance(like, str) and like in known:
        return {**known[like].fields, **own}
    base = tables.get(like) if isinstance(like, str) else None
    if not isinstance(base, dict):
        raise BadTable(f"{where}: like must be the name of a preset, not {like!r}.")
    if "like" in base:
        raise BadTable(f"{where}: like names {like}, which is itself like another; name that one.")
    return {**{key: value for key, value in base.items() if key not in _BESIDE}, **own}


def _checked(fields: dict[str, object], where: str, folder: Path) -> Mapping[str, object]:
    """Read fields as a recipe does; give those that were stated, their pictures found."""
    try:
        recipe = recipes.make(**fields)
    except BadRecipe as error:
        raise BadTable(f"{where}: {error}") from error
    stated = {name: getattr(recipe, name) for name in fields}
    if "effects" in stated:
        stated["effects"] = tuple(_beside(step, folder) for step in recipe.effects)
    return MappingProxyType(stated)


def _beside(step: Step, folder: Path) -> Step:
    """Find the pictures that a step names where its preset lies, not where the command is run."""
    kinds = effects[step.name].settings
    return Step(
        step.name,
        tuple(
            (k, str(folder.absolute() / str(v)) if isinstance(kinds[k].kind, Asset) else v) for k, v in step.settings
        ),
    )
