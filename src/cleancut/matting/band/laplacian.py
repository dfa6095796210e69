"""The matting Laplacian (Levin, Lischinski and Weiss 2008, TPAMI 30(2), eq. 12), only where alpha is unknown.

In each window of 3 × 3 pixels alpha is taken for a linear function of colour. What it costs a window k to depart from
one is αᵀ(1 − (1 + U Uᵀ)/9)α with U = (I − μ)(Σ + ε/9)^(−½), and the sum of that over all windows is αᵀLα. A row of L
has 25 entries, since two pixels meet in a window only if they are at most two pixels apart. Windows that hold no
unknown pixel add a constant and are left out; known pixels are moved to the right-hand side.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Numbers = NDArray[np.float64]
Places = NDArray[np.intp]

EPSILON = 1e-7
"""ε: keeps the covariance of a flat window from being singular; of colours in [0, 1]."""

_WINDOW = tuple(itertools.product((-1, 0, 1), repeat=2))
_AROUND = tuple(itertools.product((-2, -1, 0, 1, 2), repeat=2))
_CHUNK = 1 << 12
"""Windows that are worked out in one go, so that they stay in the processor's cache."""


@dataclass(frozen=True, slots=True, eq=False)
class System:
    """The equations Aα = b for the n unknown pixels of a picture.

    Attributes:
        matrix: (n, n), symmetric and positive semi-definite; positive where a piece touches something known.
        known: (n,), what the known pixels give.
        place: (n,) of each unknown pixel in the flattened picture.
    """

    matrix: csr_array
    known: Numbers
    place: Places


def system(rgb: NDArray[np.uint8], alpha: NDArray[np.floating], unknown: NDArray[np.bool_]) -> System:
    """Set up the equations.

    Args:
        rgb: (h, w, 3), at least 3 × 3 pixels.
        alpha: (h, w) in [0, 1], read where it is known.
        unknown: (h, w); at least one pixel is.
    """
    width = unknown.shape[1]
    place = np.flatnonzero(unknown)
    index = np.full(unknown.size, len(place))  # known pixels share a row that is thrown away
    index[place] = np.arange(len(place))
    entries = np.zeros((len(_AROUND), len(place) + 1))
    centers = _windows(unknown)
    colors = rgb.reshape(-1, 3)
    for first in range(0, len(centers), _CHUNK):
        _add(entries, colors, index, centers[first : first + _CHUNK], width)
    return _assembled(np.ascontiguousarray(entries[:, :-1].T), place, index, alpha.ravel(), width)


def _windows(unknown: NDArray[np.bool_]) -> Places:
    """Find the centres of the windows that hold an unknown pixel and lie within the picture."""
    rows = unknown[:-2] | unknown[1:-1] | unknown[2:]
    y, x = np.nonzero(rows[:, :-2] | rows[:, 1:-1] | rows[:, 2:])
    return np.asarray((y + 1) * unknown.shape[1] + x + 1)


def _add(entries: Numbers, colors: NDArray[np.uint8], index: Places, centers: Places, width: int) -> None:
    """Add to each pair of pixels in these windows what they have to do with each other."""
    places = [centers + (dy * width + dx) for dy, dx in _WINDOW]
    rows = [index.take(place) for place in places]
    away, weighed = _whitened(np.stack([colors.take(place, axis=0).T for place in places]))
    for i, j in itertools.combinations_with_replacement(range(len(_WINDOW)), 2):
        affinity = weighed[i, 0] * away[j, 0] + weighed[i, 1] * away[j, 1] + weighed[i, 2] * away[j, 2]
        affinity += 1
        affinity *= -1 / len(_WINDOW)
        affinity += i == j
        # Windows differ, so no pixel is twice among rows[i].
        entries[_offset(i, j)][rows[i]] += affinity
        if i != j:
            entries[_offset(j, i)][rows[j]] += affinity


def _offset(i: int, j: int) -> int:
    """Tell which of the 25 neighbours pixel j of a window is to pixel i."""
    (y, x), (v, u) = _WINDOW[i], _WINDOW[j]
    return (v - y + 2) * 5 + (u - x + 2)


def _whitened(seen: NDArray[np.uint8]) -> tuple[Numbers, Numbers]:
    """Give I − μ and (Σ + ε/9)⁻¹(I − μ) of windows (9, 3, n), by the adjugate."""
    away = seen / 255
    away -= away.mean(axis=0)
    size = len(_WINDOW)
    aa, bb, cc = ((away[:, c] ** 2).sum(axis=0) / size + EPSILON / size for c in range(3))
    ab, ac, bc = ((away[:, c] * away[:, d]).sum(axis=0) / size for c, d in ((0, 1), (0, 2), (1, 2)))
    inverse = (
        (bb * cc - bc * bc, ac * bc - ab * cc, ab * bc - ac * bb),
        (ac * bc - ab * cc, aa * cc - ac * ac, ab * ac - aa * bc),
        (ab * bc - ac * bb, ab * ac - aa * bc, aa * bb - ab * ab),
    )
    scale = 1 / (aa * inverse[0][0] + ab * inverse[0][1] + ac * inverse[0][2])
    weighed = np.empty_like(away)
    for c, (x, y, z) in enumerate(inverse):
        weighed[:, c] = (x * scale) * away[:, 0] + (y * scale) * away[:, 1] + (z * scale) * away[:, 2]
    return away, weighed


def _assembled(entries: Numbers, place: Places, index: Places, alpha: NDArray[np.floating], width: int) -> System:
    """Part the entries (n, 25) of all neighbours into those of unknown and of known ones."""
    from scipy.sparse import csr_array  # noqa: PLC0415

    count = len(place)
    steps = np.array([dy * width + dx for dy, dx in _AROUND])
    near = (place[:, None] + steps).clip(0, index.size - 1)  # those outside the picture have an entry of 0
    there = entries != 0
    columns = index.take(near)
    inner = there & (columns < count)
    outer = there & (columns == count)
    known = -np.where(outer, entries * alpha.take(near), 0).sum(axis=1)
    starts = np.concatenate([[0], np.cumsum(np.count_nonzero(inner, axis=1))]).astype(np.int32)
    matrix = csr_array((entries[inner], columns[inner].astype(np.int32), starts), shape=(count, count))
    return System(matrix, known, place)
