"""Time and error of foreground colours: `python -m bench.foreground` in the root of the repository.

Errors are those of the scenes of the tests: composites whose F, B and α are known. Times are medians of everything
(both passes over the picture) at sizes of real photos, by the share of soft pixels.
"""

from __future__ import annotations

import numpy as np
from rich.console import Console
from rich.table import Table

from bench.machine import machine
from bench.refine import median
from cleancut.matting.colors.foreground import estimate
from cleancut.matting.cutout import written
from cleancut.raster.rows import Rows
from tests.matting.colors.test_foreground import SCENES, composite

SIZES = {"4K": (3840, 2160), "24 MP": (6000, 4000)}
EDGES = (0.004, 0.008, 0.024)
"""Width of the soft edge as a share of the picture's."""


def subject(width: int, height: int, soft: float) -> tuple[np.ndarray, np.ndarray]:
    """A textured picture and the alpha of a disc with a wavy soft edge."""
    y, x = np.mgrid[:height, :width].astype(np.float32)
    y -= height / 2
    x -= width / 2
    edge = np.hypot(y, x) - width / 5 - width / 100 * np.sin(np.arctan2(y, x) * 40)
    picture = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    return picture, np.clip(0.5 - edge / (soft * width), 0, 1)


def main() -> None:
    """Measure and print."""
    console = Console()
    console.print(machine())
    table = Table("size", "soft pixels, %", "ms", "of which a plain copy, ms")
    for name, (width, height) in SIZES.items():
        for edge in EDGES:
            picture, alpha = subject(width, height, edge)
            opacity = written(alpha)
            share = ((opacity > 0) & (opacity < 255)).mean()
            taken = median(lambda p=picture, a=alpha: estimate(Rows.of(p), Rows.of(a)).whole())
            copying = median(lambda p=picture: Rows.of(p).map(np.copy).whole())
            table.add_row(name, f"{share * 100:.1f}", f"{taken:.0f}", f"{copying:.0f}")
    console.print(table)

    table = Table("scene", "uncorrected", "corrected", "times better", title="mean |F − F_true| of 255 at soft edges")
    for name in SCENES:
        picture, alpha, front = composite(name)
        soft = (alpha > 0.05) & (alpha < 0.95)
        before = np.abs(picture - front)[soft].mean()
        after = np.abs(estimate(Rows.of(picture), Rows.of(alpha)).whole() - front)[soft].mean()
        table.add_row(name, f"{before:.2f}", f"{after:.2f}", f"{before / max(after, 0.01):.0f}")
    console.print(table)


if __name__ == "__main__":
    main()
