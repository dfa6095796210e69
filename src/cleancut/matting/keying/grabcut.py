"""GrabCut (Rother, Kolmogorov & Blake 2004) from OpenCV, begun by a box or by what a network sees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cleancut.errors import BadRecipe, BadSetting
from cleancut.raster.resample import Fit, reduced
from cleancut.types import Box, Picture

Plane = NDArray[np.float32]

_PIXELS = 500_000
"""Pixels of the copy that is cut, at the most: the graph takes about 300 bytes for each."""

_ROUNDS = 5
_SURE = 0.05
"""α below which a seed is surely background, and above 1 − which surely subject."""

_AROUND = 15
"""Side of the window in which the colours on both sides of the edge are averaged, in pixels of the copy."""


@dataclass(frozen=True, slots=True)
class Corners:
    """A setting: a box that holds the subject, in the picture's pixels; empty: none."""

    def read(self, given: object) -> str:
        """Read left, top, right and bottom, separated by commas."""
        if given == "":
            return ""
        parts = [int(part) for part in str(given).split(",")]
        if len(parts) != 4 or not (0 <= parts[0] < parts[2] <= 1_000_000 and 0 <= parts[1] < parts[3] <= 1_000_000):
            raise ValueError
        return ",".join(map(str, parts))

    def schema(self) -> dict[str, object]:
        """Give text with a pattern."""
        return {"type": "string", "pattern": r"^(\d+,\d+,\d+,\d+)?$"}

    def __str__(self) -> str:
        return "left,top,right,bottom in pixels, such as 40,20,300,400"

    @staticmethod
    def within(text: str, size: tuple[int, int]) -> Box:
        """Turn text that was read into a box inside a picture.

        Raises:
            BadSetting: it lies outside.
        """
        left, top, right, bottom = map(int, text.split(","))
        box = (left, top, min(right, size[0]), min(bottom, size[1]))
        if box[0] >= box[2] or box[1] >= box[3]:
            raise BadSetting(f"The box {text} lies outside the picture, which has {size[0]} × {size[1]} pixels.")
        return box


def of_box(picture: Picture, text: str) -> Plane:
    """Cut what is inside a box from what is outside; give α in [0, 1] on the copy, (h, w) float32.

    Raises:
        BadSetting: the box lies outside the picture.
        BadRecipe: OpenCV is not installed, or it finds too little to tell colours from.
    """
    left, top, right, bottom = Corners.within(text, picture.size)
    width, height = _copy_size(picture.size)
    across, down = width / picture.size[0], height / picture.size[1]
    cv2 = _opencv()
    seed = np.full((height, width), cv2.GC_BGD, np.uint8)
    seed[int(top * down) : max(round(bottom * down), 1), int(left * across) : max(round(right * across), 1)] = (
        cv2.GC_PR_FGD
    )
    return _cut(cv2, picture, seed)


def of_alpha(picture: Picture, plane: Plane, fit: Fit) -> Plane:
    """Cut what a network's α (h, w) in [0, 1], lying as `fit` says, claims from the rest; give α on the copy.

    Raises:
        BadRecipe: OpenCV is not installed, or it finds too little to tell colours from.
    """
    size = _copy_size(picture.size)
    alpha = Fit(size, fit.size, fit.box, "bilinear").enlarge(plane).whole()
    cv2 = _opencv()
    seed = np.where(alpha >= 0.5, cv2.GC_PR_FGD, cv2.GC_PR_BGD)
    seed = np.where(alpha > 1 - _SURE, cv2.GC_FGD, np.where(alpha < _SURE, cv2.GC_BGD, seed)).astype(np.uint8)
    return _cut(cv2, picture, seed)


def _copy_size(size: tuple[int, int]) -> tuple[int, int]:
    scale = min(1.0, (_PIXELS / (size[0] * size[1])) ** 0.5)
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _cut(cv2: Any, picture: Picture, seed: NDArray[np.uint8]) -> Plane:
    """Run GrabCut from a seed and soften its edge."""
    sure = {int(value) for value in np.unique(seed)}
    if not sure & {cv2.GC_FGD, cv2.GC_PR_FGD}:
        return np.zeros(seed.shape, np.float32)
    if not sure & {cv2.GC_BGD, cv2.GC_PR_BGD}:
        return np.ones(seed.shape, np.float32)
    small = np.ascontiguousarray(reduced(picture.rgb, seed.shape[1], seed.shape[0], "bilinear"))
    cv2.setRNGSeed(0)  # its colour models begin at random
    try:
        cv2.grabCut(small, seed, None, np.zeros((1, 65)), np.zeros((1, 65)), _ROUNDS, cv2.GC_INIT_WITH_MASK)
    except cv2.error as error:
        raise BadRecipe(
            f"GrabCut cannot part {picture.name} ({error.err}); use a larger picture or a network."
        ) from None
    return _softened(cv2, small, (seed == cv2.GC_FGD) | (seed == cv2.GC_PR_FGD))


def _softened(cv2: Any, small: NDArray[np.uint8], mask: NDArray[np.bool_]) -> Plane:
    """Take α at the edge from I = αF + (1 − α)B, with F and B averaged on either side of it."""
    inside = mask.astype(np.uint8)
    kernel = np.ones((3, 3), np.uint8)
    # A pixel outside the picture is as the one beside it, or a subject cut by the frame would fade there.
    core = cv2.erode(inside, kernel, borderType=cv2.BORDER_REPLICATE)
    clear = 1 - cv2.dilate(inside, kernel, borderType=cv2.BORDER_REPLICATE)
    color = small.astype(np.float32)
    front, back = (_around(cv2, color, part) for part in (core, clear))
    if front is None or back is None:
        return mask.astype(np.float32)
    across = front - back
    far = np.square(across).sum(axis=2)
    share = ((color - back) * across).sum(axis=2) / np.maximum(far, 1)
    mixed = np.where(far > 400, np.clip(share, 0, 1), 0.5)  # alike within 20 levels: the colours tell nothing
    return np.where(core > 0, np.float32(1), np.where(clear > 0, np.float32(0), mixed.astype(np.float32)))


def _around(cv2: Any, color: Plane, part: NDArray[np.uint8]) -> Plane | None:
    """Average the colours of a part in a window around each pixel; where none is near, of all of it."""
    if not part.any():
        return None
    weight = part.astype(np.float32)
    sums = cv2.blur(color * weight[..., None], (_AROUND, _AROUND))
    near = cv2.blur(weight, (_AROUND, _AROUND))[..., None]
    return np.asarray(np.where(near > 1e-3, sums / np.maximum(near, 1e-3), color[part > 0].mean(axis=0)), np.float32)


def _opencv() -> Any:
    try:
        import cv2  # noqa: PLC0415 - an extra
    except ImportError:
        raise BadRecipe('GrabCut needs OpenCV; run: pip install "cleancut[opencv]"') from None
    return cv2
