"""Cutouts made by formula, so that every α and every colour is known exactly."""

from __future__ import annotations

import struct

import numpy as np

from cleancut.matting.cutout import Cutout
from cleancut.raster.layer import Layer
from cleancut.raster.rows import Rows
from cleancut.types import Picture, Recipe


def disc(height=80, width=100, center=(38, 47), radius=22.0, softness=6.0):
    """α of a disc, (H, W) float32, with an edge that is `softness` pixels wide."""
    y, x = np.mgrid[:height, :width]
    away = np.hypot(y - center[0], x - center[1])
    return np.clip((radius - away) / softness + 0.5, 0, 1).astype(np.float32)


def noise(height=80, width=100, channels=3, seed=7):
    return np.random.default_rng(seed).integers(0, 256, (height, width, channels), dtype=np.uint8)


def flat(color, height=80, width=100):
    return np.broadcast_to(np.array(color, np.uint8), (height, width, 3)).copy()


def cutout(alpha=None, foreground=None, background=None, **fields):
    """A cutout of F over B by α: the source is what a camera would have seen."""
    alpha = disc() if alpha is None else np.asarray(alpha, np.float32)
    foreground = noise(*alpha.shape) if foreground is None else foreground
    background = noise(*alpha.shape, seed=8) if background is None else background
    cover = alpha[..., None]
    source = np.rint(cover * foreground + (1 - cover) * background).astype(np.uint8)
    given = {"recipe": Recipe(), **fields}
    return Cutout(
        source=Picture(source),
        scene=Layer(Rows.of(source), Rows.constant(*alpha.shape, np.float32(1))),
        subject=Layer(Rows.of(foreground), Rows.of(alpha)),
        **given,
    )


def light_of(values):
    """sRGB to linear light (IEC 61966-2-1), in float64."""
    v = np.asarray(values, np.float64) / 255
    return np.where(v <= 0.04045, v / 12.92, ((v + 0.055) / 1.055) ** 2.4)


def values_of(light):
    """Linear light to sRGB values, 0 to 255, not rounded."""
    return 255 * np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)


SRGB_D50 = ((0.4360747, 0.2225045, 0.0139322), (0.3850649, 0.7168786, 0.0971045), (0.1430804, 0.0606169, 0.7141733))


def profile(primaries=SRGB_D50, gamma=1.0):
    """A matrix profile by the ICC's specification (ICC.1:2001-04), made here so that its maths is known."""

    def fixed(value):
        return struct.pack(">i", round(value * 65536))

    def xyz(values):
        return b"XYZ \0\0\0\0" + b"".join(map(fixed, values))

    curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256)) + b"\0\0"
    text = b"desc\0\0\0\0" + struct.pack(">I", 5) + b"test\0" + bytes(78)
    tags = {b"desc": text + bytes(-len(text) % 4), b"wtpt": xyz((0.9642, 1.0, 0.8249)), b"cprt": b"text\0\0\0\0CC0\0"}
    for letter, primary in zip(b"rgb", primaries, strict=True):
        tags[bytes([letter]) + b"XYZ"] = xyz(primary)
        tags[bytes([letter]) + b"TRC"] = curve
    table, body = struct.pack(">I", len(tags)), b""
    start = 128 + 4 + 12 * len(tags)
    for name, data in tags.items():
        table += name + struct.pack(">II", start + len(body), len(data))
        body += data
    header = struct.pack(">I4sI4s4s4s", start + len(body), b"lcms", 0x02400000, b"mntr", b"RGB ", b"XYZ ")
    header += struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp" + bytes(24) + struct.pack(">I", 0)
    header += fixed(0.9642) + fixed(1.0) + fixed(0.8249)
    return header.ljust(128, b"\0") + table + body
