import gc
import weakref
from dataclasses import replace

import numpy as np
import pytest

from cleancut.errors import BadRecipe, BadSetting, ModelFailed, NotDownloaded, Stopped
from cleancut.matting import recipe as recipes
from cleancut.matting.ensemble import asked
from cleancut.matting.pipeline import cut
from cleancut.matting.recipe import make
from cleancut.matting.stopwatch import Stopwatch
from cleancut.models.registry import registry
from cleancut.models.runtime import Loaded
from cleancut.types import Picture
from tests.stubs import disc

RGB = np.random.default_rng(1).integers(0, 256, (90, 120, 3), np.uint8)
NOISE = Picture(RGB, name="noise")
BOTH = make(model="one+two", refine="none", foreground="source")


def loading(**answers):
    """A `load` of several networks; an answer is a plane, the network's outputs by name, or what makes them."""

    def load(name):
        answer = answers[name]
        if isinstance(answer, Exception):
            raise answer

        def network(inputs):
            found = answer(inputs["image"]) if callable(answer) else answer
            return found if isinstance(found, dict) else {"alpha": np.asarray(found, np.float32)[None, None]}

        size = answer.shape[::-1] if isinstance(answer, np.ndarray) else (64, 64)
        table = registry()["cleancut-small"]
        model = replace(table, name=name, license=f"licence of {name}", input=replace(table.input, size=size))
        return Loaded(model, network, "stub", f"sha256 of {name}")

    return load


def ask(recipe, **answers):
    return asked(NOISE, recipe, loading(**answers), Stopwatch())


def plane(value, size=64):
    return np.full((size, size), value, np.float32)


def test_equally_sure_answers_are_averaged():
    found = ask(BOTH, one=disc(64, 0.3), two=disc(64, 0.2)).plane
    assert found[32, 32] == 1 and found[0, 0] == 0
    ring = found[32, 32 + 16]  # inside the first alone, both certain
    assert 0.4 < ring < 0.6


def test_the_surer_answer_counts_for_more():
    sure, unsure = disc(), disc()
    sure[:8, :8], unsure[:8, :8] = 0, 0.6
    assert ask(BOTH, one=sure, two=unsure).plane[4, 4] < 0.15  # the mean would be 0.3


def test_a_network_that_says_where_it_errs_counts_for_less_there():
    error = np.zeros((1, 1, 64, 64), np.float32)
    error[..., :32] = 0.3
    doubting = {"alpha": disc(64, 0.3)[None, None], "error": error}
    found = ask(BOTH, one=lambda image: doubting, two=disc(64, 0.2)).plane
    left, right = found[32, 16], found[32, 47]  # in the ring that the first alone sees
    assert left < 0.25 < right


def test_where_answers_differ_is_the_uncertainty():
    answer = ask(BOTH, one=disc(64, 0.3), two=disc(64, 0.2))
    error = answer.prediction.error
    assert error.shape == answer.plane.shape
    assert error[32, 48] == pytest.approx(0.5, abs=0.05)
    assert error[32, 32] == error[0, 0] == 0


def test_answers_that_agree_keep_their_confidence_and_others_lose_it():
    alike = ask(BOTH, one=disc(64, 0.3), two=disc(64, 0.3)).prediction
    apart = ask(BOTH, one=disc(64, 0.3), two=disc(64, 0.2)).prediction
    alone = ask(make(model="one", refine="none"), one=disc(64, 0.3)).prediction
    assert alike.confidence == pytest.approx(alone.confidence, abs=0.01)
    assert apart.confidence < alike.confidence - 0.1


@pytest.mark.parametrize("sizes", [(64, 33), (33, 64)])
def test_inputs_of_other_sizes_meet_on_the_finest_grid(sizes):
    answer = ask(BOTH, one=disc(sizes[0]), two=disc(sizes[1]))
    assert answer.plane.shape == (64, 64)
    assert np.abs(answer.plane - disc(64)).mean() < 0.02


def test_padding_is_left_out():
    """A letterbox of 64 × 64 shows 4 : 3 on 48 rows; what it says of its padding is not of the picture."""
    load = loading(one=disc(64), two=plane(1))

    def letterboxed(name):
        loaded = load(name)
        given = replace(loaded.model.input, fit="letterbox")
        return replace(loaded, model=replace(loaded.model, input=given))

    answer = asked(NOISE, BOTH, letterboxed, Stopwatch())
    assert answer.plane.shape == (48, 64)
    assert answer.fit.box == (0, 0, 64, 48)


def test_a_model_that_finds_nothing_does_not_make_a_subject_half_transparent():
    answer = ask(BOTH, one=disc(), two=plane(0.0))
    assert answer.plane[32, 32] == 1
    assert answer.prediction.subject
    assert answer.prediction.notes == ("two found no subject, so it does not count.",)


def test_nothing_is_found_where_no_model_finds_anything():
    answer = ask(BOTH, one=plane(0.1), two=plane(0.0))
    assert not answer.prediction.subject
    assert answer.prediction.notes == ()
    cutout = cut(NOISE, BOTH, load=loading(one=plane(0.1), two=plane(0.0)))
    assert not cutout.rgba().any()


def test_the_report_tells_of_each_model():
    report = cut(NOISE, BOTH, load=loading(one=disc(), two=disc(64, 0.25))).report
    assert (report.model, report.sha256, report.provider) == ("one+two", "sha256 of one+sha256 of two", "stub+stub")
    assert [(ran.model, ran.license) for ran in report.models] == [("one", "licence of one"), ("two", "licence of two")]
    assert all(ran.ms >= 0 and ran.confidence > 0.9 for ran in report.models)


def test_one_model_is_told_of_in_the_same_way():
    report = cut(NOISE, make(model="one", refine="none"), load=loading(one=disc())).report
    assert [(ran.model, ran.confidence) for ran in report.models] == [("one", report.confidence)]


def test_networks_are_not_held_together():
    alive, load = [], loading(one=disc(), two=disc())

    def watched(name):
        gc.collect()
        assert not [one for one in alive if one() is not None]
        loaded = load(name)
        alive.append(weakref.ref(loaded.network))
        return loaded

    cut(NOISE, BOTH, load=watched)
    assert len(alive) == 2


def test_work_can_be_ended_between_models():
    checks, seen = [], []

    def check():
        checks.append(1)
        if seen:
            raise Stopped("The caller left.")

    load = loading(one=lambda image: seen.append(1) or disc(), two=disc())
    with pytest.raises(Stopped):
        cut(NOISE, BOTH, load=load, check=check)
    assert seen == [1]


def test_a_failure_names_its_model():
    broken = np.full((64, 64), np.nan, np.float32)
    with pytest.raises(ModelFailed, match="network of two answered with numbers that are not finite"):
        cut(NOISE, BOTH, load=loading(one=disc(), two=broken))
    absent = NotDownloaded("The weights of two are not on this machine.")
    with pytest.raises(NotDownloaded, match="two"):
        cut(NOISE, BOTH, load=loading(one=disc(), two=absent))
    with pytest.raises(BadRecipe, match="one has no layer 'hat'"):
        cut(NOISE, make(model="one+two", layer="hat"), load=loading(one=disc(), two=disc()))


def test_what_is_computed_at_full_size_cannot_be_averaged():
    with pytest.raises(BadRecipe, match="key is a keying model, whose answer cannot be averaged"):
        cut(NOISE, make(model="cleancut-small+key"))
    with pytest.raises(BadRecipe, match="key is a keying model, which cannot be asked about several views"):
        cut(NOISE, make(model="key", tta="flip"))


@pytest.mark.parametrize("name", ["one+", "+one", "one++two", "one+one", "a+b+c+d+e+f"])
def test_names_that_are_none_say_so(name):
    with pytest.raises(BadSetting, match="Name up to 5 different models, such as"):
        make(model=name)


def test_settings_of_each_member_are_completed():
    assert make(model="cleancut-small+grabcut:1,2,3,4").model == "cleancut-small+grabcut:box=1,2,3,4"


def test_recipes_with_models_and_views_cross_a_wire():
    recipe = make(model="one+two", tta="flip,scale")
    assert recipes.from_json(recipes.to_json(recipe)) == recipe
    digests = {recipes.digest(make(model="one+two", tta=tta)) for tta in (None, "flip", "scale", "flip,scale")}
    assert len(digests) == 4
    with pytest.raises(BadSetting, match="tta must be one of flip, scale, flip,scale"):
        make(tta="rotate")


def test_a_network_that_leans_to_one_side_is_set_right_by_mirroring():
    """It sees every subject four pixels too far right, whichever way round the picture is."""
    leaning = np.roll(disc(), 4, axis=1)
    found = ask(make(model="one", tta="flip"), one=leaning)
    assert np.abs(found.plane - found.plane[:, ::-1]).max() < 1e-5
    assert found.prediction.error.max() > 0.4


def test_a_closer_look_shows_the_subject_larger():
    shown = []

    def network(image):
        shown.append(image)
        return disc(64, 0.2) if len(shown) == 1 else disc(64, 0.4)

    found = ask(make(model="one", tta="scale"), one=network)
    assert len(shown) == 2
    assert not np.array_equal(*shown)
    assert found.prediction.error[0, 0] == 0
    assert np.abs(found.plane - disc(64, 0.2)).mean() < 0.02  # 0.2 of the whole is 0.4 × ½ of the part


def test_views_are_averaged_before_models():
    """Two views of one model count no more than the one of another."""
    shown = []

    def mirrored(image):
        shown.append(image)
        return disc(64, 0.3)

    answer = asked(NOISE, make(model="one+two", tta="flip"), loading(one=mirrored, two=disc(64, 0.2)), Stopwatch())
    assert len(shown) == 2
    assert answer.plane[32, 48] == pytest.approx(0.5, abs=0.05)


def test_real_networks_agree_with_themselves():
    from cleancut.apps.scene import scene
    from cleancut.matting.metrics import iou

    drawn = scene(240, 300, seed=5)
    plain = cut(drawn.photo, make(refine="none")).alpha
    looked = cut(drawn.photo, make(refine="none", tta="flip,scale"))
    assert iou(looked.alpha, drawn.alpha) > 0.9
    assert iou(looked.alpha, plain) > 0.9
    assert len(looked.report.models) == 1


def test_every_model_of_a_recipe_is_named():
    recipe = make(model="u2netp+grabcut:box=1,2,3,4", refine=["vitmatte-base", "feather"])
    assert recipes.models(recipe) == ("u2netp", "grabcut", "vitmatte-base-distinctions-646")
