import json

import numpy as np
import pytest

from cleancut.errors import BadRecipe, BadSetting, UnknownEffect
from cleancut.matting.recipe import (
    FIELDS,
    assets,
    checked,
    content_name,
    digest,
    from_json,
    make,
    named_by_content,
    schema,
    to_json,
)
from cleancut.types import Picture, Recipe, Step


def test_a_recipe_survives_json():
    recipe = make(
        model="u2netp",
        effects="blur:radius=20",
        refine=["auto", "feather:radius=2"],
        quality="80",
        blend="linear",
    )
    assert from_json(json.loads(json.dumps(to_json(recipe)))) == recipe
    assert recipe.quality == 80


def test_no_steps_have_many_spellings_and_one_digest():
    spellings = [make(refine=none) for none in ("none", "", None, [], ["none"])]
    assert {recipe.refine for recipe in spellings} == {()}
    assert len({digest(recipe) for recipe in spellings}) == 1
    assert digest(make()) != digest(spellings[0])


def test_steps_are_completed_so_that_equal_work_is_equal_data():
    assert make(effects="blur") == make(effects=[{"name": "blur"}]) == checked(Recipe(effects=(Step("blur"),)))
    assert dict(make(effects="blur").effects[0].settings)["radius"] > 0


@pytest.mark.parametrize(
    ("given", "error", "said"),
    [
        ({"modell": "x"}, BadRecipe, "it may have model"),
        ({"show": "mask"}, BadSetting, "show must be one of cutout, alpha, foreground, trimap"),
        ({"quality": 0}, BadSetting, "quality must be a whole number from 1 to 100"),
        ({"quality": True}, BadSetting, "quality must be"),
        ({"max_side": "many"}, BadSetting, "max_side must be"),
        ({"max_side": 10**9}, BadSetting, "max_side must be"),
        ({"model": ""}, BadSetting, "model must be a name"),
        ({"model": 7}, BadSetting, "model must be a name"),
        ({"keep_metadata": "perhaps"}, BadSetting, "keep_metadata must be true or false"),
        ({"effects": "blurr"}, UnknownEffect, "did you mean blur"),
        ({"effects": [7]}, BadRecipe, "not 7"),
        ({"effects": ["blur"] * 65}, BadRecipe, "64 are the most"),
        ({"effects": [{"radius": 3}]}, UnknownEffect, "no effect ''"),
        ({"refine": "feather:radius=-1"}, BadSetting, "radius of feather must be"),
    ],
)
def test_a_mistake_is_one_sentence(given, error, said):
    with pytest.raises(error) as caught:
        make(**given)
    assert said in str(caught.value)


def test_only_an_object_is_a_recipe():
    for data in (None, [], "x", 3):
        with pytest.raises(BadRecipe, match="A recipe is an object"):
            from_json(data)


def test_pictures_are_named_by_what_they_show():
    beach, sea = (Picture(np.full((2, 3, 3), value, np.uint8), name="mine") for value in (1, 2))
    recipe = make(effects=["behind:picture=beach.jpg", "color:white"])
    assert assets(recipe) == {"beach.jpg"}
    named, handed = named_by_content(recipe, {"beach.jpg": beach, "sea.jpg": sea})
    assert "beach" not in repr(named)
    assert handed == {content_name(beach): beach}
    assert named_by_content(named, handed) == (named, handed)
    assert content_name(beach) != content_name(sea)
    with pytest.raises(BadRecipe, match="'beach.jpg', which was not handed over"):
        named_by_content(recipe, {"sea.jpg": sea})


def test_the_schema_states_every_field():
    stated = schema()
    assert set(stated["properties"]) == set(FIELDS)
    json.dumps(stated)
    assert stated["properties"]["show"]["enum"] == ["cutout", "alpha", "foreground", "trimap"]
    assert {"type": "null"} in stated["properties"]["quality"]["anyOf"]
