"""What a network's own judgement is worth: raw confidence → the IoU to expect, on pictures it was not trained on.

Isotonic regression (Zadrozny & Elkan 2002, KDD) gives the line; the risk–coverage curve (El-Yaniv & Wiener 2010, JMLR)
says what is gained by leaving the least trusted pictures to a person.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from cleancut import Engine
from cleancut.matting.confidence import raw
from cleancut.matting.metrics import iou
from training.data import Shelf, Use, read
from training.export import SIDE
from training.spoil import spoilt

VIEWS = 3
"""How each picture is judged: as it is, and this many times less one spoilt, since good pictures alone teach little."""

KNOTS = 12
"""Points of the line at the most."""

SUBJECT_LEFT = 0.0005
"""What counts as a claim where there is no subject; an answer that claims less is right, and is left out."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Judged:
    """Raw confidence and IoU of many answers.

    Attributes:
        raw: (N,).
        iou: (N,); 0 where a subject was claimed and there is none.
    """

    raw: Floats
    iou: Floats


def calibrate(model: Path, folders: list[Path]) -> tuple[tuple[float, float], ...]:
    """Calibrate an ONNX file on the validation split; print the line and the risk–coverage table."""
    judged = judge(model, read(folders).validation)
    points = line(judged)
    print(f"{len(judged.raw)} answers\ncalibration = {[list(point) for point in points]}\n")
    print("| least trusted left out | mean IoU of the rest | worst twentieth |\n|---|---:|---:|")
    order = np.argsort(-judged.raw)
    for share in (0, 0.05, 0.1, 0.2, 0.3, 0.5):
        kept = judged.iou[order[: round(len(order) * (1 - share))]]
        print(f"| {share:.0%} | {kept.mean():.3f} | {np.quantile(kept, 0.05):.3f} |")
    expected = np.interp(judged.raw, *np.array(points).T)
    print(f"\nExpected calibration error: {_calibration_error(expected, judged.iou):.3f}")
    return points


def judge(model: Path, shelves: dict[Use, Shelf]) -> Judged:
    """Ask a network about the pictures of some shelves."""
    engine = Engine()
    network = engine.load(engine.add(model, "cleancut-small")).network
    random = torch.Generator().manual_seed(11)
    values, found = [], []
    for use in ("pair", "empty"):
        for rgba in shelves[use].rgba if use in shelves else ():
            rgb = rgba[None, :3].float() / 255
            truth = rgba[3].numpy().astype(np.float32) / 255
            for view in range(VIEWS):
                shown = spoilt(rgb, random) if view else rgb
                size = (SIDE, SIDE)
                small = torch.nn.functional.interpolate(shown, size=size, mode="bicubic", antialias=True)
                answer = network({"image": small.clamp(0, 1).numpy() * 2 - 1})
                alpha = torch.nn.functional.interpolate(torch.from_numpy(answer["alpha"]), size=rgb.shape[-2:])
                value = raw(answer["alpha"][0, 0], answer["error"][0, 0], float(answer["subject"][0, 0]))
                if use == "empty" and float((answer["alpha"] > 0.5).mean()) < SUBJECT_LEFT:
                    continue
                values.append(value)
                found.append(iou(alpha[0, 0].numpy(), truth))
    return Judged(np.array(values), np.array(found))


def line(judged: Judged) -> tuple[tuple[float, float], ...]:
    """Fit a line that never falls, thinned to a few points that start at 0 and end at 1."""
    order = np.argsort(judged.raw, kind="stable")
    x, y = judged.raw[order], isotonic(judged.iou[order])
    at = np.unique(np.quantile(x, np.linspace(0, 1, KNOTS)).round(4))
    values = np.interp(at, x, y).round(4)
    inside = [(float(a), float(v)) for a, v in zip(at, values, strict=True) if 0 < a < 1]
    return (0.0, 0.0), *inside, (1.0, inside[-1][1])


def isotonic(values: Floats) -> Floats:
    """Give the nearest sequence that never falls, by pooling adjacent violators."""
    pools: list[tuple[float, int]] = []
    for value in values:
        pools.append((float(value), 1))
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            (one, few), (other, more) = pools[-2:]
            pools[-2:] = [((one * few + other * more) / (few + more), few + more)]
    return np.concatenate([np.full(count, mean) for mean, count in pools])


def _calibration_error(expected: Floats, found: Floats, bins: int = 10) -> float:
    """Mean distance of expectation and outcome over bins of equal counts."""
    parts = np.array_split(np.argsort(expected), bins)
    return float(np.mean([abs(expected[part].mean() - found[part].mean()) for part in parts if len(part)]))
