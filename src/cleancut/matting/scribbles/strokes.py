"""Strokes as people, forms and wires write them, and as they lie on a picture of any size.

A stroke is a line of points with a radius. Points are shares of the picture's width and height, the radius one of its
longer side, so a stroke means the same on a preview and on the full picture.

>>> stroke = read("keep:0.02:0.4,0.3:0.45,0.35")
>>> read(to_json(stroke)) == read(text_of(stroke)) == stroke
True
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from cleancut.errors import BadInput, BadRecipe, BadSetting
from cleancut.matting.band.trimap import BACKGROUND, FOREGROUND, UNKNOWN
from cleancut.raster.resample import reduced
from cleancut.raster.rows import Rows
from cleancut.types import Stroke

Trimap = NDArray[np.uint8]
Numbers = NDArray[np.float64]

MOST_STROKES = 500
MOST_POINTS = 4000
"""In all strokes of a recipe: drawing must not be a day's work, and the recipe must fit beside the pixels of a PNG."""

WIDEST = 0.5
"""The largest radius: from edge to edge."""

_DIGITS = 5
"""Decimals of a coordinate: a tenth of a pixel of a picture 10,000 pixels wide."""

_COVERED = 32
"""Of 255: a pixel of a reduced mask is marked if an eighth of it is, so that thin strokes count."""

_AT_ONCE = 1 << 18
"""Pairs of a row and a piece of line that are worked out in one go."""


@dataclass(frozen=True, slots=True, eq=False)
class Mask:
    """What a person marked pixel by pixel.

    Attributes:
        plane: (h, w) uint8: 255 is kept, 0 removed, of 128 nothing is said.
    """

    plane: Trimap


Mark: TypeAlias = Stroke | Mask


def read(given: object) -> Stroke:
    """Read a stroke from text, such as keep:0.02:0.4,0.3:0.45,0.35, or from JSON.

    Raises:
        BadSetting: it is no stroke, or lies outside the picture.
    """
    if isinstance(given, Stroke):
        given = to_json(given)
    fields = _parsed(given) if isinstance(given, str) else given
    if not isinstance(fields, Mapping) or not {"points", "radius"} <= set(fields) <= {"points", "radius", "keep"}:
        raise BadSetting(f"A stroke is text such as keep:0.02:0.4,0.3:0.45,0.35, not {_short(given)}.")
    points, keep = fields["points"], fields.get("keep", True)
    listed = isinstance(points, Sequence) and not isinstance(points, str | bytes)
    if not listed or not 0 < len(points) <= MOST_POINTS or not isinstance(keep, bool):
        raise BadSetting(f"A stroke has 1 to {MOST_POINTS} points, a radius, and keep, true or false.")
    radius = _number(fields["radius"], WIDEST, "radius")
    if not radius:
        raise BadSetting("The radius of a stroke must be above 0.")
    return Stroke(tuple(_point(point) for point in points), radius, keep)


def read_all(given: object) -> tuple[Stroke, ...]:
    """Read one stroke or a list of them; None, "none" and "" are no strokes.

    Raises:
        BadSetting: one is no stroke.
        BadRecipe: there are too many, or too many points in all.
    """
    several = isinstance(given, Iterable) and not isinstance(given, str | bytes | Mapping)
    listed: list[Any] = [*given] if several else [given]  # type: ignore[misc]
    listed = [item for item in listed if item not in (None, "", "none")]
    if len(listed) > MOST_STROKES:
        raise BadRecipe(f"There are {len(listed)} strokes; {MOST_STROKES} are the most.")
    strokes = tuple(read(item) for item in listed)
    if (points := sum(len(stroke.points) for stroke in strokes)) > MOST_POINTS:
        raise BadRecipe(f"The strokes have {points} points; {MOST_POINTS} are the most. Leave out what lies in line.")
    return strokes


def to_json(stroke: Stroke) -> dict[str, Any]:
    """Give a stroke as plain data."""
    return {"points": [list(point) for point in stroke.points], "radius": stroke.radius, "keep": stroke.keep}


def text_of(stroke: Stroke) -> str:
    """Write a stroke as `read` reads it.

    >>> text_of(Stroke(((0.5, 0.25),), 0.02, keep=False))
    'remove:0.02:0.5,0.25'
    """
    line = ":".join(f"{x:g},{y:g}" for x, y in stroke.points)
    return f"{'keep' if stroke.keep else 'remove'}:{stroke.radius:g}:{line}"


def schema() -> dict[str, Any]:
    """Describe a stroke in JSON schema."""
    share = {"type": "number", "minimum": 0, "maximum": 1}
    point = {"type": "array", "items": share, "minItems": 2, "maxItems": 2}
    return {
        "type": "object",
        "description": "A line of points in shares of width and height; its radius is a share of the longer side.",
        "properties": {
            "points": {"type": "array", "items": point, "minItems": 1, "maxItems": MOST_POINTS},
            "radius": {"type": "number", "exclusiveMinimum": 0, "maximum": WIDEST},
            "keep": {"type": "boolean", "default": True},
        },
        "required": ["points", "radius"],
        "additionalProperties": False,
    }


def masked(keep: object, remove: object, *sizes: tuple[int, int]) -> Mask:
    """Make one mask of what is kept and what is removed.

    Args:
        keep: (h, w) bool or uint8 whose pixels above 0 are kept, or None.
        remove: the same for what is removed.
        sizes: (width, height) that they may have.

    Raises:
        BadInput: one is no mask or of another size, or both mark the same pixel.
    """
    planes = [None if given is None else _marked(given, sizes) for given in (keep, remove)]
    there = [plane for plane in planes if plane is not None]
    if not there:
        raise BadInput("Mark what to keep or what to remove.")
    if len({plane.shape for plane in there}) > 1:
        raise BadInput(f"The masks differ in size: {there[0].shape} and {there[1].shape}.")
    kept, removed = (np.zeros(there[0].shape, bool) if plane is None else plane for plane in planes)
    if both := int((kept & removed).sum()):
        raise BadInput(f"{both} pixels are marked both to keep and to remove; mark each for one.")
    plane = np.full(kept.shape, UNKNOWN, np.uint8)
    plane[kept], plane[removed] = FOREGROUND, BACKGROUND
    return Mask(plane)


def laid(marks: Sequence[Mark], width: int, height: int) -> Rows:
    """Lay marks on a picture of any size, later ones over earlier ones.

    Returns:
        Rows (height, width) uint8: 255 is kept, 0 removed, of 128 nothing is said. A pixel is marked by a stroke if its
        centre is within the stroke's radius of its line; a point marks the pixel it lies in at least.
    """
    layers = [
        _drawn(mark, width, height) if isinstance(mark, Stroke) else _fitted(mark, width, height) for mark in marks
    ]

    def over(top: int, bottom: int) -> Trimap:
        result = np.full((bottom - top, width), UNKNOWN, np.uint8)
        for layer in layers:
            strip = layer.read(top, bottom)
            np.copyto(result, strip, where=strip != UNKNOWN)
        return result

    return Rows((height, width), over)


def _parsed(text: str) -> dict[str, Any]:
    """Split keep:RADIUS:X,Y:X,Y… into fields; what does not fit is left to be refused."""
    kind, radius, *points = [*text.strip().split(":", MOST_POINTS + 2), ""]
    pairs = [point.split(",") for point in points if point]
    return {"points": pairs, "radius": radius, "keep": {"keep": True, "remove": False}.get(kind)}


def _point(given: object) -> tuple[float, float]:
    if not isinstance(given, Sequence) or isinstance(given, str | bytes) or len(given) != 2:
        raise BadSetting(f"A point of a stroke is x,y, not {_short(given)}.")
    return _number(given[0], 1, "x"), _number(given[1], 1, "y")


def _number(given: object, most: float, what: str) -> float:
    try:
        if isinstance(given, bool) or not isinstance(given, int | float | str):
            raise ValueError
        number = float(given)
        if not 0 <= number <= most:
            raise ValueError
    except (ValueError, OverflowError):
        raise BadSetting(f"The {what} of a stroke must be a number from 0 to {most:g}, not {_short(given)}.") from None
    return round(number, _DIGITS)


def _short(given: object) -> str:
    shown = repr(given)
    return shown if len(shown) <= 60 else f"{shown[:60]}…"


def _marked(given: object, sizes: Sequence[tuple[int, int]]) -> NDArray[np.bool_]:
    plane = np.asarray(given)
    if plane.ndim != 2 or plane.dtype not in (np.bool_, np.uint8):
        raise BadInput(f"A mask is an array (h, w) of bool or uint8, not {plane.shape} of {plane.dtype}.")
    if plane.shape[::-1] not in sizes:
        wanted = " or ".join(f"{width} × {height}" for width, height in dict.fromkeys(sizes))
        raise BadInput(f"A mask must be {wanted} pixels, not {plane.shape[1]} × {plane.shape[0]}.")
    return np.asarray(plane != 0)


def _fitted(mask: Mask, width: int, height: int) -> Rows:
    """Bring a mask to another size: pixels repeated, or each marked if enough of what it holds is."""
    plane = mask.plane
    if plane.shape == (height, width):
        return Rows.of(plane)
    if height < plane.shape[0] or width < plane.shape[1]:
        kept, removed = (
            reduced((plane == value) * np.uint8(255), width, height, "bilinear") for value in (FOREGROUND, BACKGROUND)
        )
        small = np.full((height, width), UNKNOWN, np.uint8)
        small[removed >= _COVERED] = BACKGROUND
        small[(kept >= _COVERED) & (kept >= removed)] = FOREGROUND
        return Rows.of(small)
    down, across = (
        (np.arange(size) + 0.5) * there / size for size, there in zip((height, width), plane.shape, strict=True)
    )
    columns = across.astype(np.intp)
    return Rows((height, width), lambda top, bottom: plane[down[top:bottom].astype(np.intp)][:, columns])


def _drawn(stroke: Stroke, width: int, height: int) -> Rows:
    """Draw a stroke, by the span of each row that is near each piece of its line."""
    line = np.array(stroke.points) * (width, height)
    line = np.minimum(line, (width - 0.5, height - 0.5))  # what lies on the far border marks the last pixel
    radius = stroke.radius * max(width, height)
    value = np.uint8(FOREGROUND if stroke.keep else BACKGROUND)
    starts, ends = (line[:-1], line[1:]) if len(line) > 1 else (line, line)

    def read(top: int, bottom: int) -> Trimap:
        result = np.full((bottom - top, width), UNKNOWN, np.uint8)
        low = np.minimum(starts[:, 1], ends[:, 1]) - radius
        high = np.maximum(starts[:, 1], ends[:, 1]) + radius
        near = np.flatnonzero((low < bottom) & (high >= top))
        centers: Numbers = np.arange(top, bottom, dtype=np.float64)[:, None] + 0.5
        turns = np.zeros((bottom - top, width + 1), np.int32)
        step = max(1, _AT_ONCE // (bottom - top))
        for first in range(0, len(near), step):
            some = near[first : first + step]
            left, right = _spans(starts[some], ends[some], radius, centers)
            _fill(turns, left, right, width)
        for x, y in line[[0, -1]].astype(np.intp):
            if top <= y < bottom:
                result[y - top, x] = value
        result[np.cumsum(turns[:, :-1], axis=1) > 0] = value
        return result

    return Rows((height, width), read)


def _spans(starts: Numbers, ends: Numbers, radius: float, centers: Numbers) -> tuple[Numbers, Numbers]:
    """Find from where to where each row (r, 1) is within `radius` of each piece (n, 2) of a line: (r, n), (r, n).

    That is the convex hull of two discs, so the outermost of what it has in a row: discs, and the sides between them.
    """
    along = ends - starts
    length = np.hypot(*along.T)
    aside = radius * np.stack([-along[:, 1], along[:, 0]], axis=1) / np.maximum(length, 1e-12)[:, None]
    left, right = np.full((len(centers), len(starts)), math.inf), np.full((len(centers), len(starts)), -math.inf)
    for x, y in (starts.T, ends.T):
        inside = radius**2 - (centers - y) ** 2
        half = np.sqrt(np.maximum(inside, 0))
        left = np.where(inside >= 0, np.minimum(left, x - half), left)
        right = np.where(inside >= 0, np.maximum(right, x + half), right)
    for side in (aside, -aside):
        (x, y), rise = (starts + side).T, along[:, 1]
        share = (centers - y) / np.where(rise == 0, math.inf, rise)
        crosses = (share >= 0) & (share <= 1) & (rise != 0)
        at = x + share * along[:, 0]
        left = np.where(crosses, np.minimum(left, at), left)
        right = np.where(crosses, np.maximum(right, at), right)
    return left, right


def _fill(turns: NDArray[np.int32], left: Numbers, right: Numbers, width: int) -> None:
    """Add where spans of pixels' centres begin, and take away where they end."""
    there = left <= right
    rows = np.nonzero(there)[0]
    first = np.ceil(left[there] - 0.5).clip(0, width).astype(np.intp)
    last = np.floor(right[there] - 0.5).clip(-1, width - 1).astype(np.intp) + 1
    full = first < last
    np.add.at(turns, (rows[full], first[full]), 1)
    np.add.at(turns, (rows[full], last[full]), -1)
