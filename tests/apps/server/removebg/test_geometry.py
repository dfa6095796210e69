import io
import zipfile
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from cleancut.apps.server.removebg.errors import bad
from cleancut.apps.server.removebg.geometry import max_side, reduced, region
from cleancut.apps.server.removebg.parameters import Asked, Length, Margins, Region
from cleancut.apps.server.removebg.plan import Plan, head, planned
from cleancut.apps.server.removebg.render import rendered, zipped
from cleancut.errors import BadCall
from cleancut.limits import Limits
from cleancut.matting.cutout import Cutout
from cleancut.pictures.images import Header
from cleancut.raster.layer import Layer
from cleancut.raster.rows import Rows
from cleancut.types import Picture, Recipe

WIDTH, HEIGHT = 80, 60
BOX = (20, 10, 40, 50)


def cutout(alpha=None, **recipe):
    """A red picture whose subject is a box of another red, wholly opaque."""
    rgb = np.full((HEIGHT, WIDTH, 3), (10, 200, 30), np.uint8)
    rgb[BOX[1] : BOX[3], BOX[0] : BOX[2]] = (200, 40, 20)
    if alpha is None:
        alpha = np.zeros((HEIGHT, WIDTH), np.float32)
        alpha[BOX[1] : BOX[3], BOX[0] : BOX[2]] = 1
    one = Rows.constant(HEIGHT, WIDTH, np.array(1, np.float32))
    picture = Picture(rgb)
    return Cutout(picture, Layer(Rows.of(rgb), one), Layer(Rows.of(rgb), Rows.of(alpha)), Recipe(**recipe))


def plan(size=(WIDTH, HEIGHT), roi=None, **asked):
    return Plan(Asked(**{"size": "full", **asked}), size, size, roi, Recipe())


def picture(result):
    return Image.open(io.BytesIO(result.data))


def box_of(result):
    return picture(result).getchannel("A").getbbox()


def header(width, height, opaque=True):
    return Header("JPEG", (width, height), (width, height), opaque, 1)


@pytest.mark.parametrize("size", [(4000, 3000), (3000, 4001), (1501, 1000), (6000, 700)])
@pytest.mark.parametrize("megapixels", [0.25, 1.5])
def test_a_reduced_picture_has_as_many_pixels_as_it_may(size, megapixels):
    width, height = reduced(size, max_side(size, megapixels))
    assert 0.99e6 * megapixels < width * height <= 1e6 * megapixels


@pytest.mark.parametrize("size", [(7, 4_000_000), (1, 2**31), (2**31, 3)])
def test_a_sliver_is_bounded_at_once(size):
    width, height = reduced(size, max_side(size, 0.25))
    assert width * height <= 250_000


def test_a_picture_that_is_small_enough_stays():
    assert max_side((500, 500), 0.25) is None


def at(*lengths):
    return Region(*(Length(float(text.rstrip("px%")), "%" if "%" in text else "px") for text in lengths))


def test_a_region_is_read_in_pixels_and_percent():
    assert region(at("25%", "10px", "75%", "100%"), (80, 60)) == (20, 10, 60, 60)


@pytest.mark.parametrize(
    ("lengths", "code"),
    [
        (("0", "0", "81px", "60px"), "roi_exceeds_bounds"),
        (("0", "0", "80px", "101%"), "roi_exceeds_bounds"),
        (("90px", "0", "80px", "10px"), "roi_exceeds_bounds"),
        (("10px", "0", "10px", "60px"), "roi_region_empty"),
        (("20px", "0", "10px", "60px"), "roi_region_empty"),
        (("0%", "50%", "100%", "50.01%"), "roi_region_empty"),
    ],
)
def test_a_region_lies_in_the_picture_and_holds_something(lengths, code):
    with pytest.raises(BadCall) as caught:
        region(at(*lengths), (80, 60))
    assert caught.value.code == code


def test_what_is_outside_the_region_is_background():
    result = rendered(cutout(), plan(roi=(30, 0, 80, 60)))
    assert box_of(result) == (30, 10, 40, 50)


def test_a_region_is_scaled_with_the_picture():
    result = rendered(cutout(), plan(size=(160, 120), roi=(60, 40, 160, 120)))
    assert box_of(result) == (30, 20, 40, 50)


def test_a_region_without_a_subject_is_told():
    with pytest.raises(BadCall) as caught:
        rendered(cutout(), plan(roi=(50, 0, 80, 60)))
    assert caught.value.code == "unknown_foreground"


def test_a_picture_without_a_subject_is_told():
    with pytest.raises(BadCall) as caught:
        rendered(cutout(np.zeros((HEIGHT, WIDTH), np.float32)), plan())
    assert caught.value.code == "unknown_foreground"


def test_a_crop_is_tight():
    result = rendered(cutout(), plan(crop=True))
    assert picture(result).size == (20, 40)
    assert result.subject == BOX


def margins(*lengths):
    return Margins(*at(*lengths))


@pytest.mark.parametrize(
    ("asked", "size", "box"),
    [
        (margins("5px", "5px", "5px", "5px"), (30, 50), (5, 5, 25, 45)),
        (margins("10%", "20%", "10%", "20%"), (28, 48), (4, 4, 24, 44)),
        (margins("1px", "2px", "3px", "4px"), (26, 44), (4, 1, 24, 41)),
        (margins("50px", "0", "0", "0"), (20, 90), (0, 50, 20, 90)),
    ],
)
def test_margins_surround_a_crop(asked, size, box):
    result = rendered(cutout(), plan(crop=True, crop_margin=asked))
    assert picture(result).size == size
    assert box_of(result) == box


def test_margins_count_only_with_a_crop():
    assert picture(rendered(cutout(), plan(crop_margin=margins("5px", "5px", "5px", "5px")))).size == (WIDTH, HEIGHT)


@pytest.mark.parametrize(
    ("position", "box"),
    [
        ((0.5, 0.5), (30, 10, 50, 50)),
        ((0.0, 0.0), (0, 0, 20, 40)),
        ((1.0, 1.0), (60, 20, 80, 60)),
        ((0.25, 1.0), (15, 20, 35, 60)),
    ],
)
def test_a_subject_is_put_where_it_was_asked_for(position, box):
    result = rendered(cutout(), plan(position=position))
    assert picture(result).size == (WIDTH, HEIGHT)
    assert box_of(result) == box


@pytest.mark.parametrize(
    ("scale", "position", "box"),
    [
        (1.0, "", (25, 0, 55, 60)),
        (0.5, "", (32, 15, 48, 45)),
        (0.5, (0.0, 1.0), (0, 30, 15, 60)),
        (0.5, None, (22, 15, 38, 45)),
    ],
)
def test_a_scale_is_a_share_of_the_canvas(scale, position, box):
    found = box_of(rendered(cutout(), plan(scale=scale, position=position)))
    assert np.abs(np.subtract(found, box)).max() <= 1


def test_a_scaled_subject_that_stays_is_kept_inside():
    found = box_of(rendered(cutout(), plan(scale=1.0, position=None)))
    assert found[0] >= 0
    assert found[3] == HEIGHT


def test_a_crop_comes_before_a_scale():
    result = rendered(cutout(), plan(crop=True, scale=0.5))
    assert picture(result).size == (20, 40)
    assert box_of(result) == (5, 10, 15, 30)


def test_a_shadow_lies_on_the_canvas_that_is_written():
    result = rendered(
        cutout(), plan(crop=True, crop_margin=margins("10px", "10px", "10px", "10px"), shadow_type="drop")
    )
    pixels = np.asarray(picture(result))
    beside = pixels[..., 3].astype(int)
    beside[10:50, 10:30] = 0
    assert picture(result).size == (40, 60)
    assert beside.max() > 20
    stronger = rendered(
        cutout(),
        plan(crop=True, crop_margin=margins("10px", "10px", "10px", "10px"), shadow_type="drop", shadow_opacity=1.0),
    )
    assert np.asarray(picture(stronger))[..., 3].astype(int).sum() > pixels[..., 3].astype(int).sum()


@pytest.mark.parametrize(
    ("format", "backed", "media"),
    [
        ("auto", None, "image/png"),
        ("auto", "white", "image/jpeg"),
        ("auto", "#ffffff80", "image/png"),
        ("png", "white", "image/png"),
        ("jpg", None, "image/jpeg"),
        ("webp", None, "image/webp"),
        ("zip", None, "application/zip"),
    ],
)
def test_auto_is_png_where_anything_shows_through(format, backed, media):
    cut = cutout() if backed is None else cutout().over(backed)
    assert rendered(cut, plan(format=format)).media_type == media


def test_auto_is_jpeg_where_the_subject_covers_everything():
    assert rendered(cutout(np.ones((HEIGHT, WIDTH), np.float32)), plan(format="auto")).media_type == "image/jpeg"


def test_a_mask_alone_is_grey_and_png():
    result = rendered(cutout(show="alpha"), plan(channels="alpha"))
    assert result.media_type == "image/png"
    assert picture(result).mode == "L"


def test_a_zip_holds_colours_and_alpha_and_nothing_of_the_background():
    alpha = np.zeros((HEIGHT, WIDTH), np.float32)
    alpha[10:50, 21:43] = 1  # not on the borders of blocks
    with zipfile.ZipFile(io.BytesIO(zipped(cutout(alpha)))) as archive:
        assert archive.namelist() == ["color.jpg", "alpha.png"]
        color, mask = (np.asarray(Image.open(io.BytesIO(archive.read(name)))) for name in archive.namelist())
    assert color.shape == (HEIGHT, WIDTH, 3)
    assert (mask == alpha * 255).all()
    assert np.abs(color[10:50, 21:40].astype(int) - (200, 40, 20)).max() < 12
    assert color[55, 70].max() < 12
    beside = color[30, 17:20].astype(int)  # clear, in a block with the subject
    assert np.abs(beside - (200, 40, 20)).max() < 12


def test_a_zip_of_several_bands_is_whole(monkeypatch):
    monkeypatch.setattr("cleancut.apps.server.removebg.render.STRIP_PIXELS", WIDTH * 8)
    with zipfile.ZipFile(io.BytesIO(zipped(cutout()))) as archive:
        mask = np.asarray(Image.open(io.BytesIO(archive.read("alpha.png"))))
    assert (mask == cutout().alpha * 255).all()


def test_the_subject_of_a_large_source_is_told_in_its_own_pixels():
    result = rendered(cutout(), plan(size=(8000, 6000)))
    assert result.subject == (2000, 1000, 4000, 5000)


@pytest.mark.parametrize(
    ("asked", "megapixels"),
    [
        (Asked(), 0.25),
        (Asked(size="medium"), 1.5),
        (Asked(size="hd"), 4),
        (Asked(size="full"), 10),
        (Asked(size="4k", format="png"), 10),
        (Asked(size="auto", format="jpg"), 25),
        (Asked(size="full", format="zip"), 25),
        (Asked(size="full", format="webp"), 25),
        (Asked(size="full", bg_color="#ffffff"), 25),
        (Asked(size="full", bg_color="#ffffff80"), 10),
        (Asked(size="full", channels="alpha", bg_color="#ffffff"), 10),
        (Asked(size="50mp", format="png"), 10),
        (Asked(size="50mp", format="jpg"), 50),
        (Asked(size="hd", format="png"), 4),
    ],
)
def test_the_size_and_the_format_bound_the_pixels(asked, megapixels):
    made = planned(asked, header(9000, 6000), None, "cleancut-small")
    width, height = reduced((9000, 6000), made.recipe.max_side)
    assert megapixels * 0.998e6 < width * height <= megapixels * 1e6


def test_a_background_that_is_opaque_makes_room_for_more():
    opaque, clear = (
        planned(Asked(size="full"), header(9000, 6000), header(9, 9, covers), "cleancut-small")
        for covers in (True, False)
    )
    assert opaque.most[0] > clear.most[0]


def encoded(image, format="PNG", **more):
    stream = io.BytesIO()
    image.save(stream, format, **more)
    return stream.getvalue()


def test_a_header_is_upright():
    exif = Image.Exif()
    exif[0x0112] = 6
    assert head(encoded(Image.new("RGB", (8, 4)), "JPEG", exif=exif), "it", Limits()).upright == (4, 8)


def test_a_header_tells_what_is_transparent():
    assert head(encoded(Image.new("RGB", (8, 4))), "it", Limits()).opaque
    assert not head(encoded(Image.new("RGBA", (8, 4))), "it", Limits()).opaque


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "invalid_file_type"),
        (b"\0\0\0\x18ftypmp42" + b"\0" * 32, "invalid_file_type"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 40, "invalid_dimensions"),
        (b"\xff\xd8\xff\xe0", "invalid_dimensions"),
        (encoded(Image.new("RGB", (101, 100))), "resolution_too_high"),
        (encoded(Image.effect_noise((90, 90), 99)), "file_too_large"),
    ],
)
def test_a_header_is_checked_before_anything_is_decoded(data, code):
    with pytest.raises(BadCall) as caught:
        head(data, "The picture", Limits(max_bytes=5000, max_pixels=10_000))
    assert caught.value.code == code


def test_the_type_of_a_video_is_told():
    with pytest.raises(BadCall) as caught:
        head(b"\0\0\0\x18ftypmp42" + b"\0" * 32, "The picture", Limits())
    assert "video" in caught.value.detail


def test_a_code_fills_in_its_facts():
    assert bad("file_too_large", limit="32MB").detail == "File exceeds limit of 32MB"


def test_the_plan_is_a_recipe_without_provenance():
    made = planned(replace(Asked(), size="full", format="jpg"), header(40, 30), None, "cleancut-small")
    assert (made.recipe.format, made.recipe.provenance, made.recipe.max_side) == ("jpeg", False, None)


def test_semitransparency_off_leaves_no_partial_alpha_inside():
    made = [planned(Asked(semitransparency=on), header(40, 30), None, "cleancut-small") for on in (True, False)]
    assert [plan.recipe.opaque for plan in made] == [False, True]
