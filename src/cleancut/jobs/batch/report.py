"""The report of a batch: one HTML file with a contact sheet, the results least to be trusted first.

Its size does not grow with the batch, about 3 MB at the most: the figures are of all pictures, failures and skipped
files are listed up to a number, and the sheet shows those of the lowest confidence and an even sample of the rest. The
journal has a line for every picture.
"""

from __future__ import annotations

import html
import statistics
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

import cleancut
from cleancut.errors import CleancutError
from cleancut.jobs.batch.nouns import Outcome, Review
from cleancut.limits import Limits
from cleancut.pictures import images
from cleancut.pictures.files import replacing, shown
from cleancut.pictures.page import document, figure, table, thumbnail

LOWEST = 240
"""Results of the lowest confidence that are shown."""

SAMPLE = 60
"""Results that are shown of the rest, evenly by confidence."""

NAMED = 1_000
"""Failures that are listed by name."""

_SKIPPED = 100
_SIDE = 160
_QUALITY = 80
_BINS = 10
_BAR = 40
_MADE = ("done", "kept")
_LONGEST = 500

_ABOUT = (
    "Confidence says how far to trust a result: for the models of this package it is the overlap with the right answer "
    "that is to be expected, from 0 to 1; other models guess more loosely. Seconds are of work on one picture, reading "
    "and writing included; several pictures are worked on at once."
)


@runtime_checkable
class Readable(Protocol):
    """Where results can be read back from."""

    def get(self, name: str) -> bytes:
        """Read a result; raise BadInput where that cannot be done."""


@dataclass(frozen=True, slots=True)
class Told:
    """What the reader of a report is told besides outcomes.

    Attributes:
        title: of the page.
        words: sentences, such as which settings the batch had.
        review: what was done with results that are not to be trusted.
        limits: on results that are read back.
    """

    title: str = "A batch of pictures"
    words: tuple[str, ...] = ()
    review: Review | None = None
    limits: Limits = Limits()


def write_report(
    path: Path, outcomes: Iterable[Outcome], results: Readable, told: Told | None = None, *, overwrite: bool = True
) -> None:
    """Write the report, whole or not at all.

    Args:
        path: of the file.
        outcomes: of every picture, in any order.
        results: gives the pictures that are shown.
        told: what else the reader should know.
        overwrite: whether the file may exist.

    Raises:
        CannotWrite: it exists, or cannot be written.
    """
    with replacing(path, overwrite) as stream:
        stream.write(page(list(outcomes), results, told or Told()).encode())


def page(outcomes: Sequence[Outcome], results: Readable, told: Told) -> str:
    """Give the report as HTML."""
    made = sorted((one for one in outcomes if one.state in _MADE), key=lambda one: (_confidence(one), one.output))
    return document(told.title, [
        f"<p>{len(outcomes):,} results of {len({one.name for one in outcomes}):,} files, "
        f"by cleancut {html.escape(cleancut.__version__)}.</p>",
        *(f"<p>{html.escape(word)}</p>" for word in told.words),
        *_failures(outcomes),
        *_counts(outcomes, told.review),
        *_models(made),
        *_spread(made),
        *_sheet(made, results, told.limits),
        *_skipped(outcomes),
    ])  # fmt: skip


def shown_of(made: Sequence[Outcome]) -> tuple[Sequence[Outcome], Sequence[Outcome]]:
    """Choose what is shown of results in the order of their confidence: the lowest, and a sample of the rest."""
    low, rest = made[:LOWEST], made[LOWEST:]
    if len(rest) <= SAMPLE:
        return low, rest
    return low, [rest[place * (len(rest) - 1) // (SAMPLE - 1)] for place in range(SAMPLE)]


def _failures(outcomes: Sequence[Outcome]) -> Iterator[str]:
    failed = [one for one in outcomes if one.state == "failed"]
    if not failed:
        return
    kinds = Counter(one.kind for one in failed)
    yield f"<h2>{len(failed):,} failed</h2>"
    yield table(("kind of failure", "results"), [(kind, f"{count:,}") for kind, count in kinds.most_common()])
    listed = sorted(failed, key=lambda one: (-kinds[one.kind], one.kind, one.name))[:NAMED]
    yield table(("", "why"), [(_called(one), _short(one.error)) for one in listed], words=True)
    if len(failed) > NAMED:
        yield f"<p>These are the first {NAMED:,}; the journal names all of them.</p>"


def _counts(outcomes: Sequence[Outcome], review: Review | None) -> Iterator[str]:
    states = Counter(one.state for one in outcomes)
    about = {
        "made now": states["done"],
        "made by an earlier run": states["kept"],
        "failed": states["failed"],
        "skipped, as they are no pictures": states["skipped"],
        "without a subject": sum(one.state in _MADE and one.box is None for one in outcomes),
    }
    if review is not None:
        about[f"reviewed, below {review.below:g}"] = sum(one.reviewed for one in outcomes)
    yield "<h2>What became of them</h2>"
    yield table(("", "results"), [(name, f"{count:,}") for name, count in about.items()])


def _models(made: Sequence[Outcome]) -> Iterator[str]:
    by_model: dict[str, list[Outcome]] = defaultdict(list)
    for one in made:
        by_model[one.model or "not stated"].append(one)
    lines = [(_short(model), *_figures(by_model[model])) for model in sorted(by_model)]
    head = ("model", "results", "confidence, mean", "median", "lowest", "seconds, median", "slowest 5 %")
    yield "<h2>By model</h2>"
    yield table(head, lines)
    yield f"<p>{_ABOUT}</p>"


def _figures(made: Sequence[Outcome]) -> tuple[str, ...]:
    trusted = [one.confidence for one in made if one.confidence is not None]
    seconds = sorted(one.seconds for one in made if one.state == "done")
    confidence = (statistics.fmean, statistics.median, min)
    return (
        f"{len(made):,}",
        *(f"{figure(trusted):.3f}" if trusted else "" for figure in confidence),
        f"{statistics.median(seconds):.2f}" if seconds else "",
        f"{seconds[len(seconds) * 95 // 100]:.2f}" if seconds else "",
    )


def _spread(made: Sequence[Outcome]) -> Iterator[str]:
    """Draw how confidence is spread, in letters: a page without scripts needs no picture for it."""
    trusted = [one.confidence for one in made if one.confidence is not None]
    if not trusted:
        return
    counts = Counter(min(int(value * _BINS), _BINS - 1) for value in trusted)
    most = max(counts.values())
    lines = "".join(
        f"<tr><td>{place / _BINS:.1f} – {(place + 1) / _BINS:.1f}</td><td>{counts[place]:,}</td>"
        f'<td style="text-align:left" class="bar">{"█" * -(-counts[place] * _BAR // most)}</td></tr>'
        for place in range(_BINS)
    )
    yield "<h2>Confidence</h2>"
    yield f"<table><tbody>{lines}</tbody></table>"


def _sheet(made: Sequence[Outcome], results: Readable, limits: Limits) -> Iterator[str]:
    low, rest = shown_of(made)
    if low:
        yield f"<h2>{f'The {len(low):,} of the lowest confidence' if rest else 'By confidence'}, the lowest first</h2>"
        yield _row(low, results, limits)
    if rest:
        yield f"<h2>{len(rest):,} of the other {len(made) - len(low):,}, evenly by confidence</h2>"
        yield _row(rest, results, limits)


def _row(made: Sequence[Outcome], results: Readable, limits: Limits) -> str:
    return f'<div class="row sheet">{"".join(_figure(one, results, limits) for one in made)}</div>'


def _figure(one: Outcome, results: Readable, limits: Limits) -> str:
    caption = " · ".join(filter(None, (f"{_confidence(one):.2f}", _short(one.output), one.variant, _short(one.model))))
    try:
        pixels = _pixels(results.get(one.output), one.output, limits)
    except CleancutError as error:
        return f"<figure><figcaption>{html.escape(caption)}: {html.escape(_short(str(error)))}</figcaption></figure>"
    return figure(thumbnail(pixels, _SIDE, 8), caption, quality=_QUALITY)


def _pixels(data: bytes, name: str, limits: Limits) -> NDArray[np.uint8]:
    picture = images.read(data, limits=limits, name=shown(name))
    return picture.rgb if picture.alpha is None else np.dstack([picture.rgb, picture.alpha])


def _skipped(outcomes: Sequence[Outcome]) -> Iterator[str]:
    skipped = sorted((one for one in outcomes if one.state == "skipped"), key=lambda one: one.name)
    if skipped:
        yield f"<h2>{len(skipped):,} skipped</h2>"
        yield table(("", "why"), [(_called(one), _short(one.error)) for one in skipped[:_SKIPPED]], words=True)
    if len(skipped) > _SKIPPED:
        yield f"<p>These are the first {_SKIPPED}; the journal names all of them.</p>"


def _called(one: Outcome) -> str:
    """What to call a picture, and the way it was cut."""
    return _short(shown(one.origin or one.name)) + (f" ({one.variant})" if one.variant else "")


def _confidence(one: Outcome) -> float:
    return 0.0 if one.confidence is None else one.confidence


def _short(text: str) -> str:
    """Give a text in a printable form that is not endless."""
    return shown(text[:_LONGEST])
