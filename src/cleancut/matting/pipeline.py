"""The order of work, written once: read → predict → layer → refine → foreground → effects → write.

Every way in makes a recipe and hands over pictures; this does the rest. What is cheap to describe and costly to hold
(alpha, colour) stays a description until it is written, strip by strip.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from cleancut.limits import Limits
from cleancut.matting import recipe as recipes
from cleancut.matting.colors.foreground import estimate as pyramid
from cleancut.matting.colors.multilevel import estimate as multilevel
from cleancut.matting.cutout import Cutout
from cleancut.matting.edges import marked, refinements
from cleancut.matting.effects import dressed
from cleancut.matting.ensemble import Answer, asked
from cleancut.matting.look import Look
from cleancut.matting.matte import Matte
from cleancut.matting.opaque import opaque
from cleancut.matting.predict import members
from cleancut.matting.scribbles.heed import Hand, heeded, noted, told_of, upheld
from cleancut.matting.scribbles.strokes import Mark, laid
from cleancut.matting.scribbles.walk import Walk
from cleancut.matting.steps import text_of
from cleancut.matting.stopwatch import Stopwatch
from cleancut.models.runtime import Load, engine
from cleancut.pictures import images
from cleancut.raster.layer import Layer
from cleancut.raster.resample import Fit
from cleancut.raster.rows import Rows
from cleancut.types import AUTO, Picture, Prediction, Recipe, Step

_FOREGROUNDS: Mapping[str, Callable[[Rows, Rows], Rows]] = {
    "pyramid": pyramid,
    "multilevel": multilevel,
    "source": lambda colors, alpha: colors,
}

Source: TypeAlias = Picture | bytes | bytearray | memoryview | str | Path
"""What can be cut: a picture, the bytes of one, or the path of one."""


def cut(
    source: Source,
    recipe: Recipe | None = None,
    *,
    load: Load | None = None,
    assets: Mapping[str, Picture] | None = None,
    limits: Limits | None = None,
    check: Callable[[], None] | None = None,
    answer: Answer | None = None,
    walk: Walk | None = None,
) -> Cutout:
    """Cut the subject out of one picture; `cut_all` with a list of one.

    Where `answer` is what the models said of this very picture before (`cutout.hand.answer`), asked by the same model,
    tta, layer and max_side, they are not asked again. `walk` is what its strokes are understood by, where it is known.

    >>> photo = Picture(np.zeros((30, 40, 3), np.uint8))
    >>> cut(photo).report.notes
    ('No subject was found.',)
    """
    return next(_all([source], recipe, load, assets, limits, check, answer, walk))


def cut_all(
    sources: Iterable[Source],
    recipe: Recipe | None = None,
    *,
    load: Load | None = None,
    assets: Mapping[str, Picture] | None = None,
    limits: Limits | None = None,
    check: Callable[[], None] | None = None,
) -> Iterator[Cutout]:
    """Cut the subject out of each picture, one after another.

    Args:
        sources: pictures, their bytes or their paths.
        recipe: what to do; by default everything at its default.
        load: gives a network by name; by default this process's engine.
        assets: the pictures that the recipe names.
        limits: on what is read; by default those of the environment.
        check: called between steps; raise from it to end the work (a deadline, a client that left).

    Yields:
        A cutout a picture. Its colours and alpha are computed when it is written or asked for them.

    Raises:
        BadInput: a picture or the recipe does not fit.
        WeightsError: the model's weights are not there, or not the right ones.
        Broken: the device or the network failed.
    """
    return _all(sources, recipe, load, assets, limits, check)


def _all(
    sources: Iterable[Source],
    recipe: Recipe | None,
    load: Load | None,
    assets: Mapping[str, Picture] | None,
    limits: Limits | None,
    check: Callable[[], None] | None,
    answer: Answer | None = None,
    walk: Walk | None = None,
) -> Iterator[Cutout]:
    recipe = recipes.checked(recipe or Recipe())
    limits = limits or Limits.from_env()
    recipe, handed = recipes.named_by_content(recipe, assets or {})
    load = load or engine().load
    # Of several models none is held, so that they need not all lie in memory at once.
    ask = load if len(members(recipe.model)) > 1 else functools.cache(load)
    for source in sources:
        stopwatch = Stopwatch()
        with stopwatch.stage("read"):
            picture = read(source, recipe, limits)
        # After reading: a caller that loads the network in another thread has both done at once.
        yield _cut(picture, recipe, ask, load, handed, check or (lambda: None), stopwatch, answer, walk)


def _cut(
    picture: Picture,
    recipe: Recipe,
    ask: Load,
    load: Load,
    handed: Mapping[str, Picture],
    check: Callable[[], None],
    stopwatch: Stopwatch,
    answer: Answer | None,
    walk: Walk | None,
) -> Cutout:
    """Walk one picture down the road; `ask` gives the networks that find the subject, `load` those that refine it."""
    check()
    answer = answer or asked(picture, recipe, ask, stopwatch, check)
    check()
    return _made(picture, recipe, answer, recipe.strokes, load, handed, check, stopwatch, walk)


def _made(
    picture: Picture,
    recipe: Recipe,
    answer: Answer,
    marks: tuple[Mark, ...],
    load: Load,
    handed: Mapping[str, Picture],
    check: Callable[[], None],
    stopwatch: Stopwatch,
    walk: Walk | None = None,
) -> Cutout:
    """Make a cutout of what the networks said and a person marked."""

    def remake(given: tuple[Mark, ...]) -> Cutout:  # not under this call's deadline, which is over by then
        return _made(picture, recipe, answer, given, load, handed, lambda: None, Stopwatch(), walk)

    blank = not answer.prediction.subject and recipe.no_subject == "empty"
    with stopwatch.stage("marks"):
        heard = heeded(picture, answer, marks, blank=blank, walk=walk)
    prediction = heard.prediction
    with stopwatch.stage("tidy"):
        look = looked(picture, heard, recipe, load, marks)
    width, height = picture.size
    nothing, everything = (Rows.constant(height, width, np.array(a, np.float32)) for a in (0, 1))
    with stopwatch.stage("refine"):
        alpha, refined = refine(look, recipe.refine)
        if recipe.opaque:
            alpha, refined = opaque(alpha, look.scale), (*refined, "opaque")
    shown = prediction.subject or recipe.no_subject == "keep"
    plain = upheld(alpha, look.marks) if shown else nothing
    band = marked(look.first, look).map(_share) if shown else nothing
    alpha = timed(own_alpha(plain, picture), stopwatch, "alpha").remembered()
    check()
    cutout = Cutout(
        source=picture,
        scene=Layer(Rows.of(picture.rgb), own_alpha(everything, picture)),
        subject=Layer(timed(foreground(picture, alpha, recipe, prediction), stopwatch, "foreground"), alpha),
        recipe=noted(recipe, marks),
        confidence=prediction.confidence,
        model=_joined(answer, "model"),
        sha256=_joined(answer, "sha256"),
        provider=_joined(answer, "provider"),
        precision=_joined(answer, "precision"),
        models=(*answer.ran, *look.ran),
        profile=picture.profile,
        refined=(*told_of(marks), *refined),
        notes=_notes(picture, answer, prediction),
        band=Layer(Rows.of(picture.rgb), own_alpha(band, picture)),
        hand=Hand(answer, blank, plain, marks, remake),
        stopwatch=stopwatch,
    )
    return dressed(cutout, handed, check)


def read(source: Source, recipe: Recipe, limits: Limits, name: str | None = None) -> Picture:
    """Read a picture as the recipe says; one that was read before is only reduced."""
    if isinstance(source, Picture):
        return images.within(source, recipe.max_side)
    given = Path(source) if isinstance(source, str) else source
    data = given if isinstance(given, Path) else bytes(given)
    return images.read(data, name=name, limits=limits, max_side=recipe.max_side, keep_metadata=recipe.keep_metadata)


def looked(picture: Picture, answer: Answer, recipe: Recipe, load: Load, marks: tuple[Mark, ...]) -> Look:
    """Give α at the picture's size with all that a refinement may look at; a matte is of that size."""
    prediction, plane, fit = answer.prediction, answer.plane, answer.fit
    drawn = laid(marks, *picture.size) if marks else None
    if isinstance(prediction, Matte):
        lay = Fit.stretch(picture.size, (plane.shape[1], plane.shape[0]), "bicubic")
        return Look(picture, lay, plane, prediction.rows, load, sharp=True, marks=drawn)
    plane = tidy(plane, recipe.refine)
    return Look(picture, fit, plane, fit.enlarge(plane), load, prediction.error, marks=drawn, budget=recipe.budget)


def tidy(plane: NDArray[np.float32], steps: tuple[Step, ...]) -> NDArray[np.float32]:
    """Tidy, where `auto` is asked for, at the network's own size: there it costs next to nothing."""
    if not any(step in AUTO for step in steps):
        return plane
    tidied: NDArray[np.float32] = refinements.bind(AUTO[0], {})(Rows.of(plane)).whole()
    return tidied


def refine(look: Look, steps: tuple[Step, ...]) -> tuple[Rows, tuple[str, ...]]:
    """Chain the steps at full size, before which `auto` has tidied; give the alpha and what ran or will run."""
    alpha, told = look.first, []
    for step in steps:
        if step not in AUTO:
            alpha = _refinement(step, look)(alpha)
        told.append(" ".join([text_of(step), *look.told]))
        look.told.clear()
    return alpha, tuple(told)


def _refinement(step: Step, look: Look) -> Callable[[Rows], Rows]:
    """Give a step as a function of alpha alone."""
    function: Callable[..., Rows] = refinements.bind(step, {})
    return (lambda alpha: function(alpha, look)) if refinements[step.name].takes > 1 else function


def _share(marked: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Write a trimap as an alpha, for a layer."""
    return np.asarray(marked * np.float32(1 / 255))


def own_alpha(alpha: Rows, picture: Picture) -> Rows:
    """Multiply in the alpha that the source has of its own."""
    own = picture.alpha
    if own is None:
        return alpha
    scale = np.float32(1 / 255)
    return Rows(alpha.shape, lambda top, bottom: alpha.read(top, bottom) * (own[top:bottom] * scale))


def foreground(picture: Picture, alpha: Rows, recipe: Recipe, prediction: Prediction) -> Rows:
    """Give the subject's colour as the recipe says; a background that is known is not estimated."""
    if isinstance(prediction, Matte) and recipe.foreground != "source":
        return prediction.foreground(alpha)
    return _FOREGROUNDS[recipe.foreground](Rows.of(picture.rgb), alpha)


def _notes(picture: Picture, answer: Answer, prediction: Prediction) -> tuple[str, ...]:
    """Gather what the reader of a report should know."""
    nothing = () if prediction.subject else ("No subject was found.",)
    return (*answer.notes, *picture.notes, *prediction.notes, *nothing)


def _joined(answer: Answer, name: str) -> str:
    """Give an attribute of the models that were asked; of several, each, joined by +."""
    return "+".join(getattr(one, name) for one in answer.ran)


def timed(rows: Rows, stopwatch: Stopwatch, stage: str) -> Rows:
    """Count the time that rows take to a stage."""

    def read(top: int, bottom: int) -> NDArray[np.generic]:
        with stopwatch.stage(stage):
            return rows.read(top, bottom)

    return replace(rows, read=read)
