"""Hair by formula: strands that leave a subject's edge, with exact alpha. Photos with true alpha of hair are rare."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]

POINTS = 160
"""Along a strand; closer together than its width, so that it has no gaps."""


@dataclass(frozen=True, slots=True, eq=False)
class Tuft:
    """Strands that grow side by side.

    Attributes:
        x, y: (strands, POINTS) in pixels.
        width: (strands, POINTS) in pixels, thinner towards the tip.
        color: (strands, 3) in [0, 1].
    """

    x: Plane
    y: Plane
    width: Plane
    color: Plane


def tuft(front: Plane, alpha: Plane, random: np.random.Generator) -> Tuft | None:
    """Let hair grow from a part of an edge.

    Args:
        front: (3, H, W) colour times alpha, which the hair takes its colour from.
        alpha: (H, W) in [0, 1].
        random: all chance comes from it.

    Returns:
        The strands, or None where there is no edge to grow from.
    """
    height, width = alpha.shape
    down, right = np.gradient(alpha)
    slope = np.hypot(down, right)
    edge = np.argwhere(slope > 0.1)
    if len(edge) < 20:
        return None
    centre = edge[random.integers(len(edge))]
    near = edge[np.hypot(*(edge - centre).T) < random.uniform(0.04, 0.25) * max(height, width)]
    roots = near[random.integers(len(near), size=int(random.integers(15, 160)))]
    outward = np.arctan2(-down[tuple(roots.T)], -right[tuple(roots.T)])
    lean = random.normal(0, 0.5)  # neighbours lean alike
    angle = outward + lean + random.normal(0, random.uniform(0.05, 0.5), len(roots))
    length = random.uniform(0.02, 0.25) * max(height, width) * random.uniform(0.4, 1.2, len(roots))
    bend = random.normal(0, 1.2) + random.normal(0, 0.8, len(roots))
    along = np.linspace(0, 1, POINTS)
    heading = angle[:, None] + bend[:, None] * along
    step = (length / POINTS)[:, None]
    x = roots[:, 1, None] + np.cumsum(np.cos(heading) * step, axis=1)
    y = roots[:, 0, None] + np.cumsum(np.sin(heading) * step, axis=1)
    thick = random.uniform(0.15, 1.1) * random.uniform(0.6, 1.4, len(roots))
    taper = 1 - 0.85 * along**2
    own = front[:, roots[:, 0], roots[:, 1]].T / np.maximum(alpha[tuple(roots.T)], 0.1)[:, None]
    light = random.uniform(0.6, 1.5, (len(roots), 1))
    return Tuft(*(np.float32(v) for v in (x, y, thick[:, None] * taper, (own * light).clip(0, 1))))


def drawn(hair: Tuft, height: int, width: int) -> tuple[Plane, Plane]:
    """Draw strands; give their colour times coverage (3, H, W) and their coverage (H, W).

    Each point covers as much area as its width times the way to the next one, shared among the four pixels around.
    """
    step = np.hypot(np.diff(hair.x, append=hair.x[:, -1:]), np.diff(hair.y, append=hair.y[:, -1:]))
    area = (hair.width * step).ravel()
    left, top = np.floor(hair.x - 0.5).astype(np.int64).ravel(), np.floor(hair.y - 0.5).astype(np.int64).ravel()
    fx, fy = (hair.x - 0.5).ravel() - left, (hair.y - 0.5).ravel() - top
    color = np.repeat(hair.color, POINTS, axis=0)
    sums = np.zeros((4, height * width))
    for dy, dx in ((0, 0), (0, 1), (1, 0), (1, 1)):
        row, column = top + dy, left + dx
        inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
        share = np.abs(1 - dy - fy) * np.abs(1 - dx - fx) * area
        place = (row * width + column)[inside]
        for channel, value in enumerate((share, *(share * color.T))):
            sums[channel] += np.bincount(place, value[inside], height * width)
    cover = np.minimum(sums[0], 1)
    scale = cover / np.maximum(sums[0], 1e-6)
    return (
        (sums[1:] * scale).reshape(3, height, width).astype(np.float32),
        cover.reshape(height, width).astype(np.float32),
    )
