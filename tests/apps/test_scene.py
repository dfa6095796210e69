import numpy as np

from cleancut.apps.scene import scene


def test_the_photo_is_the_subject_over_the_background():
    drawn = scene(160, 200, seed=3)
    alpha = drawn.alpha[..., None]
    expected = drawn.foreground * alpha + drawn.background * (1 - alpha)
    error = drawn.photo.rgb - expected
    assert abs(error.mean()) < 0.3
    assert 1 < error.std() < 2  # the camera's noise and nothing else


def test_a_seed_is_a_scene():
    assert (scene(80, 100, seed=1).photo.rgb == scene(80, 100, seed=1).photo.rgb).all()
    assert (scene(80, 100, seed=1).photo.rgb != scene(80, 100, seed=2).photo.rgb).any()


def test_alpha_has_soft_edges_and_solid_parts():
    alpha = scene(160, 200).alpha
    assert (alpha.min(), alpha.max()) == (0, 1)
    assert 0.05 < np.mean(alpha == 1) < 0.5
    assert np.mean((alpha > 0) & (alpha < 1)) > 0.01
