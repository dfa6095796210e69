"""A prediction that is more than a network's: α at the picture's own size, and what is known of the background."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cleancut.raster.rows import Rows
from cleancut.types import Prediction


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Matte(Prediction):
    """A prediction with α for every pixel.

    Attributes:
        rows: α, (H, W) float32 in [0, 1] at the picture's own size. `alpha` is the same, small.
        foreground: takes the final α, rows (H, W) float32, and gives F, rows (H, W, 3) uint8, as
            `foreground.estimate` does, but from the background that is known.
    """

    rows: Rows
    foreground: Callable[[Rows], Rows]
