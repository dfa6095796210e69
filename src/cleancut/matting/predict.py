"""Ask a network about a picture: one function per kind of model, no model's name."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from cleancut.errors import BadRecipe, BadSetting, ModelFailed
from cleancut.matting.confidence import calibrated, raw
from cleancut.matting.keying.grabcut import Corners, of_alpha, of_box
from cleancut.matting.keying.key import Backdrop, agreed, key
from cleancut.matting.steps import Catalogue, text_of
from cleancut.matting.stopwatch import Stopwatch
from cleancut.models.registry import Input, Model, Output, registry
from cleancut.models.runtime import Loaded
from cleancut.raster.color import strip_to_srgb
from cleancut.raster.resample import Fit, reduced
from cleancut.types import Picture, Prediction, Step

NO_SUBJECT = 0.4
"""Confidence below which there is no subject: losing one is worse than showing haze (docs/decisions/0004)."""

MOST_MODELS = 5
"""Models in one recipe at the most: a recipe from a stranger must not be a day's work."""

_HIDDEN = 128.0
"""Grey shown to the network where the source is transparent."""

kinds: Catalogue[Callable[..., Prediction]] = Catalogue("kind of model")
"""How each kind of model is asked; a kind's settings follow a model's name, as in key:#00ff00."""


def predict(picture: Picture, loaded: Loaded, fit: Fit, stopwatch: Stopwatch) -> Prediction:
    """Ask a network about a picture.

    Args:
        picture: any size.
        loaded: the network with its table.
        fit: how the picture lies in the network's input.
        stopwatch: gets the stages `shrink` and `network`.

    Raises:
        BadRecipe: this version cannot run models of that kind.
        ModelFailed: the network's answer is no alpha.
    """
    if loaded.model.kind not in kinds:
        raise BadRecipe(f"{loaded.model} is a {loaded.model.kind} model, which this version cannot run.")
    prediction: Prediction = kinds.bind(_asked(loaded.model), {})(picture, loaded, fit, stopwatch)
    return prediction


def complete(name: str) -> str:
    """Check the settings in a model's name, and write the name so that equal work has equal names.

    >>> complete("key:white"), complete("key:auto")
    ('key:color=#ffffff', 'key')

    Raises:
        UnknownModel: there is no such model.
        BadSetting: its settings do not fit.
    """
    parts = members(name)
    if len(parts) > 1:
        return "+".join(map(complete, parts))
    table, colon, _ = name.partition(":")
    if not colon:
        return name
    model = registry()[name]
    asked, usual = _asked(model), _asked(replace(model, settings=""))
    return text_of(Step(table, tuple(pair for pair in asked.settings if pair not in usual.settings)))


def members(name: str) -> tuple[str, ...]:
    """Split the name that a recipe asks for into those of its models.

    >>> members("cleancut-small+u2netp")
    ('cleancut-small', 'u2netp')

    Raises:
        BadSetting: a name is empty or there twice, or they are too many.
    """
    parts = tuple(name.split("+"))
    if len(parts) > 1 and (not all(parts) or len(set(parts)) < len(parts) or len(parts) > MOST_MODELS):
        raise BadSetting(f"Name up to {MOST_MODELS} different models, such as cleancut-small+u2netp, not {name!r}.")
    return parts


def _asked(model: Model) -> Step:
    """Read a model's settings as those of its kind."""
    if model.settings and not (model.kind in kinds and kinds[model.kind].settings):
        raise BadSetting(f"{model.name.partition(':')[0]} takes no settings; write its name alone.")
    return kinds.parse(f"{model.kind}:{model.settings}")


def fit_of(picture: Picture, given: Input) -> Fit:
    """Lay a picture in a network's input as the model's table says."""
    lay = Fit.letterbox if given.fit == "letterbox" else Fit.stretch
    return lay(picture.size, given.size, given.filter, given.exact)


@kinds
def salient(picture: Picture, loaded: Loaded, fit: Fit, stopwatch: Stopwatch) -> Prediction:
    """A network that answers one look with one plane a layer."""
    with stopwatch.stage("shrink"):
        tensor = normalised(seen(picture, fit, loaded.model.input.color), loaded.model.input)
    with stopwatch.stage("network"):
        answers = loaded.network({"image": tensor})
    alpha, error = planes(answers["alpha"], loaded.model), answers.get("error")
    doubt = None if error is None else _numbers(error, loaded.model).reshape(error.shape[-2:])
    subject = None if "subject" not in answers else float(_numbers(answers["subject"], loaded.model).item())
    return judged(alpha, loaded.model.output, doubt, subject)


@kinds
def keying(
    picture: Picture, loaded: Loaded, fit: Fit, stopwatch: Stopwatch, *, color: Annotated[str, Backdrop()] = "auto"
) -> Prediction:
    """A backdrop's colour tells what is not subject; no network is asked."""
    with stopwatch.stage("key"):
        return key(picture, color)


@kinds
def grabcut(
    picture: Picture, loaded: Loaded, fit: Fit, stopwatch: Stopwatch, *, box: Annotated[str, Corners()] = ""
) -> Prediction:
    """Colours part what is inside a box, or what a network sees, from the rest."""
    seen_by = None if box else salient(picture, loaded, fit, stopwatch)
    with stopwatch.stage("grabcut"):
        if seen_by is None:
            return judged(of_box(picture, box)[None], Output())
        if not seen_by.subject:
            return seen_by
        return judged(of_alpha(picture, together(seen_by.alpha, loaded.model.output), fit)[None], Output())


@kinds
def auto(picture: Picture, loaded: Loaded, fit: Fit, stopwatch: Stopwatch) -> Prediction:
    """A flat backdrop is keyed where a network sees the same subject; else the network's answer stands."""
    answer = salient(picture, loaded, fit, stopwatch)
    with stopwatch.stage("key"):
        keyed = agreed(picture, together(answer.alpha, loaded.model.output), fit) if answer.subject else None
    return keyed or replace(answer, notes=(*answer.notes, "The network cut this out (auto)."))


@kinds
def trimap(picture: Picture, loaded: Loaded, fit: Fit, stopwatch: Stopwatch) -> Prediction:
    """A network that is shown a trimap besides the picture; it refines what another found (see `band.learned`)."""
    name = loaded.model.name
    raise BadRecipe(f"{name} refines what another model found; write --refine {name}, and name that model with -m.")


@kinds
def closeup(picture: Picture, loaded: Loaded, fit: Fit, stopwatch: Stopwatch) -> Prediction:
    """A network that is shown a part of a picture and its coarse alpha; it refines what another found."""
    name = loaded.model.name
    raise BadRecipe(f"{name} refines what another model found; write --refine detail, and name that model with -m.")


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


def seen(picture: Picture, fit: Fit, color: str = "srgb") -> NDArray[np.uint8]:
    """Give what a network sees: (h, w, 3) uint8, in sRGB unless `color` is "stored", transparent parts over grey."""
    small: NDArray[np.uint8] = fit.shrink(picture.rgb)
    if picture.profile is not None and color == "srgb":
        small = strip_to_srgb(picture.profile)(small)
    if picture.alpha is None:
        return small
    left, top, right, bottom = fit.box
    visible = np.ones(small.shape[:2], np.float32)
    visible[top:bottom, left:right] = reduced(picture.alpha, right - left, bottom - top, fit.filter) / 255
    return np.asarray(np.rint(_HIDDEN + (small - _HIDDEN) * visible[..., None]), np.uint8)


def normalised(rgb: NDArray[np.uint8], given: Input) -> NDArray[np.float32]:
    """Turn (h, w, 3) uint8 into the network's input, (1, 3, h, w) float32."""
    scale = 255.0 if given.scale == "unit" else max(float(rgb.max()), 1e-6)
    std = np.asarray(given.std, np.float32)
    factor, shift = 1 / (scale * std), np.asarray(given.mean, np.float32) / std
    tensor = rgb.astype(np.float32) * factor.astype(np.float32) - shift
    return np.ascontiguousarray(tensor.transpose(2, 0, 1)[None])


def judged(
    answer: NDArray[np.float32], output: Output, error: NDArray[np.float32] | None = None, subject: float | None = None
) -> Prediction:
    """Turn a network's answer (K, h, w) into alpha, and judge it before any stretching can hide what it is.

    `error` (h', w') and `subject` are what the network says of its answer, where it does; see `confidence`.
    """
    alpha = _SQUASHES[output.squash](answer)
    claimed = together(np.clip(alpha, 0, 1), output)
    confidence = calibrated(raw(claimed, error, subject), output.calibration)
    if output.stretch:
        low, high = float(alpha.min()), float(alpha.max())
        alpha = (alpha - low) / max(high - low, 1e-6)
    alpha = np.clip(alpha, 0, 1).astype(np.float32, copy=False)
    return Prediction(alpha, round(confidence, 4), confidence >= NO_SUBJECT, error=error)


def together(alpha: NDArray[np.float32], output: Output) -> NDArray[np.float32]:
    """Give what any layer of (K, h, w) claims, (h, w).

    Classes share a pixel, so theirs add up to 1 minus the background; other layers may lie over each other.
    """
    if output.squash == "softmax":
        return np.asarray(np.minimum(alpha.sum(axis=0), 1))
    return np.asarray(alpha.max(axis=0))


def _sigmoid(raw: NDArray[np.float32]) -> NDArray[np.float32]:
    with np.errstate(over="ignore"):  # e^89 and more is infinite in float32, and 1/∞ is the right answer
        return np.asarray(1 / (1 + np.exp(-raw)))


def _softmax(raw: NDArray[np.float32]) -> NDArray[np.float32]:
    """Turn scores of classes, the background first, into the probabilities of the others."""
    powers = np.exp(raw - raw.max(axis=0))
    return np.asarray(powers[1:] / powers.sum(axis=0))


_SQUASHES: dict[str, Callable[[NDArray[np.float32]], NDArray[np.float32]]] = {
    "none": np.asarray,
    "sigmoid": _sigmoid,
    "softmax": _softmax,
}


def _numbers(answer: NDArray[np.float32], model: Model) -> NDArray[np.float32]:
    """Check that what a network says of its answer is one plane, or one number, of finite numbers in [0, 1]."""
    if answer.size == 0 or answer.size != math.prod(answer.shape[-2:]) or not np.isfinite(answer).all():
        raise ModelFailed(f"The network of {model} says of its answer what is no probability; its table may be wrong.")
    return np.clip(answer, 0, 1)


def planes(answer: NDArray[np.float32], model: Model) -> NDArray[np.float32]:
    """Check that an answer is (1, K, h, w) of finite numbers, K as the table has layers; give (K, h, w)."""
    if answer.ndim == 3:
        answer = answer[None]
    if answer.ndim != 4 or len(answer) != 1 or 0 in answer.shape:
        raise ModelFailed(f"The network of {model} answered with the shape {answer.shape}, not (1, layers, h, w).")
    stated = len(model.layers) + (model.output.squash == "softmax")  # of classes, all but the background are named
    if model.layers and answer.shape[1] != stated:
        raise ModelFailed(f"The network of {model} answered with {answer.shape[1]} planes; its table states {stated}.")
    planes: NDArray[np.float32] = answer[0].astype(np.float32, copy=False)
    if not np.isfinite(planes).all():
        raise ModelFailed(f"The network of {model} answered with numbers that are not finite.")
    return planes
