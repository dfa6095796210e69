"""The checkerboard that stands for transparency."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def over_checkerboard(rgba: NDArray[np.uint8], square: int = 16) -> NDArray[np.uint8]:
    """Lay a picture (H, W, 4), straight, over grey and white squares; give (H, W, 3) uint8.

    >>> over_checkerboard(np.zeros((1, 32, 4), np.uint8))[0, ::16, 0].tolist()
    [255, 204]
    """
    y, x = np.indices(rgba.shape[:2])
    board = np.where((x // square + y // square) % 2, np.float32(204), np.float32(255))[..., None]
    alpha = rgba[..., 3:].astype(np.float32) / 255
    return np.rint(board + (rgba[..., :3] - board) * alpha).astype(np.uint8)
