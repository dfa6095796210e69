"""`compare`: what it shows and what it measures."""

import io

import numpy as np
import pytest
from PIL import Image

from cleancut.apps.notebook.comparison import MOST
from cleancut.apps.scene import scene
from cleancut.errors import BadInput, BadRecipe, UnknownModel
from cleancut.notebook import compare
from tests.stubs import disc, loading

SCENE = scene(120, 90)


def by_name(name):
    """Models that see discs of other sizes."""
    return loading(disc(radius={"cleancut-small": 0.3, "u2netp": 0.2}[name]))(name)


def test_models_stand_beside_each_other():
    found = compare(SCENE.photo, ["cleancut-small", "u2netp"], load=by_name, refine="none")
    assert list(found.cutouts) == list(found.figures) == ["cleancut-small", "u2netp"]
    first, second = found.figures.values()
    assert first["SSIM (from the first)"] is None and 0 < second["SSIM (from the first)"] < 1
    assert second["difference, largest (from the first)"] == 1 and second["time (ms)"] > 0
    assert "IoU" not in first and set(first) == set(second)


def test_the_truth_tells_which_is_nearer():
    found = compare(SCENE.photo, ["cleancut-small", "u2netp"], truth=SCENE.alpha, load=by_name, refine="none")
    own = compare(
        SCENE.photo, "cleancut-small", truth=found.cutouts["cleancut-small"].alpha, load=by_name, refine="none"
    )
    assert own.figures["cleancut-small"]["IoU"] == 1 and own.figures["cleancut-small"]["MAE"] < 1 / 255
    assert all(0 < figures["IoU"] < 1 for figures in found.figures.values())
    assert "halo (of 255)" not in own.figures["cleancut-small"]  # a truth of α alone has no colours


def test_it_shows_itself_without_any_script():
    photo = scene(120, 90).photo
    found = compare(photo, ["cleancut-small", "u2netp"], load=by_name)
    bundle = found._repr_mimebundle_()
    page = bundle["text/html"]
    assert page.count("<figure>") == 3 and "<script" not in page and "http" not in page
    sheet = Image.open(io.BytesIO(bundle["image/png"]))
    assert sheet.width == 3 * 120 + 24 and bundle["text/plain"] == "Comparison(scene-0: cleancut-small, u2netp)"
    assert np.asarray(sheet.convert("RGB"))[22:112, :120].std() > 0


def test_names_are_text():
    def named(name):
        return loading(disc())(name)

    evil = "u2netp"
    found = compare(SCENE.photo, evil, load=named)
    found.figures[evil]["<b>"] = 1.0
    assert "<b>" not in found._repr_html_()


@pytest.mark.parametrize(
    ("models", "more", "error"),
    [
        ([], {}, BadInput),
        ([f"model-{number}" for number in range(MOST + 1)], {}, BadInput),
        (["nobody"], {}, UnknownModel),
        (["cleancut-small"], {"truth": np.zeros((5, 5), np.float32)}, BadInput),
        (["cleancut-small"], {"effect": "blur"}, BadRecipe),
    ],
)
def test_what_cannot_be_compared_is_said(models, more, error):
    with pytest.raises(error):
        compare(SCENE.photo, models, **more)
