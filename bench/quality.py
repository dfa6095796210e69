"""How good models are on sets of pictures: python -m bench.quality MODEL… --data FOLDER [--sheets FOLDER].

MODEL is a name, or FILE.onnx:LIKE. Prints a table for each measure, sets down and models across, then the time of each
network beside the first one's, measured in turn. With --sheets, draws each model's worst twenty pictures.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bench.machine import machine
from bench.sets import Asked, Case, cases, sets
from cleancut.matting import metrics

WORST = 20
THUMB = 220
RUNS = 15

SUBJECT: dict[str, Callable[[NDArray[np.float32], Case], float]] = {
    "IoU": lambda alpha, case: metrics.iou(alpha, case.truth),
    "boundary IoU": lambda alpha, case: metrics.boundary_iou(alpha, case.truth),
    "S-measure": lambda alpha, case: metrics.s_measure(alpha, case.truth),
    "E-measure": lambda alpha, case: metrics.e_measure(alpha, case.truth),
    "MAE": lambda alpha, case: metrics.mae(alpha, case.truth),
    "false positives": lambda alpha, case: metrics.false_positives(alpha, case.truth),
}
NOTHING: dict[str, Callable[[NDArray[np.float32], Case], float]] = {
    "mean alpha": lambda alpha, case: float(alpha.mean()),
    "mean alpha below 0.02": lambda alpha, case: float(alpha.mean() < 0.02),
    "false positives": lambda alpha, case: metrics.false_positives(alpha, case.truth),
}
TRUE: dict[str, Callable[[NDArray[np.float32], Case], float]] = {
    "SAD": lambda alpha, case: metrics.sad(alpha, case.truth, case.unknown),
    "MSE": lambda alpha, case: metrics.mse(alpha, case.truth, case.unknown),
    "Grad": lambda alpha, case: metrics.gradient_error(alpha, case.truth, case.unknown),
    "Conn": lambda alpha, case: metrics.connectivity_error(alpha, case.truth, case.unknown),
}
"""Of true alpha, inside the unknown part of the trimap."""

Results = dict[str, dict[str, list[float]]]  # measure → set → a value a picture


def main() -> None:
    """Measure what is asked for on the command line."""
    arguments = argparse.ArgumentParser()
    arguments.add_argument("models", nargs="+", metavar="MODEL")
    arguments.add_argument("--data", type=Path, required=True, help="a set, or a folder of sets")
    arguments.add_argument("--refine", default="none", help="measure alpha after this refinement")
    arguments.add_argument("--sheets", type=Path, help="folder for sheets of the worst pictures")
    arguments.add_argument("--most", type=int, help="pictures of a set at the most")
    given = arguments.parse_args()
    models = [Asked(spec, given.refine) for spec in given.models]
    results: list[Results] = [{} for _ in models]
    ranked: list[list[tuple[float, Case, NDArray[np.uint8]]]] = [[] for _ in models]
    for folder in sets(given.data):
        curves: list[list[NDArray[np.float64]]] = [[] for _ in models]
        for case in cases(folder, given.most):
            for number, model in enumerate(models):
                alpha = model.alpha(case.path)
                _measure(alpha, case, results[number])
                if case.truth.any():
                    curves[number].append(metrics.f_curve(alpha, case.truth))
                if given.sheets:
                    ranked[number].append((metrics.mae(alpha, case.truth), case, np.rint(alpha * 255).astype(np.uint8)))
        for number, found in enumerate(curves):
            if found:
                mean = np.mean(found, axis=0)
                results[number].setdefault("max F", {})[folder.name] = [float(mean.max())]
                results[number].setdefault("mean F", {})[folder.name] = [float(mean.mean())]
    print(f"Measured on {machine()}.\n")
    _tables([model.title for model in models], results)
    _times(models)
    if given.sheets:
        for model, rows in zip(models, ranked, strict=True):
            _sheet(given.sheets / f"worst-{model.title}.png", sorted(rows, key=lambda row: -row[0])[:WORST])


def _measure(alpha: NDArray[np.float32], case: Case, into: Results) -> None:
    chosen = SUBJECT if case.truth.any() else NOTHING
    for title, measure in (chosen | (TRUE if case.unknown is not None else {})).items():
        into.setdefault(title, {}).setdefault(case.name, []).append(measure(alpha, case))


def _tables(titles: list[str], results: list[Results]) -> None:
    for measure in dict.fromkeys(title for result in results for title in result):
        names = list(results[0].get(measure, {}))
        means = [[statistics.fmean(result[measure][name]) for result in results] for name in names]
        print(f"| {measure} | pictures | {' | '.join(titles)} |")
        print("|---|---" + "|---:" * len(titles) + "|")
        for name, row in zip(names, means, strict=True):
            count = len(results[0]["MAE" if name in results[0].get("MAE", {}) else "mean alpha"][name])
            print(f"| {name} | {count} | {' | '.join(f'{value:.4f}' for value in row)} |")
        if len(names) > 1:
            print(f"| mean of the sets | | {' | '.join(f'{value:.4f}' for value in np.mean(means, axis=0))} |")
        print()


def _times(models: list[Asked]) -> None:
    """Time the networks alone, one after another in each round."""
    runs = []
    for model in models:
        loaded = model.engine.load(model.name)
        width, height = loaded.model.input.size
        runs.append((loaded.network, {"image": np.zeros((1, 3, height, width), np.float32)}))
    seconds: list[list[float]] = [[] for _ in models]
    for _ in range(RUNS):
        for taken, (network, given) in zip(seconds, runs, strict=True):
            began = time.perf_counter()
            network(given)
            taken.append(time.perf_counter() - began)
    print("| network | ms, median | beside the first |\n|---|---:|---:|")
    for model, taken in zip(models, seconds, strict=True):
        ratio = statistics.median(one / first for one, first in zip(taken, seconds[0], strict=True))
        print(f"| {model.title} | {statistics.median(taken) * 1000:.1f} | {ratio:.3f} |")


def _sheet(path: Path, rows: list[tuple[float, Case, NDArray[np.uint8]]]) -> None:
    """Draw pictures, truths and alphas side by side, the worst first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    sheet = Image.new("RGB", (6 * THUMB, -(-len(rows) // 2) * THUMB), "#404040")
    for number, (_, case, alpha) in enumerate(rows):
        left, top = number % 2 * 3 * THUMB, number // 2 * THUMB
        with Image.open(case.path) as photo:
            panels = (photo.convert("RGB"), Image.fromarray(np.rint(case.truth * 255).astype(np.uint8)), alpha)
            for column, panel in enumerate(panels):
                image = panel if isinstance(panel, Image.Image) else Image.fromarray(panel)
                image.thumbnail((THUMB, THUMB))
                sheet.paste(image, (left + column * THUMB, top))
    sheet.save(path)


if __name__ == "__main__":
    main()
