"""Closed-form matting (Levin, Lischinski and Weiss 2008, TPAMI 30(2)), solved only where alpha is unknown.

`solve` takes a picture that fits in memory, `matted` one of any size. Both need scipy (extra `matting`).

>>> solve(np.zeros((1, 2, 3), np.uint8), np.array([[0, 255]], np.uint8)).tolist()
[[0.0, 1.0]]
"""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cleancut.errors import BadInput, BadRecipe
from cleancut.matting.band.conjugate import descend
from cleancut.matting.band.laplacian import system
from cleancut.matting.band.trimap import UNKNOWN
from cleancut.raster.lazy import in_blocks, once
from cleancut.raster.resample import Fit, box_reduced
from cleancut.raster.rows import Rows, in_order
from cleancut.types import Box

Plane = NDArray[np.float32]
Trimap = NDArray[np.uint8]

TOLERANCE = 3e-5
"""Of the correction that would come next, as a root mean square of alpha. Errors are then within 1 % of the exact
solution's."""

MOST_STEPS = 300

_START = np.float32(0.5)

_TILE = 512
_MARGIN = 32
"""How far beyond its tile a solution reaches: what is decided there hardly counts inside."""

_RING = 2
"""Pixels around such a tile that are held at the coarse solution; a window reaches as far."""

_COARSE = 1 << 18
"""Pixels of the reduced copy that is solved first."""

_KNOWN = 0.25
"""Share of a box's pixels that make it known in the reduced copy, so that thin strokes count."""


@dataclass(frozen=True, slots=True, eq=False)
class Solution:
    """An alpha, and how exactly it solves the equations.

    Attributes:
        alpha: (h, w) float32 in [0, 1].
        steps: of conjugate gradients; 0 where nothing was unknown.
        residual: about how far off alpha still is, as a root mean square over the unknown pixels; above `TOLERANCE`
            where the limit of steps ended it.
    """

    alpha: Plane
    steps: int
    residual: float


def solve(rgb: NDArray[np.uint8], trimap: Trimap, *, alpha0: Plane | None = None) -> Plane:
    """Solve for alpha (h, w) float32 in [0, 1] where the trimap is unknown; `solution` tells more.

    Raises:
        BadInput: sizes differ, or no pixel is known.
        BadRecipe: scipy is not installed.
    """
    return solution(rgb, trimap, alpha0=alpha0).alpha


def solution(
    rgb: NDArray[np.uint8], trimap: Trimap, *, alpha0: Plane | None = None, most_steps: int = MOST_STEPS
) -> Solution:
    """Solve for alpha where the trimap is unknown, and say how well.

    Args:
        rgb: (h, w, 3) uint8, as encoded.
        trimap: (h, w) uint8: 0 is background, 255 foreground, anything else unknown.
        alpha0: (h, w) float32 in [0, 1] to begin with, which saves steps; ½ by default. Unknown pixels that nothing
            known is connected to keep it.
        most_steps: after so many it ends wherever it is.

    Raises:
        BadInput: sizes differ, or no pixel is known.
        BadRecipe: scipy is not installed.
    """
    _check(rgb.shape, trimap.shape, None if alpha0 is None else alpha0.shape)
    alpha = np.full(trimap.shape, _START) if alpha0 is None else np.asarray(alpha0, np.float32)
    known = (trimap == 0) | (trimap == 255)
    alpha = np.where(known, trimap == 255, alpha).astype(np.float32)
    if known.all():
        return Solution(alpha, 0, 0.0)
    if not known.any():
        raise BadInput("The trimap has no known pixel; mark some of the subject and some of the background.")
    _need_scipy()
    return _solution(rgb, alpha, ~known, most_steps)


def matted(
    picture: Rows, trimap: Rows, *, alpha0: Rows | None = None, watch: Callable[[Solution], None] = lambda _: None
) -> Rows:
    """Solve for alpha in tiles, so that memory does not grow with the picture.

    Each tile of 512 × 512 that holds an unknown pixel is solved by itself with 32 pixels around it. Where that part
    does not hold known pixels of both kinds (inside a large pane of glass), its border is held at the solution of a
    reduced copy of the picture. The tiles do not depend on the strips asked for.

    Args:
        picture: rows (H, W, 3) uint8, as encoded.
        trimap: rows (H, W) uint8: 0 is background, 255 foreground, anything else unknown.
        alpha0: rows (H, W) float32 to begin with, and to use in place of the reduced copy's solution. It saves steps
            only if it is nearly right: what is wrong in fine detail is what takes longest to put right.
        watch: is handed each tile's solution, by any thread, in any order.

    Returns:
        Rows (H, W) float32 in [0, 1].

    Raises:
        BadInput: sizes differ, or (when a strip is read, without `alpha0`) no pixel is known.
        BadRecipe: scipy is not installed.
    """
    _check(picture.shape, trimap.shape, None if alpha0 is None else alpha0.shape)
    _need_scipy()
    coarse = once(lambda: alpha0 or _enlarged(_coarse_solution(picture, trimap), trimap))

    def tile(box: Box, marked: Trimap) -> Plane:
        left, top, right, bottom = _wider(box, trimap)
        known = (marked == 0) | (marked == 255)
        y, x = box[1] - top, box[0] - left
        inside = np.s_[y : y + box[3] - box[1], x : x + box[2] - box[0]]
        if known[inside].all():
            return np.asarray(marked[inside] == 255, np.float32)
        unknown, start = ~known, np.full(known.shape, _START)
        stands_alone = (marked == 0).any() and (marked == 255).any()
        if alpha0 or not stands_alone:
            start = coarse().read(top, bottom)[:, left:right]
        if not stands_alone:
            unknown &= ~_ring((left, top, right, bottom), trimap)
        alpha = np.where(known, marked == 255, start).astype(np.float32)
        found = _solution(picture.read(top, bottom)[:, left:right], alpha, unknown, MOST_STEPS)
        watch(found)
        return found.alpha[inside]

    def read(top: int, bottom: int) -> Plane:
        line = trimap.read(max(top - _MARGIN, 0), min(bottom + _MARGIN, trimap.height))
        result = np.empty((bottom - top, trimap.width), np.float32)
        for box in _boxes(top, bottom, trimap.width):
            left, _, right, _ = _wider(box, trimap)
            result[:, box[0] : box[2]] = tile(box, line[:, left:right])
        return result

    return in_blocks(Rows(trimap.shape, read), _TILE)


def _check(picture: tuple[int, ...], *planes: tuple[int, ...] | None) -> None:
    for shape in planes:
        if shape is not None and (shape != picture[:2] or 0 in shape):
            raise BadInput(f"The trimap and alpha must be as large as the picture, not {shape} beside {picture[:2]}.")


def _need_scipy() -> None:
    if importlib.util.find_spec("scipy") is None:
        raise BadRecipe('Closed-form matting needs scipy; install it with: pip install "cleancut[matting]"')


def _solution(rgb: NDArray[np.uint8], alpha: Plane, unknown: NDArray[np.bool_], most_steps: int) -> Solution:
    """Solve where something is unknown; α elsewhere is given, and where to begin."""
    if not unknown.any():
        return Solution(alpha, 0, 0.0)
    height, width = alpha.shape
    down, across = max(0, 3 - height), max(0, 3 - width)  # a window is 3 × 3
    if down or across:
        wider = ((0, down), (0, across))
        grown = _solution(
            np.pad(rgb, (*wider, (0, 0)), "edge"),
            np.pad(alpha, wider, "edge"),
            np.pad(unknown, wider, "edge"),
            most_steps,
        )
        return Solution(grown.alpha[:height, :width], grown.steps, grown.residual)
    given = system(rgb, alpha, unknown)
    start = alpha.ravel().take(given.place).astype(np.float64)
    found = descend(given, rgb, start, tolerance=TOLERANCE, most_steps=most_steps, width=width)
    result = alpha.copy()
    result[unknown] = np.clip(found.values, 0, 1)
    return Solution(result, found.steps, found.residual)


def _boxes(top: int, bottom: int, width: int) -> Iterator[Box]:
    for left in range(0, width, _TILE):
        yield left, top, min(left + _TILE, width), bottom


def _wider(box: Box, trimap: Rows) -> Box:
    left, top, right, bottom = box
    return (
        max(left - _MARGIN, 0),
        max(top - _MARGIN, 0),
        min(right + _MARGIN, trimap.width),
        min(bottom + _MARGIN, trimap.height),
    )


def _ring(box: Box, trimap: Rows) -> NDArray[np.bool_]:
    """Mark the outermost pixels of a box, except at the picture's own border."""
    left, top, right, bottom = box
    ring = np.ones((bottom - top, right - left), bool)
    y0, x0 = _RING * (top > 0), _RING * (left > 0)
    y1 = bottom - top - _RING * (bottom < trimap.height)
    x1 = right - left - _RING * (right < trimap.width)
    ring[y0:y1, x0:x1] = False
    return ring


def _coarse_solution(picture: Rows, trimap: Rows) -> Plane:
    """Solve a reduced copy, (h, w).

    Raises:
        BadInput: no pixel of the trimap is known.
    """
    times = math.ceil(math.sqrt(trimap.height * trimap.width / _COARSE))
    small, any_known = _reduced(trimap, times)
    if not any_known:
        raise BadInput("The trimap has no known pixel; mark some of the subject and some of the background.")
    known = (small == 0) | (small == 255)
    alpha = np.where(known, small == 255, _START).astype(np.float32)
    if known.all() or not known.any():
        return alpha
    return _solution(box_reduced(picture, times, times), alpha, ~known, MOST_STEPS).alpha


def _reduced(trimap: Rows, times: int) -> tuple[Trimap, bool]:
    """Reduce a trimap; a box is known by the known pixels in it, if they agree and are enough."""
    step = times * max(1, _COARSE // trimap.width // times)
    parts = [(top, min(top + step, trimap.height)) for top in range(0, trimap.height, step)]

    def reduce(part: tuple[int, int]) -> tuple[Trimap, bool]:
        strip = trimap.read(*part)
        sure, off = (box_reduced(Rows.of((strip == value) * np.uint8(255)), times, times) / 255 for value in (255, 0))
        small = np.full(sure.shape, UNKNOWN, np.uint8)
        small[(sure >= _KNOWN) & (off == 0)] = 255
        small[(off >= _KNOWN) & (sure == 0)] = 0
        return small, bool(sure.any() or off.any())

    done = list(in_order(parts, reduce))
    return np.concatenate([small for small, _ in done]), any(known for _, known in done)


def _enlarged(plane: Plane, trimap: Rows) -> Rows:
    height, width = plane.shape
    return Fit.stretch((trimap.width, trimap.height), (width, height), "bilinear").enlarge(plane)
