import hashlib
from dataclasses import replace

import numpy as np
import pytest

from cleancut.errors import BadRecipe, BadSetting, ModelFailed, NotDownloaded
from cleancut.matting.band.learned import learned
from cleancut.matting.pipeline import cut
from cleancut.matting.recipe import from_json, make, to_json
from cleancut.models.registry import Input, registry
from cleancut.models.runtime import Engine, Loaded, engine
from cleancut.raster.rows import Rows
from cleancut.types import Picture
from tests import stubs
from tests.models import protobuf as onnx
from tests.stubs import disc

TABLE = registry()["vitmatte"]


def refiner(network, size=(64, 64), **given):
    """A network of the signature of rembg's exports, only smaller: (1, 4, h, w) in, (1, 1, h, w) out."""
    asked = []

    def called(inputs):
        (image,) = inputs.values()
        assert (image.shape, image.dtype) == ((1, 4, *size[::-1]), np.float32)
        asked.append(image)
        return {"alpha": network(image)}

    table = replace(TABLE, input=replace(TABLE.input, size=size, **given))
    return Loaded(table, called, "stub", "0" * 64), asked


def by_red(image):
    """The answer of a network that knows the truth, which the picture's red is."""
    return image[:, :1]


def painted(alpha):
    """A picture whose red is an alpha."""
    rgb = np.zeros((*alpha.shape, 3), np.uint8)
    rgb[..., 0] = np.rint(alpha * 255)
    return Picture(rgb)


def band(alpha):
    """The trimap of an alpha: unknown where it is soft, and two pixels around."""
    soft = (alpha > 0) & (alpha < 1)
    for axis in (0, 1):
        soft = soft | np.roll(soft, 2, axis) | np.roll(soft, -2, axis)
    return np.where(soft, 128, np.where(alpha == 1, 255, 0)).astype(np.uint8)


def smooth(height, width):
    """A soft disc, at least eight pixels wide in its edge."""
    y, x = np.indices((height, width)) + 0.5
    return np.clip((0.35 * min(height, width) - np.hypot(x - width / 2, y - height / 2)) / 8 + 0.5, 0, 1).astype("f4")


@pytest.mark.parametrize("shape", [(64, 64), (40, 50), (150, 200), (500, 90), (30, 600), (1, 1), (300, 1)])
@pytest.mark.parametrize("budget", [1, 3, 50])
def test_what_the_network_says_comes_back_where_it_belongs(shape, budget):
    alpha = smooth(*shape)
    marks = band(alpha)
    loaded, asked = refiner(by_red)
    found = learned(painted(alpha), Rows.of(marks), loaded, budget)
    result = found.alpha.whole()
    assert len(asked) == found.tiles <= budget
    assert (result[marks == 255] == 1).all() and (result[marks == 0] == 0).all()
    assert np.isfinite(result).all()
    if found.scale < 1.5:  # what is reduced more cannot have the truth
        assert np.abs(result - alpha).max() < (0.03 if found.scale == 1 else 0.15)


def test_tiles_are_of_the_pictures_own_size_while_the_budget_lasts():
    alpha = smooth(300, 300)
    loaded, _ = refiner(by_red)
    told = [str(learned(painted(alpha), Rows.of(band(alpha)), loaded, budget)) for budget in (100, 10, 1)]
    assert told[0].endswith("tiles)")
    assert " tiles at 1/" in told[1]
    assert told[2] == "(1 tile at 1/4.69)"


def test_only_the_band_is_looked_at():
    """Of a wide picture with one soft spot the network sees the spot, at its own size."""
    marks = np.zeros((64, 2000), np.uint8)
    marks[30:34, 1500:1504] = 128
    rgb = np.zeros((64, 2000, 3), np.uint8)
    rgb[:, 1500:1504, 0] = 200
    loaded, asked = refiner(by_red)
    found = learned(Picture(rgb), Rows.of(marks), loaded, 8)
    assert (found.tiles, found.scale) == (1, 1)
    assert asked[0][0, 3].sum() == pytest.approx(16 * 128 / 255)
    assert found.alpha.whole()[32, 1502] == pytest.approx(200 / 255, abs=0.002)


def test_nothing_unknown_asks_nothing():
    loaded, asked = refiner(by_red)
    found = learned(painted(smooth(50, 50)), Rows.of(np.full((50, 50), 255, np.uint8)), loaded, 8)
    assert (found.tiles, str(found)) == (0, "(0 tiles)")
    assert (found.alpha.whole() == 1).all()
    assert not asked


def test_the_network_gets_colours_and_trimap_as_its_table_says():
    alpha = smooth(64, 64)
    picture, marks = painted(alpha), band(alpha)
    loaded, asked = refiner(by_red)
    learned(picture, Rows.of(marks), loaded, 8).alpha.whole()
    assert np.abs(asked[0][0, 0] - picture.rgb[..., 0] / 255).max() < 1e-6
    assert np.unique(asked[0][0, 3]).tolist() == pytest.approx([0, 128 / 255, 1])
    shifted, asked = refiner(lambda image: image[:, 3:], mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5))
    learned(picture, Rows.of(marks), shifted, 8)
    assert np.abs(asked[0][0, 0] - (picture.rgb[..., 0] / 127.5 - 1)).max() < 1e-5


def test_the_whole_is_shown_as_rembg_shows_it():
    """Pillow's bilinear filter for the colours, the nearest pixel for the trimap, both stretched."""
    from PIL import Image

    rng = np.random.default_rng(2)
    picture = Picture(rng.integers(0, 256, (90, 140, 3), np.uint8))
    marks = np.where(rng.random((90, 140)) < 0.5, 128, 255).astype(np.uint8)
    loaded, asked = refiner(by_red)
    learned(picture, Rows.of(marks), loaded, 1)
    small = Image.fromarray(picture.rgb).resize((64, 64), Image.Resampling.BILINEAR)
    nearest = Image.fromarray(marks).resize((64, 64), Image.Resampling.NEAREST)
    assert np.abs(asked[0][0, :3] * 255 - np.asarray(small).transpose(2, 0, 1)).max() <= 1.01
    assert (np.rint(asked[0][0, 3] * 255) == np.asarray(nearest)).all()


def test_what_is_transparent_in_the_source_is_hidden():
    alpha = smooth(64, 64)
    own = np.full((64, 64), 255, np.uint8)
    own[:, :10] = 0
    loaded, asked = refiner(by_red)
    learned(replace(painted(alpha), alpha=own), Rows.of(band(alpha)), loaded, 8)
    assert (np.rint(asked[0][0, :3, :, :10] * 255) == 128).all()


@pytest.mark.parametrize(
    "answer",
    [np.full((1, 1, 64, 64), np.nan, np.float32), np.zeros((1, 2, 2, 2, 2), np.float32), np.zeros((1, 1, 0, 0), "f4")],
)
def test_an_answer_that_is_no_alpha_names_the_model(answer):
    alpha = smooth(64, 64)
    loaded, _ = refiner(lambda image: answer)
    with pytest.raises(ModelFailed, match="vitmatte-small-distinctions-646"):
        learned(painted(alpha), Rows.of(band(alpha)), loaded, 8)


def both(coarse, network):
    """A `load` of a network that finds the subject and one that refines it."""
    finding = stubs.loading(coarse)
    refining, asked = refiner(network)
    return (lambda name: refining if registry()[name].kind == "trimap" else finding(name)), asked


def test_a_recipe_asks_it_by_name():
    right = smooth(200, 160)
    load, asked = both(stubs.disc(40, 0.28), by_red)
    plain = cut(painted(right), make(refine="none"), load=load).alpha
    cutout = cut(painted(right), make(refine="vitmatte"), load=load)
    assert np.abs(cutout.alpha - right).mean() < 0.5 * np.abs(plain - right).mean()
    assert cutout.report.refine == (
        f"trimap:clear=10,erode=0,model={TABLE.name},solid=240,tiles=8 ({len(asked)} tiles at 1/1.41)",
    )
    assert [ran.model for ran in cutout.report.models] == ["cleancut-small", TABLE.name]
    assert (cutout.report.models[1].license, cutout.report.models[1].confidence) == ("Apache-2.0", None)


def test_its_names_are_one_step():
    long = make(refine=[{"name": "trimap", "model": "vitmatte-small-distinctions-646", "tiles": 2}])
    assert make(refine="vitmatte:tiles=2") == make(refine="trimap:model=vitmatte-small,tiles=2") == long
    assert make(refine="trimap:vitmatte,tiles=2") == long
    assert from_json(to_json(long)) == long
    assert make(refine=["vitmatte-base"]).refine[0].settings[2] == ("model", "vitmatte-base-distinctions-646")


def test_a_model_that_takes_no_trimap_is_refused():
    with pytest.raises(BadSetting, match="model of trimap must be a model of the kind trimap, such as vitmatte-small"):
        make(refine="trimap:model=u2netp")
    with pytest.raises(BadSetting, match="trimap needs the setting model"):
        make(refine="trimap")
    with pytest.raises(BadRecipe, match="There is no refinement 'u2netp'"):
        make(refine="u2netp")


def test_it_cannot_find_a_subject_by_itself():
    load, _ = both(disc(), by_red)
    with pytest.raises(BadRecipe, match="refines what another model found; write --refine vitmatte-small"):
        cut(painted(smooth(64, 64)), make(model="vitmatte"), load=load)


def test_weights_that_are_not_here_say_how_to_get_them():
    with pytest.raises(NotDownloaded, match="cleancut models pull vitmatte-small-distinctions-646"):
        cut(painted(smooth(64, 64)), make(refine="vitmatte"), load=_load)


def _load(name):
    return engine().load(name) if registry()[name].kind == "trimap" else stubs.loading(disc())(name)


def test_the_tables_are_of_one_signature():
    tables = [model for model in registry().values() if model.kind == "trimap"]
    assert len(tables) == 4
    assert {model.input for model in tables} == {
        Input((1024, 1024), (0, 0, 0), (1, 1, 1), fit="stretch", filter="bilinear", exact=True)
    }
    assert registry()["vitmatte"].name == "vitmatte-small-distinctions-646"


GRAPH = onnx.model(onnx.graph([onnx.MEAN], [onnx.value("x", (1, 4, 64, 64))], [onnx.value("y", (1, 1, 64, 64))]))
MINE = """
[mine]
like    = "vitmatte-small-distinctions-646"
title   = "The mean of colours and trimap"
license = "MIT"
weights = {{ file = "mine.onnx", sha256 = "{sha256}" }}
input   = {{ size = [64, 64], fit = "stretch", filter = "bilinear", mean = [0, 0, 0], std = [1, 1, 1] }}
"""


@pytest.fixture
def mine(tmp_path, monkeypatch):
    """A graph and a table of a user's own."""
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "mine.onnx").write_bytes(GRAPH)
    (tmp_path / "models.toml").write_text(MINE.format(sha256=hashlib.sha256(GRAPH).hexdigest()))
    monkeypatch.setenv("CLEANCUT_HOME", str(tmp_path))
    monkeypatch.setenv("CLEANCUT_MODELS", str(tmp_path / "models.toml"))
    registry.cache_clear()
    yield Engine("cpu")
    registry.cache_clear()


def test_a_users_own_table_is_a_refinement_by_its_name(mine):
    picture = Picture(np.full((90, 120, 3), 51, np.uint8))

    def load(name):
        return mine.load(name) if name == "mine" else stubs.loading(disc(40, 0.28))(name)

    cutout = cut(picture, make(refine="mine"), load=load)
    tried = np.unique(cutout.alpha.round(2))
    wanted = (3 * 51 / 255 + 128 / 255) / 4  # what the graph says of an unknown pixel, tiles apart
    assert tried.tolist() == pytest.approx([0, wanted, 1], abs=0.03)
    assert cutout.report.models[1].provider == "cpu"
