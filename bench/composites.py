"""Pictures drawn by formula whose α, F and B are known exactly: what edges are measured on.

Each kind is what one sort of edge is hard for: `head` has hair over a blurred background, `comb` thin parallel strands,
`glass` a part that lets the background through, `moving` an edge blurred by motion, `wheel` spokes with holes between.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Plane = NDArray[np.float32]

GRAIN = 2.0
"""Standard deviation of the camera's noise, of 255."""


@dataclass(frozen=True, slots=True, eq=False)
class Composite:
    """A photo with its truth.

    Attributes:
        rgb: (H, W, 3) uint8, I = αF + (1 − α)B with grain.
        alpha: (H, W) float32 in [0, 1].
        front, back: (H, W, 3) float32, 0 to 255, straight.
    """

    rgb: NDArray[np.uint8]
    alpha: Plane
    front: Plane
    back: Plane


def composite(kind: str, width: int, height: int) -> Composite:
    """Draw one."""
    alpha = KINDS[kind](width, height).astype(np.float32)
    front = textured((95, 65, 45), 14, max(3, height // 200), alpha.shape, 1)
    back = textured((150, 165, 180), 30, max(8, height // 24), alpha.shape, 2)
    cover = alpha[..., None]
    grain = np.random.default_rng(3).normal(0, GRAIN, (*alpha.shape, 1)).astype(np.float32)
    rgb = np.rint((front * cover + back * (1 - cover) + grain).clip(0, 255)).astype(np.uint8)
    return Composite(rgb, alpha, front, back)


def textured(color: tuple[int, int, int], depth: float, spot: int, shape: tuple[int, ...], seed: int) -> Plane:
    """Give a colour with soft spots, most of them lighter or darker, some of another colour: (H, W, 3)."""
    noise = np.random.default_rng(seed).normal(size=(4, shape[0] // spot + 2, shape[1] // spot + 2)).astype(np.float32)
    light, *tint = (np.asarray(Image.fromarray(plane).resize(shape[::-1], Image.Resampling.BICUBIC)) for plane in noise)
    spots = light[..., None] + 0.3 * np.stack(tint, -1)
    return np.asarray(np.clip(np.float32(color) + np.float32(depth) * spots, 0, 255))


def head(width: int, height: int) -> Plane:
    """Draw a head with 400 strands that leave it on all sides."""
    y, x = _centred(width, height, 0.55)
    angle, away = np.arctan2(y, x), np.hypot(y, x)
    edge = 0.3 * height * (1 + 0.05 * np.sin(5 * angle))
    number = angle * 400 / (2 * np.pi) + 0.9 * np.sin(away * 36 / height)
    nearest = np.rint(number)
    along = (away - edge) / (0.06 * height * (0.6 + 0.4 * np.sin(7 * nearest)))
    thick = max(0.8, height / 1350)
    strand = thick * (1 - along) + 0.5 - np.abs(number - nearest) * 2 * np.pi / 400 * away
    grown = np.clip(strand, 0, 1) * (along > 0) * (along < 1)
    return np.asarray(np.maximum(_inside(edge - away, height / 720), grown))


def comb(width: int, height: int) -> Plane:
    """Draw a block with parallel strands that get thinner."""
    y, x = _centred(width, height, 0.5)
    block = _inside(np.minimum(0.28 * width - np.abs(x), 0.2 * height - np.abs(y)), 1.5)
    pitch = height / 45
    away = np.abs((x + 0.3 * y) / pitch - np.rint((x + 0.3 * y) / pitch)) * pitch
    along = (-0.2 * height - y) / (0.2 * height)
    strand = np.clip(0.12 * pitch * (1 - along) + 0.5 - away, 0, 1)
    return np.asarray(np.maximum(block, strand * ((along > 0) & (along < 1) & (np.abs(x) < 0.27 * width))))


def glass(width: int, height: int) -> Plane:
    """Draw a block whose upper half lets the background through, more and more towards its top."""
    y, x = _centred(width, height, 0.5)
    block = _inside(np.minimum(0.22 * width - np.abs(x), 0.38 * height - np.abs(y)), 1.5)
    through = np.clip((y + 0.38 * height) / (0.38 * height), 0, 1) * 0.7 + 0.3
    return np.asarray(block * through)


def moving(width: int, height: int) -> Plane:
    """Draw a disc that moved sideways while the shutter was open, by a tenth of its width."""
    y, x = _centred(width, height, 0.5)
    radius, way = 0.32 * height, 0.064 * height
    half = np.sqrt(np.maximum(radius**2 - y**2, 0))
    covered = np.minimum(x + way / 2, half) - np.maximum(x - way / 2, -half)
    return np.asarray(np.clip(covered / way, 0, 1) * (np.abs(y) < radius))


def wheel(width: int, height: int) -> Plane:
    """Draw a rim, a hub and 24 spokes."""
    y, x = _centred(width, height, 0.5)
    away, angle = np.hypot(x, y), np.arctan2(y, x)
    rim = 0.03 * height - np.abs(away - 0.38 * height)
    hub = 0.08 * height - away
    step = 2 * np.pi / 24
    off = np.abs(angle / step - np.rint(angle / step)) * step * away
    spoke = np.where(away < 0.38 * height, 0.006 * height - off, -1)
    return _inside(np.maximum(np.maximum(rim, hub), spoke), 1.2)


KINDS: dict[str, Callable[[int, int], Plane]] = {
    "head": head, "comb": comb, "glass": glass, "moving": moving, "wheel": wheel,
}  # fmt: skip


def _centred(width: int, height: int, down: float) -> tuple[Plane, Plane]:
    y, x = np.mgrid[:height, :width].astype(np.float32)
    return y - down * height, x - 0.5 * width


def _inside(distance: NDArray[np.floating], soft: float) -> Plane:
    """Turn a distance from the edge, positive inside, into coverage with an edge `soft` pixels wide."""
    return np.asarray(np.clip(distance / max(1.0, soft) + 0.5, 0, 1), np.float32)
