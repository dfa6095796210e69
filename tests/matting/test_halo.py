import numpy as np
import pytest

from cleancut.matting.halo import fringe, halo


def cut(colors, alphas):
    """One row of pixels."""
    return np.array([[(*color, alpha) for color, alpha in zip(colors, alphas, strict=True)]], np.uint8)


RED, GREEN = (200, 0, 0), (0, 100, 0)


def test_the_halo_by_hand():
    """Half of the wrong colour's difference: (100 + 50 + 0) / 3, over black as over white."""
    truth = cut([RED, RED, RED], [255, 128, 0])
    tinted = cut([RED, (0, 100, 0), RED], [255, 128, 0])
    assert halo(tinted, truth) == pytest.approx((200 + 100) * (128 / 255) / 3)
    assert halo(truth, truth) == 0


def test_a_wrong_alpha_shows_in_the_halo_too():
    truth, other = cut([RED], [128]), cut([RED], [64])
    black = 200 * 64 / 255 / 3
    white = (55 + 255 + 255) * 64 / 255 / 3
    assert halo(other, truth) == pytest.approx((black + white) / 2)


def test_without_a_soft_edge_there_is_no_halo():
    assert halo(cut([GREEN], [255]), cut([RED], [255])) == 0


def test_the_fringe_compares_soft_colours_with_solid_ones_beside_them():
    assert fringe(cut([RED, RED], [255, 128])) == 0
    assert fringe(cut([RED, GREEN], [255, 128])) == pytest.approx((200 + 100 + 0) / 3)
    assert fringe(cut([RED, GREEN], [255, 255])) is None
    assert fringe(cut([RED, GREEN], [128, 128])) is None


def test_the_fringe_looks_as_far_as_sixteen_pixels_and_across_blocks():
    tall = np.zeros((400, 5, 4), np.uint8)
    tall[:100] = (*RED, 255)
    tall[115] = (*GREEN, 128)  # sixteen below the last solid row
    assert fringe(tall) == pytest.approx(100)
    tall[115], tall[116] = 0, (*GREEN, 128)
    assert fringe(tall) is None
    tall[:] = 0
    tall[127], tall[128] = (*RED, 255), (*GREEN, 128)  # the border of two blocks runs between them
    assert fringe(tall) == pytest.approx(100)
