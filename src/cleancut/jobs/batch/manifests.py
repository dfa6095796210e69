"""Manifests: a table whose rows each name a picture, and may state a recipe of their own.

One column names the picture. `output` names the result; `preset`, `recipe` (an object of JSON) and fields of a recipe
(`model`, `effects`, `format`, …) state what is done to this row's picture, the later over the earlier. What other
columns hold is left alone, and their names are told. A table may come from someone else, so that files are read from
its own folder only, or from one that is named.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cleancut.errors import BadInput, BadRecipe, CleancutError
from cleancut.jobs.batch.folders import refused
from cleancut.jobs.batch.inside import inside
from cleancut.jobs.batch.lists import located
from cleancut.jobs.batch.nouns import Entry
from cleancut.jobs.batch.presets import Preset, presets
from cleancut.jobs.batch.remote import Network
from cleancut.jobs.batch.tables import Cells, Row, read_table
from cleancut.matting import recipe as recipes
from cleancut.pictures.files import shown

NAMES = ("path", "file", "picture", "image", "source", "url")
"""What the column of pictures may be called where nobody says, the first that is there."""

OUTPUT, PRESET, RECIPE = "output", "preset", "recipe"

_STEPS = ("effects", "refine", "strokes")
_SPLIT = ";"
"""What parts steps in a cell of text; no step holds one."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How a manifest is read.

    Attributes:
        column: the one that names pictures; by default the first of `NAMES` that is there.
        separator: what parts several pictures in a cell, such as ","; empty where a cell is one picture.
        root: files lie in it, and paths are relative to it; by default the manifest's own folder.
        plain: whether it was made for something else, as a shop's table is: no column states anything of a recipe, and
            a row may name no picture.
    """

    column: str = ""
    separator: str = ""
    root: Path | None = None
    plain: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """A row with the pictures that it names.

    Attributes:
        row: as it was read.
        pictures: the name in the tree of each; a picture that several rows name alike goes by one name.
        fresh: entries of those that no row before it named.
    """

    row: Row
    pictures: tuple[str, ...]
    fresh: tuple[Entry, ...]


class Manifest:
    """The pictures of a table.

    Args:
        path: of the table.
        reading: how it is read.
        network: how addresses in it are asked.

    Raises:
        BadInput: it cannot be read, or has no column of pictures.
        TooBig: it has more rows than the limits allow.
    """

    endless = False

    def __init__(self, path: Path, reading: Reading, network: Network) -> None:
        self.table = read_table(path, network.limits)
        self.column = _column(self.table.columns, reading.column, shown(path))
        self._reading = reading
        self._root = reading.root or path.absolute().parent
        self._network = network

    @property
    def unknown(self) -> tuple[str, ...]:
        """Columns that say nothing of what is done."""
        return tuple(name for name in self.table.columns if name != self.column and name not in self._known)

    @property
    def _known(self) -> tuple[str, ...]:
        return () if self._reading.plain else (OUTPUT, PRESET, RECIPE, *recipes.FIELDS)

    def __iter__(self) -> Iterator[Entry]:
        for line in self.lines():
            yield from line.fresh

    def lines(self) -> Iterator[Line]:
        """Read the rows, the same each time."""
        known: dict[str, str] = {}
        for row in self.table.rows():
            try:
                entries = list(self._entries(row))
            except CleancutError as error:
                told = f"row {row.number}"
                entries = [refused(f"row-{row.number}", type(error)(_in_row(row.number, error)), origin=told)]
            yield _line(row, entries, known)

    def close(self) -> None:
        """Nothing is held."""

    def joined(self, names: list[str]) -> str:
        """Write names into a cell as the pictures stood in it."""
        return f"{self._reading.separator} ".join(names) if len(names) > 1 else names[0]

    def _entries(self, row: Row) -> Iterator[Entry]:
        if row.error is not None:
            raise row.error
        stated = {name: value for name in self._known if (value := _stated(row.cells.get(name))) is not None}
        output = stated.pop(OUTPUT, None)
        preset = presets()[str(stated[PRESET])] if PRESET in stated else None
        overrides = _overrides(stated, preset)
        texts = self._texts(row.cells)
        if output is not None and len(texts) > 1:
            raise BadInput("it names several pictures and one output; leave the output out")
        for text in texts:
            entry = located(text, self._root, self._network, confined=True)
            yield replace(
                entry,
                overrides=overrides,
                asset=self._assets(preset),
                output=None if output is None else inside(str(output)),
                origin=f"row {row.number} ({shown(entry.shown)})",
            )

    def _assets(self, preset: Preset | None) -> Callable[[str], bytes | Path]:
        """Tell where pictures are that recipes of rows name: a preset's anywhere, a row's own in the folder."""
        trusted = set() if preset is None else recipes.assets(preset.recipe())

        def asset(name: str) -> bytes | Path:
            return Path(name) if name in trusted else located(name, self._root, self._network, confined=True).read()

        return asset

    def _texts(self, cells: Cells) -> list[str]:
        """Give the pictures that a cell names."""
        value = cells.get(self.column)
        listed = value if isinstance(value, list) else [value]
        if not all(isinstance(item, str) for item in listed if item is not None):
            raise BadInput(f"its {shown(self.column)} must be text")
        parts = [part for text in listed if text for part in self._parted(text)]
        if not parts and not self._reading.plain:
            raise BadInput(f"it names no picture; its {shown(self.column)} is empty")
        return parts

    def _parted(self, text: str) -> list[str]:
        parts = text.split(self._reading.separator) if self._reading.separator else [text]
        return [part.strip() for part in parts if part.strip()]


def _line(row: Row, entries: list[Entry], known: dict[str, str]) -> Line:
    """Tell entries that are new from those that a row before named alike; another recipe makes another entry."""
    names, fresh = [], []
    for entry in entries:
        asked = json.dumps([entry.overrides, entry.output], sort_keys=True, default=str)
        name = entry.name
        if known.get(name, asked) != asked:
            name = f"{name}#{row.number}"
        if name not in known:
            known[name] = asked
            fresh.append(replace(entry, name=name))
        names.append(name)
    return Line(row, tuple(names), tuple(fresh))


def _column(columns: tuple[str, ...], asked: str, name: str) -> str:
    """Find the column of pictures; case aside where nobody names it."""
    if asked:
        if asked not in columns:
            raise BadInput(f"{name} has no column {shown(asked)!r}; it has {_listed(columns)}.")
        return asked
    folded = {column.casefold(): column for column in reversed(columns)}
    found = next((folded[word] for word in NAMES if word in folded), None)
    if found is None:
        raise BadInput(
            f"{name} has no column {', '.join(NAMES)}; say with --column which of {_listed(columns)} names pictures."
        )
    return found


def _listed(columns: tuple[str, ...]) -> str:
    return ", ".join(shown(column) for column in columns[:30]) + (", …" if len(columns) > 30 else "")


def _stated(value: object) -> object | None:
    """Give what a cell states; an empty one states nothing."""
    if isinstance(value, str):
        return value.strip() or None
    return value


def _overrides(stated: Mapping[str, Any], preset: Preset | None) -> Mapping[str, object]:
    """Give the fields of a recipe that a row states, checked by themselves.

    Raises:
        BadRecipe: they do not fit.
    """
    own = {name: _parsed(name, value) for name, value in stated.items() if name not in {PRESET, RECIPE}}
    found = {**(preset.fields if preset else {}), **_object(stated.get(RECIPE)), **own}
    recipes.make(**found)
    return found


def _object(value: object) -> Mapping[str, object]:
    if value is None:
        return {}
    try:
        given = json.loads(value) if isinstance(value, str) else value
    except (ValueError, RecursionError):
        raise BadRecipe("its recipe is not JSON") from None
    if not isinstance(given, Mapping):
        raise BadRecipe('its recipe must be an object of JSON, such as {"format": "jpeg"}')
    return {str(name): item for name, item in given.items()}


def _parsed(name: str, value: object) -> object:
    """Read a cell of steps: text parted by ;, or JSON."""
    if name not in _STEPS or not isinstance(value, str):
        return value
    if not value.startswith("["):
        return [step.strip() for step in value.split(_SPLIT)]
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        raise BadRecipe(f"its {name} begin with [ and are not JSON") from None


def _in_row(number: int, error: CleancutError) -> str:
    """Say in which row it went wrong, once."""
    text = str(error)
    told = text if text.endswith((".", "?")) else f"{text}."
    return told if told.startswith("Row ") else f"Row {number}: {told}"
