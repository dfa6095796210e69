"""Studio pictures made by formula: a subject over a flat, graded or green backdrop, α and F known at every pixel."""

import numpy as np

SUBJECTS = ("disc with a hole", "hair", "glass", "motion blur")
BACKDROPS = ("white", "grey gradient", "green")


def backdrop(name, height, width):
    """B, (H, W, 3) float: pure white, a grey that falls off in a curve, or an unevenly lit green."""
    y, x = (np.mgrid[:height, :width] + 0.5) / np.reshape((height, width), (2, 1, 1)) * 2 - 1
    light = 1 - 0.12 * x - 0.1 * y - 0.08 * (x * x + y * y)
    colors = {"white": (255, 255, 255), "grey gradient": (190, 194, 200), "green": (40, 180, 70)}
    return np.asarray(colors[name]) * (np.ones_like(light) if name == "white" else light)[..., None]


def subject(name, height, width):
    """α (H, W) and F (H, W, 3) of a subject in the middle."""
    y, x = np.mgrid[:height, :width] + 0.5
    y, x = y - height / 2, x - width / 2
    unit = min(height, width) / 300
    front = np.stack([120 + 40 * np.sin(x / (9 * unit)), 60 + 0 * x, 75 + 30 * np.cos(y / (7 * unit))], -1)
    away = np.hypot(y, x)
    disc = np.clip(80 * unit - away + 0.5, 0, 1)
    if name == "disc with a hole":
        return disc * np.clip(np.hypot(y, x - 15 * unit) - 25 * unit + 0.5, 0, 1), front
    if name == "hair":
        strand = np.clip(1.2 - np.abs((x + 4 * np.sin(y / (20 * unit))) % (8 * unit) - 4 * unit), 0, 1)
        tip = np.clip((120 * unit - np.abs(y)) / (30 * unit), 0, 1) * (np.abs(x) < 75 * unit)
        return np.maximum(strand * tip, np.clip(60 * unit - away + 0.5, 0, 1)), np.broadcast_to(
            (70, 50, 45), front.shape
        )
    if name == "glass":
        body = np.clip(0.2 + 0.6 * (y / (160 * unit) + 0.5), 0, 1)
        rim = (away > 70 * unit) & (away < 80 * unit)
        return np.where(rim, 1, body) * disc, np.broadcast_to((70, 90, 160), front.shape)
    blurred = np.mean([np.clip(80 * unit - np.hypot(y, x - s * unit) + 0.5, 0, 1) for s in np.linspace(-9, 9, 19)], 0)
    return blurred, np.broadcast_to((130, 60, 70), front.shape)


def photo(subject_name, backdrop_name, height=300, width=400, noise=1.5):
    """What a camera would see, (H, W, 3) uint8, and its α and F."""
    alpha, front = subject(subject_name, height, width)
    back = backdrop(backdrop_name, height, width)
    seen = alpha[..., None] * front + (1 - alpha[..., None]) * back
    seen = seen + np.random.default_rng(7).normal(0, noise, seen.shape)
    return np.clip(np.rint(seen), 0, 255).astype(np.uint8), alpha, front
