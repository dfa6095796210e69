"""The blur against the sum that defines it."""

import numpy as np
import pytest

from cleancut.raster.gaussian import blurred
from cleancut.raster.rows import Rows


def exact(plane, sigma):
    """Convolve by a Gaussian of five standard deviations, row by row and column by column."""
    reach = int(5 * sigma) + 1
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    kernel /= kernel.sum()
    for _ in range(2):
        padded = np.pad(plane.astype(float), ((reach, reach), (0, 0)), mode="edge")
        plane = np.stack([np.convolve(line, kernel, "valid") for line in padded.T])
    return plane


def picture(kind, height, width):
    y, x = np.mgrid[:height, :width]
    shapes = {
        "edge": x >= width // 3,
        "disc": np.hypot(y - 40, x - 70) < 30,
        "point": (y == height // 2) & (x == 5),
        "noise": np.random.default_rng(3).random((height, width)),
    }
    return shapes[kind].astype(np.float32)


@pytest.mark.parametrize("sigma", [0.3, 1, 2.5, 7.9, 8, 13, 40])
@pytest.mark.parametrize("kind", ["edge", "disc", "point", "noise"])
@pytest.mark.parametrize("shape", [(90, 131), (3, 150), (150, 3)])
def test_it_is_the_gaussian(sigma, kind, shape):
    plane = picture(kind, *shape)
    off = np.abs(blurred(Rows.of(plane), sigma).whole() - exact(plane, sigma)).max()
    assert off < (0.005 if kind == "noise" else 0.0015)


def test_nothing_to_do_costs_nothing():
    alpha = Rows.of(np.zeros((2, 2), np.float32))
    assert blurred(alpha, 0) is alpha
