"""Print quantiles of a model's confidence over folders of pictures: python -m bench.confidence MODEL FOLDER….

With folders that have a subject and folders that have none, this shows where to draw the line (NO_SUBJECT).
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from cleancut import Engine
from cleancut.matting.predict import NO_SUBJECT, fit_of, predict
from cleancut.matting.stopwatch import Stopwatch
from cleancut.pictures.images import read

QUANTILES = (0, 0.05, 0.25, 0.5, 0.75, 0.95, 1)


def main(model: str, folders: list[str], most: int = 150) -> None:
    engine = Engine()
    loaded = engine.load(engine.add(model, "u2netp") if model.endswith(".onnx") else model)
    print(f"| folder | pictures | below {NO_SUBJECT} | {' | '.join(f'{q:.0%}' for q in QUANTILES)} |")
    for folder in folders:
        paths = sorted(p for p in Path(folder).iterdir() if p.suffix in {".webp", ".jpg", ".png"})
        chosen = paths[:: max(1, len(paths) // most)]
        found = []
        for path in chosen:
            picture = read(path)
            found.append(predict(picture, loaded, fit_of(picture, loaded.model.input), Stopwatch()).confidence)
        row = " | ".join(f"{q:.2f}" for q in np.quantile(found, QUANTILES))
        print(f"| {folder} | {len(found)} | {np.mean(np.array(found) < NO_SUBJECT):.1%} | {row} |", flush=True)


main(sys.argv[1], sys.argv[2:])
