import numpy as np
import pytest
from PIL import Image

from cleancut.raster import rows as rows_module
from cleancut.raster.layer import Layer
from cleancut.raster.resample import Fit, box_reduced, filtered, reduced, resized, weights
from cleancut.raster.rows import Rows
from tests.matting.drawn import disc, flat, noise

FILTERS = {
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}
every_filter = pytest.mark.parametrize("filter", FILTERS)


@every_filter
@pytest.mark.parametrize(
    ("size", "wanted"), [((403, 301), (32, 32)), ((640, 90), (100, 17)), ((50, 40), (64, 64)), ((1, 9), (3, 2))]
)
@pytest.mark.parametrize("channels", [0, 3])
def test_reducing_is_pillows_reducing_gap(filter, size, wanted, channels):
    picture = noise(size[1], size[0], max(channels, 1))
    picture = picture if channels else picture[..., 0]
    truth = Image.fromarray(picture).resize(wanted, FILTERS[filter], reducing_gap=2)
    assert (reduced(picture, *wanted, filter) == np.asarray(truth)).all()


@pytest.mark.parametrize("factors", [(1, 1), (2, 2), (3, 7), (1, 4), (99, 99)])
def test_boxes_are_averaged_and_the_last_may_be_partial(factors, monkeypatch):
    monkeypatch.setattr(rows_module, "STRIP_PIXELS", 500)
    picture = noise(83, 61)
    truth = np.asarray(Image.fromarray(picture).reduce(factors))
    assert (box_reduced(Rows.of(picture), *factors) == truth).all()


def test_boxes_of_colour_and_alpha_are_averaged_by_alpha():
    rgba = np.array([[[200, 0, 0, 255], [0, 90, 0, 0]]], np.uint8)
    assert np.abs(box_reduced(Rows.of(rgba), 2, 1).astype(int) - (200, 0, 0, 128)).max() <= 1


@every_filter
@pytest.mark.parametrize("wanted", [(200, 130), (33, 21), (7, 300), (1, 1)])
def test_enlarging_is_pillows_in_float_clipped_after_each_way(filter, wanted):
    plane = np.random.default_rng(1).random((24, 30)).astype(np.float32)
    wide = np.asarray(Image.fromarray(plane).resize((wanted[0], 24), FILTERS[filter])).clip(0, 1)
    truth = np.asarray(Image.fromarray(wide).resize(wanted, FILTERS[filter])).clip(0, 1)
    found = Fit.stretch(wanted, (30, 24), filter).enlarge(plane).whole()
    assert found.shape == (wanted[1], wanted[0])
    assert np.abs(found - truth).max() < 1e-5


def test_enlarging_does_not_depend_on_the_strips(monkeypatch):
    plane = np.random.default_rng(1).random((24, 30)).astype(np.float32)
    whole = Fit.stretch((200, 130), (30, 24), "bicubic").enlarge(plane).whole()
    monkeypatch.setattr(rows_module, "STRIP_PIXELS", 200 * 7)
    assert np.abs(Fit.stretch((200, 130), (30, 24), "bicubic").enlarge(plane).whole() - whole).max() < 1e-6


@pytest.mark.parametrize("size", [(400, 300), (120, 500), (1000, 200), (64, 64)])
@pytest.mark.parametrize("output", [64, 32])
def test_a_letterbox_and_back_puts_every_feature_where_it_was(size, output):
    width, height = size
    y, x = np.mgrid[:height, :width]
    center = height * 0.4, width * 0.6
    radius = min(size) / 3
    mask = np.clip(radius - np.hypot(y - center[0], x - center[1]) + 0.5, 0, 1)
    fit = Fit.letterbox(size, (64, 64), "bilinear")
    small = fit.shrink(np.repeat(np.rint(mask * 255)[..., None], 3, axis=2).astype(np.uint8))
    plane = small[..., 0].astype(np.float32) / 255
    left, top, right, bottom = fit.box
    plane[:top] = plane[bottom:] = 0
    plane[:, :left] = plane[:, right:] = 0
    if output == 32:
        plane = plane.reshape(32, 2, 32, 2).mean(axis=(1, 3))
    found = fit.enlarge(plane).whole()
    pixel = max(size) / 64  # what one pixel of the input covers
    centroid = [(found * axis).sum() / found.sum() for axis in (y, x)]
    assert centroid == pytest.approx(center, abs=0.5 * max(1, pixel / 4))
    assert found.sum() == pytest.approx(mask.sum(), rel=0.12 if radius > 2 * pixel else 1)


def test_a_letterbox_is_padded_with_grey_and_a_stretch_is_not():
    white = flat((255, 255, 255), 50, 100)
    boxed = Fit.letterbox((100, 50), (32, 32), "bicubic").shrink(white)
    assert (boxed[:8] == 128).all()
    assert (boxed[8:24] == 255).all()
    assert (boxed[24:] == 128).all()
    assert (Fit.stretch((100, 50), (32, 32), "bicubic").shrink(white) == 255).all()


@every_filter
def test_weights_add_up_to_one_and_a_constant_stays(filter):
    for size, wanted, span in ((5, 9, None), (9, 5, None), (9, 5, (2.0, 7.5)), (1, 4, None)):
        assert weights(size, wanted, filter, span).sum(axis=1) == pytest.approx(1, abs=1e-6)


def pillow_resized(rgba, size):
    """Across first, as Pillow does or does not by itself, then down."""
    across = Image.fromarray(rgba).convert("RGBa").resize((size[0], len(rgba)), Image.Resampling.LANCZOS)
    return np.asarray(across.resize(size, Image.Resampling.LANCZOS).convert("RGBA")).astype(int)


@pytest.mark.parametrize("size", [(150, 120), (37, 29), (50, 200), (1, 1), (100, 3)])
@pytest.mark.parametrize("strip_rows", [1, 7, 1000])
def test_a_layer_is_resized_as_pillow_resizes_premultiplied(size, strip_rows, monkeypatch):
    monkeypatch.setattr(rows_module, "STRIP_PIXELS", size[0] * strip_rows)
    color, alpha = noise(), disc()
    layer = resized(Layer(Rows.of(color), Rows.of(alpha)), *size)
    assert layer.size == size
    truth = pillow_resized(np.dstack([color, np.rint(alpha * 255).astype(np.uint8)]), size)
    found_alpha = layer.alpha.whole() * 255
    assert np.abs(found_alpha - truth[..., 3]).max() <= 1
    solid = truth[..., 3] > 200
    assert np.abs(layer.color.whole()[solid] - truth[solid][:, :3]).max(initial=0) <= 2


def test_a_layer_of_the_size_wanted_is_itself():
    layer = Layer(Rows.of(noise()), Rows.of(disc()))
    assert resized(layer, 100, 80) is layer


def test_what_is_transparent_lends_no_colour_to_what_is_resized():
    color = flat((0, 255, 0))
    color[disc() > 0] = (200, 10, 20)
    layer = resized(Layer(Rows.of(color), Rows.of(disc())), 41, 33)
    seen = layer.alpha.whole() > 0.1
    assert np.abs(layer.color.whole()[seen].astype(int) - (200, 10, 20)).max() <= 5


@pytest.mark.parametrize("size", [(431, 1237), (64, 64), (3000, 50), (20, 30)])
@pytest.mark.parametrize("filter", ["bicubic", "lanczos"])
def test_filtered_is_pillows_resize(size, filter, monkeypatch):
    monkeypatch.setattr(rows_module, "STRIP_PIXELS", 5000)
    picture = np.random.default_rng(3).integers(0, 256, (*size, 3), np.uint8)
    expected = Image.fromarray(picture).resize((64, 48), getattr(Image.Resampling, filter.upper()))
    error = np.abs(filtered(picture, 64, 48, filter).astype(int) - np.asarray(expected))
    if size[0] < 3000:
        assert error.max() == 0
    else:  # Pillow goes down first where that is cheaper, and so rounds and clips between elsewhere
        assert error.mean() < 0.5
