"""Measure correcting by hand: `python -m bench.strokes FOLDER [--most N] [--strokes N] [--model NAME]`.

A simulated person draws where a cut-out is most wrong: a straight stroke through the thickest part of the largest
wrong piece, to keep or to remove as the truth says, up to three times a picture. IoU is that of the preview, beside
what the strokes alone would give if they reached no farther than they were painted. Pictures that begin above 0.95 or
below 0.3 are left out: there is nothing to correct, or nothing to build on.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from rich.console import Console
from rich.table import Table

from bench.machine import machine
from bench.sets import Case, cases, sets
from cleancut import Retouch, Stroke, cut, recipe
from cleancut.matting.metrics import iou
from cleancut.matting.scribbles.strokes import laid
from cleancut.matting.scribbles.walk import certain

Plane = NDArray[np.float32]

_RANGE = 0.3, 0.95
_THINNEST = 3.0
"""Pixels of the preview: who corrects thinner pieces draws them whole."""

_BRUSH = 0.012
_WORSE = 0.01


@dataclass(frozen=True)
class Course:
    """How one picture went: IoU before and after each stroke, by reach and by paint alone, and milliseconds."""

    reached: list[float]
    painted: list[float]
    prepared: float
    strokes: list[float]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--most", type=int, default=40, help="pictures of each set")
    parser.add_argument("--strokes", type=int, default=3)
    parser.add_argument("--model", default="cleancut-small")
    given = parser.parse_args()
    console = Console()
    console.print(machine())
    table = Table(
        "set", "pictures", "before", *[f"stroke {n + 1}" for n in range(given.strokes)], "painted only", "gain"
    )
    every: list[Course] = []
    for folder in sets(given.folder):
        if not (folder / "masks").is_dir():
            continue
        found = [c for case in cases(folder, given.most) if (c := course(case, given.model, given.strokes))]
        every += found
        if found:
            _add(table, folder.name, found)
    _add(table, "all", every)
    console.print(table)
    taken = [ms for one in every for ms in one.strokes]
    worse = [before - after > _WORSE for one in every for before, after in itertools.pairwise(one.reached)]
    console.print(f"strokes that lowered IoU by more than {_WORSE}: {sum(worse)} of {len(taken)}")
    console.print(f"preparing: median {statistics.median(one.prepared for one in every):.0f} ms; "
                  f"a stroke: median {statistics.median(taken):.0f} ms, "
                  f"95th percentile {np.percentile(taken, 95):.0f} ms (processor time)")  # fmt: skip


def _add(table: Table, name: str, found: list[Course]) -> None:
    reached, painted = (np.mean([getattr(one, kind) for one in found], axis=0) for kind in ("reached", "painted"))
    cells = [f"{value:.3f}" for value in (*reached, painted[-1])]
    table.add_row(name, str(len(found)), *cells, f"{reached[-1] - reached[0]:+.3f}")


def course(case: Case, model: str, count: int) -> Course | None:
    """Correct one picture; None where there is nothing to correct."""
    cutout = cut(case.path, recipe(model=model, no_subject="keep"))
    start = time.process_time()
    retouch = Retouch(cutout)
    prepared = time.process_time() - start
    truth = np.asarray(Image.fromarray(case.truth).resize(retouch.size, Image.Resampling.BILINEAR))
    first = alpha = retouch.alpha
    if not _RANGE[0] < iou(first, truth) < _RANGE[1]:
        return None
    drawn: list[Stroke] = []
    done = Course([iou(first, truth)], [iou(first, truth)], prepared * 1000, [])
    for _ in range(count):
        stroke = drawn_by_a_person(alpha, truth)
        if stroke:
            drawn.append(stroke)
            start = time.process_time()
            alpha = retouch.stroke(stroke)
            done.strokes.append((time.process_time() - start) * 1000)
        done.reached.append(iou(alpha, truth))
        done.painted.append(iou(certain(first, laid(drawn, *retouch.size).whole()), truth))
    return done


def drawn_by_a_person(alpha: Plane, truth: Plane) -> Stroke | None:
    """Draw through the largest wrong piece; None where all are thin."""
    from scipy import ndimage

    pieces, count = ndimage.label((alpha > 0.5) != (truth > 0.5))
    if not count:
        return None
    piece = pieces == 1 + np.argmax(np.bincount(pieces.ravel())[1:])
    depth = ndimage.distance_transform_edt(np.pad(piece, 1))[1:-1, 1:-1]
    y, x = np.unravel_index(depth.argmax(), depth.shape)
    if depth[y, x] < _THINNEST:
        return None
    height, width = alpha.shape
    radius = max(2.0, min(0.5 * depth[y, x], _BRUSH * max(alpha.shape)))
    ends = np.argwhere(depth > max(0.4 * depth[y, x], radius))
    farthest = max(((y, x), *map(tuple, ends)), key=lambda end: _inside(depth, radius, (y, x), end))
    points = tuple(((px + 0.5) / width, (py + 0.5) / height) for py, px in dict.fromkeys([(y, x), farthest]))
    return Stroke(points, radius / max(width, height), keep=bool(truth[y, x] > 0.5))


def _inside(depth: Plane, radius: float, start: tuple[int, int], end: tuple[int, int]) -> float:
    """Give the length of a straight line, or 0 where it leaves the piece."""
    length = float(np.hypot(end[0] - start[0], end[1] - start[1]))
    steps = np.linspace(start, end, int(length) + 2).round().astype(int)
    return length if (depth[tuple(steps.T)] > radius).all() else 0.0


if __name__ == "__main__":
    main()
