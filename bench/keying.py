"""Error of keying beside the default network: `python -m bench.keying` in the root of the repository.

The scenes are those of the tests, composites whose F, B and α are known. α errors are mean absolute, over the picture
and over what is soft (0.05 < α < 0.95); colour errors are of F where it is soft, of 255.
"""

from __future__ import annotations

import time

import numpy as np
from rich.console import Console
from rich.table import Table

from bench.machine import machine
from cleancut.matting.pipeline import cut
from cleancut.matting.recipe import make
from cleancut.types import Picture
from tests.matting.keying.studio import BACKDROPS, SUBJECTS, photo

MODELS = ("key:auto", "auto", "cleancut-small", "key:#00ff00")
SIZE = (600, 800)


def main() -> None:
    """Measure and print."""
    console = Console(width=140)
    console.print(machine())
    table = Table("subject", "backdrop", *(f"{model}: α, soft α, F" for model in MODELS))
    for subject in SUBJECTS:
        for backdrop in BACKDROPS:
            table.add_row(subject, backdrop, *(row(subject, backdrop, model) for model in MODELS))
    console.print(table)
    for height, width in ((2160, 3840), (4000, 6000)):
        console.print(
            f"{width} × {height}, key:auto, everything but reading and writing: {seconds(height, width):.2f} s"
        )


def row(subject: str, backdrop: str, model: str) -> str:
    if model == "key:#00ff00" and backdrop != "green":
        return ""
    pixels, alpha, front = photo(subject, backdrop, *SIZE)
    result = cut(Picture(pixels), make(model=model))
    found = result.alpha
    soft = (alpha > 0.05) & (alpha < 0.95)
    wrong = np.abs(found - alpha)
    seen = soft & (found > 1 / 255)
    color = np.abs(result.foreground.astype(float) - front)[seen].mean() if seen.any() else np.nan
    return f"{wrong.mean():.4f}  {wrong[soft].mean():.3f}  {color:5.1f}"


def seconds(height: int, width: int) -> float:
    picture = Picture(photo("disc with a hole", "grey gradient", height, width)[0])
    start = time.perf_counter()
    cut(picture, make(model="key:auto")).rgba()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
