"""Refinements that look at the picture, over the whole road: a network that is off, and edges that are right."""

import re

import numpy as np
import pytest

from cleancut.errors import BadRecipe
from cleancut.matting.edges import CLOSEUP
from cleancut.matting.look import Look
from cleancut.matting.metrics import mae
from cleancut.matting.pipeline import cut
from cleancut.models.runtime import engine
from cleancut.raster.resample import Fit
from cleancut.types import Picture, Recipe, Step
from tests.stubs import disc, loading

SIZE = 480
RIGHT = disc(SIZE, 0.3)
PHOTO = Picture(
    np.rint(RIGHT[..., None] * np.array([200, 80, 40.0]) + (1 - RIGHT[..., None]) * np.array([30, 60, 90.0])).astype(
        np.uint8
    )
)


WIDE = np.clip((disc(64, 0.3) + sum(np.roll(disc(64, 0.3), n, axis) for n in (-3, 3) for axis in (0, 1))) / 5, 0, 1)
"""What a network says that is in doubt about where the edge runs."""


def alpha(refine, answer=None):
    answer = disc(64, 0.3) if answer is None else answer
    recipe = Recipe("stub", refine=refine, foreground="source")
    return cut(PHOTO, recipe, load=loading(answer))


def looked_closer(refine, budget=128, answer=None):
    """As `alpha`, with the network that ships for looking from close up."""
    stub = loading(disc(64, 0.3) if answer is None else answer)
    recipe = Recipe("stub", refine=refine, foreground="source", budget=budget)
    return cut(PHOTO, recipe, load=lambda name: stub(name) if name == "stub" else engine().load(name))


ALL, WIDELY = (Step("detail", (("edges", edges), ("model", CLOSEUP))) for edges in ("all", "wide"))


def guided(radius=0.0):
    return Step("guided", (("radius", radius),))


@pytest.mark.parametrize("step", [guided(), Step("matting")])
def test_the_edge_follows_the_picture(step):
    if step.name == "matting":
        pytest.importorskip("scipy", reason="closed-form matting needs scipy")
    coarse = mae(alpha(()).alpha, RIGHT)
    assert mae(alpha((step,)).alpha, RIGHT) < 0.35 * coarse


def test_what_ran_is_told():
    assert alpha((guided(40.0),)).report.refine == ("guided:radius=40",)
    assert alpha((guided(),)).report.refine == ("guided:radius=0 (30 px)",)


@pytest.mark.parametrize("step", [ALL, WIDELY])
def test_looking_from_close_up_finds_the_edge_and_says_how_often_it_looked(step):
    found = looked_closer((step,), answer=WIDE)
    assert mae(found.alpha, RIGHT) < 0.35 * mae(alpha((), WIDE).alpha, RIGHT)
    assert re.fullmatch(r"detail:edges=(all|wide),model=cleancut-closeup \(\d+ tiles\)", found.report.refine[0])
    assert [one.model for one in found.report.models] == ["stub", CLOSEUP]


def test_the_budget_of_tiles_holds_and_what_it_left_out_is_told():
    found = looked_closer((ALL,), budget=2, answer=WIDE)
    assert re.fullmatch(r"detail.* \(2 of \d+ tiles\)", found.report.refine[0])
    nothing = looked_closer((ALL,), budget=0, answer=WIDE)
    assert re.fullmatch(r"detail.* \(0 of \d+ tiles\)", nothing.report.refine[0])
    assert [one.model for one in nothing.report.models] == ["stub"]


@pytest.mark.parametrize("answer", [np.ones((64, 64), np.float32), disc(64, 0.3)], ids=["no edge", "a hard edge"])
def test_without_a_wide_edge_no_network_is_asked(answer):
    found = looked_closer((WIDELY,), answer=answer)
    assert found.report.refine == ("detail:edges=wide,model=cleancut-closeup (0 tiles)",)
    assert len(found.report.models) == 1


def test_what_is_far_from_the_edge_stays_bit_for_bit():
    before, after = alpha(()).alpha, alpha((guided(),)).alpha
    far = np.hypot(*(np.indices((SIZE, SIZE)) - SIZE / 2)) < 0.15 * SIZE
    assert np.array_equal(before[far], after[far])


def test_a_refinement_sees_what_the_one_before_made():
    hard = alpha((Step("threshold", (("at", 0.5),)), guided())).alpha
    assert mae(hard, RIGHT) < mae(alpha((Step("threshold", (("at", 0.5),)),)).alpha, RIGHT)


def test_matting_without_scipy_says_what_to_install(monkeypatch):
    import importlib.util

    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *a: None if name == "scipy" else found(name, *a))
    with pytest.raises(BadRecipe, match=r"cleancut\[matting\]"):
        alpha((Step("matting"),)).alpha  # noqa: B018 - alpha is computed when it is asked for


def look(**more):
    plane = disc(64, 0.3)
    fit = Fit.stretch(PHOTO.size, (64, 64), "bicubic")
    return Look(PHOTO, fit, plane, fit.enlarge(plane), loading(plane), **more)


def test_the_scale_is_that_of_the_longer_way():
    assert look().scale == SIZE / 64
    assert look(sharp=True).scale == 1


def test_the_coarse_alpha_is_the_networks_own_until_a_step_changed_it():
    seen = look()
    assert seen.coarse(seen.first)[0] is seen.plane
    halved, fit = seen.coarse(seen.first.map(lambda a: a / 2))
    assert halved.shape == (64, 64)
    assert fit.source == PHOTO.size
    assert np.abs(halved - seen.plane / 2).mean() < 0.01


def test_an_expected_error_widens_the_band():
    from cleancut.matting.edges import marked

    doubt = np.zeros((32, 32), np.float32)
    doubt[:8] = 0.9
    sure, unsure = look(), look(error=doubt)
    assert (marked(sure.first, sure).whole()[: SIZE // 8] == 128).mean() < 0.1
    assert (marked(unsure.first, unsure).whole()[: SIZE // 8] == 128).mean() > 0.9


@pytest.mark.parametrize("value", [0.0, 1.0])
@pytest.mark.parametrize("step", [guided(), Step("matting")])
def test_an_alpha_without_an_edge_is_left_alone(value, step):
    if step.name == "matting":
        pytest.importorskip("scipy", reason="closed-form matting needs scipy")
    plane = np.full((64, 64), value, np.float32)
    before, after = (
        cut(PHOTO, Recipe("stub", refine=steps, no_subject="keep"), load=loading(plane)).alpha
        for steps in ((), (step,))
    )
    assert np.abs(after - before).max() < 1e-6
