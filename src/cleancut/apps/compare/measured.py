"""The figures of a comparison: how far A and B are apart, what each says of itself, and how near the truth each is."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cleancut.apps.compare.cases import Case, Side
from cleancut.matting import metrics
from cleancut.matting.figures import Figures, figures
from cleancut.matting.halo import fringe, halo
from cleancut.raster.rows import Rows

Plane = NDArray[np.float32]

APART = 0.1
"""Difference of α from which a pixel counts as different."""

BETWEEN: Mapping[str, Callable[[Plane, Plane], float]] = {
    "SSIM": metrics.ssim,
    "difference, mean": metrics.mae,
    "difference, largest": lambda a, b: float(np.abs(a - b).max()),
    f"pixels off by > {APART} (%)": lambda a, b: 100 * float((np.abs(a - b) > APART).mean()),
}
"""Of the alphas of A and B."""

ALONE: Mapping[str, Callable[[Side, Figures], float | None]] = {
    "steepness of the edge (α/px)": lambda side, found: found.steepness,
    "width of the edge (px)": lambda side, found: found.softness,
    "uncertain pixels (%)": lambda side, found: 100 * found.uncertain,
    "colour fringe (of 255)": lambda side, found: fringe(side.cut) if side.colored else None,
    "time (ms)": lambda side, found: side.ms,
}
"""Of A and of B, without any truth."""

RIGHT: Mapping[str, Callable[[Side, Side], float | None]] = {
    "IoU": lambda side, truth: metrics.iou(side.alpha, truth.alpha),
    "boundary IoU": lambda side, truth: metrics.boundary_iou(side.alpha, truth.alpha),
    "MAE": lambda side, truth: metrics.mae(side.alpha, truth.alpha),
    "SAD": lambda side, truth: metrics.sad(side.alpha, truth.alpha),
    "Grad": lambda side, truth: metrics.gradient_error(side.alpha, truth.alpha),
    "SSIM with the truth": lambda side, truth: metrics.ssim(side.alpha, truth.alpha),
    "halo (of 255)": lambda side, truth: halo(side.cut, truth.cut) if side.colored and truth.colored else None,
}
"""Of A and of B beside the truth; the halo needs true colours, which a mask has not."""

Pair = tuple[float | None, float | None]


@dataclass(frozen=True, slots=True)
class Measured:
    """The figures of one case.

    Attributes:
        between: by name, of A and B together.
        sides: by name, of A and of B; None where a figure does not apply.
    """

    between: dict[str, float]
    sides: dict[str, Pair]


def measured(case: Case) -> Measured:
    """Work out every figure that applies to a case."""
    one, other = case.sides
    found = [figures(Rows.of(side.alpha)) for side in case.sides]
    sides: dict[str, Pair] = {name: (figure(one, found[0]), figure(other, found[1])) for name, figure in ALONE.items()}
    if case.truth is not None:
        sides |= {name: (figure(one, case.truth), figure(other, case.truth)) for name, figure in RIGHT.items()}
    between = {name: figure(one.alpha, other.alpha) for name, figure in BETWEEN.items()}
    return Measured(between, {name: pair for name, pair in sides.items() if pair != (None, None)})


def mean(several: Iterable[Measured]) -> Measured:
    """Average figures over cases, each over those in which it applies."""
    several = list(several)
    between = {name: statistics.fmean(one.between[name] for one in several) for name in several[0].between}
    names = dict.fromkeys(name for one in several for name in one.sides)
    pairs = {name: [one.sides[name] for one in several if name in one.sides] for name in names}
    return Measured(between, {name: (_mean(a for a, _ in of), _mean(b for _, b in of)) for name, of in pairs.items()})


def _mean(values: Iterable[float | None]) -> float | None:
    there = [value for value in values if value is not None]
    return statistics.fmean(there) if there else None


def written(value: float | None) -> str:
    """Write a figure as a table shows it, four digits of it.

    >>> written(0.98765), written(1234.5), written(None)
    ('0.9877', '1234', '–')
    """
    if value is None:
        return "–"
    digits = 4 if value == 0 else max(0, 3 - math.floor(math.log10(abs(value))))
    return f"{value:.{min(digits, 4)}f}"
