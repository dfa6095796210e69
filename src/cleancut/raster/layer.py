"""Straight colour under an alpha, on a canvas: what a cutout is a stack of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cleancut.raster.rows import Rows


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """A plane of colour with its coverage.

    Attributes:
        color: rows (H, W, 3) uint8, straight.
        alpha: rows (H, W) float32 in [0, 1].
    """

    color: Rows
    alpha: Rows

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        return self.alpha.width, self.alpha.height

    def map(self, change: Callable[[Rows], Rows]) -> Layer:
        """Change colour and alpha alike."""
        return Layer(change(self.color), change(self.alpha))
