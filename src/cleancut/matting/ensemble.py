"""Ask several models, or one about several views, and average what they say; for difficult pictures.

An answer counts by the confidence in it as a whole times 1 / (e + 0.1) at each pixel, where e is how far its α is
expected to be off there. A network with a plane of errors says e itself. Of one without, e = 2α(1 − α): were α the
probability that a pixel is subject, that is the mean of |α − truth|. How far the answers are apart is the uncertainty
of the average. docs/ensembles.md has what was measured.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cleancut.errors import BadRecipe
from cleancut.matting.confidence import raw
from cleancut.matting.look import ran
from cleancut.matting.predict import NO_SUBJECT, fit_of, layer, members, predict
from cleancut.matting.stopwatch import Stopwatch
from cleancut.matting.views import View, Where, views
from cleancut.models.registry import Model
from cleancut.models.runtime import Load, Loaded
from cleancut.raster.resample import Fit
from cleancut.types import Picture, Prediction, Ran, Recipe

Plane = NDArray[np.float32]
Grid = tuple[int, int]

_DOUBT = np.float32(0.1)
"""What every answer is doubted besides its own e, so that one that is wrong and sure does not outweigh the others."""

_LEAST = 0.001
"""Confidence that every answer is given, so that there is an average of answers nobody trusts."""

_AVERAGED = {"salient", "grabcut"}
"""Kinds whose answer is a plane of the network's size, which can be averaged."""

_EVERYWHERE = np.s_[:, :]


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What one model or several say of a picture.

    Attributes:
        prediction: as one model gives it; of several, the average.
        plane: (h, w) α in [0, 1] of the layer that was asked for.
        fit: how the picture lies in that plane.
        ran: the models that were asked, in order.
        notes: what is to be known of the devices they ran on.
    """

    prediction: Prediction
    plane: Plane
    fit: Fit
    ran: tuple[Ran, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class _Look:
    """A model's answer about one view; its plane is that of the layer that was asked for."""

    view: View
    fit: Fit
    plane: Plane
    prediction: Prediction


@dataclass(frozen=True, slots=True, eq=False)
class _Heard:
    """All that one model answered, the whole picture first."""

    looks: list[_Look]
    ran: Ran
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Opinion:
    """What is said of a picture, on a grid over it.

    Attributes:
        alpha: (rows, columns) float32 of the cells it speaks of, `where` in the grid.
        error: how far α is expected to be off there, as the network says or the answers differ; None: nobody says.
        confidence: in [0, 1].
        subject: whether there is one.
    """

    alpha: Plane
    error: Plane | None
    confidence: float
    subject: bool
    where: Where = _EVERYWHERE


def asked(
    picture: Picture,
    recipe: Recipe,
    load: Load,
    stopwatch: Stopwatch,
    check: Callable[[], None] = lambda: None,
) -> Answer:
    """Ask the models of a recipe about a picture, one after another.

    No network is held here once it has answered, so memory is that of one of them and what `load` itself keeps.

    Args:
        picture: any size.
        recipe: says which models, which views and which layer.
        load: gives a network by name.
        stopwatch: gets the stages `shrink` and `network`, summed over models.
        check: called between models; raise from it to end the work.

    Raises:
        BadRecipe: a model has no such layer, cannot be averaged, or is of a kind that this version cannot run.
        WeightsError, Broken: as `load` and the networks say; the sentence names the model.
    """
    names = members(recipe.model)
    if len(names) == 1 and recipe.tta is None:
        return _single(picture, load(recipe.model), recipe, stopwatch)
    heard = []
    for name in names:
        check()
        heard.append(_heard(picture, load(name), recipe, stopwatch, several=len(names) > 1))
    return _averaged(picture, heard)


def _single(picture: Picture, loaded: Loaded, recipe: Recipe, stopwatch: Stopwatch) -> Answer:
    start = time.perf_counter()
    fit = fit_of(picture, loaded.model.input)
    prediction = predict(picture, loaded, fit, stopwatch)
    told = ran(loaded, start, prediction.confidence)
    return Answer(prediction, layer(prediction, recipe.layer, loaded.model), fit, (told,), loaded.notes)


def _heard(picture: Picture, loaded: Loaded, recipe: Recipe, stopwatch: Stopwatch, *, several: bool) -> _Heard:
    """Ask one model about every view, the whole picture first."""
    _check_kind(loaded.model, several=several, views=recipe.tta is not None)
    start = time.perf_counter()

    def look(view: View) -> _Look:
        shown = view.shown(picture)
        fit = fit_of(shown, loaded.model.input)
        prediction = predict(shown, loaded, fit, stopwatch)
        return _Look(view, fit, layer(prediction, recipe.layer, loaded.model), prediction)

    whole = look(View((0, 0, *picture.size)))
    found, _ = whole.view.back(whole.plane, whole.fit, picture.size, _grid(whole))
    looks = [whole, *map(look, views(recipe.tta, picture.size, found))]
    return _Heard(looks, ran(loaded, start), loaded.notes)


def _check_kind(model: Model, *, several: bool, views: bool) -> None:
    if model.kind not in _AVERAGED and several:
        raise BadRecipe(f"{model} is a {model.kind} model, whose answer cannot be averaged with others; use it alone.")
    if model.kind != "salient" and views:
        raise BadRecipe(f"{model} is a {model.kind} model, which cannot be asked about several views; leave tta out.")


def _grid(look: _Look) -> Grid:
    """Give the columns and rows of an answer that lie over the picture; padding is left out."""
    left, top, right, bottom = look.fit.box
    rows, columns = look.plane.shape
    across, down = (right - left) / look.fit.size[0], (bottom - top) / look.fit.size[1]
    return max(1, round(columns * across)), max(1, round(rows * down))


def _averaged(picture: Picture, heard: Sequence[_Heard]) -> Answer:
    """Average the views of each model, and then the models, on a grid as fine as the finest of them."""
    wholes = [one.looks[0] for one in heard]
    grids = [_grid(whole) for whole in wholes]
    grid = max(columns for columns, _ in grids), max(rows for _, rows in grids)
    opinions = [_mean([_laid(look, picture.size, grid) for look in one.looks], grid) for one in heard]
    # Averaged with one that has found nothing, a subject would only become half transparent.
    finding = [opinion for opinion in opinions if opinion.subject] or opinions
    found = _mean(finding, grid)
    told = [replace(one.ran, confidence=said.confidence) for one, said in zip(heard, opinions, strict=True)]
    notes = [note for whole in wholes for note in whole.prediction.notes]
    silent = (one.model for one, opinion in zip(told, opinions, strict=True) if opinion not in finding)
    notes += [f"{name} found no subject, so it does not count." for name in silent]
    prediction = Prediction(found.alpha[None], found.confidence, found.subject, _once(notes), error=found.error)
    fit = Fit.stretch(picture.size, grid, wholes[0].fit.filter)
    return Answer(prediction, found.alpha, fit, tuple(told), _once(note for one in heard for note in one.notes))


def _once(notes: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(notes))


def _laid(look: _Look, full: tuple[int, int], grid: Grid) -> _Opinion:
    """Lay one answer on the grid."""
    alpha, where = look.view.back(look.plane, look.fit, full, grid)
    error = look.prediction.error
    if error is not None:
        error, _ = look.view.back(error, look.fit, full, grid)
    return _Opinion(alpha, error, look.prediction.confidence, look.prediction.subject, where)


def _mean(opinions: Sequence[_Opinion], grid: Grid) -> _Opinion:
    """Average opinions, of which the first speaks of the whole grid, each by how sure it is."""
    if len(opinions) == 1:
        return opinions[0]
    weights = [max(opinion.confidence, _LEAST) / (_expected(opinion) + _DOUBT) for opinion in opinions]
    alpha = _weighted([opinion.alpha for opinion in opinions], weights, opinions, grid)
    apart = [np.abs(opinion.alpha - alpha[opinion.where]) for opinion in opinions]
    error = _weighted(apart, weights, opinions, grid)
    confidence = float(np.mean([opinion.confidence for opinion in opinions])) * raw(alpha, error)
    stating = [opinion.error for opinion in opinions if opinion.error is not None]
    if len(stating) == len(opinions):
        error = np.maximum(error, _weighted(stating, weights, opinions, grid))
    return _Opinion(alpha, error, round(confidence, 4), confidence >= NO_SUBJECT)


def _expected(opinion: _Opinion) -> Plane:
    """Give how far an opinion is expected to be off."""
    if opinion.error is not None:
        return opinion.error
    return np.asarray(2 * opinion.alpha * (1 - opinion.alpha))


def _weighted(planes: Sequence[Plane], weights: Sequence[Plane], opinions: Sequence[_Opinion], grid: Grid) -> Plane:
    total, weight = np.zeros(grid[::-1], np.float32), np.zeros(grid[::-1], np.float32)
    for plane, counts, opinion in zip(planes, weights, opinions, strict=True):
        total[opinion.where] += counts * plane
        weight[opinion.where] += counts
    return np.asarray(total / weight)
