import numpy as np
import pytest

from cleancut.matting.views import View, views
from cleancut.raster.resample import Fit
from cleancut.types import Picture

RNG = np.random.default_rng(3)
PICTURE = Picture(RNG.integers(0, 256, (40, 60, 3), np.uint8), RNG.integers(0, 256, (40, 60), np.uint8))


def test_a_view_shows_its_box():
    shown = View((10, 5, 30, 25)).shown(PICTURE)
    assert (shown.rgb == PICTURE.rgb[5:25, 10:30]).all()
    assert (shown.alpha == PICTURE.alpha[5:25, 10:30]).all()


def test_a_mirrored_view_exchanges_left_and_right():
    shown = View((0, 0, 60, 40), mirrored=True).shown(PICTURE)
    assert (shown.rgb == PICTURE.rgb[:, ::-1]).all()
    assert (shown.alpha == PICTURE.alpha[:, ::-1]).all()


@pytest.mark.parametrize("lay", [Fit.stretch, Fit.letterbox])
@pytest.mark.parametrize("mirrored", [False, True])
def test_what_is_said_of_the_whole_comes_back_where_it_was(lay, mirrored):
    """Said is how far right a pixel lies, so an answer that comes back elsewhere is off by as much."""
    size = (60, 41)  # an odd height, so that a letterbox is not in the middle
    fit = lay(size, (32, 32), "bilinear")
    left, _, right, _ = fit.box
    across = np.clip((np.arange(32) + 0.5 - left) / (right - left), 0, 1)
    plane = np.tile(across, (32, 1)).astype(np.float32)
    cells, where = View((0, 0, *size), mirrored).back(plane, fit, size, (32, 20))
    assert cells.shape == (20, 32)
    assert where == (slice(0, 20), slice(0, 32))
    wanted = (np.arange(32) + 0.5) / 32
    assert np.abs(cells[:, 2:-2] - (wanted[::-1] if mirrored else wanted)[2:-2]).max() < 0.02


def test_a_mirrored_letterbox_is_brought_back_from_where_it_lay():
    """With a padding of 1 left and 2 right, mirroring moves the picture by one column of the plane."""
    fit = Fit((4, 7), (7, 7), (1, 0, 5, 7), "bilinear")
    plane = np.zeros((7, 7), np.float32)
    plane[:, 1] = 1  # the first column of what was shown, so the last of the picture
    cells, _ = View((0, 0, 4, 7), mirrored=True).back(plane, fit, (4, 7), (4, 7))
    assert cells[3].round(2).tolist() == [0, 0, 0, 1]


def test_what_is_said_of_a_part_lies_on_its_cells():
    fit = Fit.stretch((20, 20), (16, 16), "bilinear")
    cells, (rows, columns) = View((10, 5, 30, 25)).back(np.ones((16, 16), np.float32), fit, (60, 40), (30, 20))
    assert (rows, columns) == (slice(2, 12), slice(5, 15))  # of cells of two pixels those whose middle is inside
    assert cells.shape == (10, 10)
    assert (cells == 1).all()


def test_views_are_named_by_the_recipe():
    found = np.zeros((20, 30), np.float32)
    found[8:12, 12:20] = 1
    assert views(None, (60, 40), found) == []
    mirrored, closer = views("flip,scale", (60, 40), found)
    assert mirrored == View((0, 0, 60, 40), mirrored=True)
    assert closer == View((22, 15, 42, 25))  # 24 to 40 and 16 to 24, with an eighth more on each side


@pytest.mark.parametrize("value", [0, 1])
def test_there_is_no_closer_look_at_nothing_or_at_everything(value):
    assert views("scale", (60, 40), np.full((20, 30), value, np.float32)) == []


def test_a_closer_look_stays_inside_the_picture():
    found = np.zeros((20, 30), np.float32)
    found[0, 0] = 1
    assert views("scale", (60, 40), found) == [View((0, 0, 3, 3))]
