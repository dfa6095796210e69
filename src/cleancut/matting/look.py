"""What a refinement may look at besides alpha: the picture, and what the network said of it at its own size."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cleancut.raster.resample import Fit, reduced
from cleancut.raster.rows import Rows
from cleancut.types import Picture, Ran

if TYPE_CHECKING:
    from cleancut.models.runtime import Load, Loaded

Plane = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """A picture with what a network said of it.

    Attributes:
        picture: the picture, at full size.
        fit: how the picture lay in the network's input.
        plane: (h, w) alpha at the network's size, from which `first` was enlarged.
        first: rows (H, W) of alpha before any refinement; a refinement that is handed these may begin with `plane`.
        error: (h', w') expected error of alpha in [0, 1], or None where the network does not say.
        load: gives another network by name.
        sharp: whether alpha is the picture's own size already, and so was never enlarged.
        marks: rows (H, W) uint8 of what a person marked: 255 to keep, 0 to remove, 128 nothing; None without any.
        budget: tiles that a refinement may look at from close up.
        told: what a refinement tells of its work, for the report; it may add to it.
        ran: the models that refinements asked; they may add to it.
    """

    picture: Picture
    fit: Fit
    plane: Plane
    first: Rows
    load: Load
    error: Plane | None = None
    sharp: bool = False
    marks: Rows | None = None
    budget: int = 128
    told: list[str] = field(default_factory=list)
    ran: list[Ran] = field(default_factory=list)

    @property
    def scale(self) -> float:
        """How many of the picture's pixels one pixel of `plane` covers, along the longer way; at least 1."""
        if self.sharp:
            return 1.0
        left, top, right, bottom = self.fit.box
        (width, height), (w, h) = self.fit.source, self.fit.size
        across, down = (right - left) * self.plane.shape[1] / w, (bottom - top) * self.plane.shape[0] / h
        return float(max(1.0, width / across, height / down))

    @property
    def pixels(self) -> Rows:
        """The picture's colours, rows (H, W, 3) uint8."""
        return Rows.of(self.picture.rgb)

    @property
    def uncertainty(self) -> Rows | None:
        """The expected error at the picture's size."""
        return None if self.error is None else self.fit.enlarge(self.error)

    def coarse(self, alpha: Rows) -> tuple[Plane, Fit]:
        """Give alpha at the network's size, and how it lies there: its own answer, or what became of it since."""
        if alpha is self.first:
            return self.plane, self.fit
        height, width = self.plane.shape
        lay = Fit.stretch(self.fit.source, (width, height), self.fit.filter)
        steps = alpha.map(lambda a: np.rint(a * 255).astype(np.uint8)).whole()
        small = reduced(steps, width, height, self.fit.filter)
        return small * np.float32(1 / 255), lay


def ran(loaded: Loaded, start: float, confidence: float | None = None) -> Ran:
    """Tell of a model that was asked since `start`, in seconds of `time.perf_counter`."""
    took = round((time.perf_counter() - start) * 1000, 1)
    model = loaded.model
    return Ran(model.name, model.license, loaded.sha256, loaded.provider, loaded.precision, confidence, took)
