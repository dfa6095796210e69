"""Patches of the backdrop's colour inside a subject: a hole one sees through, or a light of the subject's own?

Through a hole the backdrop begins at once: the subject's edge is sharp. A highlight on skin, china or metal fades
into the backdrop's colour. Nothing tells a hole from a flat patch of that very colour with a sharp edge,
such as white print on a dark shirt; it counts as a hole.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cleancut.raster.morphology import dilated
from cleancut.raster.rows import Rows
from cleancut.raster.runs import Pieces

Mask = NDArray[np.bool_]

_MOST = 48
"""Patches looked at, the largest first; smaller ones are left to the picture itself."""

_SHARP = 0.6
"""Share of the subject's difference that an edge has reached 3 pixels from a hole, at least; or `_STEEP`."""

_STEEP = 30.0
"""Multiples of the noise that are a sharp edge, whatever lies beyond."""

_ALIKE = 3.0
"""Multiples of the noise by which half of a hole may differ from the backdrop: pale cloth is near it, no more."""


def filled(there: Mask, strays: NDArray[np.float32]) -> Mask:
    """Add to a subject (h, w) the patches within it that fade into it.

    Args:
        there: what differs from the backdrop.
        strays: by how much, (h, w) float32.
    """
    pieces = Pieces.of(~there, corners=False)
    area = pieces.area()
    inside = np.flatnonzero(~pieces.at_border(top=True, bottom=True) & (area >= 4))
    result = there.copy()
    for index in inside[np.argsort(-area[inside], kind="stable")][:_MOST]:
        patch = pieces.drawn(np.arange(pieces.count) == index)
        if not _is_hole(patch, there, strays):
            result |= patch
    return result


def _is_hole(patch: Mask, there: Mask, strays: NDArray[np.float32]) -> bool:
    rows, columns = np.flatnonzero(patch.any(axis=1)), np.flatnonzero(patch.any(axis=0))
    box = (slice(max(rows[0] - 12, 0), rows[-1] + 13), slice(max(columns[0] - 12, 0), columns[-1] + 13))
    if np.median(strays[box][patch[box]]) > _ALIKE:
        return False
    here = Rows.of(patch[box].astype(np.float32))
    near, around = (dilated(here, radius).whole() > 0.5 for radius in (3, 10))
    edge = near & ~(dilated(here, 2).whole() > 0.5) & there[box]
    beyond = around & ~near & there[box]
    if not edge.any() or not beyond.any():
        return True
    reached, subject = float(np.median(strays[box][edge])), float(np.median(strays[box][beyond]))
    return reached >= min(_SHARP * subject, _STEEP)
