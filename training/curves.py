"""Draw a run's log as one SVG: the loss on training batches, and what validation found."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

SHOWN = ("iou", "mae", "empty")


def draw(logs: list[Path], out: Path) -> None:
    """Draw one or several logs, a line each, against the pictures shown so far."""
    import matplotlib  # noqa: PLC0415 - only this command draws

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "cleancut"  # or equal curves would be unequal files
    from matplotlib import pyplot  # noqa: PLC0415

    figure, axes = pyplot.subplots(1, 1 + len(SHOWN), figsize=(4 * (1 + len(SHOWN)), 3), layout="constrained")
    for log in logs:
        lines = [json.loads(line) for line in log.read_text().splitlines()]
        samples = [line["samples"] / 1000 for line in lines]
        for axis, (title, values) in zip(axes, _series(lines), strict=True):
            axis.plot(samples, values, marker=".", label=log.parent.name)
            axis.set_title(title)
            axis.set_xlabel("thousand pictures shown")
            axis.grid(alpha=0.3)
    axes[0].legend()
    figure.savefig(out, metadata={"Date": None})


def _series(lines: list[dict[str, Any]]) -> list[tuple[str, list[float]]]:
    training = ("loss in training", [line["training"]["loss"] for line in lines])
    return [training, *((f"validation: {name}", [line["validation"][name] for line in lines]) for name in SHOWN)]
