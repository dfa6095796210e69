"""What a small copy of a keyed picture tells: where the backdrop goes, what is surely subject, and its colours."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from cleancut.matting.keying.enclosed import filled
from cleancut.matting.keying.keyer import SEEN, Key, Plane, excess_of, length
from cleancut.matting.keying.surface import Surface
from cleancut.raster.gaussian import blurred
from cleancut.raster.morphology import dilated, eroded
from cleancut.raster.rows import STRIP_PIXELS, Rows
from cleancut.raster.runs import Pieces
from cleancut.types import Picture

Mask: TypeAlias = NDArray[np.bool_]

_BESIDE = 12.0
"""Pixels of the small copy around what a network claims in which a subject is looked for."""

_CLAIM = np.float32(0.3)
"""α from which a network claims a pixel: haze would reach what lies beside the subject."""

_WITHIN = 6.0
"""Pixels of the small copy inside what a network claims from which on it is believed against the colour."""

_SURE = 2.0
"""Pixels of the small copy that subject must reach around a pixel for it to be certain."""

_FARTHEST = np.float32(255 * 3**0.5)
"""How far apart colours can be."""

_SLOPE = 20
"""Pixels of the small copy over which a blurred edge may rise, at the most."""

_RISE = np.float32(3)
"""Levels by which it rises with every pixel, at least."""

_FINE = 4
"""Samples along a side of a pixel of the small copy."""

_GAPS = 0.2
"""Share of backdrop within a pixel of the small copy from which it is not certain subject."""

_REACH = 24.0
"""Pixels of the small copy beyond which no subject is looked for around what was seen of it."""

FRONTS = 128
"""Side of the grid of the subject's colours."""


def followed(keyed: Key, small: Plane) -> Surface:
    """Follow the backdrop inwards from the border, where a spot of light changes it: fit, take in what fits, again."""
    height, width = small.shape[:2]
    surface, reached = keyed.surface, 0.0
    for order in (3, 4, 5, 5, 5, 5):
        off = small - surface.strip(0, height, width, height)
        known = outer(Key(surface, by_chroma=False).strays(off) <= 2 * SEEN)
        if known.mean() < max(0.1, 1.02 * reached):  # a higher order than it takes would stray behind the subject
            return surface
        reached = float(known.mean())
        surface = surface.fitted(small, known, order)
    return surface


def outer(mask: Mask) -> Mask:
    """Give the pieces of a mask that touch the border."""
    pieces = Pieces.of(mask, corners=False)
    return pieces.drawn(pieces.at_border(top=True, bottom=True))


def guide_of(keyed: Key, small: Plane, gaps: Plane, claimed: Plane | None) -> tuple[Plane, Mask]:
    """Tell of each pixel of the small copy whether it is subject (1), backdrop (0) or to be looked at (½).

    Args:
        keyed: tells what is backdrop.
        small: the copy, (h, w, 3).
        gaps: what `gaps_of` gives.
        claimed: what a network claims on the copy, if one was asked.

    Returns:
        the guide (h, w), and the pixels that give the subject's colours.
    """
    height, width = small.shape[:2]
    back = keyed.surface.strip(0, height, width, height)
    strays = keyed.strays(small - back)
    there = strays > 2 * SEEN
    share = np.zeros_like(strays)
    if keyed.by_chroma:
        share = np.asarray(excess_of(small, back) / np.maximum(excess_of(back, back), 1), np.float32)
    there &= share < 0.9
    beside = (
        np.float32(1) if claimed is None else dilated(Rows.of((claimed >= _CLAIM).astype(np.float32)), _BESIDE).whole()
    )
    there &= beside > 0
    pieces = Pieces.of(there, corners=True)
    there = pieces.drawn(pieces.area() >= 4)
    firm = there & (share < 0.15) if keyed.by_chroma else filled(there, strays)
    if claimed is not None:
        firm |= (eroded(Rows.of(claimed), _WITHIN).whole() > 0.95) & (firm | outer(~there))
    near = np.minimum(dilated(Rows.of(there.astype(np.float32)), _REACH).whole(), beside)
    core = eroded(Rows.of(firm.astype(np.float32)), _SURE).whole() > 0.5
    core &= ~(there & (gaps >= _GAPS))
    core &= ~_climbed(length(small - back), ~core)
    if not core.any():
        core = there & (strays >= 0.8 * strays.max(initial=0, where=there))
        return np.asarray(near * np.float32(0.5)), core
    return np.where(core, np.float32(1), near * np.float32(0.5)), core & there


def gaps_of(keyed: Key, picture: Picture, shape: tuple[int, int]) -> Plane:
    """Tell how much backdrop shows within each pixel of a small copy of that shape, from samples: a share in [0, 1].

    A mesh or strands that are finer than the copy would else look solid there.
    """
    height, width = (size * _FINE for size in shape)
    rows, columns = (_samples(have, want) for have, want in zip(picture.rgb.shape, (height, width), strict=False))
    shares = np.empty(shape, np.float32)
    step = _FINE * max(1, STRIP_PIXELS // (width * _FINE))
    for top in range(0, height, step):
        bottom = min(top + step, height)
        seen = picture.rgb[np.ix_(rows[top:bottom], columns)]
        clear = keyed.strays(seen - keyed.surface.strip(top, bottom, width, height)) <= SEEN
        cells = clear.reshape(-1, _FINE, shape[1], _FINE)
        shares[top // _FINE : bottom // _FINE] = cells.mean(axis=(1, 3), dtype=np.float32)
    return shares


def _samples(have: int, want: int) -> NDArray[np.intp]:
    """Choose `want` of `have` rows or columns, evenly."""
    return ((np.arange(want) + 0.5) * have / want).astype(np.intp)


def _climbed(far: Plane, start: Mask) -> Mask:
    """Climb from a start as long as the difference rises with every pixel: a blurred edge, not yet subject.

    Shading rises less, and texture does not rise for long.
    """
    far = blurred(Rows.of(far / _FARTHEST), 1.0).whole() * _FARTHEST
    reached, front = start.copy(), start
    for _ in range(_SLOPE):
        new = np.zeros_like(reached)
        for axis, step in ((0, 1), (0, -1), (1, 1), (1, -1)):
            there, here = _shifted(step, axis)
            rise = far[there] - far[here]
            new[there] |= front[here] & (rise >= _RISE)
        front = new & ~reached
        reached |= front
    return reached


def _shifted(step: int, axis: int) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """Index a plane's pixels and those one step before them along an axis."""
    one, other = (slice(1, None), slice(None, -1)) if step > 0 else (slice(None, -1), slice(1, None))
    every = slice(None)
    return ((one, every), (other, every)) if axis == 0 else ((every, one), (every, other))


def blocks(sums: Plane) -> Plane:
    """Add up blocks of a small copy, to a grid of `FRONTS` a side."""
    height, width, channels = sums.shape
    tall, wide = height // FRONTS, width // FRONTS
    return np.asarray(sums.reshape(FRONTS, tall, FRONTS, wide, channels).sum(axis=(1, 3)))


def spread(sums: Plane, weight: Plane) -> Plane:
    """Divide sums by weights where there are any, and fill in the rest from coarser levels."""
    known = sums / np.maximum(weight, 1e-6)
    if len(sums) == 1:
        return np.asarray(known)
    coarse = spread(*(p[::2, ::2] + p[1::2, ::2] + p[::2, 1::2] + p[1::2, 1::2] for p in (sums, weight)))
    return np.where(weight > 0, known, coarse.repeat(2, axis=0).repeat(2, axis=1))
