"""Ask a network for alpha where it is unknown: the picture and its trimap in, alpha out.

So do ViTMatte (Yao et al. 2023, arXiv:2305.15272) and its like. Such a network takes one size, as attention needs
memory by the square of the pixels: what is larger is shown to it in tiles along the band, at the picture's own size as
far as a budget of tiles reaches, and reduced beyond that.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cleancut.errors import UnknownModel
from cleancut.matting.band.trimap import BACKGROUND, FOREGROUND
from cleancut.matting.predict import fit_of, judged, normalised, planes, seen
from cleancut.models.registry import registry
from cleancut.models.runtime import Loaded
from cleancut.raster.resample import Fit
from cleancut.raster.rows import Rows, in_order
from cleancut.types import Box, Picture, Value

Plane = NDArray[np.float32]

KIND = "trimap"

_MARGIN = 8
"""A tile reaches beyond its cell by its side over this, on each side: what lies near its border it judges badly."""

_FINEST = 32
"""Side in pixels of the blocks in which unknown pixels are looked for, at the most."""


@dataclass(frozen=True, slots=True)
class Refiner:
    """A setting: the name of a model that refines what another found; read to its table's own name."""

    kind: str = KIND

    def read(self, given: object) -> Value:
        """Read a name or an alias."""
        if not isinstance(given, str) or not is_refiner(given, self.kind):
            raise ValueError
        return registry()[given].name

    def schema(self) -> dict[str, Any]:
        """Give text that names a model."""
        return {"type": "string", "x-model": self.kind}

    def __str__(self) -> str:
        example = next(model.name for model in registry().values() if model.kind == self.kind)
        return f"a model of the kind {self.kind}, such as {example}"


def is_refiner(name: str, kind: str = KIND) -> bool:
    """Tell whether a model of this name is of a kind that refines what another found."""
    try:
        return registry()[name].kind == kind
    except UnknownModel:
        return False


@dataclass(frozen=True, slots=True, eq=False)
class Learned:
    """Alpha, and what of the picture the network was shown.

    Attributes:
        alpha: rows (H, W) float32 in [0, 1]; as the trimap says where it is known.
        tiles: how often the network was asked.
        scale: how many of the picture's pixels one of the network's stands for, along the longer way; at least 1.
    """

    alpha: Rows
    tiles: int
    scale: float

    def __str__(self) -> str:
        """Tell it for the report."""
        tiles = f"{self.tiles} tile" + "s" * (self.tiles != 1)
        return f"({tiles})" if self.scale == 1 else f"({tiles} at 1/{self.scale:.3g})"


@dataclass(frozen=True, slots=True, eq=False)
class _Tile:
    """What the network said of a box of the picture: alpha as rows of that box."""

    box: Box
    alpha: Rows


def learned(picture: Picture, trimap: Rows, loaded: Loaded, budget: int) -> Learned:
    """Ask a network about the unknown band of a picture.

    Args:
        picture: any size.
        trimap: rows (H, W) uint8: 0 is background, 255 foreground, anything else unknown.
        loaded: a network that takes (1, 4, h, w), the colours as its table says and the trimap from 0 to 1.
        budget: how often it may be asked; with 1 it is shown the whole picture as its table's `fit` says.

    Raises:
        ModelFailed: its answer is no alpha.
    """
    boxes, scale = _boxes(trimap, loaded.model.input.size, budget)
    tiles = list(_asked(picture, trimap, loaded, boxes))
    return Learned(_joined(trimap, tiles, loaded.model.input.size), len(tiles), scale)


def _boxes(trimap: Rows, size: tuple[int, int], budget: int) -> tuple[list[Box], float]:
    """Cover what is unknown with no more boxes than the budget; give them, and how many pixels go into one."""
    full = np.array([trimap.width, trimap.height])
    reduction = max(1.0, *(full / size))
    block = max(1, min(_FINEST, min(size) // _MARGIN))
    centers = np.argwhere(_unknown(trimap, block))[:, ::-1] * block + block // 2
    if not len(centers):
        return [], 1.0
    for scale in _scales(reduction) if budget > 1 else ():
        side = np.rint(np.array(size) * scale).astype(int)
        margin = side // _MARGIN
        cells = np.unique(centers // (side - 2 * margin), axis=0)
        if len(cells) > budget:
            continue
        # Moved into the picture where they reach out of it: the network shall see as much of it as it can.
        first = np.clip(cells * (side - 2 * margin) - margin, 0, np.maximum(full - side, 0))
        boxes = np.hstack([first, np.minimum(first + side, full)]).tolist()
        return sorted(map(tuple, boxes), key=lambda box: (box[1], box[0])), scale
    return [(0, 0, trimap.width, trimap.height)], reduction


def _scales(reduction: float) -> Iterator[float]:
    """Give 1 and its multiples by √2 below the reduction at which the whole picture is one tile."""
    return itertools.takewhile(lambda scale: scale < reduction, (2 ** (n / 2) for n in itertools.count()))


def _unknown(trimap: Rows, block: int) -> NDArray[np.bool_]:
    """Mark the blocks that hold an unknown pixel."""
    step = block * max(1, (1 << 18) // (block * trimap.width))
    parts = [(top, min(top + step, trimap.height)) for top in range(0, trimap.height, step)]

    def look(part: tuple[int, int]) -> NDArray[np.bool_]:
        there = _is_unknown(trimap.read(*part))
        tall = np.logical_or.reduceat(there, np.arange(0, there.shape[0], block), axis=0)
        return np.asarray(np.logical_or.reduceat(tall, np.arange(0, there.shape[1], block), axis=1))

    return np.concatenate(list(in_order(parts, look)))


def _is_unknown(marks: NDArray[np.uint8]) -> NDArray[np.bool_]:
    return np.asarray((marks != BACKGROUND) & (marks != FOREGROUND))


def _asked(picture: Picture, trimap: Rows, loaded: Loaded, boxes: list[Box]) -> Iterator[_Tile]:
    """Show the network one box after another; a row of boxes reads its part of the trimap once."""
    given = loaded.model.input
    for (top, bottom), row in itertools.groupby(boxes, key=lambda box: (box[1], box[3])):
        marks = trimap.read(top, bottom)
        for box in row:
            part = _cropped(picture, box)
            whole = part.size == picture.size
            fit = fit_of(picture, given) if whole else Fit.letterbox(part.size, given.size, given.filter, given.exact)
            shown = _shown(part, marks[:, box[0] : box[2]], loaded, fit)
            answer = loaded.network({"image": shown})["alpha"]
            plane = judged(planes(answer, loaded.model), loaded.model.output).alpha.max(axis=0)
            yield _Tile(box, _laid_back(plane, fit))


def _cropped(picture: Picture, box: Box) -> Picture:
    left, top, right, bottom = box
    own = None if picture.alpha is None else picture.alpha[top:bottom, left:right]
    return replace(picture, rgb=picture.rgb[top:bottom, left:right], alpha=own)


def _shown(part: Picture, marks: NDArray[np.uint8], loaded: Loaded, fit: Fit) -> Plane:
    """Give what the network takes, (1, 4, h, w): the colours, and the trimap of the nearest pixels, padded with 0."""
    given = loaded.model.input
    left, top, right, bottom = fit.box
    y, x = ((np.arange(n) + 0.5) * full / n for n, full in zip((bottom - top, right - left), marks.shape, strict=True))
    trimap = np.zeros((1, 1, fit.size[1], fit.size[0]), np.float32)
    trimap[0, 0, top:bottom, left:right] = marks[y.astype(int)[:, None], x.astype(int)] * np.float32(1 / 255)
    return np.concatenate([normalised(seen(part, fit, given.color), given), trimap], axis=1)


def _laid_back(plane: Plane, fit: Fit) -> Rows:
    """Bring an answer to its box's size; one that is of that size already is kept in 8 bits."""
    left, top, right, bottom = fit.box
    if plane.shape != fit.size[::-1] or (right - left, bottom - top) != fit.source:
        return fit.enlarge(plane)
    steps = np.rint(plane[top:bottom, left:right] * 255).astype(np.uint8)
    return Rows.of(steps).map(lambda strip: strip * np.float32(1 / 255))


def _joined(trimap: Rows, tiles: Iterable[_Tile], size: tuple[int, int]) -> Rows:
    """Lay tiles over what is unknown; where they overlap each counts the less the nearer its border is."""
    laid = [(tile, _weights(tile.alpha.height, size), _weights(tile.alpha.width, size)) for tile in tiles]

    def read(top: int, bottom: int) -> Plane:
        marks = trimap.read(top, bottom)
        alpha: Plane = (marks == FOREGROUND).astype(np.float32)
        unknown = _is_unknown(marks)
        if not unknown.any():
            return alpha
        total, weight = np.zeros_like(alpha), np.zeros_like(alpha)
        for tile, down, across in laid:
            left, first, right, last = tile.box
            y0, y1 = max(top, first), min(bottom, last)
            if y0 >= y1:
                continue
            counts = down[y0 - first : y1 - first, None] * across
            here = np.s_[y0 - top : y1 - top, left:right]
            total[here] += counts * tile.alpha.read(y0 - first, y1 - first)
            weight[here] += counts
        alpha[unknown] = total[unknown] / weight[unknown]
        return alpha

    return Rows(trimap.shape, read)


def _weights(length: int, size: tuple[int, int]) -> Plane:
    """Weigh the pixels along a tile: rising from its border over the margin to 1."""
    from_border = np.minimum(np.arange(length), np.arange(length)[::-1]) + 0.5
    return np.asarray(np.minimum(from_border / max(1, min(size) // _MARGIN), 1), np.float32)
