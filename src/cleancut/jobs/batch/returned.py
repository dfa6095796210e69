"""A manifest with its results: the same table, rows and columns kept, with what became of each picture.

Either columns are added (`cleancut_result`, `_confidence`, `_box`, `_error`), or the names of results take the place
of those of the pictures, as a shop's import wants it; a row whose picture failed then keeps what it had.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from cleancut.jobs.batch.manifests import Line, Manifest
from cleancut.jobs.batch.nouns import Outcome
from cleancut.jobs.batch.tables import Cells, write_table

_MADE = ("done", "kept")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""A spreadsheet takes text that begins so for a formula."""

Results = Mapping[tuple[str, str], Outcome]
"""Outcomes by name and variant."""


@dataclass(frozen=True, slots=True)
class Returned:
    """How a manifest is given back.

    Attributes:
        path: where it is written; in the manifest's own format.
        replace: whether results take the place of pictures in their column, and no column is added.
        address: what goes before a result's name, such as https://cdn.example/cut/; the name is then escaped for it.
    """

    path: Path
    replace: bool = False
    address: str = ""

    def place(self, shown: Callable[[str], str]) -> Callable[[str], str]:
        """Tell how a result is named in the table: by address, or as `shown` says where it lies."""
        if not self.address:
            return shown
        return lambda name: f"{self.address.rstrip('/')}/{quote(name, safe='/', errors='surrogateescape')}"


def give_back(
    manifest: Manifest,
    outcomes: Iterable[Outcome],
    wanted: Returned,
    shown: Callable[[str], str],
    *,
    overwrite: bool = False,
) -> None:
    """Write a manifest with what became of its pictures.

    Args:
        manifest: that the pictures came from.
        outcomes: of all of them, in any order.
        wanted: how it is written.
        shown: says where a result lies.
        overwrite: whether the file may exist.

    Raises:
        CannotWrite: it exists, or cannot be written.
    """
    found = {(outcome.name, outcome.variant): outcome for outcome in outcomes}
    variants = tuple(dict.fromkeys(variant for _, variant in found))
    place = wanted.place(shown)
    if wanted.replace:
        columns = manifest.table.columns
        rows = (_replaced(manifest, line, found, variants, place) for line in manifest.lines())
    else:
        columns = (*manifest.table.columns, *(name for variant in variants for name in _added(variant)))
        rows = (_extended(line, found, variants, place) for line in manifest.lines())
    write_table(manifest.table, wanted.path, columns, rows, overwrite=overwrite)


def _added(variant: str) -> tuple[str, ...]:
    """Name the columns that a variant adds."""
    more = f"_{variant}" if variant else ""
    return tuple(f"cleancut_{what}{more}" for what in ("result", "confidence", "box", "error"))


def _extended(line: Line, found: Results, variants: tuple[str, ...], place: Callable[[str], str]) -> Cells:
    cells = dict(line.row.cells)
    for variant in variants:
        outcomes = list(_of(line, found, variant))
        made = [outcome for outcome in outcomes if outcome.state in _MADE]
        values = (
            ", ".join(place(outcome.output) for outcome in made),
            min((outcome.confidence for outcome in made if outcome.confidence is not None), default=None),
            " ".join(json.dumps(outcome.box) for outcome in made if outcome.box is not None),
            _harmless(" ".join(outcome.error for outcome in outcomes if outcome.error)),
        )
        cells |= dict(zip(_added(variant), values, strict=True))
    return cells


def _replaced(
    manifest: Manifest, line: Line, found: Results, variants: tuple[str, ...], place: Callable[[str], str]
) -> Cells:
    """Put results in the place of pictures, if all of the row's were made: half a row is nobody's wish."""
    outcomes = list(_of(line, found, variants[0])) if variants else []
    made = [place(outcome.output) for outcome in outcomes if outcome.state in _MADE]
    if not made or len(made) < len(line.pictures):
        return line.row.cells
    before = line.row.cells[manifest.column]
    return {**line.row.cells, manifest.column: made if isinstance(before, list) else manifest.joined(made)}


def _of(line: Line, found: Results, variant: str) -> Iterator[Outcome]:
    return (found[name, variant] for name in line.pictures if (name, variant) in found)


def _harmless(text: str) -> str:
    """Keep a spreadsheet from taking a message for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text
