"""Conjugate gradients for the matting Laplacian, with a coarse space of colour lines.

What makes closed-form matting slow is that a whole family of errors costs next to nothing: alpha may be almost any
linear function of colour over a large area. Smoothing and coarser grids of pixels do not see such errors. So the coarse
space holds exactly them: in each block of `_BLOCK` × `_BLOCK` pixels, alpha = a·(I − μ) + b. Its four coefficients a
block are solved for directly, between two steps of damped Jacobi (a two-level method: Notay 2010, ETNA 37).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cleancut.matting.band.laplacian import Numbers, Places, System

if TYPE_CHECKING:
    from scipy.sparse import csr_array
    from scipy.sparse.linalg import SuperLU

_BLOCK = 6
_COEFFICIENTS = 4

_RIDGE = 1e-9, 1e-7
"""Absolute and relative: in a block of one colour the coefficients of colour mean nothing."""

_DAMPING = 4 / 3
"""Of the largest eigenvalue: Jacobi's best step for the upper half of the spectrum."""

_ALONE = 1e-9
"""Contribution of known pixels below which there is none: nothing known touches what is unknown."""

_ESTIMATES = 8
_HEADROOM = 1.1
"""Power iteration comes up to the largest eigenvalue from below."""


@dataclass(frozen=True, slots=True, eq=False)
class Descent:
    """Where conjugate gradients ended.

    Attributes:
        values: (n,) the solution.
        steps: how many were taken.
        residual: root mean square of the correction that would come next: about how far off alpha still is.
    """

    values: Numbers
    steps: int
    residual: float


def descend(
    given: System, rgb: NDArray[np.uint8], start: Numbers, *, tolerance: float, most_steps: int, width: int
) -> Descent:
    """Solve Aα = b from `start`, by conjugate gradients (Hestenes & Stiefel 1952).

    |b − Aα| itself is no measure: what costs next to nothing leaves next to nothing there, however wrong alpha is.

    Args:
        given: the equations.
        rgb: (h, w, 3) the picture they are of.
        start: (n,) where to begin.
        tolerance: it ends where the next correction is below this, as a root mean square.
        most_steps: after so many it ends wherever it is.
        width: of the picture, in pixels.
    """
    matrix, values = given.matrix, start.copy()
    touched = np.linalg.norm(given.known) + np.linalg.norm(matrix.sum(axis=1) - given.known)
    if touched < _ALONE:
        return Descent(values, 0, 0.0)
    better = _TwoLevel.of(matrix, _basis(given.place, rgb.reshape(-1, 3), width))
    residual = given.known - matrix @ values
    improved = better(residual)
    direction, energy = improved.copy(), float(residual @ improved)
    steps = 0
    while steps < most_steps and _size(improved) > tolerance:
        curved = matrix @ direction
        steepness = float(direction @ curved)
        if not (energy > 0 and steepness > 0):  # what is left lies below rounding, or in a piece that is free
            break
        values += energy / steepness * direction
        residual -= energy / steepness * curved
        improved = better(residual)
        before, energy = energy, float(residual @ improved)
        direction *= energy / before
        direction += improved
        steps += 1
    return Descent(values, steps, _size(improved))


def _size(values: Numbers) -> float:
    return float(np.sqrt(np.mean(values * values)))


@dataclass(frozen=True, slots=True, eq=False)
class _TwoLevel:
    """An approximate inverse: smooth, solve for the colour lines, smooth. Symmetric, as conjugate gradients need."""

    matrix: csr_array
    basis: csr_array
    transposed: csr_array
    step: Numbers
    coarse: SuperLU

    @classmethod
    def of(cls, matrix: csr_array, basis: csr_array) -> _TwoLevel:
        """Project the matrix on the coarse space and factorise it there."""
        from scipy.sparse import diags_array  # noqa: PLC0415
        from scipy.sparse.linalg import splu  # noqa: PLC0415

        transposed = basis.T.tocsr()
        small = (transposed @ (matrix @ basis)).tocsc()
        ridge = diags_array(_RIDGE[0] + _RIDGE[1] * small.diagonal()).tocsc()
        # Without pivoting, which a positive matrix does not need, it stays sparse.
        coarse = splu(small + ridge, "MMD_AT_PLUS_A", diag_pivot_thresh=0, options={"SymmetricMode": True})
        diagonal = matrix.diagonal()
        return cls(matrix, basis, transposed, _DAMPING / (_largest(matrix, diagonal) * diagonal), coarse)

    def __call__(self, residual: Numbers) -> Numbers:
        """Approximate A⁻¹ times `residual`."""
        values = self.step * residual
        values += self.basis @ self.coarse.solve(self.transposed @ (residual - self.matrix @ values))
        values += self.step * (residual - self.matrix @ values)
        return values


def _largest(matrix: csr_array, diagonal: Numbers) -> float:
    """Estimate the largest eigenvalue of the matrix over its diagonal by power iteration."""
    vector = np.random.default_rng(0).standard_normal(len(diagonal))
    size = 1.0
    for _ in range(_ESTIMATES):
        vector = matrix @ vector / diagonal
        size = float(np.linalg.norm(vector))
        vector /= max(size, 1e-300)
    return max(size * _HEADROOM, 1.0)


def _basis(place: Places, colors: NDArray[np.uint8], width: int) -> csr_array:
    """Give the values of all colour lines at the n unknown pixels: (n, 4 for each block that holds one)."""
    from scipy.sparse import csr_array  # noqa: PLC0415

    across = -(-width // _BLOCK)
    number = place // width // _BLOCK * across + place % width // _BLOCK
    blocks, home = np.unique(number, return_inverse=True)
    seen = colors.take(place, axis=0) / 255
    count = np.bincount(home)
    mean = np.stack([np.bincount(home, seen[:, channel]) / count for channel in range(3)], axis=1)
    values = np.ones((len(place), _COEFFICIENTS))
    values[:, 1:] = seen - mean[home]
    columns = (home[:, None] * _COEFFICIENTS + np.arange(_COEFFICIENTS)).astype(np.int32)
    starts = np.arange(len(place) + 1, dtype=np.int32) * _COEFFICIENTS
    return csr_array((values.ravel(), columns.ravel(), starts), shape=(len(place), _COEFFICIENTS * len(blocks)))
