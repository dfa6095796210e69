"""Look again from close up: a small network says, tile by tile along the edge, where exactly it runs.

The coarse alpha says what the subject is; a tile sees the picture's own pixels and moves the edge (in the line of
CascadePSP, Cheng et al. 2020, arXiv:2005.02551, and BackgroundMattingV2, Lin et al. 2021, arXiv:2012.07810). A large
picture is looked at in steps, each a few times finer than the one before. Tiles overlap and are blended, so they leave
no seams, and what no tile covers keeps its coarse alpha.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cleancut.errors import ModelFailed
from cleancut.raster.gaussian import blurred
from cleancut.raster.morphology import dilated
from cleancut.raster.resample import Fit, reduced
from cleancut.raster.rows import Rows, in_order
from cleancut.types import Network

Plane = NDArray[np.float32]

TILE = 256
"""Side of a tile in pixels."""

BLIND = 16
"""Pixels at a tile's border that are not used: its network knows too little of what lies outside."""

RAMP = 16
"""Pixels over which a tile gives way to its neighbour."""

STEP = TILE - 2 * BLIND - RAMP

LEAD = BLIND + RAMP // 2
"""How far outside the picture the first tile starts, so that the border lies well inside it."""

FARTHEST = 4.5
"""How much finer one look may be than the alpha it begins with; the network was trained for up to ten."""

SOFT = (0.04, 0.96)
"""α between which an edge is looked at."""

HAIRY = 4.0
"""Pixels of the alpha at hand from which on an edge is wide: a network draws a hard one two or three pixels wide."""

BUSY = 6.0
"""Softness of a tile, in pixels along one of its sides, from which on it holds many edges (spokes, leaves)."""

REACH = 8.0
"""Pixels of the alpha at hand around its edges within which a tile is believed. Farther away it sees too little of the
subject to tell it from what lies behind, and leaves a haze."""

FIRM = np.float32(0.02)
"""The network begins this far from 0 and 1, so it never says either; what is so near is taken for it."""


@dataclass(frozen=True, slots=True)
class Looked:
    """Alpha after looking again.

    Attributes:
        alpha: rows (H, W) float32 in [0, 1].
        tiles: how many tiles were looked at.
        wanted: how many tiles have an edge; more than `tiles` where the budget was too small.
    """

    alpha: Rows
    tiles: int
    wanted: int

    def __str__(self) -> str:
        """Tell it for the report."""
        of = "" if self.tiles == self.wanted else f" of {self.wanted}"
        return f"({self.tiles}{of} tile{'s' * (self.tiles != 1)})"


@dataclass(frozen=True, slots=True, eq=False)
class _Tile:
    """A tile's answer: the corner it starts at, which may lie outside, and α in 255ths (TILE, TILE)."""

    top: int
    left: int
    alpha: NDArray[np.uint8]


def closer(
    rgb: NDArray[np.uint8], plane: Plane, fit: Fit, network: Network, budget: int, *, wide: float = 0.0
) -> Looked:
    """Look again along the edge of a coarse alpha.

    Args:
        rgb: (H, W, 3) the picture.
        plane: (h, w) coarse alpha in [0, 1], as the network that found the subject answered.
        fit: how the picture lay in that network's input.
        network: takes `image` (1, 3, TILE, TILE) in [−1, 1] and `coarse` (1, 1, TILE, TILE), answers `alpha`.
        budget: tiles at the most, over all looks; the softest parts come first.
        wide: only edges this wide, in pixels of the alpha at hand, and many at once are looked at; see `HAIRY`.

    Raises:
        ModelFailed: the network's answer is no alpha.
    """
    done = wanted = 0
    looks = _looks(fit)
    for number, look in enumerate(looks):
        coarse = look.enlarge(plane)
        corners = _corners(plane, look, wide)
        if not corners:
            return Looked(fit.enlarge(plane), done, wanted)
        wanted += len(corners)
        corners = corners[: budget - done]
        done += len(corners)
        width, height = look.source
        last = number == len(looks) - 1
        pixels = rgb if last else reduced(rgb, width, height, "bicubic")
        tiles = list(_tiles(pixels, coarse, sorted(corners), network))
        alpha = _blended(coarse, tiles, look.enlarge(_near(plane)))
        if last:
            return Looked(alpha, done, wanted)
        plane = alpha.whole()
        fit = Fit.stretch(fit.source, (width, height), "bicubic")
        looks[number + 1] = replace(fit, source=looks[number + 1].source)
    raise AssertionError("there is at least one look")


def _looks(fit: Fit) -> list[Fit]:
    """Divide the way from the network's plane to the picture into looks of about equal ratio, the last at full size."""
    left, top, right, bottom = fit.box
    ratios = [max(1, full / seen) for full, seen in zip(fit.source, (right - left, bottom - top), strict=True)]
    count = max(1, math.ceil(math.log(max(ratios)) / math.log(FARTHEST)))
    width, height = fit.source
    finer = [[ratio ** (n / count - 1) for ratio in ratios] for n in range(1, count + 1)]
    return [replace(fit, source=(max(1, round(width * x)), max(1, round(height * y)))) for x, y in finer]


def _corners(plane: Plane, look: Fit, width: float) -> list[tuple[int, int]]:
    """List the (top, left) of tiles whose used part holds an edge of this width, or many, the softest first."""
    low, high = SOFT
    soft = _counted((plane > low) & (plane < high), look)
    crossed = _counted(_crossed(plane), look)
    across = STEP * (look.box[2] - look.box[0]) / look.source[0] * plane.shape[1] / look.size[0]
    rows, columns = np.nonzero((soft + crossed > 0) & ((soft >= width * crossed) | (soft >= BUSY * across)))
    order = np.argsort(-soft[rows, columns], kind="stable")
    cells = zip(rows[order].tolist(), columns[order].tolist(), strict=True)
    return [(row * STEP - LEAD, column * STEP - LEAD) for row, column in cells]


def _counted(mask: NDArray[np.bool_], look: Fit) -> NDArray[np.intp]:
    """Count what a mask over a network's input has in each tile's cell of a look, (rows, columns)."""
    left, top, right, bottom = look.box
    scale_x, scale_y = mask.shape[1] / look.size[0], mask.shape[0] / look.size[1]
    box = mask[round(top * scale_y) : round(bottom * scale_y), round(left * scale_x) : round(right * scale_x)]
    y, x = np.nonzero(box)
    width, height = look.source
    cells = (-(-height // STEP), -(-width // STEP))
    down = ((y + 0.5) * height / box.shape[0] / STEP).astype(int)
    across = ((x + 0.5) * width / box.shape[1] / STEP).astype(int)
    return np.bincount(down * cells[1] + across, minlength=cells[0] * cells[1]).reshape(cells)


def _near(plane: Plane) -> Plane:
    """Weigh pixels by how near an edge is: 1 within `REACH`, falling smoothly to 0."""
    low, high = SOFT
    edges = ((plane > low) & (plane < high)) | _crossed(plane)
    room = round(2 * REACH)  # an edge goes on beyond the border, where a blur would see nothing
    wider = Rows.of(np.pad(edges.astype(np.float32), room, "edge"))
    return np.asarray(blurred(dilated(wider, REACH), REACH / 4).whole()[room:-room, room:-room])


def _crossed(plane: Plane) -> NDArray[np.bool_]:
    """Mark the pixels before which α passes ½, down or across: the outline, whatever its width."""
    inside = plane > 0.5
    marks = np.zeros_like(inside)
    marks[:-1] |= inside[:-1] != inside[1:]
    marks[:, :-1] |= inside[:, :-1] != inside[:, 1:]
    return marks


def _tiles(rgb: NDArray[np.uint8], coarse: Rows, corners: list[tuple[int, int]], network: Network) -> Iterator[_Tile]:
    """Ask the network about tiles, as many at once as there are processors; outside the picture its border is repeated.

    The network is one of `SIDE_BY_SIDE`: it takes one processor a tile.
    """
    coarse = coarse.remembered()  # the tiles of a row read the same rows

    def ask(corner: tuple[int, int]) -> _Tile:
        top, left = corner
        down = np.arange(top, top + TILE).clip(0, coarse.height - 1)
        across = np.arange(left, left + TILE).clip(0, coarse.width - 1)
        first, last = int(down[0]), int(down[-1]) + 1
        here = np.ix_(down - first, across)
        seen = rgb[first:last][here].astype(np.float32).transpose(2, 0, 1)[None] * np.float32(2 / 255) - 1
        given = {"image": np.ascontiguousarray(seen), "coarse": coarse.read(first, last)[here][None, None]}
        answer = np.clip((_plane(network(given)["alpha"]) - FIRM) / (1 - 2 * FIRM), 0, 1)
        return _Tile(top, left, np.rint(answer * 255).astype(np.uint8))

    return in_order(corners, ask)


def _plane(answer: NDArray[np.float32]) -> Plane:
    """Check that an answer is one tile of finite numbers."""
    if answer.shape != (1, 1, TILE, TILE) or not np.isfinite(answer).all():
        raise ModelFailed("The network that looks from close up answers with what is no alpha; its table may be wrong.")
    return np.asarray(answer[0, 0])


def _blended(coarse: Rows, tiles: list[_Tile], near: Rows) -> Rows:
    """Lay tiles over rows of coarse alpha, each fading out towards its border and away from edges."""
    height, width = coarse.shape

    def read(top: int, bottom: int) -> Plane:
        strip = coarse.read(top, bottom)
        touching = [tile for tile in tiles if tile.top < bottom and tile.top + TILE > top]
        if not touching:
            return strip
        result, believed = np.array(strip), near.read(top, bottom)
        for tile in touching:
            y0, y1 = max(top, tile.top), min(bottom, tile.top + TILE)
            x0, x1 = max(0, tile.left), min(coarse.width, tile.left + TILE)
            rows, columns = slice(y0 - tile.top, y1 - tile.top), slice(x0 - tile.left, x1 - tile.left)
            down, across = _ramp(tile.top, height), _ramp(tile.left, width)
            weight = down[rows, None] * across[None, columns]
            part = np.s_[y0 - top : y1 - top, x0:x1]
            # Neighbours' weights add up to 1, so the differences from the coarse alpha may be added in any order.
            result[part] += weight * believed[part] * (tile.alpha[rows, columns] * np.float32(1 / 255) - strip[part])
        return np.asarray(np.clip(result, 0, 1))

    return Rows(coarse.shape, read)


def _ramp(start: int, length: int) -> Plane:
    """Weights along a tile: 0 where it is blind, then rising over the ramp to 1; 1 towards the picture's border.

    Args:
        start: of the tile, in pixels of a picture of this length; before and after it there is no neighbour.
        length: of the picture.
    """
    first, last = start <= 0, start + LEAD + STEP >= length
    before, after = np.arange(TILE) + 0.5, np.arange(TILE)[::-1] + 0.5
    distance = np.minimum(TILE if first else before, TILE if last else after)
    return np.broadcast_to(np.clip((distance - BLIND) / RAMP, 0, 1), TILE).astype(np.float32)
