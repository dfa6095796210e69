"""Time every refinement at 24 megapixels: `python -m bench.refine`.

The alphas: a blob with a soft edge, specks and pin-holes ("clean"); the same with the haze that networks leave
("hazy"); and the worst cases that could be thought of. Times are medians, of the step alone: what reading the alpha and
laying it out whole takes is measured and taken off.
"""

from __future__ import annotations

import resource
import statistics
import sys
import time
from collections.abc import Callable

import numpy as np
from rich.console import Console
from rich.table import Table

from bench.machine import machine
from cleancut.matting.refine import refinements
from cleancut.raster.rows import Rows

HEIGHT, WIDTH = 4000, 6000
RUNS = 5
STEPS = (
    "auto",
    "threshold",
    "feather:2",
    "feather:8",
    "feather:100",
    "tighten:1",
    "tighten:2.5",
    "tighten:20",
    "tighten:100",
    "grow:1",
    "opening:2",
    "opening:10",
    "opening:50",
    "closing:2",
    "specks",
    "holes",
)


def blob() -> np.ndarray:
    """A subject with a wavy soft edge (12 px), 300 soft specks and pin-holes."""
    y, x = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
    y -= HEIGHT / 2
    x -= WIDTH / 2
    edge = np.hypot(y / 1.2, x) - 1300 - 60 * np.sin(np.arctan2(y, x) * 40)
    alpha = np.clip(0.5 - edge / 12, 0, 1)
    line = np.arange(-20, 20)
    spot = np.clip(1.2 - np.hypot(line[:, None], line) / 10, 0, 1).astype(np.float32)
    draw = np.random.default_rng(0)
    for top, left in zip(draw.integers(0, HEIGHT - 40, 300), draw.integers(0, WIDTH - 40, 300), strict=True):
        part = alpha[top : top + 40, left : left + 40]
        part[:] = np.where(part > 0.5, np.minimum(part, 1 - spot), np.maximum(part, spot))
    return alpha


def median(work: Callable[[], object], runs: int = RUNS) -> float:
    """Milliseconds, after one run to warm up."""
    times = []
    for _ in range(runs + 1):
        start = time.perf_counter()
        work()
        times.append((time.perf_counter() - start) * 1000)
    return statistics.median(times[1:])


def main() -> None:
    """Measure and print."""
    console = Console()
    console.print(machine())
    clean = blob()
    haze = np.random.default_rng(1).random((HEIGHT, WIDTH), np.float32) * np.float32(0.004)
    alphas = {"clean": clean, "hazy": np.clip(clean * np.float32(0.99) + haze, 0, 1)}
    copying = median(lambda: Rows.of(clean).map(np.copy).whole())
    table = Table("step", *(f"{name}, ms" for name in alphas), title=f"{WIDTH} × {HEIGHT}, less {copying:.0f} ms")
    for text in STEPS:
        step = refinements.bind(refinements.parse(text), {})
        table.add_row(
            text,
            *(f"{median(lambda a=a: step(Rows.of(a)).whole()) - copying:.0f}" for a in alphas.values()),  # noqa: B023
        )
    console.print(table)

    grid = np.add.outer(np.arange(HEIGHT), np.arange(WIDTH))
    dots = (np.add.outer(np.arange(HEIGHT) % 2, np.arange(WIDTH) % 2) == 0).astype(np.float32)
    noise = (np.random.default_rng(2).random((HEIGHT, WIDTH), np.float32) > 0.59).astype(np.float32)
    worst = {"checkerboard": (grid % 2).astype(np.float32), "dots": dots, "critical noise": noise}
    table = Table("worst case", "step", "ms", "peak memory so far, MB")
    for name, alpha in worst.items():
        for text in ("specks", "holes"):
            step = refinements.bind(refinements.parse(text), {})
            taken = median(lambda s=step, a=alpha: s(Rows.of(a)).whole(), 1)
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)
            table.add_row(name, text, f"{taken:.0f}", f"{peak:.0f}")
    console.print(table)


if __name__ == "__main__":
    main()
