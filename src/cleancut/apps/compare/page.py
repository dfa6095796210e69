"""The report of a comparison: one HTML file with its pictures inside, without any script or outside address."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from PIL import Image

import cleancut
from cleancut.apps.compare.cases import Case
from cleancut.apps.compare.drawn import Shot, closeups, overview
from cleancut.apps.compare.measured import Measured, written

MOST = 30
"""Cases that are shown with pictures, those that differ most; the figures of all are in the tables."""

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 100rem; padding: 0 1.5rem; color: #1c1c1e }
h1 { font-size: 1.5rem } h2 { font-size: 1.1rem; margin: 2.5rem 0 .5rem; overflow-wrap: anywhere }
table { border-collapse: collapse } th, td { padding: .15rem 1rem .15rem 0; text-align: right }
th:first-child, td:first-child { text-align: left } thead th { border-bottom: 1px solid #bbb }
.row { display: flex; flex-wrap: wrap; gap: .75rem; margin: .75rem 0 } figure { margin: 0 }
figcaption { font-size: .8rem; color: #55555a; max-width: 30rem; overflow-wrap: anywhere }
img { max-width: 100%; border: 1px solid #d0d0d4 } img.close { width: 320px; image-rendering: pixelated }
p { max-width: 50rem }
"""

_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"

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
    return "\n".join([
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
        f"<title>{html.escape(title)}</title><style>{_STYLE}</style></head><body>",
        f"<h1>{html.escape(title)}</h1>",
        f"<p>{counted}, by cleancut {cleancut.__version__}.</p>",
        _table(labels, total),
        f"<p>{_ABOUT}</p>",
        *(f"<p>{html.escape(word)}</p>" for word in words),
        *(_section(labels, entry, alone=len(entries) == 1) for entry in entries),
        "</body></html>\n",
    ])  # fmt: skip


def _section(labels: tuple[str, str], entry: Entry, *, alone: bool) -> str:
    figures = "" if alone else _table(labels, entry.found)
    return f"<h2>{html.escape(entry.name)}</h2>\n{figures}\n{entry.pictures}"


def _table(labels: tuple[str, str], found: Measured) -> str:
    head = "".join(f"<th>{html.escape(text)}</th>" for text in ("", *labels, "between them"))
    lines = [(name, *map(written, pair), "") for name, pair in found.sides.items()]
    lines = [*((name, "", "", written(value)) for name, value in found.between.items()), *lines]
    body = "".join(f"<tr>{''.join(f'<td>{html.escape(cell)}</td>' for cell in line)}</tr>" for line in lines)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _row(shots: Iterable[Shot], *, close: bool) -> str:
    return f'<div class="row">{"".join(_figure(shot, close) for shot in shots)}</div>'


def _figure(shot: Shot, close: bool) -> str:
    title, of = html.escape(shot.title), ' class="close"' if close else ""
    return f'<figure><img{of} alt="{title}" src="{_inside(shot, close)}"><figcaption>{title}</figcaption></figure>'


def _inside(shot: Shot, exact: bool) -> str:
    """Put a picture into an address of its own: exact as PNG, else as JPEG."""
    stream = io.BytesIO()
    kind, settings = ("png", {}) if exact else ("jpeg", {"quality": 88})
    Image.fromarray(shot.pixels).save(stream, kind, **settings)
    return f"data:image/{kind};base64,{base64.b64encode(stream.getvalue()).decode()}"
