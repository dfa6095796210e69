"""What averaging brings: python -m bench.ensembles MODEL [MODEL] --data FOLDER [--most N].

MODEL is a name, or FILE.onnx:LIKE. Measures each model alone, with each choice of views, and two of them together: mean
IoU and mean absolute error over all sets that have a subject, the mean IoU of the worst tenth, and how often the
networks were asked.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from bench.sets import Case, cases, sets
from cleancut import Engine, Recipe
from cleancut.matting import metrics
from cleancut.matting.ensemble import asked
from cleancut.matting.stopwatch import Stopwatch
from cleancut.models.runtime import Loaded
from cleancut.pictures.images import read

VIEWS = (None, "flip", "scale", "flip,scale")


def main() -> None:
    """Measure what is asked for on the command line."""
    arguments = argparse.ArgumentParser()
    arguments.add_argument("models", nargs="+", metavar="MODEL")
    arguments.add_argument("--data", type=Path, required=True, help="a set, or a folder of sets")
    arguments.add_argument("--most", type=int, help="pictures of a set at the most")
    given = arguments.parse_args()
    engine = Engine("cpu")
    names = [engine.add(*model.split(":")) if ":" in model else model for model in given.models]
    titles = dict(zip(names, (Path(model.partition(":")[0]).stem for model in given.models), strict=True))
    found = [case for folder in sets(given.data) for case in cases(folder, given.most) if case.truth.any()]
    print(
        f"{len(found)} pictures\n\n| models | views | IoU | worst tenth | MAE | asked |\n|---|---|---:|---:|---:|---:|"
    )
    for model in [*names, *(["+".join(names)] if len(names) > 1 else [])]:
        for views in VIEWS:
            recipe = replace(Recipe(), model=model, tta=views)
            label = " + ".join(titles[name] for name in model.split("+"))
            print(f"| {label} | {views or 'one'} | {row(engine, recipe, found)} |", flush=True)


def row(engine: Engine, recipe: Recipe, found: list[Case]) -> str:
    """Give a line of the table, without its name."""
    runs = [0]

    def load(name: str) -> Loaded:
        loaded = engine.load(name)

        def network(inputs):
            runs[0] += 1
            return loaded.network(inputs)

        return replace(loaded, network=network)

    results = list(measured(load, recipe, found))
    ious = sorted(iou for iou, _ in results)
    worst = np.mean(ious[: max(1, len(ious) // 10)])
    return f"{np.mean(ious):.4f} | {worst:.3f} | {np.mean([e for _, e in results]):.4f} | {runs[0] / len(results):.1f}"


def measured(load, recipe: Recipe, found: list[Case]) -> Iterator[tuple[float, float]]:
    """Give IoU and mean absolute error of each picture, at its own size, without any refinement."""
    for case in found:
        answer = asked(read(case.path), recipe, load, Stopwatch())
        alpha = answer.fit.enlarge(answer.plane).whole()
        yield metrics.iou(alpha, case.truth), metrics.mae(alpha, case.truth)


if __name__ == "__main__":
    main()
