"""An effect that a plug-in brings."""

from dataclasses import replace
from typing import Annotated

from cleancut.matting.cutout import Cutout
from cleancut.matting.effects import effects
from cleancut.matting.settings import Range
from cleancut.raster.layer import Layer


@effects
def fade(cut: Cutout, *, amount: Annotated[float, Range(0, 1)] = 0.5) -> Cutout:
    """Make the subject this much more transparent."""
    alpha = cut.subject.alpha.map(lambda strip: strip * (1 - amount))
    return replace(cut, subject=Layer(cut.subject.color, alpha))
