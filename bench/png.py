"""Time and size of PNG encoders side by side: python -m bench.png.

The picture is a drawn scene cut out, at 4K and 24 MP, the RGB of removed pixels zeroed as we write it. Medians of nine.
"""

from __future__ import annotations

import io
import statistics
import time
from collections.abc import Callable

import numpy as np
from PIL import Image

from bench.machine import machine
from cleancut.apps.scene import scene
from cleancut.pictures.png import write_png
from cleancut.raster.rows import Rows

SIZES = {"4K": (3840, 2160), "24 MP": (6000, 4000)}
RUNS = 9


def cutout(width: int, height: int) -> np.ndarray:
    drawn = scene(width, height)
    alpha = np.rint(drawn.alpha * 255).astype(np.uint8)
    return np.dstack([drawn.photo.rgb * (alpha > 0)[..., None], alpha])


def encoders(rgba: np.ndarray) -> dict[str, Callable[[io.BytesIO], None]]:
    image = Image.fromarray(rgba)
    return {
        "ours": lambda stream: write_png(stream, Rows.of(rgba)),
        "Pillow level 1": lambda stream: image.save(stream, "PNG", compress_level=1),
        "Pillow level 6": lambda stream: image.save(stream, "PNG"),
    }


def main() -> None:
    print(f"{machine()}\n\n| | | ms | spread | MB |\n|---|---|---|---|---|")
    for name, (width, height) in SIZES.items():
        ways = encoders(cutout(width, height))
        taken: dict[str, list[float]] = {way: [] for way in ways}
        sizes = {}
        for _ in range(RUNS):  # in turn, so that a busy moment hits them all
            for way, encode in ways.items():
                stream = io.BytesIO()
                start = time.perf_counter()
                encode(stream)
                taken[way].append((time.perf_counter() - start) * 1000)
                sizes[way] = stream.tell() / 1e6
        for way, ms in taken.items():
            spread = f"{min(ms):.0f}–{max(ms):.0f}"
            print(f"| {name} | {way} | {statistics.median(ms):.0f} | {spread} | {sizes[way]:.1f} |", flush=True)


main()
