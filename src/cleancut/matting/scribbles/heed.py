"""Change what a model says of a picture as a person's marks ask for, before anything is refined."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cleancut.matting.band.trimap import FOREGROUND, UNKNOWN
from cleancut.matting.ensemble import Answer
from cleancut.matting.matte import Matte
from cleancut.matting.scribbles.strokes import Mark, laid
from cleancut.matting.scribbles.walk import Walk, applied, certain
from cleancut.raster.resample import Fit, reduced, weights
from cleancut.raster.rows import Rows
from cleancut.types import Picture, Recipe, Stroke

if TYPE_CHECKING:
    from cleancut.matting.cutout import Cutout

Plane = NDArray[np.float32]

SIDE = 512
"""Pixels along the longer side of the preview that marks are understood on, at the most."""


@dataclass(frozen=True, slots=True, eq=False)
class Hand:
    """What it takes to correct a cutout by hand.

    Attributes:
        answer: what the models said before any mark.
        blank: whether they saw no subject and are not to be believed, so that all α is 0.
        alpha: rows (H, W) of the picture's α, as its recipe refined it and before effects.
        marks: those it heeds, later ones over earlier ones.
        remake: makes the cutout again, with these marks in place of those.
    """

    answer: Answer
    blank: bool
    alpha: Rows
    marks: tuple[Mark, ...]
    remake: Callable[[tuple[Mark, ...]], Cutout]


def preview_size(size: tuple[int, int]) -> tuple[int, int]:
    """Give (width, height) of the preview of a picture; a smaller picture is its own.

    >>> preview_size((6000, 4000)), preview_size((30000, 40)), preview_size((96, 120))
    ((512, 341), (512, 1), (96, 120))
    """
    scale = min(1.0, SIDE / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def walk_over(picture: Picture, answer: Answer, *, blank: bool) -> Walk:
    """Prepare the preview of a picture for marks."""
    return walk_on(reduced(picture.rgb, *preview_size(picture.size), "bicubic"), answer, blank=blank)


def walk_on(rgb: NDArray[np.uint8], answer: Answer, *, blank: bool) -> Walk:
    """Prepare a preview (h, w, 3) that is there already, with the answer about its picture."""
    alpha = replace(answer.fit, source=rgb.shape[1::-1]).enlarge(answer.plane).whole()
    return Walk.of(rgb, np.zeros_like(alpha) if blank else alpha)


def heeded(picture: Picture, answer: Answer, marks: Sequence[Mark], *, blank: bool, walk: Walk | None = None) -> Answer:
    """Change an answer as marks ask for: its α, and how far that may be off.

    Where no mark reaches it stays bit for bit. An answer without a subject has one where something is kept. `walk` is
    what `walk_over` gives, where it is known; of a smaller copy it is better that of the picture itself.
    """
    width, height = preview_size(picture.size) if walk is None else walk.rgb.shape[1::-1]
    drawn = laid(marks, width, height).whole()
    if (drawn == UNKNOWN).all() or (blank and not (drawn == FOREGROUND).any()):
        return answer
    pull = (walk or walk_over(picture, answer, blank=blank)).pull(drawn)
    plane = np.zeros_like(answer.plane) if blank else answer.plane
    moved = applied(plane, _in_plane(pull, answer.fit, plane.shape))
    prediction = answer.prediction
    if prediction.error is not None:
        sure = 1 - np.abs(_in_plane(pull, answer.fit, prediction.error.shape))
        prediction = replace(prediction, error=prediction.error * sure)
    if isinstance(prediction, Matte):
        rows = prediction.rows.map(np.zeros_like) if blank else prediction.rows
        prediction = replace(prediction, rows=_pulled(rows, pull))
    if blank:
        note = "The model found no subject; what was marked by hand is taken for it."
        prediction = replace(prediction, subject=True, notes=(*prediction.notes, note))
    return replace(answer, prediction=prediction, plane=moved)


def upheld(alpha: Rows, marks: Rows | None) -> Rows:
    """Set alpha (H, W) to 1 where marks, rows (H, W) uint8, say 255, and to 0 where they say 0."""
    if marks is None:
        return alpha
    return Rows(alpha.shape, lambda top, bottom: certain(alpha.read(top, bottom), marks.read(top, bottom)))


def noted(recipe: Recipe, marks: Sequence[Mark]) -> Recipe:
    """Write the marks into the recipe of a result; one that heeds masks says nothing of how it was made."""
    strokes = tuple(mark for mark in marks if isinstance(mark, Stroke))
    return replace(recipe, strokes=strokes, provenance=recipe.provenance and len(strokes) == len(marks))


def told_of(marks: Sequence[Mark]) -> tuple[str, ...]:
    """Tell of the marks in a report."""
    return (f"marks ({len(marks)})",) if marks else ()


def _in_plane(pull: Plane, fit: Fit, shape: tuple[int, ...]) -> Plane:
    """Bring a pull from the preview to a network's plane (h, w); padding is not pulled."""
    left, top, right, bottom = fit.box
    across, down = shape[1] / fit.size[0], shape[0] / fit.size[1]
    x0, x1, y0, y1 = round(left * across), round(right * across), round(top * down), round(bottom * down)
    if (y1 - y0, x1 - x0) == shape == pull.shape:
        return pull
    result = np.zeros(shape, np.float32)
    rows, columns = weights(pull.shape[0], y1 - y0, "bilinear"), weights(pull.shape[1], x1 - x0, "bilinear")
    result[y0:y1, x0:x1] = np.clip(rows @ pull @ columns.T, -1, 1)
    return result


def _pulled(alpha: Rows, pull: Plane) -> Rows:
    """Pull alpha (H, W) at full size by the preview's pull."""
    height, width = pull.shape
    fit = Fit.stretch((alpha.width, alpha.height), (width, height), "bilinear")
    up, down = (fit.enlarge(np.maximum(sign * pull, 0)) for sign in (1, -1))
    return Rows(
        alpha.shape,
        lambda top, bottom: applied(alpha.read(top, bottom), up.read(top, bottom) - down.read(top, bottom)),
    )
