from dataclasses import replace

import numpy as np
import pytest

from cleancut.errors import BadSetting
from cleancut.matting.cutout import written
from cleancut.matting.figures import box_of
from cleancut.raster import rows as rows_module
from cleancut.raster.color import strip_to_srgb
from cleancut.raster.layer import Layer
from cleancut.raster.rows import Rows
from cleancut.types import Picture, Recipe
from tests.matting.drawn import cutout, disc, flat, noise, profile


def test_alpha_is_quantised_to_the_nearest_level():
    exact = np.linspace(0, 1, 10_001, dtype=np.float32)
    assert np.abs(written(exact) - exact * 255.0).max() <= 0.501
    assert (written(np.arange(256, dtype=np.float32) / 255) == np.arange(256)).all()


def test_the_box_holds_what_is_at_least_five_percent():
    alpha = np.zeros((30, 40), np.float32)
    alpha[5:9, 7:20] = 1
    alpha[9:12, 20:25] = 13 / 255
    alpha[0, 0] = 12 / 255
    assert box_of(Rows.of(alpha)) == (7, 5, 25, 12)


def test_the_box_is_none_where_there_is_nothing():
    assert box_of(Rows.of(np.full((30, 40), 0.04, np.float32))) is None


def test_the_box_does_not_depend_on_the_strips(monkeypatch):
    alpha = Rows.of(disc())
    whole = box_of(alpha)
    monkeypatch.setattr(rows_module, "STRIP_PIXELS", 1)
    assert box_of(alpha) == whole


def test_it_is_foreground_and_alpha():
    alpha, F = disc(), noise()
    cut = cutout(alpha, F)
    rgba = cut.rgba()
    assert cut.size == (100, 80)
    assert (cut.alpha == alpha).all()
    assert (rgba[..., 3] == written(alpha)).all()
    seen = rgba[..., 3] > 0
    assert (rgba[seen][:, :3] == F[seen]).all()
    assert (rgba[~seen] == 0).all()
    assert (cut.foreground == rgba[..., :3]).all()


def test_over_what_the_camera_saw_it_is_the_source():
    background = noise(seed=8)
    cut = cutout(background=background)
    found = cut.over(Picture(background)).rgba()
    # α is written in 8 bits, so F and B as far apart as 255 may be half a level of α off
    assert np.abs(found[..., :3].astype(int) - cut.source.rgb).max() <= 1
    assert (found[..., 3] == 255).all()


@pytest.mark.parametrize(
    ("color", "rgb"), [("white", (255, 255, 255)), ("#1e90ff", (30, 144, 255)), ("f00", (255, 0, 0))]
)
def test_over_a_colour(color, rgb):
    found = cutout().over(color).rgba()
    outside = disc() == 0
    assert (found[outside] == (*rgb, 255)).all()


def test_over_a_translucent_colour_stays_translucent():
    assert cutout().over("#ff000080").rgba()[0, 0].tolist() == [255, 0, 0, 128]


def test_over_something_that_is_no_colour_says_so():
    with pytest.raises(BadSetting, match="'blurple' is not a colour"):
        cutout().over("blurple")


def test_linear_light_is_used_where_the_recipe_says_so():
    half = np.full((4, 4), 0.5, np.float32)
    black = flat((0, 0, 0), 4, 4)
    plain = cutout(half, black).over("white").rgba()[0, 0, 0]
    light = cutout(half, black, recipe=Recipe(blend="linear")).over("white").rgba()[0, 0, 0]
    assert (plain, light) == (127, 187)


def test_layers_lie_over_backdrop_and_scenery():
    size = (80, 100)
    ones = Rows.constant(*size, np.float32(1))
    blue = Layer(
        Rows.of(flat((0, 0, 255))), Rows.of(np.repeat([[1.0] * 50 + [0.0] * 50], 80, axis=0).astype(np.float32))
    )
    green = Layer(Rows.of(flat((0, 255, 0))), ones)
    cut = cutout(np.zeros(size)).over("red")
    assert replace(cut, under=(blue,)).rgba()[0, [0, 99]].tolist() == [[0, 0, 255, 255], [255, 0, 0, 255]]
    stack = replace(cut, scenery=green, under=(blue,))
    assert stack.rgba()[0, [0, 99]].tolist() == [[0, 0, 255, 255], [0, 255, 0, 255]]


def test_to_srgb_every_layer_is_converted_once():
    icc, color = profile(gamma=1.0), noise()
    layer = Layer(Rows.of(color), Rows.constant(80, 100, np.float32(1)))
    cut = replace(cutout(foreground=color), profile=icc, under=(layer,), scenery=layer)
    found = cut.in_srgb()
    truth = strip_to_srgb(icc)(color)
    assert found.profile is None
    for part in (found.subject, found.scenery, *found.under):
        assert (part.color.whole() == truth).all()
    assert (found.scene.color.whole() == strip_to_srgb(icc)(cut.scene.color.whole())).all()
    assert found.in_srgb() is found


def test_without_a_new_background_the_values_and_the_profile_stay():
    color = noise()
    cut = replace(cutout(foreground=color), profile=profile())
    inside = disc() == 1
    assert (cut.rgba()[inside][:, :3] == color[inside]).all()
    assert cut.over("white").profile is None


def test_moving_moves_every_layer():
    layer = Layer(Rows.of(noise()), Rows.of(disc()))
    cut = replace(cutout(), under=(layer, layer), scenery=layer)
    moved = cut.moved(lambda part: part.map(lambda rows: rows.cropped(10, 20, 60, 50)))
    assert [part.size for part in (moved.subject, moved.scene, moved.scenery, *moved.under)] == [(50, 30)] * 5
    assert (moved.alpha == disc()[20:50, 10:60]).all()


def test_the_report_says_what_was_done():
    cut = replace(cutout(), model="m", sha256="0" * 64, provider="P", refined=("auto",), notes=("n",), confidence=0.5)
    cut.rgba()
    report = cut.report
    assert (report.name, report.size, report.box) == ("picture", (100, 80), cut.box)
    assert (report.model, report.provider, report.refine, report.notes) == ("m", "P", ("auto",), ("n",))
    assert list(report.ms) == ["composite"]


@pytest.mark.parametrize("shape", [(1, 1), (1, 50), (50, 1)])
@pytest.mark.parametrize("value", [0, 1])
def test_the_smallest_pictures_work(shape, value):
    cut = cutout(np.full(shape, value, np.float32))
    assert (cut.rgba()[..., 3] == value * 255).all()
    assert cut.box == ((0, 0, shape[1], shape[0]) if value else None)
