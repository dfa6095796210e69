"""A photo drawn by formula, ours to show, whose alpha is known exactly: a vase of flowers on a table.

The subject's colour F, its coverage α and the background B are drawn apart, and the photo is I = αF + (1 − α)B,
so every figure measured on it is measured against the truth.
"""

from __future__ import annotations

import colorsys
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cleancut.types import Picture

Plane = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """A photo with its truth.

    Attributes:
        photo: the picture as a camera would give it, noise included.
        alpha: (H, W) float32 in [0, 1], exact.
        foreground, background: (H, W, 3) float32, 0 to 255, straight.
    """

    photo: Picture
    alpha: Plane
    foreground: Plane
    background: Plane


def scene(width: int = 960, height: int = 1200, seed: int = 0, zoom: float = 1.0) -> Scene:
    """Draw a vase of flowers; another seed gives other colours, shapes, light and place, a zoom another size.

    >>> drawn = scene(96, 120)
    >>> drawn.photo.size, float(drawn.alpha.max())
    ((96, 120), 1.0)
    """
    rng = np.random.default_rng(seed)
    grid = _Grid.of(width, height, float(rng.uniform(-0.06, 0.06)), zoom)
    background = _room(grid, rng)
    foreground, alpha = np.zeros((height, width, 3), np.float32), np.zeros((height, width), np.float32)
    for window, color, cover in _bouquet(grid, rng):
        foreground[window] += (color - foreground[window]) * cover[..., None]
        alpha[window] += cover * (1 - alpha[window])
    # Straight colour: what was laid over nothing is divided by its own coverage.
    straight = np.where(alpha[..., None] > 0, foreground / np.maximum(alpha, 1e-4)[..., None], 0)
    foreground = np.asarray(straight.clip(0, 255), np.float32)
    mixed = foreground * alpha[..., None] + background * (1 - alpha[..., None])
    noise = rng.normal(0, 1.5, mixed.shape)
    rgb = np.rint((mixed + noise).clip(0, 255)).astype(np.uint8)
    return Scene(Picture(rgb, name=f"scene-{seed}"), alpha, foreground, background)


@dataclass(frozen=True, slots=True, eq=False)
class _Grid:
    """Pixel centres in units of the subject: x from -0.5 to 0.5, y down from 0 to 1.25, whatever the picture's shape.

    A part is drawn on the window of the grid that it touches.
    """

    x: Plane
    y: Plane
    pixel: float
    window: tuple[slice, slice]

    @classmethod
    def of(cls, width: int, height: int, aside: float, zoom: float) -> _Grid:
        unit = min(width, height * 0.8) * zoom
        x = (np.arange(width, dtype=np.float32) + 0.5 - width / 2) / unit - np.float32(aside)
        y = (np.arange(height, dtype=np.float32) + 0.5 - height / 2) / unit + np.float32(0.625)
        return cls(x[None], y[:, None], 1 / unit, (slice(0, height), slice(0, width)))

    def around(self, left: float, top: float, right: float, bottom: float) -> _Grid:
        """The window that holds a box, with a pixel to spare."""
        x0, x1 = np.searchsorted(self.x[0], (left - 2 * self.pixel, right + 2 * self.pixel))
        y0, y1 = np.searchsorted(self.y[:, 0], (top - 2 * self.pixel, bottom + 2 * self.pixel))
        return _Grid(self.x[:, x0:x1], self.y[y0:y1], self.pixel, (slice(y0, y1), slice(x0, x1)))

    def cover(self, distance: NDArray[np.floating]) -> Plane:
        """Coverage of a pixel by a shape, from the signed distance to its edge."""
        return np.asarray((0.5 - distance / self.pixel).clip(0, 1), np.float32)


_Point = tuple[float, float]
_Part = tuple[tuple[slice, slice], Plane, Plane]
"""Where, colour (h, w, 3) and coverage (h, w)."""


def _hue(hue: float, saturation: float, value: float) -> Plane:
    return np.array(colorsys.hsv_to_rgb(hue % 1, saturation, value), np.float32) * 255


def _room(grid: _Grid, rng: np.random.Generator) -> Plane:
    """A blurred wall with lights, a table, and the subject's shadow on it."""
    x, y = grid.x, grid.y
    hue = float(rng.uniform(0, 1))
    wall = _hue(hue, 0.28, 0.72) * (1.05 - 0.3 * (y + 0 * x)[..., None])
    for _ in range(7):
        cx, cy, radius = rng.uniform(-0.6, 0.6), rng.uniform(-0.1, 0.7), rng.uniform(0.05, 0.16)
        light = _smooth(radius * 1.25, radius * 0.8, np.hypot(x - cx, y - cy))[..., None]
        wall = wall + (_hue(hue + rng.uniform(-0.1, 0.1), 0.2, 0.95) - wall) * light * rng.uniform(0.15, 0.45)
    edge = 0.9 + float(rng.uniform(-0.03, 0.03))
    grain = 6 * np.sin(60 * y + 3 * np.sin(5 * x))[..., None]
    table = _hue(0.08, 0.35, float(rng.uniform(0.45, 0.6))) * (0.8 + 0.35 * (y[..., None] - edge)) + grain
    room = wall + (table - wall) * _smooth(edge - 0.012, edge + 0.012, y)[..., None]
    shadow = np.exp(-(((x - 0.08) / 0.3) ** 2) - ((y - 1.1) / 0.035) ** 2)[..., None]
    return np.asarray((room * (1 - 0.6 * shadow)).clip(0, 255), np.float32)


def _bouquet(grid: _Grid, rng: np.random.Generator) -> list[_Part]:
    """Leaves, stems, flowers and the vase, in the order they are laid."""
    parts: list[_Part] = []
    petal, stem, core = float(rng.uniform(0, 1)), _hue(0.3, 0.6, 0.45), _hue(0.13, 0.8, 0.8)
    heads = [
        (0.15 * np.cos(a) + rng.uniform(-0.03, 0.03), 0.27 - 0.11 * abs(np.sin(a)) + rng.uniform(-0.03, 0.03))
        for a in np.linspace(0, np.pi, 5)
    ]
    for hx, hy in heads:
        parts.append(_stroke(grid, (0.0, 0.62), (hx, hy), 0.006, stem))
        for side in (-1, 1):
            at = 0.55 * hx + 0.05 * side, 0.45 + 0.1 * side * hx
            parts.append(_ellipse(grid, at, (0.075, 0.02), float(rng.uniform(-1, 1)) + side, 0.31))
    for hx, hy in heads:
        for a in float(rng.uniform(0, 1)) + np.arange(7) * 2 * np.pi / 7:
            at = hx + 0.045 * np.cos(a), hy + 0.045 * np.sin(a)
            parts.append(_ellipse(grid, at, (0.042, 0.022), float(a), petal))
        parts.append(_stroke(grid, (hx, hy), (hx + 1e-6, hy), 0.02, core))
    parts.append(_vase(grid, rng))
    return parts


def _vase(grid: _Grid, rng: np.random.Generator) -> _Part:
    """A glazed body of revolution, lit from the upper left."""
    top, bottom = 0.58, 1.09
    grid = grid.around(-0.3, top, 0.3, bottom)
    x, y = grid.x, grid.y
    t = ((y - top) / (bottom - top)).clip(0, 1)
    belly = float(rng.uniform(0.1, 0.15))
    half = 0.065 + belly * np.sin(np.pi * t**0.8).clip(0, 1) ** 1.5 + 0.02 * np.exp(-t * 30)
    cover = grid.cover(np.maximum(np.abs(x) - half, np.maximum(top - y, y - bottom)))
    nx = (x / half).clip(-1, 1)
    nz = np.sqrt(1 - nx**2)
    light = 0.35 + 0.65 * (-0.45 * nx + 0.89 * nz).clip(0, 1)
    shine = (-0.42 * nx + 0.9 * nz).clip(0, 1) ** 40
    band = 0.25 * _smooth(0.02, 0.05, np.abs((t * 5) % 1 - 0.5))
    base = _hue(float(rng.uniform(0.5, 0.7)), float(rng.uniform(0.4, 0.8)), 0.8)
    color = (base * (1 - band[..., None]) + 235 * band[..., None]) * light[..., None] + 130 * shine[..., None]
    return grid.window, np.asarray(color.clip(0, 255), np.float32), cover


def _ellipse(grid: _Grid, at: _Point, size: _Point, angle: float, hue: float) -> _Part:
    """A rotated ellipse, a petal or a leaf, darker towards its foot."""
    (cx, cy), (long, short) = at, size
    grid = grid.around(cx - long, cy - long, cx + long, cy + long)
    x, y = grid.x - cx, grid.y - cy
    u, v = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    r = np.sqrt((u / long) ** 2 + (v / short) ** 2)
    steep = np.sqrt((u / long**2) ** 2 + (v / short**2) ** 2) / np.maximum(r, 1e-3)
    color = _hue(hue, 0.65, 0.85) * (0.85 + 0.25 * u / long + 0.1 * v / short)[..., None]
    return grid.window, np.asarray(color.clip(0, 255), np.float32), grid.cover((r - 1) / np.maximum(steep, 1e-3))


def _stroke(grid: _Grid, start: _Point, end: _Point, half: float, color: Plane) -> _Part:
    """A line with round ends, `half` to each side."""
    (x0, y0), (x1, y1) = start, end
    grid = grid.around(min(x0, x1) - half, min(y0, y1) - half, max(x0, x1) + half, max(y0, y1) + half)
    x, y, dx, dy = grid.x - x0, grid.y - y0, x1 - x0, y1 - y0
    t = ((x * dx + y * dy) / (dx * dx + dy * dy)).clip(0, 1)
    cover = grid.cover(np.hypot(x - t * dx, y - t * dy) - half)
    return grid.window, np.broadcast_to(color, (*cover.shape, 3)), cover


def _smooth(low: float, high: float, value: Plane) -> Plane:
    t = ((value - low) / (high - low)).clip(0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)
