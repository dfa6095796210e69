import numpy as np
import pytest

from cleancut.matting.opaque import opaque
from cleancut.matting.pipeline import cut
from cleancut.raster.rows import Rows
from cleancut.types import Picture, Recipe
from tests.matting.drawn import disc
from tests.stubs import loading

SIZE = 160
Y, X = np.mgrid[:SIZE, :SIZE]


def solid(alpha, scale=1.0):
    return opaque(Rows.of(np.asarray(alpha, np.float32)), scale).whole()


def test_a_pane_in_a_frame_becomes_solid():
    frame = disc(SIZE, SIZE, (80, 80), 60, 2)
    pane = disc(SIZE, SIZE, (80, 80), 50, 2)
    glass = frame - 0.7 * pane
    found = solid(glass)
    assert (found[np.hypot(Y - 80, X - 80) < 55] > 0.99).all()
    assert np.abs(found - frame).mean() < 0.002


def test_glass_without_a_frame_becomes_solid_with_an_edge():
    whole = disc(SIZE, SIZE, (80, 80), 60, 3)
    found = solid(0.3 * whole)
    assert np.abs(found - whole).mean() < 0.01
    rim = (whole > 0.3) & (whole < 0.7)
    assert ((found[rim] > 0.05) & (found[rim] < 0.98)).any()


@pytest.mark.parametrize("softness", [1, 2])
def test_the_edge_of_what_is_opaque_stays(softness):
    alpha = disc(SIZE, SIZE, (80, 80), 60, softness)
    assert np.abs(solid(alpha) - alpha).max() < 0.02


def test_holes_stay_open():
    ring = disc(SIZE, SIZE, (80, 80), 60, 2) - disc(SIZE, SIZE, (80, 80), 30, 2)
    found = solid(ring)
    assert found[np.hypot(Y - 80, X - 80) < 28].max() == 0


def test_haze_alone_goes():
    assert solid(np.full((40, 40), 0.06)).max() == 0
    assert solid(np.full((40, 40), 0.25)).min() > 0.99


def test_an_enlarged_edge_reaches_farther():
    alpha = disc(SIZE, SIZE, (80, 80), 40, 24)
    middle = np.hypot(Y - 80, X - 80) < 30
    assert np.abs(solid(alpha, 12.0) - alpha)[~middle].max() < 0.2
    assert solid(alpha, 12.0)[middle].min() > 0.8


@pytest.mark.parametrize("value", [0.0, 1.0])
@pytest.mark.parametrize("size", [(1, 1), (3, 200), (200, 3)])
def test_what_is_not_partial_stays(size, value):
    assert (solid(np.full(size, value)) == value).all()


def test_strips_do_not_show():
    alpha = np.random.default_rng(2).random((90, 70)).astype(np.float32)
    rows = opaque(Rows.of(alpha))
    assert np.abs(rows.whole() - np.concatenate([rows.read(n, min(n + 7, 90)) for n in range(0, 90, 7)])).max() < 1e-5


def test_the_recipe_asks_for_it():
    photo = Picture(np.random.default_rng(1).integers(0, 256, (120, 120, 3), dtype=np.uint8))
    glass = np.zeros((60, 60), np.float32)
    glass[15:45, 15:45] = 0.5
    veil, done = (
        cut(photo, Recipe("stub", refine=(), no_subject="keep", opaque=on), load=loading(glass)) for on in (False, True)
    )
    assert abs(veil.alpha[60, 60] - 0.5) < 0.01
    assert done.alpha[60, 60] == 1 and done.alpha[10, 10] == 0
    assert done.report.refine == ("opaque",)
    assert (done.rgba()[60, 60, :3] == photo.rgb[60, 60]).all()
