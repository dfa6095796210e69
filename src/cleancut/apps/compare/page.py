"""The report of a comparison: one HTML file with its pictures inside, without any script or outside address."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import cleancut
from cleancut.apps.compare.cases import Case
from cleancut.apps.compare.drawn import Shot, closeups, overview
from cleancut.apps.compare.measured import Measured, written
from cleancut.pictures.page import document, figure, table

MOST = 30
"""Cases that are shown with pictures, those that differ most; the figures of all are in the tables."""

_ABOUT = (
    "SSIM, differences and the figures beside a truth are of α. Width is that of the way from α = 0.05 to 0.95, "
    "averaged along the outline, and steepness how fast α rises there. The colour fringe is the mean difference "
    "between the colours of soft pixels and of opaque ones near them: it compares cut-outs of one picture. The halo "
    "is the mean difference from the true colours, over black and white, where the true α is soft. Times are of this "
    "machine, without reading the model and without encoding the result."
)


@dataclass(frozen=True, slots=True)
class Entry:
    """A case on the page: its name, its figures, and HTML of its pictures or nothing."""

    name: str
    found: Measured
    pictures: str = ""


def pictures(case: Case, labels: tuple[str, str]) -> str:
    """Draw a case as HTML: an overview, and the places where the two differ most."""
    rows = [_row(overview(case, labels), close=False)]
    places = closeups(case, labels)
    if places:
        rows.append("<p>Where they differ most, at twice the picture's own size:</p>")
    return "\n".join([*rows, *(_row(shots, close=True) for shots in places)])


def page(labels: tuple[str, str], entries: Sequence[Entry], total: Measured, words: Iterable[str]) -> str:
    """Write the report.

    Args:
        labels: what to call A and B.
        entries: the cases, in the order they are shown.
        total: the mean of their figures.
        words: what the reader should know, a sentence each.
    """
    title = f"{labels[0]} and {labels[1]}"
    counted = f"Mean of {len(entries)} pictures" if len(entries) > 1 else "One picture"
    return document(title, [
        f"<p>{counted}, by cleancut {cleancut.__version__}.</p>",
        _table(labels, total),
        f"<p>{_ABOUT}</p>",
        *(f"<p>{html.escape(word)}</p>" for word in words),
        *(_section(labels, entry, alone=len(entries) == 1) for entry in entries),
    ])  # fmt: skip


def _section(labels: tuple[str, str], entry: Entry, *, alone: bool) -> str:
    figures = "" if alone else _table(labels, entry.found)
    return f"<h2>{html.escape(entry.name)}</h2>\n{figures}\n{entry.pictures}"


def _table(labels: tuple[str, str], found: Measured) -> str:
    lines = [(name, *map(written, pair), "") for name, pair in found.sides.items()]
    lines = [*((name, "", "", written(value)) for name, value in found.between.items()), *lines]
    return table(("", *labels, "between them"), lines)


def _row(shots: Iterable[Shot], *, close: bool) -> str:
    return f'<div class="row">{"".join(_figure(shot, close) for shot in shots)}</div>'


def _figure(shot: Shot, close: bool) -> str:
    return figure(shot.pixels, shot.title, exact=close)
