"""Cutouts corrected over the whole road: a network that lost a part, and one that took too much."""

import io
import json
from dataclasses import replace

import numpy as np
import pytest

import cleancut
from cleancut.errors import BadInput, BadRecipe, BadSetting, Stopped
from cleancut.matting.metrics import iou
from cleancut.matting.pipeline import cut
from cleancut.matting.recipe import from_json
from cleancut.matting.remove import remove
from cleancut.matting.scribbles import heed, walk
from cleancut.matting.scribbles.retouch import Retouch, refine
from cleancut.matting.write import encoded, provenance_of
from cleancut.types import Picture, Recipe, Step, Stroke
from tests.matting.drawn import cutout as handmade
from tests.stubs import loading

HEIGHT, WIDTH = 225, 300


@pytest.fixture(autouse=True)
def _smaller(monkeypatch):
    monkeypatch.setattr(walk, "_PATCHES", 300)
    monkeypatch.setattr(heed, "SIDE", 256)


Y, X = np.mgrid[:HEIGHT, :WIDTH]
BODY = np.hypot(Y - 125, X - 90) < 65
PART = (np.abs(Y - 65) < 18) & (X > 120) & (X < 260)
WHOLE = BODY | PART
RGB = np.where(PART[..., None], (60, 150, 70), (90, 110, 160))
RGB = np.where(BODY[..., None], (180, 60, 50), RGB)
RGB = (RGB + np.random.default_rng(5).normal(0, 4, RGB.shape)).clip(0, 255).astype(np.uint8)
PHOTO = Picture(RGB)
KEEP = "keep:0.012:0.55,0.29:0.8,0.29"
REMOVE = "remove:0.012:0.55,0.29:0.8,0.29"


def small(mask, size=48):
    """What a network that sees (size, size) would say."""
    return mask[(np.arange(size) * HEIGHT) // size][:, (np.arange(size) * WIDTH) // size].astype(np.float32)


def made(mask, **recipe):
    given = {"model": "stub", "refine": (), "foreground": "source", **recipe}
    return cut(PHOTO, Recipe(**given), load=loading(small(mask)))


def truth(mask):
    return mask.astype(np.float32)


def line(value=True):
    mask = np.zeros((HEIGHT, WIDTH), bool)
    mask[63:68, 165:240] = value
    return mask


def test_a_lost_part_comes_back():
    before = made(BODY)
    after = refine(before, strokes=[KEEP])
    assert iou(before.alpha, truth(WHOLE)) < 0.85
    assert iou(after.alpha, truth(WHOLE)) > 0.93
    assert after.report.refine == ("marks (1)",)
    assert after.report.box[2] > 250 > before.report.box[2]


def test_what_is_too_much_goes():
    after = refine(made(WHOLE), strokes=[REMOVE])
    assert iou(after.alpha, truth(BODY)) > 0.9
    assert after.alpha[PART & ~BODY & (X > 165)].max() < 0.02
    assert (after.rgba()[65, 225] == 0).all()


def test_matting_takes_marks_for_known():
    pytest.importorskip("scipy", reason="closed-form matting needs scipy")
    unknown = np.full((48, 48), 0.5, np.float32)
    first = cut(PHOTO, Recipe("stub", refine=(Step("matting"),), no_subject="keep"), load=loading(unknown))
    with pytest.raises(BadInput, match="no known pixel"):
        first.alpha  # noqa: B018 - computed when asked
    after = refine(first, strokes=["keep:0.02:0.3,0.35:0.3,0.75", KEEP, "remove:0.02:0.05,0.05:0.95,0.05:0.95,0.95"])
    assert iou(after.alpha, truth(WHOLE)) > 0.9


@pytest.mark.parametrize("steps", [(Step("guided", (("radius", 0.0),)),), (Step("matting"),)])
def test_the_edge_is_refined_at_full_size(steps):
    if steps[0].name == "matting":
        pytest.importorskip("scipy", reason="closed-form matting needs scipy")
    coarse, fine = (refine(made(BODY, refine=how), strokes=[KEEP]) for how in ((), steps))
    part = np.s_[40:90, 175:280]
    errors = [np.abs(one.alpha[part] - truth(WHOLE)[part]).mean() for one in (coarse, fine)]
    assert errors[1] < 0.7 * errors[0]


def test_masks_do_what_strokes_do_and_are_certain():
    odd = line() | ((Y > 215) & (X > 290))
    after = refine(made(BODY), keep=odd)
    assert iou(after.alpha, truth(WHOLE)) > 0.9
    assert (after.alpha[odd] == 1).all()
    assert (refine(made(WHOLE), remove=odd.astype(np.uint8)).alpha[odd] == 0).all()


def test_a_mask_of_the_previews_size_is_taken():
    retouch = Retouch(made(BODY))
    width, height = retouch.size
    mask = np.zeros((height, width), bool)
    mask[54:57, 145:200] = True
    assert iou(refine(made(BODY), keep=mask).alpha, truth(WHOLE)) > 0.9


def test_corrections_add_up_and_later_ones_win():
    once = refine(made(BODY), strokes=[KEEP])
    twice = refine(once, strokes=[REMOVE])
    assert len(twice.recipe.strokes) == 2
    assert iou(twice.alpha, truth(BODY)) > 0.9
    assert np.array_equal(twice.alpha, refine(made(BODY), strokes=[KEEP, REMOVE]).alpha)


def test_strokes_in_a_recipe_are_the_same_and_replay():
    after = refine(made(BODY), strokes=[KEEP])
    again = made(BODY, strokes=after.recipe.strokes)
    assert np.array_equal(after.rgba(), again.rgba())
    noted = from_json(provenance_of(encoded(after))["recipe"])
    assert noted.strokes == after.recipe.strokes == (Stroke(((0.55, 0.29), (0.8, 0.29)), 0.012),)


def test_the_most_strokes_still_fit_beside_the_pixels():
    strokes = [Stroke(tuple((0.12345, 0.98765) for _ in range(8)), 0.01234, keep=False)] * 500
    after = made(BODY, strokes=tuple(strokes))
    assert len(provenance_of(encoded(after))["recipe"]["strokes"]) == 500


def test_a_result_of_masks_does_not_claim_that_it_can_be_made_again():
    with pytest.raises(BadInput, match="does not say how it was made"):
        provenance_of(encoded(refine(made(BODY), keep=line())))


def test_nothing_is_asked_of_the_model_again():
    asked = []
    first = cut(PHOTO, Recipe("stub", refine=()), load=loading(small(BODY), asked=asked))
    refine(refine(first, strokes=[KEEP]), strokes=[REMOVE]).rgba()
    Retouch(first).stroke(KEEP)
    assert len(asked) == 1


def test_a_deadline_of_the_first_cut_does_not_end_a_later_correction():
    over = []

    def check():
        if over:
            raise Stopped("Time is up.")

    first = cut(PHOTO, Recipe("stub", refine=()), load=loading(small(BODY)), check=check)
    over.append(True)
    assert refine(first, strokes=[KEEP]).alpha[65, 225] == 1


def test_effects_see_the_corrected_subject():
    before = made(BODY, effects=(Step("trim", (("margin", "0px"),)),))
    after = refine(before, strokes=[KEEP])
    assert after.size[0] > before.size[0] + 75
    assert (refine(made(BODY).over("white"), strokes=[KEEP]).rgba()[..., 3] == 255).all()


def test_a_subject_can_be_given_where_none_was_found():
    nothing = made(np.zeros_like(BODY))
    assert nothing.report.notes == ("No subject was found.",)
    after = refine(nothing, strokes=["keep:0.02:0.3,0.4:0.3,0.7", KEEP])
    assert iou(after.alpha, truth(WHOLE)) > 0.9
    assert "taken for it" in " ".join(after.report.notes)
    assert refine(nothing, strokes=[REMOVE]).report.notes == ("No subject was found.",)


def test_everything_can_be_taken_away():
    after = refine(made(np.ones_like(BODY)), remove=np.ones((HEIGHT, WIDTH), bool))
    assert not after.rgba().any()
    assert after.box is None


def test_a_keyed_alpha_of_full_size_is_corrected_too():
    flat = np.full((200, 300, 3), 255, np.uint8)
    flat[60:140, 40:120] = (200, 30, 30)
    flat[60:140, 180:260] = (30, 30, 200)
    keyed = cut(Picture(flat), Recipe("key", refine=()))
    after = refine(keyed, strokes=["remove:0.02:0.7,0.4:0.75,0.6"])
    assert keyed.alpha[100, 220] > 0.99 and keyed.alpha[100, 80] > 0.99
    assert after.alpha[65:135, 185:255].max() < 0.05
    assert np.array_equal(after.alpha[:, :100], keyed.alpha[:, :100])


def test_what_the_source_does_not_show_cannot_be_kept():
    own = np.full((HEIGHT, WIDTH), 255, np.uint8)
    own[:, 200:] = 0
    first = cut(replace(PHOTO, alpha=own), Recipe("stub", refine=()), load=loading(small(BODY)))
    assert not refine(first, strokes=[KEEP]).alpha[:, 200:].any()
    assert not Retouch(first).stroke(KEEP)[:, 175:].any()


def test_the_trimap_heeds_marks():
    after = refine(made(BODY), keep=line(), remove=(Y > 215) & (X > 290))
    assert (after.trimap[line()] == 255).all()
    assert (after.trimap[217:, 292:] == 0).all()
    assert set(np.unique(after.trimap)) == {0, 128, 255}


def test_an_expected_error_does_not_undo_a_mark():
    def load(name):
        loaded = loading(small(BODY))(name)
        doubt = small(PART)[None, None]
        return replace(loaded, network=lambda given: {**loaded.network(given), "error": doubt})

    before = cut(PHOTO, Recipe("stub", refine=(), no_subject="keep"), load=load)
    after = refine(before, strokes=[KEEP])
    inside = np.s_[63:67, 200:230]
    assert (before.trimap[inside] == 128).all()
    assert (after.trimap[inside] == 255).all()


def test_a_preview_shows_each_stroke_and_takes_it_back():
    retouch = Retouch(made(WHOLE))
    assert retouch.size == (256, 192) and retouch.preview.shape == (192, 256, 3)
    before = retouch.alpha
    after = retouch.stroke(REMOVE)
    assert after.shape == (192, 256) and after.dtype == np.float32
    assert before[55, 190] == 1 and after[55, 190] == 0
    assert np.array_equal(retouch.undo(), before)
    assert np.array_equal(retouch.undo(), before)


def test_the_full_picture_is_what_the_preview_promised():
    retouch = Retouch(made(BODY))
    retouch.stroke(KEEP)
    shown = retouch.stroke(remove=(Y > 200) & (X > 275))
    full = retouch.finish()
    rows, columns = (np.arange(192) * HEIGHT) // 192, (np.arange(256) * WIDTH) // 256
    assert np.abs(full.alpha[rows][:, columns] - shown).mean() < 0.02
    assert Retouch(made(BODY)).finish().recipe.strokes == ()


def test_a_preview_begins_with_the_marks_there_are():
    once = refine(made(BODY), strokes=[KEEP])
    again, both = Retouch(once), Retouch(made(BODY))
    assert np.array_equal(again.alpha, both.stroke(KEEP))
    again.stroke("remove:0.02:0.2,0.6")
    assert len(again.finish().recipe.strokes) == 2


def test_a_small_picture_is_its_own_preview():
    tiny = cut(Picture(RGB[:60, :80]), Recipe("stub", refine=()), load=loading(small(BODY)))
    assert Retouch(tiny).size == (80, 60)


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (40, 30000)])
def test_any_picture_can_be_corrected(size):
    photo = Picture(np.full((*size, 3), 90, np.uint8))
    first = cut(photo, Recipe("stub", refine=(), no_subject="keep"), load=loading(np.zeros((8, 8))))
    assert first.rgba().shape == (*size, 4)
    after = refine(first, strokes=["keep:0.01:0.5,0.5"])
    assert after.alpha.max() == 1
    assert Retouch(first).stroke("keep:0.01:0.5,0.5").max() == 1


@pytest.mark.parametrize(
    ("given", "error", "said"),
    [
        ({}, BadInput, "Mark what"),
        ({"keep": np.ones((3, 4), bool)}, BadInput, "must be 300 × 225 or 256 × 192 pixels, not 4 × 3"),
        ({"keep": line(), "remove": line()}, BadInput, "375 pixels are marked both"),
        ({"strokes": ["keep:2:0.5,0.5"]}, BadSetting, "radius"),
        ({"strokes": [KEEP] * 501}, BadRecipe, "500 are the most"),
    ],
)
def test_what_cannot_be_meant_is_one_sentence_and_changes_nothing(given, error, said):
    first = made(BODY)
    with pytest.raises(error, match=said):
        refine(first, **given)
    retouch = Retouch(first)
    before = retouch.alpha
    with pytest.raises(error, match=said):
        retouch.stroke(*given.get("strokes", ()), **{k: v for k, v in given.items() if k != "strokes"})
    assert np.array_equal(retouch.alpha, before)


def test_strokes_of_several_corrections_are_counted_together():
    retouch = Retouch(made(BODY))
    retouch.stroke(*[KEEP] * 500)
    with pytest.raises(BadRecipe, match="500 are the most"):
        retouch.stroke(KEEP)


def test_only_what_was_cut_can_be_corrected():
    for work in (Retouch, lambda made: refine(made, strokes=[KEEP])):
        with pytest.raises(BadInput, match="cut the picture first"):
            work(handmade())


def test_remove_takes_strokes():
    done = remove(RGB, load=loading(small(BODY)), model="u2netp", refine="none", strokes=[KEEP])
    assert done[65, 225, 3] == 255
    assert cleancut.refine is refine and cleancut.Retouch is Retouch


def test_a_report_is_plain_data():
    after = refine(made(BODY), strokes=[KEEP])
    stream = io.StringIO()
    json.dump(after.report.refine, stream)
    assert "marks (1)" in stream.getvalue()
