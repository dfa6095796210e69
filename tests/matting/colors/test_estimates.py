"""What every way to estimate the subject's colour keeps to."""

import numpy as np
import pytest

from cleancut.matting.colors import foreground, multilevel
from cleancut.raster.rows import Rows

every_estimate = pytest.mark.parametrize("estimate", [foreground.estimate, multilevel.estimate])


@every_estimate
@pytest.mark.parametrize("shape", [(1, 1), (1, 50), (50, 1), (7, 3), (8, 8), (9, 17), (65, 129)])
@pytest.mark.parametrize("kind", [0.0, 1.0, 0.5, "ramp"])
def test_any_shape_and_any_alpha(estimate, shape, kind):
    picture = np.random.default_rng(1).integers(0, 256, (*shape, 3), np.uint8)
    alpha = np.linspace(0, 1, shape[0] * shape[1]).reshape(shape) if kind == "ramp" else np.full(shape, kind)
    result = estimate(Rows.of(picture), Rows.of(alpha.astype(np.float32))).whole()
    assert result.shape == picture.shape
    assert result.dtype == np.uint8
    if kind in {0.0, 1.0}:
        np.testing.assert_array_equal(result, picture)


@every_estimate
def test_a_uniform_picture_keeps_its_colour(estimate):
    picture = np.full((40, 60, 3), (200, 30, 90), np.uint8)
    alpha = np.random.default_rng(2).random((40, 60)).astype(np.float32)
    result = estimate(Rows.of(picture), Rows.of(alpha)).whole()
    assert np.abs(result.astype(int) - picture).max() <= 1
