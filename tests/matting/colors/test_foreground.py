"""Colour at soft edges: composites of known F, B and α, the promises on opaque pixels, and odd shapes."""

import threading

import numpy as np
import pytest
from PIL import Image

from cleancut.matting.colors.foreground import estimate
from cleancut.matting.cutout import written
from cleancut.raster import rows
from cleancut.raster.rows import Rows

H, W = 240, 320
Y, X = np.mgrid[:H, :W].astype(np.float32)
AWAY = np.hypot(X - 160, Y - 120)
SKIN, HAIR, SCREEN, SKY = (224, 172, 140), (60, 40, 30), (30, 200, 60), (150, 170, 210)


def flat(color):
    return np.broadcast_to(np.array(color, np.float32), (H, W, 3))


def textured(color, depth, grain, seed):
    """A colour with smooth noise: standard deviation about `depth`, spots of about `grain` pixels."""
    noise = np.random.default_rng(seed).normal(size=(3, H // grain + 2, W // grain + 2)).astype(np.float32)
    planes = [Image.fromarray(plane).resize((W, H), Image.Resampling.BICUBIC) for plane in noise]
    return np.clip(flat(color) + depth * np.stack([np.asarray(plane) for plane in planes], -1), 0, 255)


def disc(soft):
    return np.clip(0.5 - (AWAY - 80) / soft, 0, 1)


def hair():
    """Strands of 1 to 3 px, 13 px apart, that grow out of a mass."""
    alpha = np.clip((Y - 160) / 3 + 0.5, 0, 1)
    for index, root in enumerate(range(30, 300, 13)):
        away = np.abs(X - root - 6 * np.sin(Y / 30 + index))
        alpha = np.maximum(alpha, np.clip(0.5 + (1 + index % 3) / 2 - away, 0, 1) * (Y > 20) * (Y < 165))
    return alpha


def glass():
    """A pane of α 0.3 to 0.7 in an opaque frame."""
    pane = (0.3 + 0.4 * X / W) * (AWAY < 90)
    return np.maximum(pane, np.clip(0.5 - (np.abs(AWAY - 90) - 6) / 2, 0, 1))


GRADIENT = np.stack([80 + 150 * X / W, 60 + 100 * Y / H, 160 - 100 * X / W], -1)
SCENES = {
    "skin on a green screen": (flat(SKIN), flat(SCREEN), disc(6)),
    "wide soft edge": (flat(SKIN), flat(SCREEN), disc(24)),
    "skin, textured": (textured(SKIN, 15, 6, 1), textured(SCREEN, 25, 12, 2), disc(6)),
    "gradient, blurred": (GRADIENT, textured((120, 130, 200), 30, 20, 3), disc(24)),
    "hair on a green screen": (flat(HAIR), flat(SCREEN), hair()),
    "hair, textured": (textured(HAIR, 12, 5, 4), textured(SKY, 25, 15, 5), hair()),
    "fair hair, textured": (textured((220, 190, 130), 12, 5, 6), textured((40, 60, 40), 25, 15, 7), hair()),
    "framed glass": (GRADIENT, textured((120, 130, 200), 20, 20, 8), glass()),
    "glass alone": (flat(SKIN), textured(SCREEN, 20, 10, 9), (0.3 + 0.4 * X / W) * (AWAY < 90)),
}
FLOORS = {  # mean |F − F_true| of 255 at 0.05 < α < 0.95: uncorrected, and just above what was measured
    "skin on a green screen": (50.6, 0.05),
    "wide soft edge": (52.4, 0.05),
    "skin, textured": (50.8, 7.1),
    "gradient, blurred": (27.4, 6.0),
    "hair on a green screen": (36.5, 0.05),
    "hair, textured": (66.2, 4.8),
    "fair hair, textured": (67.0, 4.9),
    "framed glass": (23.9, 4.7),
    "glass alone": (50.4, 4.6),
}


def composite(name):
    """I, α as written and F of a scene."""
    front, back, alpha = SCENES[name]
    alpha = (written(alpha.astype(np.float32)) / np.float32(255)).astype(np.float32)
    picture = np.rint(front * alpha[..., None] + back * (1 - alpha[..., None])).astype(np.uint8)
    return picture, alpha, front


def found(picture, alpha):
    return estimate(Rows.of(picture), Rows.of(alpha)).whole()


@pytest.mark.parametrize("name", SCENES)
def test_error_against_the_known_foreground(name):
    picture, alpha, front = composite(name)
    soft = (alpha > 0.05) & (alpha < 0.95)
    before = np.abs(picture - front)[soft].mean()
    after = np.abs(found(picture, alpha) - front)[soft].mean()
    uncorrected, floor = FLOORS[name]
    assert before == pytest.approx(uncorrected, rel=0.01)
    assert after < floor
    assert after < before / 3


@pytest.mark.parametrize("name", SCENES)
@pytest.mark.parametrize("background", [0, 255])
def test_no_halo_over_a_new_background(name, background):
    picture, alpha, front = composite(name)
    soft = (alpha > 0.05) & (alpha < 0.95)

    def over(color):
        return (color * alpha[..., None] + background * (1 - alpha[..., None]))[soft]

    before = np.abs(over(picture) - over(front)).mean()
    assert np.abs(over(found(picture, alpha)) - over(front)).mean() < before / 3


def test_an_alpha_that_is_too_wide_does_not_keep_the_background():
    front, back, _ = SCENES["skin, textured"]
    truth = disc(2)[..., None]
    picture = np.rint(front * truth + back * (1 - truth)).astype(np.uint8)
    alpha = np.clip(0.5 - (AWAY - 84) / 6, 0, 1)
    soft = (alpha > 0.05) & (alpha < 0.95)
    before = (np.abs(picture - front) * alpha[..., None])[soft].mean()
    after = (np.abs(found(picture, alpha) - front) * alpha[..., None])[soft].mean()
    assert after < before / 2


def test_opaque_and_clear_pixels_are_the_pictures_bit_for_bit():
    picture = np.random.default_rng(0).integers(0, 256, (H, W, 3), np.uint8)
    alpha = disc(30) + 0.0019 * (np.sin(X) - 1)  # near 0 and 1, on both sides of what is written as 0 and 255
    alpha = np.clip(alpha, 0, 1).astype(np.float32)
    opacity = written(alpha)
    hard = (opacity == 255) | (opacity == 0)
    assert ((alpha < 1) & (opacity == 255)).any()
    result = found(picture, alpha)
    np.testing.assert_array_equal(result[hard], picture[hard])
    assert (result[~hard] != picture[~hard]).any()


def test_there_is_no_seam_to_opaque_pixels():
    picture, alpha, _ = composite("skin, textured")
    nearly = written(alpha) >= 250
    assert np.abs(found(picture, alpha).astype(int) - picture)[nearly].max() <= 12


def test_colour_does_not_bleed_in_from_afar():
    picture = np.full((64, 640, 3), 40, np.uint8)
    picture[:, 400:] = (250, 0, 0)
    alpha = np.ones((64, 640), np.float32)
    alpha[28:36, 20:60] = 0.5
    assert np.abs(found(picture, alpha)[28:36, 20:60].astype(int) - 40).max() <= 2


@pytest.mark.parametrize("pixels", [W, W * 9, W * 50])
def test_strips_make_no_difference(pixels, monkeypatch):
    picture, alpha, _ = composite("hair, textured")
    at_once = found(picture, alpha)
    monkeypatch.setattr(rows, "STRIP_PIXELS", pixels)
    np.testing.assert_array_equal(found(picture, alpha), at_once)


def test_nothing_is_read_before_it_is_asked_for_and_the_pyramid_is_built_once():
    picture, alpha, _ = composite("hair, textured")
    reads = []

    def read(top, bottom):
        reads.append((top, bottom))
        return picture[top:bottom]

    result = estimate(Rows(picture.shape, read), Rows.of(alpha))
    assert not reads
    threads = [threading.Thread(target=result.read, args=(100, 110)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(bottom - top for top, bottom in reads) == H + 4 * 10
