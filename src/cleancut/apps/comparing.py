"""Two networks on the same pictures: how far apart their answers are, and how long each takes."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cleancut.matting.metrics import iou, mae
from cleancut.matting.predict import fit_of, predict
from cleancut.matting.stopwatch import Stopwatch
from cleancut.models.runtime import Loaded
from cleancut.types import Picture

ALIKE = 0.95
"""IoU below which two masks are counted as different."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two networks on the same pictures.

    Attributes:
        pictures: how many.
        difference: mean absolute difference of their alphas; `worst` that of the worst picture.
        iou: mean IoU of their masks at ½.
        unlike: on how many pictures that is below 0.95.
        before_ms, after_ms: median time of each network alone.
        speedup: median of the pictures' own ratios, as each picture is shown to both in turn.
    """

    pictures: int
    difference: float
    worst: float
    iou: float
    unlike: int
    before_ms: float
    after_ms: float
    speedup: float


def compared(before: Loaded, after: Loaded, pictures: Sequence[Picture], told: Callable[[], None]) -> Comparison:
    """Show two networks the same pictures in turn, so that a busy machine slows both.

    Args:
        before: the network to compare with.
        after: the other one, of the same table.
        pictures: at least one.
        told: called after each.
    """
    for network in (before, after):
        answer(pictures[0], network)  # the first run makes room, so it is not timed
    pairs = []
    for picture in pictures:
        pairs.append((*answer(picture, before), *answer(picture, after)))
        told()
    differences = [mae(new, old) for old, _, new, _ in pairs]
    likeness = [iou(new, old) for old, _, new, _ in pairs]
    return Comparison(
        pictures=len(pairs),
        difference=statistics.fmean(differences),
        worst=max(differences),
        iou=statistics.fmean(likeness),
        unlike=sum(value < ALIKE for value in likeness),
        before_ms=statistics.median(ms for _, ms, _, _ in pairs),
        after_ms=statistics.median(ms for _, _, _, ms in pairs),
        speedup=statistics.median(old / max(new, 0.1) for _, old, _, new in pairs),  # a clock of tenths
    )


def answer(picture: Picture, network: Loaded) -> tuple[NDArray[np.float32], float]:
    """Give a network's alpha, its layers one below the other, and the milliseconds it took, network only."""
    stopwatch = Stopwatch()
    alpha = predict(picture, network, fit_of(picture, network.model.input), stopwatch).alpha
    return alpha.reshape(-1, alpha.shape[-1]), stopwatch.ms()["network"]
