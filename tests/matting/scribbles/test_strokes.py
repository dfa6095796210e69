import json
import math

import numpy as np
import pytest

from cleancut.errors import BadInput, BadRecipe, BadSetting
from cleancut.matting.recipe import digest, from_json, make, schema, to_json
from cleancut.matting.scribbles.strokes import MOST_POINTS, MOST_STROKES, Mask, laid, masked, read, read_all, text_of
from cleancut.types import Stroke


def drawn(*strokes, width=90, height=60):
    return laid([read(stroke) for stroke in strokes], width, height).whole()


def near(points, radius, width, height):
    """Pixels whose centre is within the radius of a line, worked out one by one."""
    line = [(x * width, y * height) for x, y in points]
    y, x = np.mgrid[:height, :width] + 0.5
    found = np.zeros((height, width), bool)
    for (x0, y0), (x1, y1) in zip(line, line[1:] or line, strict=False):
        length = max((x1 - x0) ** 2 + (y1 - y0) ** 2, 1e-12)
        along = (((x - x0) * (x1 - x0) + (y - y0) * (y1 - y0)) / length).clip(0, 1)
        away = np.hypot(x - x0 - along * (x1 - x0), y - y0 - along * (y1 - y0))
        found |= away <= radius * max(width, height)
    return found


@pytest.mark.parametrize("size", [(90, 60), (33, 200), (400, 7)])
@pytest.mark.parametrize(
    "points",
    [
        ((0.503, 0.507),),
        ((0.2, 0.3), (0.81, 0.67)),
        ((0.1, 0.5), (0.9, 0.5)),
        ((0.5, 0.1), (0.5, 0.9)),
        ((0.1, 0.1), (0.5, 0.92), (0.9, 0.13), (0.13, 0.58)),
    ],
)
def test_a_stroke_marks_what_its_radius_reaches(points, size):
    width, height = size
    radius = 0.0503
    found = laid([Stroke(points, radius)], width, height).whole() == 255
    assert (found ^ near(points, radius, width, height)).sum() <= 1
    assert found.any()


def test_a_point_marks_its_own_pixel_however_small_it_is():
    assert np.argwhere(drawn("keep:0.00001:1,1") == 255).tolist() == [[59, 89]]
    assert np.argwhere(drawn("keep:0.00001:0,0.5") == 255).tolist() == [[30, 0]]


def test_later_marks_lie_over_earlier_ones():
    cover, hole = "keep:0.2:0.5,0.5", "remove:0.05:0.5,0.5"
    assert drawn(cover, hole)[30, 45] == 0
    assert drawn(hole, cover)[30, 45] == 255
    assert drawn(cover)[0, 0] == 128


def test_strips_do_not_show():
    strokes = [read("keep:0.03:0.1,0.1:0.9,0.8:0.2,0.7")]
    rows = laid(strokes, 90, 60)
    assert np.array_equal(rows.whole(), np.concatenate([rows.read(n, n + 1) for n in range(60)]))


def test_text_and_json_say_the_same():
    text = "remove:0.02:0.41,0.3:0.44123,0.35"
    stroke = read(text)
    assert stroke == Stroke(((0.41, 0.3), (0.44123, 0.35)), 0.02, keep=False)
    assert text_of(stroke) == text
    assert read({"points": [[0.41, 0.3], [0.441231, 0.35]], "radius": "0.02", "keep": False}) == stroke


@pytest.mark.parametrize(
    "given",
    [
        "", "keep", "keep:0.1", "keep:0.1:", "smudge:0.1:0.5,0.5", "keep:0:0.5,0.5", "keep:0.6:0.5,0.5",
        "keep:nan:0.5,0.5", "keep:0.1:0.5", "keep:0.1:0.5,0.5,0.5", "keep:0.1:1.1,0.5", "keep:0.1:-0.1,0.5",
        "keep:0.1:inf,0.5", 7, True,
        {"points": [[0.5, 0.5]]}, {"points": "0.5,0.5", "radius": 0.1}, {"points": [], "radius": 0.1},
        {"points": [[0.5, True]], "radius": 0.1}, {"points": [[0.5, 10**400]], "radius": 0.1},
        {"points": [[0.5, 0.5]], "radius": 0.1, "keep": "yes"}, {"points": [[0.5, 0.5]], "radius": 0.1, "color": "red"},
        {"points": 3, "radius": 0.1}, {"points": ["ab"], "radius": 0.1},
    ],
)  # fmt: skip
def test_what_is_no_stroke_is_one_sentence(given):
    with pytest.raises(BadSetting) as caught:
        read(given)
    assert len(str(caught.value)) < 250


def test_there_are_limits():
    dot = {"points": [[0.5, 0.5]], "radius": 0.1}
    with pytest.raises(BadRecipe, match=f"{MOST_STROKES} are the most"):
        read_all([dot] * (MOST_STROKES + 1))
    long = {"points": [[0.5, 0.5]] * (MOST_POINTS // 2 + 1), "radius": 0.1}
    with pytest.raises(BadRecipe, match=f"{MOST_POINTS} are the most"):
        read_all([long, long])
    with pytest.raises(BadSetting):
        read({**dot, "points": [[0.5, 0.5]] * (MOST_POINTS + 1)})
    with pytest.raises(BadSetting):
        read("keep:0.1" + ":0.5,0.5" * (MOST_POINTS + 1))


def test_a_recipe_carries_strokes_over_a_wire():
    recipe = make(strokes=["keep:0.02:0.4,0.3:0.45,0.35", {"points": [[0.9, 0.1]], "radius": 0.01, "keep": False}])
    assert from_json(json.loads(json.dumps(to_json(recipe)))) == recipe
    assert digest(recipe) != digest(make()) == digest(make(strokes="none")) == digest(make(strokes=[]))
    assert digest(recipe) == digest(make(strokes=to_json(recipe)["strokes"]))
    assert make(strokes="keep:0.1:0.5,0.5") == make(strokes=[Stroke(((0.5, 0.5),), 0.1)])


def test_the_schema_tells_of_strokes():
    stated = schema()["properties"]["strokes"]
    assert stated["maxItems"] == MOST_STROKES
    assert stated["items"]["required"] == ["points", "radius"]


def test_masks_become_one():
    keep, remove = np.zeros((6, 8), bool), np.zeros((6, 8), np.uint8)
    keep[0], remove[1] = True, 1
    plane = masked(keep, remove, (8, 6)).plane
    assert plane[:, 0].tolist() == [255, 0, 128, 128, 128, 128]
    assert (masked(None, remove, (8, 6)).plane == 255).sum() == 0


@pytest.mark.parametrize(
    ("keep", "remove", "said"),
    [
        (None, None, "Mark what"),
        (np.ones((5, 8), bool), None, "must be 8 × 6 or 4 × 3 pixels, not 8 × 5"),
        (np.ones((6, 8), bool), np.ones((3, 4), bool), "differ in size"),
        (np.ones((6, 8), bool), np.ones((6, 8), bool), "48 pixels are marked both"),
        (np.ones((6, 8), np.float32), None, "bool or uint8"),
        (np.full((6, 8), math.nan), None, "bool or uint8"),
        (np.ones((6, 8, 1), bool), None, "bool or uint8"),
        ("mask.png", None, "bool or uint8"),
    ],
)
def test_masks_that_cannot_be_meant(keep, remove, said):
    with pytest.raises(BadInput, match=said):
        masked(keep, remove, (8, 6), (4, 3))


def test_a_mask_fits_any_size():
    plane = np.full((40, 60), 128, np.uint8)
    plane[:, 29:30] = 255
    plane[:4] = 0
    small = laid([Mask(plane)], 15, 10).whole()
    assert small[0].tolist() == [0] * 15
    assert np.argwhere(small[5] == 255).ravel().tolist() == [7]
    large = laid([Mask(plane)], 120, 80).whole()
    assert np.array_equal(large, plane.repeat(2, axis=0).repeat(2, axis=1))
