import numpy as np

from cleancut.raster.patches import Patches


def noise(height=50, width=70, count=3):
    return np.random.default_rng(4).random((height, width, count), np.float32)


def test_shares_add_up_and_constants_stay():
    patches = Patches.of(noise(), 8)
    assert patches.grid == (7, 9)
    assert np.abs(patches.share.sum(axis=3) - 1).max() < 1e-5
    flat = np.full((50, 70, 1), 0.3, np.float32)
    assert np.abs(patches.means(flat) - 0.3).max() < 1e-5
    assert np.abs(patches.spread(np.full((7, 9), 0.3)) - 0.3).max() < 1e-5


def test_patches_follow_an_edge_that_no_cell_has():
    y, x = np.mgrid[:60, :80]
    disc = (np.hypot(y - 31, x - 37) < 19).astype(np.float32)[..., None]
    patches = Patches.of(disc, 10)
    back = patches.spread(patches.means(disc)[..., 0])
    assert np.abs(back - disc[..., 0]).mean() < 0.01


def test_sums_are_those_of_means():
    patches, planes = Patches.of(noise(48, 64), 8), noise(48, 64, 2)
    everywhere = np.ones((48, 64), bool)
    sums = patches.sums(everywhere, planes.reshape(-1, 2))
    assert np.allclose(sums / patches.areas[:, None], patches.means(planes).reshape(-1, 2), atol=1e-4)
    one = np.zeros((48, 64), bool)
    one[20, 30] = True
    assert abs(patches.sums(one, np.ones((1, 1))).sum() - 1) < 1e-5


def test_contacts_are_borders():
    halves = np.zeros((16, 16, 1), np.float32)
    halves[:, 8:] = 1
    first, second, length = Patches.of(halves, 8).contacts()
    assert list(zip(first.tolist(), second.tolist(), strict=True)) == [(0, 1), (0, 2), (1, 3), (2, 3)]
    assert np.allclose(length, 1, atol=0.2)


def test_one_pixel_is_a_patch():
    patches = Patches.of(np.zeros((1, 1, 3), np.float32), 3)
    assert patches.grid == (1, 1)
    assert len(patches.contacts()[0]) == 0
    assert patches.spread(np.ones((1, 1))).tolist() == [[1.0]]
