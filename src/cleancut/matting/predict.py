"""Ask a network about a picture: one function per kind of model, no model's name."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cleancut.errors import BadRecipe, ModelFailed
from cleancut.matting.stopwatch import Stopwatch
from cleancut.raster.color import strip_to_srgb
from cleancut.raster.resample import Fit, reduced
from cleancut.types import Picture, Prediction

if TYPE_CHECKING:
    from cleancut.models.registry import Input, Model, Output
    from cleancut.models.runtime import Loaded

NO_SUBJECT = 0.4
"""Confidence below which there is no subject: losing one is worse than showing haze (docs/decisions/0004)."""

_SMALLEST = 0.0005
"""Share of the picture that a subject covers at least; as a square, 2 % of its side."""

_HIDDEN = 128.0
"""Grey shown to the network where the source is transparent."""


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
    ask = _KINDS.get(loaded.model.kind)
    if ask is None:
        raise BadRecipe(f"{loaded.model} is a {loaded.model.kind} model, which this version cannot run.")
    return ask(picture, loaded, fit, stopwatch)


def fit_of(picture: Picture, given: Input) -> Fit:
    """Lay a picture in a network's input as the model's table says."""
    lay = Fit.letterbox if given.fit == "letterbox" else Fit.stretch
    return lay(picture.size, given.size, given.filter, given.exact)


def _salient(picture: Picture, loaded: Loaded, fit: Fit, stopwatch: Stopwatch) -> Prediction:
    """A network that answers one look with one plane a layer."""
    with stopwatch.stage("shrink"):
        tensor = normalised(seen(picture, fit, loaded.model.input.color), loaded.model.input)
    with stopwatch.stage("network"):
        answers = loaded.network({"image": tensor})
    answer = next(iter(answers.values()))
    return judged(_planes(answer, loaded.model), loaded.model.output)


_KINDS: dict[str, Callable[[Picture, Loaded, Fit, Stopwatch], Prediction]] = {"salient": _salient}


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


def judged(raw: NDArray[np.float32], output: Output) -> Prediction:
    """Turn a network's answer (K, h, w) into alpha, and judge it before any stretching can hide what it is.

    Confidence is the α-weighted mean of α over everything that is claimed, (Σα²)/(Σα): 1 where all that is claimed is
    claimed firmly, low for haze. It is 0 where what is claimed is smaller than a subject is.
    """
    alpha = _SQUASHES[output.squash](raw)
    claimed = together(np.clip(alpha, 0, 1), output)
    firm = float((claimed > 0.5).mean())
    confidence = float((claimed**2).sum() / max(float(claimed.sum()), 1e-6)) if firm >= _SMALLEST else 0.0
    if output.stretch:
        low, high = float(alpha.min()), float(alpha.max())
        alpha = (alpha - low) / max(high - low, 1e-6)
    alpha = np.clip(alpha, 0, 1).astype(np.float32, copy=False)
    return Prediction(alpha, round(confidence, 4), confidence >= NO_SUBJECT)


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


def _planes(answer: NDArray[np.float32], model: Model) -> NDArray[np.float32]:
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
