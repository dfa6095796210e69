"""How far a colour is from a backdrop's, and what α that makes: by difference or by chroma (see `keying`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from cleancut.matting.keying.surface import Surface

Plane: TypeAlias = NDArray[np.float32]

SEEN = np.float32(3)
"""Multiples of the noise below which a difference is none; from twice as many on it counts in full."""

_TURN = np.float32(3**-0.5)
"""What chroma of another hue takes from the backdrop's: for green this makes the key g − max(r, b)."""


@dataclass(frozen=True, slots=True, eq=False)
class Key:
    """What is needed to tell α at any pixel: the measures are functions of a strip's colours (h, w, 3) and B's."""

    surface: Surface
    by_chroma: bool

    def alpha(self, color: Plane, back: Plane, front: Plane) -> Plane:
        """Compute α in [0, 1], (h, w)."""
        off = color - back
        counts = np.clip(self.strays(off) / SEEN - 1, 0, 1)
        if self.by_chroma:
            most, least = excess_of(back, back), np.minimum(excess_of(front, back), 0)
            return np.asarray(np.clip((most - excess_of(color, back)) / np.maximum(most - least, 1), 0, 1) * counts)
        least = SEEN / self.surface.whiten[0, 0]
        far = np.maximum(length(front - back), least)
        return np.asarray(np.clip(length(off) / far, 0, 1) * counts)

    def strays(self, off: Plane) -> Plane:
        """Measure deviations (h, w, 3) in multiples of the noise, (h, w)."""
        total = np.zeros(off.shape[:2], np.float32)
        for column in self.surface.whiten.T:
            total += np.square(off[..., 0] * column[0] + off[..., 1] * column[1] + off[..., 2] * column[2])
        return np.asarray(np.sqrt(total, out=total))


def chroma(color: Plane) -> Plane:
    """Take the grey out of colours (…, 3)."""
    return np.asarray(color - color.mean(axis=-1, keepdims=True))


def length(vector: Plane) -> Plane:
    """Measure the length of vectors (…, 3)."""
    return np.asarray(np.sqrt(np.square(vector).sum(axis=-1)))


def excess_of(color: Plane, back: Plane) -> Plane:
    """Measure how much of the backdrop's chroma colours have, less what they have of other hues; below 0 is opposed."""
    tint = chroma(back)
    tint /= np.maximum(length(tint), 1)[..., None]
    seen = chroma(color)
    along = (seen * tint).sum(axis=-1)
    across = length(seen - along[..., None] * tint)
    return np.asarray(along - _TURN * across)
