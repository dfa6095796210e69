"""Studio pictures whose α and F are known, keyed; the floors are what was measured, with half again as much room."""

import hashlib

import numpy as np
import pytest

from cleancut.errors import BadRecipe
from cleancut.matting.keying.key import LOOK, key
from cleancut.matting.keying.surface import Surface, find
from cleancut.matting.pipeline import cut
from cleancut.matting.predict import complete
from cleancut.matting.recipe import digest, make
from cleancut.models.registry import registry
from cleancut.types import Picture
from tests.matting.drawn import flat, noise
from tests.matting.keying.studio import BACKDROPS, backdrop, photo
from tests.stubs import loading

SOFT = {"disc with a hole": 0.03, "hair": 0.02, "motion blur": 0.02}


def keyed(pixels, model="key:auto", **recipe):
    return cut(Picture(pixels), make(model=model, **recipe))


@pytest.mark.parametrize("subject", SOFT)
@pytest.mark.parametrize("backdrop", BACKDROPS)
def test_soft_edges_and_holes_are_found_to_the_pixel(subject, backdrop):
    pixels, alpha, _ = photo(subject, backdrop)
    wrong = np.abs(keyed(pixels).alpha - alpha)
    assert wrong[(alpha > 0.05) & (alpha < 0.95)].mean() < SOFT[subject]
    assert wrong.mean() < 0.001


def test_colours_lose_the_backdrop():
    pixels, alpha, front = photo("motion blur", "green")
    soft = (alpha > 0.2) & (alpha < 0.95)
    off = np.abs(keyed(pixels).foreground.astype(float) - front)[soft].mean()
    assert off < 6
    assert np.abs(keyed(pixels, foreground="source").foreground.astype(float) - front)[soft].mean() > 5 * off


def test_what_is_opaque_stays_bit_for_bit():
    pixels, _, _ = photo("disc with a hole", "grey gradient")
    rgba = keyed(pixels).rgba()
    opaque = rgba[..., 3] == 255
    assert opaque.mean() > 0.1
    assert (rgba[opaque, :3] == pixels[opaque]).all()
    assert not rgba[rgba[..., 3] == 0].any()


def test_a_named_green_lets_glass_through():
    pixels, alpha, _ = photo("glass", "green")
    by_chroma = np.abs(keyed(pixels, "key:#00ff00").alpha - alpha).mean()
    assert by_chroma < 0.03
    assert by_chroma < 0.5 * np.abs(keyed(pixels).alpha - alpha).mean()


def test_a_colour_is_taken_as_it_is_found():
    shaded = find(Picture(photo("hair", "green")[0]))
    green = key(Picture(photo("hair", "green")[0]), "#00ff00")
    assert np.linalg.norm(shaded.color - (40, 180, 70)) < 3
    assert green.confidence > 0.9
    assert np.abs(green.rows.whole() - photo("hair", "green")[1]).mean() < 0.005


def test_a_person_may_touch_the_bottom():
    pixels = backdrop("grey gradient", 300, 300)
    pixels[120:, 60:240] = 30, 60, 90
    alpha = keyed(np.rint(pixels).astype(np.uint8)).alpha
    assert alpha[200:, 80:220].min() > 0.999
    assert alpha[:100].max() == 0


def test_a_highlight_is_no_hole():
    pixels = np.full((400, 400, 3), 255.0)
    y, x = np.mgrid[:400, :400] - 200.0
    away = np.hypot(y, x)
    pixels[away < 150] = 120
    shine = np.clip(1.6 - np.hypot(y + 40, x + 40) / 35, 0, 1)[..., None]
    pixels = pixels + shine * (255 - pixels)
    pixels[np.hypot(y - 60, x - 60) < 30] = 255
    alpha = keyed(np.rint(pixels).astype(np.uint8)).alpha
    assert alpha[160, 160] == 1
    assert alpha[260, 260] == 0


def test_a_spot_of_light_is_followed():
    pixels, alpha, front = photo("disc with a hole", "grey gradient")
    y, x = (np.mgrid[:300, :400] / np.reshape((300, 400), (2, 1, 1)) - 0.5) * 2
    back = backdrop("grey gradient", 300, 400) + (16 * np.clip(1 - x * x, 0, 1) * np.clip(1 - y * y, 0, 1))[..., None]
    pixels = np.rint(alpha[..., None] * front + (1 - alpha[..., None]) * back).clip(0, 255).astype(np.uint8)
    assert np.abs(keyed(pixels).alpha - alpha).mean() < 0.004


def test_strands_finer_than_the_small_copy_stay_apart():
    pixels = flat((200, 205, 210), 300, 6000)
    pixels[75:225, 2000:4000:12] = 30
    pixels[100:200, 2600:3400] = 90, 40, 30
    alpha = keyed(pixels).alpha
    assert alpha[90, 2048] == 1
    assert alpha[90, 2049:2060].max() == 0
    assert alpha[150, 2700:3300].min() > 0.999


@pytest.mark.parametrize("shape", [(200, 200), (1, 1), (3, 400)])
def test_a_busy_border_is_an_error_that_says_what_to_do(shape):
    with pytest.raises(BadRecipe, match=r"picture has no flat backdrop .* use a network"):
        keyed(noise(*shape))


@pytest.mark.parametrize("color", [(255, 255, 255), (0, 0, 0), (90, 120, 60)])
@pytest.mark.parametrize("model", ["key:auto", "key:{:02x}{:02x}{:02x}"])
def test_one_colour_holds_no_subject(color, model):
    result = keyed(flat(color), model.format(*color))
    assert result.confidence == 0
    assert result.report.notes == ("No subject was found.",)
    assert result.alpha.max() == 0


@pytest.mark.parametrize("shape", [(1, 1), (1, 50), (30_000, 4)])
def test_any_shape_is_keyed_by_a_named_colour(shape):
    pixels = flat((0, 200, 0), *shape)
    assert keyed(pixels, "key:#00ff00").alpha.shape == shape


def test_a_strip_30000_pixels_long_is_keyed():
    pixels = flat((200, 200, 200), 30_000, 40)
    pixels[10_000:20_000, 12:28] = 20, 30, 40
    alpha = keyed(pixels).alpha
    assert alpha[15_000, 20] == 1
    assert alpha[5_000].max() == 0


def test_the_sources_own_alpha_counts():
    pixels, alpha, _ = photo("disc with a hole", "white")
    own = np.full(alpha.shape, 255, np.uint8)
    own[:, 200:] = 0
    found = cut(Picture(pixels, own), make(model="key:white")).alpha
    assert found[:, 200:].max() == 0
    assert np.abs(found - alpha)[:, :200].mean() < 0.001


def test_strips_do_not_show(monkeypatch):
    pixels, _, _ = photo("hair", "grey gradient")
    whole = keyed(pixels).rgba()
    monkeypatch.setattr("cleancut.raster.rows.STRIP_PIXELS", 3000)
    assert np.abs(keyed(pixels).rgba().astype(int) - whole).max() <= 1


def test_the_same_picture_gives_the_same_bytes():
    pixels, _, _ = photo("hair", "grey gradient")
    assert len({hashlib.sha256(keyed(pixels).rgba()).digest() for _ in range(2)}) == 1


@pytest.mark.parametrize(("written", "whole"), [("key:auto", "key"), ("key:", "key"), ("key:LIME", "key:color=#00ff00"),
                                                ("key:color=0f0", "key:color=#00ff00"),
                                                ("key:#00ff00ff", "key:color=#00ff00")])  # fmt: skip
def test_equal_settings_are_equal_recipes(written, whole):
    assert complete(written) == whole == make(model=whole).model
    assert digest(make(model=written)) == digest(make(model=whole))


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ("key:grean", "must be auto or a colour such as white or #00ff00, not 'grean'"),
        ("key:size=3", "has no setting size; it has color"),
        ("key:\x1b[31m", "must be auto or a colour"),
        ("u2net:fast", "u2net takes no settings; write its name alone"),
        ("sam:box=1,2,3,4", "sam takes no settings"),
        ("kee:auto", "no model 'kee'; did you mean key"),
    ],
)
def test_a_setting_that_does_not_fit_says_so(model, said):
    with pytest.raises(BadRecipe) as caught:
        make(model=model)
    assert said in str(caught.value)
    assert str(caught.value).isprintable()


def test_the_table_states_the_size_of_the_copy():
    assert registry()["key"].input.size == LOOK


def test_a_named_surface_has_that_colour_everywhere():
    assert (Surface.of((10, 20, 30)).strip(3, 5, 7, 9) == (10, 20, 30)).all()


def claiming(alpha):
    """A `load` whose network claims this α for the model auto."""
    stub = loading(alpha)

    def load(name):
        loaded = stub(name)
        object.__setattr__(loaded.model, "kind", "auto")
        return loaded

    return load


def small(alpha):
    """α as a network at 64 pixels gives it: the hole is lost."""
    rows, columns = (np.linspace(0, size - 1, 64).astype(int) for size in alpha.shape)
    return np.maximum(alpha, np.roll(alpha, 45, 1) * np.roll(alpha, -45, 1) > 0.5)[np.ix_(rows, columns)]


def test_auto_keys_what_a_network_sees_too():
    pixels, alpha, _ = photo("motion blur", "grey gradient")
    result = cut(Picture(pixels), make(model="auto"), load=claiming(small(alpha)))
    assert result.notes == ("The backdrop is flat, so the subject was keyed by colour (auto).",)
    assert np.abs(result.alpha - alpha).mean() < 0.002


@pytest.mark.parametrize("what", ["another subject", "a busy border"])
def test_auto_leaves_the_rest_to_the_network(what):
    pixels, alpha, _ = photo("motion blur", "grey gradient")
    claimed = small(alpha)
    if what == "another subject":
        claimed = np.roll(claimed, 20, 0)
    else:
        pixels = np.where(alpha[..., None] > 0.5, pixels, noise(300, 400))
    result = cut(Picture(pixels), make(model="auto", refine="none"), load=claiming(claimed))
    plain = cut(Picture(pixels), make(refine="none"), load=loading(claimed))
    assert result.notes == ("The network cut this out (auto).",)
    assert (result.alpha == plain.alpha).all()
