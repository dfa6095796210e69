"""Proofs: small, and yet what will be written. tests/apps/server/test_edits.py has what a service shows of them."""

import numpy as np
import pytest

import cleancut
from cleancut.apps.scene import scene
from cleancut.errors import BadInput, TooBig
from cleancut.matting.edges import refinements
from cleancut.matting.effects import effects
from cleancut.matting.proof import SIDE, Proof, asking, question, scaled
from cleancut.matting.recipe import make, to_json
from cleancut.types import Picture, Recipe
from tests.stubs import disc, loading

STROKES = ["keep:0.05:0.1,0.1:0.3,0.15", "remove:0.04:0.5,0.5"]


def proved(picture, recipe=None, load=None):
    return Proof(cleancut.cut(picture, asking(recipe or Recipe()), load=load or loading(disc())))


@pytest.fixture(scope="module")
def photo():
    return scene(1600, 1200).photo


@pytest.fixture(scope="module")
def proof(photo):
    return proved(photo)


def settings(recipe, name="effects"):
    return {key: value for step in getattr(recipe, name) for key, value in step.settings}


def test_pixels_are_scaled_and_percents_are_not():
    recipe = scaled(make(effects="shadow:distance=40px,blur=3%,angle=10", refine="feather:radius=8"), 0.25)
    assert (settings(recipe)["distance"], settings(recipe)["blur"], settings(recipe)["angle"]) == ("10px", "3%", 10.0)
    assert settings(recipe, "refine") == {"radius": 2.0}


@pytest.mark.parametrize(("area", "seen"), [("1600px", "100px"), ("5px", "0.3125px"), ("2%", "2%")])
def test_an_area_is_scaled_twice(area, seen):
    assert settings(scaled(make(refine=f"specks:area={area}"), 0.25), "refine")["area"] == seen


@pytest.mark.parametrize(("width", "seen"), [(40, 10), (1, 1), (3, 1), (6, 2)])
def test_a_line_stays_a_line(width, seen):
    assert settings(scaled(make(effects=f"outline:width={width}"), 0.25))["width"] == seen


def test_what_chooses_for_itself_goes_on_to():
    assert settings(scaled(make(refine="guided"), 0.25), "refine") == {"radius": 0.0}
    assert settings(scaled(make(refine="guided:radius=1"), 0.25), "refine") == {"radius": 0.25}


@pytest.mark.parametrize("scale", [1.0, 0.3, 0.011])
@pytest.mark.parametrize("name", ["effects", "refine"])
def test_every_step_can_be_scaled(name, scale):
    catalogue = {"effects": effects, "refine": refinements}[name]
    for entry in catalogue:
        needed = {s.name: "1" for s in entry.settings.values() if s.default is None}
        needed |= {"model": "vitmatte"} if entry.name == "trimap" else {}
        recipe = make(**{name: [{"name": entry.name, **needed}]})
        small = scaled(recipe, scale)
        make(**{name: to_json(small)[name]})  # it fits what the settings may be
        assert scale < 1 or getattr(small, name) == getattr(recipe, name)


def test_questions_are_the_same_where_the_model_is_asked_the_same():
    recipe = make(strokes=STROKES, effects="blur", refine="guided", format="webp")
    assert question(recipe) == question(Recipe()) == question(asking(recipe))
    for more in ({"model": "u2netp"}, {"tta": "flip"}, {"layer": "hair"}, {"max_side": 500}):
        assert question(make(**more)) != question(Recipe())
        assert question(asking(make(**more))) == question(make(**more))


def test_a_proof_is_small_and_says_what_it_holds(photo):
    proof = proved(photo)
    assert (proof.full, proof.picture.size, proof.scale) == ((1600, 1200), (SIDE, 768), SIDE / 1600)
    left, top, right, bottom = proof.box
    assert 240 < left < 640 and 960 < right < 1360 and 0 < top < bottom < 1200
    before = proof.nbytes
    proof.walk(make(strokes=STROKES))
    assert SIDE * 768 * 3 < before < 10e6 < proof.nbytes < 30e6


def test_the_answer_and_the_walk_make_the_full_picture_bit_for_bit(photo, proof):
    recipe = make(strokes=STROKES, refine=["auto", "guided"])
    wanted = cleancut.cut(photo, recipe, load=loading(disc()))
    asked = []
    again = cleancut.cut(photo, recipe, load=loading(disc(), asked=asked), answer=proof.answer, walk=proof.walk(recipe))
    assert not asked and np.array_equal(again.rgba(), wanted.rgba())


@pytest.mark.parametrize("recipe", [{}, {"strokes": STROKES}, {"strokes": STROKES, "refine": ["auto", "guided"]}])
def test_alpha_is_that_of_the_full_picture(photo, proof, recipe):
    full = cleancut.cut(photo, make(**recipe), load=loading(disc())).alpha
    small = proof.cut(make(**recipe), load=loading(disc())).alpha
    seen = np.asarray(image_of(full).resize(small.shape[::-1])).astype(float) / 255
    assert np.abs(small - seen).mean() < 0.008


def image_of(plane):
    from PIL import Image

    return Image.fromarray(np.rint(plane * 255).astype(np.uint8))


def test_a_matte_of_the_picture_s_own_size_is_proved_too():
    rgb = np.full((900, 1200, 3), (20, 200, 40), np.uint8)
    rgb[250:650, 400:800] = (200, 60, 50)
    recipe = make(model="key:color=#14c828")
    proof = proved(Picture(rgb), recipe, load=cleancut.Engine(device="cpu").load)
    cut = proof.cut(recipe)
    assert cut.size == (SIDE, 768) and cut.alpha[384, 512] == 1 and cut.alpha[50, 50] == 0
    assert proof.nbytes > 4 * 1200 * 900  # it looks at the picture itself
    full = cleancut.cut(Picture(rgb), recipe, answer=proof.answer)
    assert np.array_equal(full.rgba(), cleancut.cut(Picture(rgb), recipe).rgba())


def test_what_becomes_too_large_is_reduced_or_refused(proof):
    recipe = make(effects="fit:width=6000,height=3000")
    sizes = []
    cut = proof.cut(recipe, load=loading(disc()), check_size=lambda *size: sizes.append(size))
    assert cut.size == (2048, 1024) and sizes == [(6000, 3000)]
    assert cut.rgba().shape == (1024, 2048, 4)

    def refuse(width, height):
        raise TooBig("too big")

    with pytest.raises(TooBig):
        proof.cut(recipe, load=loading(disc()), check_size=refuse)


def test_a_format_without_alpha_is_shown_on_white(proof):
    cut = proof.cut(make(format="jpeg"), load=loading(disc()))
    assert cut.rgba()[0, 0].tolist() == [255, 255, 255, 255]


def test_the_source_s_own_alpha_and_profile_stay(photo):
    own = np.full((1200, 1600), 255, np.uint8)
    own[:, :800] = 0
    proof = proved(Picture(photo.rgb, alpha=own, profile=None, name="x", dpi=(72, 72)))
    alpha = proof.cut(Recipe(), load=loading(disc())).alpha
    assert not alpha[:, :500].any() and alpha[:, 520:].any()


def test_only_what_was_cut_can_be_proved(photo):
    import dataclasses

    with pytest.raises(BadInput):
        Proof(dataclasses.replace(cleancut.cut(photo, load=loading(disc())), hand=None))
