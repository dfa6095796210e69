"""The order of work, written once: read → predict → layer → refine → foreground → effects → write.

Every way in makes a recipe and hands over pictures; this does the rest. What is cheap to describe and costly to hold
(alpha, colour) stays a description until it is written, strip by strip.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from cleancut.errors import BadRecipe
from cleancut.limits import Limits
from cleancut.matting import recipe as recipes
from cleancut.matting.colors.foreground import estimate as pyramid
from cleancut.matting.colors.multilevel import estimate as multilevel
from cleancut.matting.cutout import Cutout
from cleancut.matting.edges import refinements
from cleancut.matting.effects import effects
from cleancut.matting.look import Look
from cleancut.matting.matte import Matte
from cleancut.matting.predict import fit_of, predict, together
from cleancut.matting.steps import text_of
from cleancut.matting.stopwatch import Stopwatch
from cleancut.models.registry import Model
from cleancut.models.runtime import Load, Loaded, engine
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
) -> Cutout:
    """Cut the subject out of one picture; `cut_all` with a list of one.

    >>> photo = Picture(np.zeros((30, 40, 3), np.uint8))
    >>> cut(photo).report.notes
    ('No subject was found.',)
    """
    return next(cut_all([source], recipe, load=load, assets=assets, limits=limits, check=check))


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
    recipe = recipes.checked(recipe or Recipe())
    limits = limits or Limits.from_env()
    recipe, handed = recipes.named_by_content(recipe, assets or {})
    load = load or engine().load
    loaded: Loaded | None = None
    for source in sources:
        stopwatch = Stopwatch()
        with stopwatch.stage("read"):
            picture = read(source, recipe, limits)
        # After reading: a caller that loads the network in another thread has both done at once.
        loaded = loaded or load(recipe.model)
        yield _cut(picture, recipe, loaded, load, handed, check or (lambda: None), stopwatch)


def _cut(
    picture: Picture,
    recipe: Recipe,
    loaded: Loaded,
    load: Load,
    handed: Mapping[str, Picture],
    check: Callable[[], None],
    stopwatch: Stopwatch,
) -> Cutout:
    """Walk one picture down the road."""
    check()
    fit = fit_of(picture, loaded.model.input)
    prediction = predict(picture, loaded, fit, stopwatch)
    check()
    with stopwatch.stage("tidy"):
        look, tidied = looked(picture, prediction, recipe, loaded.model, fit, load)
    width, height = picture.size
    nothing, everything = (Rows.constant(height, width, np.array(a, np.float32)) for a in (0, 1))
    with stopwatch.stage("refine"):
        alpha, refined = refine(look, recipe.refine)
    shown = prediction.subject or recipe.no_subject == "keep"
    alpha = timed(own_alpha(alpha, picture) if shown else nothing, stopwatch, "alpha").remembered()
    check()
    cutout = Cutout(
        source=picture,
        scene=Layer(Rows.of(picture.rgb), own_alpha(everything, picture)),
        subject=Layer(timed(foreground(picture, alpha, recipe, prediction), stopwatch, "foreground"), alpha),
        recipe=recipe,
        confidence=prediction.confidence,
        model=loaded.model.name,
        sha256=loaded.sha256,
        provider=loaded.provider,
        precision=loaded.precision,
        profile=picture.profile,
        refined=(*tidied, *refined),
        notes=(
            *loaded.notes,
            *picture.notes,
            *prediction.notes,
            *(() if prediction.subject else ("No subject was found.",)),
        ),
        stopwatch=stopwatch,
    )
    with stopwatch.stage("effects"):
        for step in recipe.effects:
            cutout = effects.bind(step, handed)(cutout)
            check()
    return cutout


def read(source: Source, recipe: Recipe, limits: Limits) -> Picture:
    """Read a picture as the recipe says; one that was read before is only reduced."""
    if isinstance(source, Picture):
        return images.within(source, recipe.max_side)
    given = Path(source) if isinstance(source, str) else source
    data = given if isinstance(given, Path) else bytes(given)
    return images.read(data, limits=limits, max_side=recipe.max_side, keep_metadata=recipe.keep_metadata)


def layer(prediction: Prediction, name: str | None, model: Model) -> NDArray[np.float32]:
    """Choose a layer's plane (h, w) from a prediction; without a name everything that any layer claims.

    Raises:
        BadRecipe: the model has no such layer.
    """
    if name is None:
        return together(prediction.alpha, model.output)
    if name not in model.layers:
        raise BadRecipe(f"{model.name} has no layer {name!r}; it has {', '.join(model.layers) or 'only one'}.")
    return np.asarray(prediction.alpha[model.layers.index(name)])


def looked(
    picture: Picture, prediction: Prediction, recipe: Recipe, model: Model, fit: Fit, load: Load
) -> tuple[Look, tuple[str, ...]]:
    """Give α at the picture's size with all that a refinement may look at, and what ran; a matte is of that size."""
    plane = layer(prediction, recipe.layer, model)
    if isinstance(prediction, Matte):
        lay = Fit.stretch(picture.size, (plane.shape[1], plane.shape[0]), "bicubic")
        return Look(picture, lay, plane, prediction.rows, load, sharp=True), ()
    plane, tidied = tidy(plane, recipe.refine)
    return Look(picture, fit, plane, fit.enlarge(plane), load, prediction.error), tidied


def tidy(plane: NDArray[np.float32], steps: tuple[Step, ...]) -> tuple[NDArray[np.float32], tuple[str, ...]]:
    """Run the step `auto`, where it is asked for, at the network's own size: there it costs next to nothing."""
    if not any(step in AUTO for step in steps):
        return plane, ()
    return refinements.bind(AUTO[0], {})(Rows.of(plane)).whole(), ("auto",)


def refine(look: Look, steps: tuple[Step, ...]) -> tuple[Rows, tuple[str, ...]]:
    """Chain the other steps at full size; give the alpha and what will run."""
    alpha, told = look.first, []
    for step in steps:
        if step in AUTO:
            continue
        function = refinements.bind(step, {})
        alpha = function(alpha, look) if refinements[step.name].takes > 1 else function(alpha)
        told.append(" ".join([text_of(step), *look.told]))
        look.told.clear()
    return alpha, tuple(told)


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


def timed(rows: Rows, stopwatch: Stopwatch, stage: str) -> Rows:
    """Count the time that rows take to a stage."""

    def read(top: int, bottom: int) -> NDArray[np.generic]:
        with stopwatch.stage(stage):
            return rows.read(top, bottom)

    return replace(rows, read=read)
