"""What a worker does with one picture: cut it in every way that is wanted, and encode the results.

No file, journal or thread is known here, so it runs wherever a picture and its recipes can be sent.
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from cleancut.errors import CleancutError, TooBig
from cleancut.jobs.batch.nouns import Review
from cleancut.limits import Limits
from cleancut.matting.cutout import Cutout
from cleancut.matting.figures import Passing
from cleancut.matting.ways import Ways
from cleancut.matting.write import encode
from cleancut.models.runtime import Load
from cleancut.types import Box, Picture, Recipe


@dataclass(frozen=True, slots=True)
class Way:
    """One result that is wanted of a picture: by which recipe, and in which format it is written."""

    recipe: Recipe
    format: str


@dataclass(frozen=True, slots=True, eq=False)
class Made:
    """One result.

    Attributes:
        data: the encoded picture.
        model, confidence, notes: as a report has them.
        size, box: of the result, in its pixels.
        reviewed: whether a second model was asked.
        seconds: of work on this result; the first of a picture pays for what all share.
        ms: milliseconds by stage; of ways that share, all so far.
    """

    data: bytes
    model: str
    confidence: float
    size: tuple[int, int]
    box: Box | None
    notes: tuple[str, ...]
    reviewed: bool
    seconds: float
    ms: Mapping[str, float]


def work(
    source: bytes,
    ways: Sequence[Way],
    *,
    load: Load,
    assets: Mapping[str, Picture],
    limits: Limits,
    review: Review | None = None,
    check: Callable[[], None] = lambda: None,
    name: str | None = None,
) -> Iterator[Made | CleancutError]:
    """Cut one picture in several ways, each of which may fail without the others.

    Args:
        source: the picture's encoded bytes.
        ways: what is wanted.
        load: gives a network by name.
        assets: the pictures that the recipes name.
        limits: on what is read.
        review: says when a second model is asked.
        check: called between steps; raise from it to end the work.
        name: what to call the picture in messages.

    Yields:
        For each way, in order, its result or why there is none.
    """
    shared = Ways(source, [way.recipe for way in ways], load, limits, check, name)
    for way in ways:
        begun = time.perf_counter()
        try:
            yield _made(shared, way, assets, review, begun)
        except CleancutError as error:
            yield error
        except MemoryError:
            yield TooBig("The picture does not fit into memory; reduce it with max_side, or take fewer workers.")


def _made(shared: Ways, way: Way, assets: Mapping[str, Picture], review: Review | None, begun: float) -> Made:
    cutout = shared.cut(way.recipe, assets)
    second = second_of(way.recipe, review, cutout.confidence)
    if second is not None:
        again = shared.cut(second, assets)
        cutout = max(cutout, again, key=lambda cutout: cutout.confidence)
    data, box = _encoded(cutout, way.format)
    return Made(
        data, cutout.model, cutout.confidence, cutout.size, box, cutout.notes, second is not None,
        round(time.perf_counter() - begun, 4), cutout.stopwatch.ms(),
    )  # fmt: skip


def second_of(recipe: Recipe, review: Review | None, confidence: float) -> Recipe | None:
    """Give the recipe by which a result that is not to be trusted is made again; None where it may stay."""
    if review is None or review.model is None or confidence >= review.below:
        return None
    return replace(recipe, model=review.model, layer=None)


def _encoded(cutout: Cutout, format: str) -> tuple[bytes, Box | None]:
    """Encode a cutout, and tell its box, which is found while its α passes by."""
    passing = Passing(cutout.subject.alpha)
    watched = replace(cutout, subject=replace(cutout.subject, alpha=passing.rows))
    stream = io.BytesIO()
    encode(watched, stream, format)
    return stream.getvalue(), cutout.box if cutout.recipe.show == "trimap" else passing.box
