import inspect
import math
from dataclasses import replace

import numpy as np
import pytest

from cleancut.errors import BadSetting
from cleancut.matting import shadows
from cleancut.matting.cutout import written
from cleancut.matting.effects import effects
from cleancut.raster import rows as rows_module
from cleancut.raster.color import strip_to_srgb
from cleancut.raster.rows import Rows
from cleancut.types import Picture, Recipe
from tests.matting.drawn import cutout, disc, flat, light_of, noise, profile, values_of

ASSETS = {"room": Picture(noise(70, 130, seed=5), name="room")}

LEAST = {"behind": "behind:room", "fit": "fit:width=90,height=120"}
"""What has a setting without a default needs at least."""

EVERY = [
    *(LEAST.get(entry.name, entry.name) for entry in effects),
    "color:#1e90ff80",
    "behind:room,fit=contain",
    "behind:room,fit=stretch",
    "blur:0",
    "blur:2",
    "blur:80",
    "gray-behind:0.5",
    "shadow:contact",
    "shadow:distance=30px,angle=-135,blur=0px",
    "reflection:blur=3px,gap=2px",
    "reflection:blur=20px",
    "outline:1",
    "outline:30",
    "outline:width=4,opacity=0.4",
    "trim:10%",
    "trim:40px",
    "fit:width=300,height=60,position=bottom-right,scale=80",
    "fit:width=300,height=200,upscale=no",
]
every_effect = pytest.mark.parametrize("text", EVERY)


def apply(cut, *texts):
    for text in texts:
        cut = effects.bind(effects.parse(text), ASSETS)(cut)
    return cut


def test_there_is_one_of_each_that_was_promised():
    names = "color behind flatten blur gray-behind shadow reflection outline trim fit"
    assert [entry.name for entry in effects] == names.split()


@pytest.mark.parametrize("entry", list(effects), ids=lambda entry: entry.name)
class TestEveryEffect:
    def test_its_defaults_are_valid_and_written_as_they_are_read(self, entry):
        for setting in entry.settings.values():
            if setting.default is not None:
                assert setting.kind.read(setting.default) == setting.default, setting.name

    def test_its_settings_are_in_its_schema(self, entry):
        keywords = [p.name for p in inspect.signature(entry.function).parameters.values() if p.kind is p.KEYWORD_ONLY]
        assert list(entry.schema()["properties"]) == ["name", *keywords]

    def test_its_help_is_a_sentence(self, entry):
        assert entry.doc.endswith(".")
        assert entry.doc[0].isupper()
        assert len(entry.doc) < 130


@every_effect
@pytest.mark.parametrize("blend", ["srgb", "linear"])
def test_opaque_pixels_keep_the_subjects_colour_bit_for_bit(text, blend):
    cut = cutout(recipe=Recipe(blend=blend))
    done = apply(cut, text)
    if text.startswith("fit"):
        return
    left, top = 0, 0
    if text.startswith("trim"):
        margin = (cut.size[0] - done.size[0], cut.size[1] - done.size[1])
        box = cut.box
        side = max(box[2] - box[0], box[3] - box[1])
        around = {"trim": 0, "trim:10%": round(side / 10), "trim:40px": 40}[text]
        assert margin == (100 - (box[2] - box[0]) - 2 * around, 80 - (box[3] - box[1]) - 2 * around)
        left, top = box[0] - around, box[1] - around
    y, x = np.nonzero(written(disc()) == 255)
    rgba = done.rgba()
    assert len(y) > 500
    assert (rgba[y - top, x - left, :3] == noise()[y, x]).all()
    assert (rgba[y - top, x - left, 3] == 255).all()


@every_effect
def test_what_is_transparent_holds_no_colour(text):
    rgba = apply(cutout(), text).rgba()
    assert (rgba[rgba[..., 3] == 0] == 0).all()


@every_effect
def test_the_result_does_not_depend_on_the_strips(text, monkeypatch):
    whole = apply(cutout(), text).rgba().astype(int)
    monkeypatch.setattr(rows_module, "STRIP_PIXELS", 700)
    found = apply(cutout(), text).rgba().astype(int)
    cover = np.minimum(found[..., 3:], whole[..., 3:]) / 255
    assert np.abs(found[..., 3] - whole[..., 3]).max() <= 1
    assert (np.abs(found - whole)[..., :3] * cover).max() <= 1.5


@every_effect
@pytest.mark.parametrize("shape", [(1, 1), (1, 30), (30, 1), (9, 12)])
@pytest.mark.parametrize("value", [0.0, 0.5, 1.0])
def test_the_smallest_and_the_emptiest_survive(text, shape, value):
    done = apply(cutout(np.full(shape, value, np.float32)), text)
    rgba = done.rgba()
    assert rgba.shape == (*done.size[::-1], 4)
    if value == 0.0 and text.split(":")[0] in {"shadow", "reflection", "outline", "trim"}:
        assert not rgba.any()


@every_effect
def test_what_was_handed_over_is_not_written_to(text):
    source = noise()
    kept = source.copy()
    cut = cutout(foreground=source)
    apply(cut, text).rgba()
    assert (source == kept).all()


@pytest.mark.parametrize("text", ["color", "behind:room", "flatten", "shadow", "outline"])
def test_what_brings_a_colour_converts_to_srgb(text):
    icc = profile(gamma=1.0)
    done = apply(replace(cutout(), profile=icc), text)
    assert done.profile is None
    inside = disc() == 1
    assert (done.rgba()[inside][:, :3] == strip_to_srgb(icc)(noise())[inside]).all()


@pytest.mark.parametrize("text", ["blur", "gray-behind", "reflection", "trim", "fit:width=50,height=50"])
def test_what_brings_none_keeps_the_profile(text):
    icc = profile()
    assert apply(replace(cutout(), profile=icc), text).profile == icc


# color, behind, flatten


def test_over_a_colour_the_composite_is_true():
    F, C, a = noise(), np.array((30, 144, 255)), (written(disc()) / 255)[..., None]
    plain = apply(cutout(), "color:#1e90ff").rgba()
    assert np.abs(plain[..., :3] - (a * F + (1 - a) * C)).max() <= 1
    light = apply(cutout(recipe=Recipe(blend="linear")), "color:#1e90ff").rgba()
    assert np.abs(light[..., :3] - values_of(a * light_of(F) + (1 - a) * light_of(C))).max() <= 1


@pytest.mark.parametrize("blend", ["srgb", "linear"])
def test_half_transparent_white_over_white_is_white(blend):
    cut = cutout(np.full((5, 5), 128 / 255), flat((255, 255, 255), 5, 5), recipe=Recipe(blend=blend))
    for text in ("color:white", "flatten"):
        assert (apply(cut, text).rgba() == 255).all()


def test_the_last_colour_or_picture_stays():
    empty = cutout(np.zeros((70, 130)))
    assert apply(empty, "behind:room", "color:red").rgba()[0, 0].tolist() == [255, 0, 0, 255]
    assert (apply(empty, "color:red", "behind:room").rgba()[..., :3] == ASSETS["room"].rgb).all()


def test_the_backdrop_fills_whatever_canvas_there_is_in_the_end():
    done = apply(cutout(), "color:red", "trim:200px")
    rgba = done.rgba()
    assert (rgba[..., 3] == 255).all()
    assert rgba[0, 0].tolist() == rgba[-1, -1].tolist() == [255, 0, 0, 255]


@pytest.mark.parametrize("blend", ["srgb", "linear"])
@pytest.mark.parametrize("before", [[], ["color:#ff000080"], ["behind:room,fit=contain"], ["shadow"], ["reflection"]])
def test_flatten_leaves_nothing_transparent(before, blend):
    cut = cutout(recipe=Recipe(blend=blend))
    assert (apply(cut, *before, "flatten").rgba()[..., 3] == 255).all()
    if not before[:1] or before[0].startswith(("shadow", "reflection")):
        assert (apply(cut, "flatten", *before).rgba()[..., 3] == 255).all()


def test_flatten_goes_beneath_what_is_there():
    empty = cutout(np.zeros((10, 10)))
    assert apply(empty, "color:#ff000080", "flatten:blue").rgba()[0, 0].tolist() == [128, 0, 127, 255]
    assert apply(empty, "color:red", "flatten:blue").rgba()[0, 0].tolist() == [255, 0, 0, 255]


def test_flatten_refuses_a_translucent_colour():
    with pytest.raises(BadSetting, match="color of flatten must be opaque, not #ff000080"):
        apply(cutout(), "flatten:#ff000080")


# blur, gray-behind


@pytest.mark.parametrize("radius", [0, 1, 3, 6, 12, 40, 300])
def test_a_blurred_background_holds_nothing_of_the_subject(radius):
    red, blue = flat((255, 0, 0), 160, 200), flat((20, 40, 200), 160, 200)
    alpha = disc(160, 200, (80, 100), 40, softness=1)
    done = apply(cutout(alpha, red, blue), f"blur:{radius}")
    behind = done.scenery.color.whole().astype(int)
    assert np.abs(behind - (20, 40, 200)).max() <= 30  # what is mixed into pixels at the edge counts by (1 − α)²
    assert np.abs(behind - (20, 40, 200)).mean() < 1
    assert (done.rgba()[..., 3] == 255).all()


def test_without_a_subject_it_is_a_gaussian_of_the_picture():
    size, sigma = 200, 12
    step = np.zeros((size, size, 3), np.uint8)
    step[:, size // 2 :] = 255
    done = apply(cutout(np.zeros((size, size)), background=step), f"blur:{sigma}").rgba()
    x = np.arange(size) + 0.5 - size / 2
    truth = [255 * 0.5 * (1 + math.erf(value / sigma / math.sqrt(2))) for value in x]
    assert np.abs(done[size // 2, :, 0] - np.array(truth)).max() <= 1.5


def test_a_blur_of_nothing_changes_nothing():
    background = noise(seed=8)
    done = apply(cutout(np.zeros((80, 100)), background=background), "blur:0")
    assert (done.rgba()[..., :3] == background).all()


def test_the_hole_is_filled_from_around_it():
    ramp = np.repeat(np.linspace(0, 255, 200).round().astype(np.uint8)[None, :, None], 160, axis=0).repeat(3, axis=2)
    alpha = disc(160, 200, (80, 100), 40, softness=2)
    done = apply(cutout(alpha, flat((255, 0, 255), 160, 200), ramp), "blur:1")
    filled = done.scenery.color.whole().astype(int)
    hole = alpha == 1
    assert np.abs(filled[hole][:, 0] - ramp[hole][:, 0]).mean() < 20
    assert np.abs(filled[hole] - filled[hole][:, :1]).max() <= 8  # grey, as what is around it; nothing of the magenta


def test_blur_fills_a_larger_canvas_from_the_border():
    cut = cutout(background=flat((20, 40, 200)))
    done = apply(cut, "fit:width=300,height=300", "blur").rgba()
    assert (done[..., 3] == 255).all()
    assert np.abs(done[[0, 0, -1, -1], [0, -1, 0, -1], :3].astype(int) - (20, 40, 200)).max() <= 3


def test_grey_is_that_of_bt_709_and_the_subject_keeps_its_colour():
    background = noise(seed=8)
    done = apply(cutout(background=background), "gray-behind").rgba()
    outside = disc() == 0
    luma = background[outside] @ np.array((0.2126, 0.7152, 0.0722))
    assert np.abs(done[outside][:, :3] - luma[:, None]).max() <= 0.51
    half = apply(cutout(background=background), "gray-behind:0.5").rgba()
    assert np.abs(half[outside][:, :3] - (luma[:, None] + background[outside]) / 2).max() <= 0.51


def test_grey_behind_leaves_no_ghost():
    red, white = flat((200, 0, 0)), flat((255, 255, 255))
    done = apply(cutout(disc(softness=12), red, white), "gray-behind")
    behind = done.scenery.color.whole().astype(int)
    assert np.abs(behind - behind[..., :1]).max() == 0
    near = (disc(softness=12) > 0) & (disc(softness=12) < 0.3)
    assert behind[near].min() > 235


def test_grey_is_transparent_where_the_source_does_not_reach():
    done = apply(cutout(), "trim:100px", "gray-behind").rgba()
    assert not done[0, 0].any()
    assert (done[..., 3] == 255).sum() >= 100 * 80


@pytest.mark.parametrize("order", [("blur:8", "gray-behind"), ("gray-behind", "blur:8")])
def test_what_changes_the_scene_adds_up(order):
    rgb = apply(cutout(np.zeros((80, 100))), *order).rgba()[..., :3].astype(int)
    assert np.abs(rgb - rgb[..., :1]).max() == 0
    assert rgb[20:-20, 20:-20].std() < 15


# shadow, reflection, outline


def centroid(plane):
    y, x = np.mgrid[: plane.shape[0], : plane.shape[1]]
    return (plane * y).sum() / plane.sum(), (plane * x).sum() / plane.sum()


@pytest.mark.parametrize(("angle", "dy", "dx"), [(0, 0, 20), (90, 20, 0), (-90, -20, 0), (180, 0, -20), (30, 10, 17)])
@pytest.mark.parametrize("blur", [0, 3, 9])
def test_a_dropped_shadow_lies_where_the_angle_says(angle, dy, dx, blur):
    alpha = disc(200, 200, (100, 90), 30)
    done = apply(cutout(alpha), f"shadow:angle={angle},distance=20px,blur={blur}px,opacity=1")
    shadow = done.under[-1].alpha.whole()
    assert centroid(shadow) == pytest.approx((100 + dy, 90 + dx), abs=0.6)
    assert shadow.sum() == pytest.approx(alpha.sum(), rel=0.01)


def test_a_shadow_without_blur_is_the_alpha_moved():
    alpha = disc(100, 100, (50, 50), 20)
    shadow = apply(cutout(alpha), "shadow:angle=90,distance=7px,blur=0px,opacity=0.5").under[-1]
    assert np.abs(shadow.alpha.whole()[7:] - alpha[:-7] / 2).max() < 1e-6


def test_a_shadow_has_its_colour_and_opacity():
    done = apply(
        cutout(disc(100, 100, (50, 40), 20)), "shadow:angle=0,distance=30px,blur=0px,opacity=0.4,color=#ff000080"
    )
    assert done.rgba()[50, 85].tolist() == [255, 0, 0, 51]


def test_a_shadow_goes_on_where_the_subject_is_cut_by_the_frame():
    alpha = np.zeros((100, 100), np.float32)
    alpha[40:, 30:60] = 1
    shadow = apply(cutout(alpha), "shadow:angle=0,distance=20px,blur=6px,opacity=1").under[-1].alpha.whole()
    assert shadow[-1] == pytest.approx(shadow[80], abs=0.01)


def test_percentages_are_of_the_subjects_longer_side():
    small, large = (
        apply(cutout(disc(size, size, (size // 2, size // 2), size / 4)), "shadow:angle=0,distance=10%,blur=0px")
        for size in (100, 200)
    )
    for cut, far in ((small, 5), (large, 10)):
        moved = centroid(cut.under[-1].alpha.whole())[1] - centroid(cut.alpha)[1]
        assert moved == pytest.approx(far, abs=0.6)


def test_a_contact_shadow_lies_at_the_foot():
    alpha = np.zeros((200, 200), np.float32)
    alpha[40:150, 60:140] = 1
    shadow = apply(cutout(alpha), "shadow:contact,angle=90,distance=12px,blur=4px,opacity=1").under[-1].alpha.whole()
    assert centroid(shadow) == pytest.approx((150, 100), abs=1)
    assert shadow[151, 100] > 0.8
    assert shadow[:120].max() < 0.01
    assert shadow[180:].max() < 0.01
    assert (shadow[152] > 0.5).sum() == pytest.approx(80, abs=8)


def test_a_contact_shadow_follows_each_foot_and_leans_aside():
    alpha = np.zeros((200, 200), np.float32)
    alpha[40:100, 40:160] = 1
    alpha[100:150, 50:70] = 1
    alpha[100:146, 130:150] = 1
    straight, leaning = (
        apply(cutout(alpha), f"shadow:contact,angle={angle},distance=6px,blur=2px,opacity=1").under[-1].alpha.whole()
        for angle in (90, 0)
    )
    assert straight[146, 140] < 0.9 * straight[150, 60]  # the foot that is 4 px off the ground
    for columns, foot in ((slice(50, 70), 150), (slice(130, 150), 146)):
        rows = straight[:, columns].sum(axis=1)
        assert np.average(np.arange(200) + 0.5, weights=rows) == pytest.approx(foot, abs=1)
    assert straight[140:160, 90:110].max() < 0.01
    assert centroid(leaning)[1] - centroid(straight)[1] == pytest.approx(6, abs=0.5)


def test_haze_throws_no_contact_shadow():
    alpha = np.zeros((100, 100), np.float32)
    alpha[20:60, 30:70] = 1
    alpha[60:90, 30:70] = 0.2
    shadow = apply(cutout(alpha), "shadow:contact,blur=1px,distance=3px").under[-1].alpha.whole()
    assert centroid(shadow)[0] == pytest.approx(60, abs=1)


def test_a_reflection_is_the_subject_mirrored_and_fades_to_nothing():
    alpha = np.zeros((100, 60), np.float32)
    alpha[10:50, 20:40] = 1
    F = noise(100, 60)
    layer = apply(cutout(alpha, F), "reflection:height=20px,opacity=0.5,gap=3px").under[-1]
    strength = layer.alpha.whole()
    assert (layer.color.whole()[53:93, 20:40] == F[49:9:-1, 20:40]).all()
    expected = 0.5 * (1 - (np.arange(20) + 0.5) / 20)
    assert np.abs(strength[53:73, 20:40] - expected[:, None]).max() < 1e-6
    strength[53:73, 20:40] = 0
    assert not strength.any()


def test_a_blurred_reflection_does_not_rise_above_the_ground():
    alpha = np.zeros((100, 60), np.float32)
    alpha[10:50, 20:40] = 1
    layer = apply(cutout(alpha, flat((200, 10, 10), 100, 60)), "reflection:blur=3px").under[-1]
    strength = layer.alpha.whole()
    assert not strength[:50].any()
    assert 0 < strength[51, 17] < strength[51, 30]
    seen = strength > 0.05
    assert np.abs(layer.color.whole()[seen].astype(int) - (200, 10, 10)).max() <= 8


def test_a_reflection_without_room_says_so():
    alpha = np.zeros((100, 60), np.float32)
    alpha[10:, 20:40] = 1
    done = apply(cutout(alpha), "reflection")
    assert done.under == ()
    assert done.notes == ("There is no room below the subject for its reflection; trim with a margin first.",)
    assert apply(cutout(alpha), "trim:40%", "reflection").notes == ()


@pytest.mark.parametrize("width", [1, 2, 5, 12, 40])
def test_an_outline_is_as_wide_as_it_says_all_round(width):
    alpha = disc(240, 240, (120, 120), 50, softness=1)
    ring = shadows.outline(Rows.of(alpha), width).whole()
    y, x = np.mgrid[:240, :240]
    away = np.hypot(y - 120, x - 120)
    wanted = 50 + width
    tolerance = max(1.0, 0.04 * width)
    assert ring[away < wanted - tolerance].min() > 0.9
    assert ring[away > wanted + tolerance].max() < 0.1


def test_the_edge_of_an_outline_is_smooth_and_crisp_however_soft_the_subjects_is():
    ring = shadows.outline(Rows.of(disc(200, 200, (100, 100), 50, softness=16)), 12).whole()
    along = ring[100, 150:]
    soft = np.flatnonzero((along > 0.02) & (along < 0.98))
    assert 1 <= len(soft) <= 8
    assert (np.diff(along) <= 1e-3).all()


def test_the_outline_joins_the_subject():
    cut = cutout(disc(100, 100, (50, 50), 20, softness=1), noise(100, 100))
    done = apply(cut, "outline:width=10,color=yellow")
    assert done.box == pytest.approx((20, 20, 81, 81), abs=2)
    assert done.rgba()[50, 76].tolist() == [255, 255, 0, 255]
    assert apply(done, "trim").size == pytest.approx((61, 61), abs=3)
    shadow = apply(done, "shadow:angle=0,distance=5px,blur=0px,opacity=1").under[-1].alpha.whole()
    assert shadow[50, 83] == 1
    half = apply(cut, "outline:width=10,color=yellow,opacity=0.5").rgba()
    assert half[50, 76].tolist() == [255, 255, 0, 128]


# trim, fit


def test_trim_crops_to_the_subject():
    alpha = np.zeros((60, 80), np.float32)
    alpha[20:30, 40:60] = 1
    F = noise(60, 80)
    assert (apply(cutout(alpha, F), "trim").rgba()[..., :3] == F[20:30, 40:60]).all()
    assert (apply(cutout(alpha, F), "trim:5px").size, apply(cutout(alpha, F), "trim:10%").size) == ((30, 20), (24, 14))


def test_a_margin_beyond_the_canvas_is_transparent():
    alpha = np.ones((10, 20), np.float32)
    done = apply(cutout(alpha, noise(10, 20)), "trim:50%").rgba()
    assert done.shape == (30, 40, 4)
    assert (done[10:20, 10:30, :3] == noise(10, 20)).all()
    done[10:20, 10:30] = 0
    assert not done.any()


def test_trimming_nothing_says_so():
    done = apply(cutout(np.zeros((10, 20))), "trim:5px")
    assert done.size == (20, 10)
    assert done.notes == ("There is no subject to trim to; the canvas is as it was.",)


def test_trim_moves_what_was_made_before():
    done = apply(
        cutout(disc(100, 100, (50, 50), 20)), "shadow:angle=0,distance=4px,blur=0px,opacity=1", "blur:3", "trim:8px"
    )
    assert {layer.size for layer in (done.subject, done.scenery, *done.under)} == {done.size}
    moved = centroid(done.under[0].alpha.whole())[1] - centroid(done.alpha)[1]
    assert moved == pytest.approx(4, abs=0.2)


@pytest.mark.parametrize(
    ("text", "box"),
    [
        ("width=200,height=200", (0, 50, 200, 150)),
        ("width=200,height=200,position=top", (0, 0, 200, 100)),
        ("width=200,height=200,position=bottom-left", (0, 100, 200, 200)),
        ("width=200,height=50,position=right", (100, 0, 200, 50)),
        ("width=200,height=200,scale=50", (50, 75, 150, 125)),
        ("width=200,height=200,scale=50,position=bottom", (50, 100, 150, 150)),
        ("width=200,height=200,scale=50,position=top-left", (50, 50, 150, 100)),
        ("width=200,height=200,upscale=no", (80, 90, 120, 110)),
        ("width=20,height=20", (0, 5, 20, 15)),
        ("width=20,height=20,upscale=no", (0, 5, 20, 15)),
        ("width=7,height=200", (0, 98, 7, 102)),
    ],
)
def test_fit_puts_the_canvas_where_it_says(text, box):
    done = apply(cutout(np.ones((20, 40)), flat((9, 8, 7), 20, 40)), f"fit:{text}")
    width, height = (int(part.split("=")[1]) for part in text.split(",")[:2])
    assert done.size == (width, height)
    assert done.box == box
    rgba = done.rgba()
    assert (rgba[rgba[..., 3] == 255] == (9, 8, 7, 255)).all()


def test_fit_in_its_own_size_changes_nothing():
    cut = cutout()
    assert (apply(cut, "fit:width=100,height=80").rgba() == cut.rgba()).all()


def test_fit_needs_a_size():
    with pytest.raises(BadSetting, match="fit needs the setting height: a whole number from 1 to 10000 px"):
        effects.parse("fit:width=10")
