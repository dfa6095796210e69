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
    from cleancut.models.registry import Input, Output
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
        raise BadRecipe(f"{loaded.model.name} is a {loaded.model.kind} model, which this version cannot run.")
    return ask(picture, loaded, fit, stopwatch)


def fit_of(picture: Picture, given: Input) -> Fit:
    """Lay a picture in a network's input as the model's table says."""
    lay = Fit.letterbox if given.fit == "letterbox" else Fit.stretch
    return lay(picture.size, given.size, given.filter, given.exact)


def _salient(picture: Picture, loaded: Loaded, fit: Fit, stopwatch: Stopwatch) -> Prediction:
    """A network that answers one look with one plane a layer."""
    with stopwatch.stage("shrink"):
        tensor = normalised(seen(picture, fit), loaded.model.input)
    with stopwatch.stage("network"):
        answers = loaded.network({"image": tensor})
    answer = next(iter(answers.values()))
    return judged(_planes(answer, loaded.model.name), loaded.model.output)


_KINDS: dict[str, Callable[[Picture, Loaded, Fit, Stopwatch], Prediction]] = {"salient": _salient}


def seen(picture: Picture, fit: Fit) -> NDArray[np.uint8]:
    """Give what a network sees: (h, w, 3) uint8 in sRGB, transparent parts over grey."""
    small: NDArray[np.uint8] = fit.shrink(picture.rgb)
    if picture.profile is not None:
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

    Confidence is the α-weighted mean of α over the likeliest layer, (Σα²)/(Σα): 1 where all that is claimed is
    claimed firmly, low for haze. It is 0 where what is claimed is smaller than a subject is.
    """
    alpha = 1 / (1 + np.exp(-raw)) if output.squash == "sigmoid" else np.clip(raw, 0, 1)
    strongest = alpha.max(axis=0)
    firm = float((strongest > 0.5).mean())
    confidence = float((strongest**2).sum() / max(float(strongest.sum()), 1e-6)) if firm >= _SMALLEST else 0.0
    if output.stretch:
        low, high = float(alpha.min()), float(alpha.max())
        alpha = (alpha - low) / max(high - low, 1e-6)
    return Prediction(alpha.astype(np.float32), round(confidence, 4), confidence >= NO_SUBJECT)


def _planes(answer: NDArray[np.float32], name: str) -> NDArray[np.float32]:
    """Check that an answer is (1, K, h, w) of finite numbers; give (K, h, w)."""
    if answer.ndim == 3:
        answer = answer[None]
    if answer.ndim != 4 or len(answer) != 1 or 0 in answer.shape:
        raise ModelFailed(f"The network of {name} answered with the shape {answer.shape}, not (1, layers, h, w).")
    planes: NDArray[np.float32] = answer[0].astype(np.float32, copy=False)
    if not np.isfinite(planes).all():
        raise ModelFailed(f"The network of {name} answered with numbers that are not finite.")
    return planes
