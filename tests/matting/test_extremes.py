"""Pictures and alphas at the end of their range, through every refinement that looks at the picture."""

import numpy as np
import pytest

from cleancut.errors import BadInput, ModelFailed
from cleancut.matting.pipeline import cut
from cleancut.types import AUTO, Picture, Recipe, Step, Stroke
from tests.stubs import disc, loading

STEPS = {"auto": AUTO, "guided": (Step("guided", (("radius", 0.0),)),), "matting": (Step("matting"),),
         "detail": (Step("detail"),)}  # fmt: skip
STROKES = (Stroke(((0.2, 0.5), (0.8, 0.5)), 0.01), Stroke(((0.5, 0.1),), 0.01, keep=False))


@pytest.fixture(params=STEPS)
def refine(request):
    if request.param == "matting":
        pytest.importorskip("scipy", reason="closed-form matting needs scipy")
    return STEPS[request.param]


def made(size, answer, refine, **recipe):
    photo = Picture(np.random.default_rng(6).integers(0, 256, (*size, 3), dtype=np.uint8))
    return cut(photo, Recipe("stub", refine=refine, no_subject="keep", **recipe), load=small_or_stub(answer))


def small_or_stub(answer):
    """The stub for the model that finds the subject; what `auto` may ask besides is the engine's."""
    from cleancut.models.runtime import engine

    stub = loading(answer)
    return lambda name: stub(name) if name == "stub" else engine().load(name)


@pytest.mark.parametrize("strokes", [(), STROKES])
@pytest.mark.parametrize("size", [(1, 1), (1, 9), (9, 1)])
def test_the_smallest_are_refined(size, refine, strokes):
    cutout = made(size, bar(), refine, strokes=strokes, opaque=bool(strokes))
    if refine == STEPS["matting"] and not np.isin(cutout.trimap, (0, 255)).any():
        with pytest.raises(BadInput, match="no known pixel"):
            cutout.alpha  # noqa: B018 - computed when asked
        return
    check(cutout.alpha, size)


def test_a_long_strip_is_refined(refine):
    size = (4, 3_000) if refine == STEPS["matting"] else (40, 30_000)  # of the latter it takes 12 s
    check(made(size, bar(), refine, strokes=STROKES).alpha, size)


def bar():
    answer = np.zeros((32, 32), np.float32)
    answer[8:24, 15:17] = 1
    return answer


def check(alpha, size):
    assert alpha.shape == size
    assert np.isfinite(alpha).all() and alpha.min() >= 0 and alpha.max() <= 1


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_an_alpha_without_an_edge_stays(value, refine):
    found = made((60, 80), np.full((32, 32), value, np.float32), refine)
    assert np.abs(found.alpha - value).max() < 1e-6
    assert (found.trimap == 255 * value).all()


def test_an_alpha_that_is_all_unknown_is_an_alpha(refine):
    if refine == STEPS["matting"]:
        pytest.skip("says that no pixel is known; see test_nothing_known_is_said")
    alpha = made((60, 80), np.full((32, 32), 0.5, np.float32), refine).alpha
    assert np.isfinite(alpha).all()


def test_nothing_known_is_said():
    pytest.importorskip("scipy", reason="closed-form matting needs scipy")
    with pytest.raises(BadInput, match="no known pixel"):
        made((60, 80), np.full((32, 32), 0.5, np.float32), STEPS["matting"]).alpha  # noqa: B018 - computed when asked


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_not_finite_are_the_models_fault(value, refine):
    answer = disc(32)
    answer[3, 4] = value
    with pytest.raises(ModelFailed, match="not finite"):
        made((60, 80), answer, refine, strokes=STROKES)
