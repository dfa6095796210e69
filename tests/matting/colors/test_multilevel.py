"""Multi-level foreground colours: composites of known F, B and α, and the promises on opaque pixels."""

import threading

import numpy as np
import pytest

from cleancut.matting.colors import multilevel
from cleancut.matting.colors.multilevel import estimate
from cleancut.matting.cutout import written
from cleancut.raster import rows
from cleancut.raster.rows import Rows
from tests.matting.colors.test_foreground import SCENES, composite, disc

FLOORS = {  # mean |F − F_true| of 255 at 0.05 < α < 0.95, just above what was measured
    "skin on a green screen": 0.05,
    "wide soft edge": 0.3,
    "skin, textured": 5.7,
    "gradient, blurred": 7.8,
    "hair on a green screen": 0.2,
    "hair, textured": 3.3,
    "fair hair, textured": 3.4,
    "framed glass": 6.6,
    "glass alone": 13.0,
}


def found(picture, alpha):
    return estimate(Rows.of(picture), Rows.of(alpha)).whole()


@pytest.mark.parametrize("name", SCENES)
def test_error_against_the_known_foreground(name):
    picture, alpha, front = composite(name)
    soft = (alpha > 0.05) & (alpha < 0.95)
    before = np.abs(picture - front)[soft].mean()
    after = np.abs(found(picture, alpha) - front)[soft].mean()
    assert after < FLOORS[name]
    assert after < before / 3


def test_opaque_and_clear_pixels_are_the_pictures_bit_for_bit():
    picture = np.random.default_rng(0).integers(0, 256, (240, 320, 3), np.uint8)
    alpha = disc(30).astype(np.float32)
    hard = (written(alpha) == 255) | (written(alpha) == 0)
    result = found(picture, alpha)
    np.testing.assert_array_equal(result[hard], picture[hard])
    assert (result[~hard] != picture[~hard]).any()


@pytest.mark.parametrize(("pixels", "step"), [(320, 128), (320 * 9, 24), (320 * 50, 56)])
def test_strips_and_blocks_make_no_difference(pixels, step, monkeypatch):
    picture, alpha, _ = (plane[:101] for plane in composite("hair, textured"))
    at_once = found(picture, alpha)
    monkeypatch.setattr(rows, "STRIP_PIXELS", pixels)
    monkeypatch.setattr(multilevel, "_STEP", step)
    np.testing.assert_array_equal(found(picture, alpha), at_once)


def test_tiles_make_no_difference(monkeypatch):
    picture, alpha, _ = (plane[:101] for plane in composite("hair, textured"))
    at_once = found(picture, alpha)
    monkeypatch.setattr(multilevel, "_TILE", 64)
    np.testing.assert_array_equal(found(picture, alpha), at_once)


def test_nothing_is_read_before_it_is_asked_for_and_the_coarse_copies_are_solved_once(monkeypatch):
    picture, alpha, _ = composite("hair, textured")
    solved = []
    coarse = multilevel._coarse
    monkeypatch.setattr(multilevel, "_coarse", lambda *args: solved.append(1) or coarse(*args))
    result = estimate(Rows.of(picture), Rows.of(alpha))
    assert not solved
    threads = [threading.Thread(target=result.read, args=(20 * n, 20 * n + 10)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert solved == [1]
