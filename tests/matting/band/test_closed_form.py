"""Closed-form matting: the equations against their definition, the solution against a dense one, and odd input."""

import importlib.util
import itertools

import numpy as np
import pytest

from cleancut.errors import BadInput, BadRecipe
from cleancut.matting.band import closed_form
from cleancut.matting.band.closed_form import TOLERANCE, matted, solution, solve
from cleancut.matting.band.conjugate import descend
from cleancut.matting.band.laplacian import EPSILON, system
from cleancut.raster.rows import Rows
from tests.matting.drawn import disc

scipy = pytest.mark.skipif(importlib.util.find_spec("scipy") is None, reason="needs the extra matting")


def noise(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def laplacian(rgb):
    """L of a whole picture by its definition, window by window (Levin et al. 2008, eq. 12)."""
    height, width = rgb.shape[:2]
    result = np.zeros((height * width,) * 2)
    for y, x in itertools.product(range(1, height - 1), range(1, width - 1)):
        place = [v * width + u for v in (y - 1, y, y + 1) for u in (x - 1, x, x + 1)]
        colors = rgb.reshape(-1, 3)[place] / 255
        away = colors - colors.mean(axis=0)
        inverse = np.linalg.inv(away.T @ away / 9 + EPSILON / 9 * np.eye(3))
        result[np.ix_(place, place)] += np.eye(9) - (1 + away @ inverse @ away.T) / 9
    return result


def scene(height=96, width=120, seed=1):
    """I of two colours that wander, α with strands, and a trimap whose band is wide."""
    y, x = np.mgrid[:height, :width].astype(np.float32)
    alpha = np.clip((x - 50) / 4, 0, 1)
    for root in range(6, height, 9):
        strand = np.clip(1.5 - np.abs(y - root - 3 * np.sin(x / 9)), 0, 1) * (x > 25) * (x < 60)
        alpha = np.maximum(alpha, strand)
    alpha = alpha.astype(np.float32)
    wander = np.random.default_rng(seed).normal(0, 3, (2, height, width, 1))
    front = np.array([70, 45, 30]) + np.stack([y, x, y], -1) / 8 + wander[0]
    back = np.array([150, 170, 210]) - np.stack([x, y, x], -1) / 6 + wander[1]
    rgb = np.clip(np.rint(front * alpha[..., None] + back * (1 - alpha[..., None])), 0, 255).astype(np.uint8)
    trimap = np.full((height, width), 128, np.uint8)
    trimap[:, :15], trimap[:, 75:] = 0, 255
    return rgb, alpha, trimap


@scipy
def test_the_equations_are_those_of_the_paper():
    rgb, (height, width) = noise(7, 8), (7, 8)
    unknown = np.zeros((height, width), bool)
    unknown[2:5, 1:6] = True
    unknown[0, 7] = True
    alpha = np.random.default_rng(2).random((height, width))
    whole = laplacian(rgb)
    inside = unknown.ravel()
    given = system(rgb, alpha, unknown)
    np.testing.assert_allclose(given.matrix.toarray(), whole[np.ix_(inside, inside)], atol=1e-7)
    np.testing.assert_allclose(given.known, -whole[np.ix_(inside, ~inside)] @ alpha.ravel()[~inside], atol=1e-7)


@scipy
def test_windows_are_worked_out_in_pieces(monkeypatch):
    rgb, alpha, trimap = scene()
    at_once = system(rgb, alpha, trimap == 128)
    monkeypatch.setattr("cleancut.matting.band.laplacian._CHUNK", 100)
    in_pieces = system(rgb, alpha, trimap == 128)
    np.testing.assert_allclose(in_pieces.matrix.data, at_once.matrix.data, atol=1e-9)


@scipy
def test_it_is_the_exact_solution():
    from scipy.sparse.linalg import spsolve

    rgb, _, trimap = scene()
    given = system(rgb, trimap / 255, trimap == 128)
    exact = np.clip(spsolve(given.matrix.tocsc(), given.known), 0, 1)
    found = solution(rgb, trimap)
    assert found.residual <= TOLERANCE
    assert 0 < found.steps < 30
    assert np.abs(found.alpha[trimap == 128] - exact).max() < 0.003


@scipy
def test_strands_are_found():
    rgb, alpha, trimap = scene()
    assert np.abs(solve(rgb, trimap) - alpha)[trimap == 128].mean() < 0.02


@scipy
def test_two_flat_colours_are_told_apart():
    rgb = np.zeros((8, 12, 3), np.uint8)
    rgb[:, 6:] = 200
    trimap = np.full((8, 12), 128, np.uint8)
    trimap[:, :3], trimap[:, 9:] = 0, 255
    np.testing.assert_allclose(solve(rgb, trimap), np.repeat([[0.0] * 6 + [1.0] * 6], 8, axis=0), atol=0.03)


@scipy
def test_known_pixels_stay_and_alpha_is_in_range():
    rgb, _, trimap = scene()
    found = solve(rgb, trimap, alpha0=np.full(trimap.shape, 0.3, np.float32))
    assert found.dtype == np.float32
    assert found.min() >= 0
    assert found.max() <= 1
    np.testing.assert_array_equal(found[trimap != 128], (trimap == 255)[trimap != 128])


@scipy
def test_the_inverse_trimap_gives_the_inverse_alpha():
    rgb, _, trimap = scene()
    inverse = np.where(trimap == 128, trimap, 255 - trimap)
    np.testing.assert_allclose(solve(rgb, inverse), 1 - solve(rgb, trimap), atol=0.01)


@scipy
def test_a_good_start_saves_steps():
    rgb, _, trimap = scene()
    first = solution(rgb, trimap)
    assert solution(rgb, trimap, alpha0=first.alpha).steps < first.steps


@scipy
def test_the_limit_of_steps_ends_it_and_is_told():
    rgb, _, trimap = scene()
    found = solution(rgb, trimap, most_steps=2)
    assert found.steps == 2
    assert found.residual > TOLERANCE


@scipy
@pytest.mark.parametrize("shape", [(1, 2), (2, 2), (1, 40), (40, 1), (3, 3), (2, 500), (4, 4)])
@pytest.mark.parametrize("value", [0, 255])
def test_one_kind_of_known_pixel_is_the_answer_everywhere_in_any_shape(shape, value):
    trimap = np.full(shape, 128, np.uint8)
    trimap[0, 0] = value
    np.testing.assert_allclose(solve(np.full((*shape, 3), 90, np.uint8), trimap), value / 255, atol=0.02)


@scipy
def test_a_long_strip():
    rgb = noise(40, 1000)
    trimap = np.full((40, 1000), 128, np.uint8)
    trimap[:10], trimap[30:] = 0, 255
    found = solution(rgb, trimap)
    assert found.residual <= TOLERANCE
    assert np.isfinite(found.alpha).all()


@scipy
def test_a_piece_that_nothing_known_touches_keeps_its_start():
    rgb = noise(12, 12)
    unknown = np.ones((12, 12), bool)
    given = system(rgb, np.zeros((12, 12)), unknown)
    start = np.full(144, 0.3)
    found = descend(given, rgb, start, tolerance=1e-3, most_steps=50, width=12)
    assert found.steps == 0
    np.testing.assert_array_equal(found.values, start)


@pytest.mark.parametrize("value", [0, 255])
@pytest.mark.parametrize("shape", [(1, 1), (5, 7)])
def test_where_nothing_is_unknown_nothing_changes(shape, value):
    found = solution(noise(*shape), np.full(shape, value, np.uint8))
    np.testing.assert_array_equal(found.alpha, np.full(shape, value / 255, np.float32))
    assert (found.steps, found.residual) == (0, 0.0)


@pytest.mark.parametrize("shape", [(1, 1), (6, 9)])
def test_without_a_known_pixel_it_says_so(shape):
    with pytest.raises(BadInput, match="no known pixel"):
        solve(noise(*shape), np.full(shape, 128, np.uint8))


@scipy
def test_without_a_known_pixel_the_tiled_one_says_so():
    with pytest.raises(BadInput, match="no known pixel"):
        matted(Rows.of(noise(6, 9)), Rows.of(np.full((6, 9), 128, np.uint8))).whole()


def test_sizes_must_agree():
    with pytest.raises(BadInput, match="as large as the picture"):
        solve(noise(4, 5), np.zeros((5, 4), np.uint8))
    with pytest.raises(BadInput, match="as large as the picture"):
        solve(noise(4, 5), np.zeros((4, 5), np.uint8), alpha0=np.zeros((1, 1), np.float32))


def test_without_scipy_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    rgb, _, trimap = scene(6, 90)
    with pytest.raises(BadRecipe, match=r"cleancut\[matting\]"):
        solve(rgb, trimap)


@scipy
def test_tiles_come_near_the_whole(monkeypatch):
    rgb, alpha, trimap = scene(160, 200)
    unknown = trimap == 128
    whole = solve(rgb, trimap)
    monkeypatch.setattr(closed_form, "_TILE", 64)
    seen = []
    tiled = matted(Rows.of(rgb), Rows.of(trimap), watch=seen.append).whole()
    assert len(seen) == 6  # of twelve: the others hold nothing unknown
    error = np.abs(whole - alpha)[unknown].sum()
    assert np.abs(tiled - alpha)[unknown].sum() < 1.03 * error
    np.testing.assert_array_equal(tiled[~unknown], (trimap == 255)[~unknown])


@scipy
@pytest.mark.parametrize("pixels", [200, 200 * 9, 200 * 500])
def test_strips_make_no_difference(pixels, monkeypatch):
    rgb, _, trimap = scene(100, 200)
    monkeypatch.setattr(closed_form, "_TILE", 48)
    at_once = matted(Rows.of(rgb), Rows.of(trimap)).read(0, 100)
    monkeypatch.setattr("cleancut.raster.rows.STRIP_PIXELS", pixels)
    np.testing.assert_array_equal(matted(Rows.of(rgb), Rows.of(trimap)).whole(), at_once)


@scipy
def test_thin_strokes_are_seen_in_the_reduced_copy(monkeypatch):
    monkeypatch.setattr(closed_form, "_COARSE", 400)
    rgb = np.zeros((80, 80, 3), np.uint8)
    rgb[:, 40:] = 200
    trimap = np.full((80, 80), 128, np.uint8)
    trimap[:, 10:13], trimap[:, 66:69] = 0, 255
    found = matted(Rows.of(rgb), Rows.of(trimap)).whole()
    np.testing.assert_allclose(found, solve(rgb, trimap), atol=0.001)
    assert (found[:, 40] - found[:, 39]).min() > 0.7


@scipy
def test_nothing_is_read_before_it_is_asked_for():
    reads = []

    def read(top, bottom):
        reads.append((top, bottom))
        return np.zeros((bottom - top, 30), np.uint8)

    rows = matted(Rows.of(noise(20, 30)), Rows((20, 30), read))
    assert not reads
    assert not rows.whole().any()


@scipy
def test_a_start_of_the_callers_takes_the_place_of_the_reduced_copy():
    alpha = disc(60, 80, radius=20, softness=8)
    rgb = np.rint(200 * alpha[..., None] + 20 * (1 - alpha[..., None])).astype(np.uint8).repeat(3, axis=2)
    trimap = np.where(alpha == 1, 255, np.where(alpha == 0, 0, 128)).astype(np.uint8)
    found = matted(Rows.of(rgb), Rows.of(trimap), alpha0=Rows.of(alpha)).whole()
    assert np.abs(found - alpha).max() < 0.05


@scipy
def test_inside_a_pane_tiles_are_held_by_the_reduced_copy(monkeypatch):
    """The middle tiles know nothing by themselves: left is background, right foreground, and in between glass."""
    monkeypatch.setattr(closed_form, "_TILE", 64)
    monkeypatch.setattr(closed_form, "_MARGIN", 8)
    monkeypatch.setattr(closed_form, "_COARSE", 64 * 16)
    x = np.arange(256) / 255
    rgb = np.rint(40 + 160 * np.repeat(x[None], 64, axis=0))[..., None].repeat(3, axis=2).astype(np.uint8)
    trimap = np.full((64, 256), 128, np.uint8)
    trimap[:, :8], trimap[:, -8:] = 0, 255
    found = matted(Rows.of(rgb), Rows.of(trimap)).whole()
    assert np.abs(found - x).max() < 0.12
    assert np.abs(np.diff(found, axis=1)).max() < 0.05  # and the tiles' borders do not show
