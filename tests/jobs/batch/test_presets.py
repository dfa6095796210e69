import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cleancut.apps.cli import run
from cleancut.errors import BadTable, UnknownPreset
from cleancut.jobs.batch.presets import OURS, presets, read_presets
from cleancut.matting.pipeline import cut
from cleancut.types import Picture
from tests.jobs.batch.places import encoded
from tests.stubs import disc, loading

NAMES = [preset.name for preset in read_presets(OURS, "ours")]
SIZES = {"amazon": (2000, 2000), "walmart": (2200, 2200), "google-merchant": (1500, 1500), "ebay": (1600, 1600),
         "etsy": (2700, 2025), "shopify": (2048, 2048), "woocommerce": (1200, 1200), "product": (2000, 2000),
         "product-transparent": (2000, 2000), "studio": (2000, 2000), "sticker": (512, 512)}  # fmt: skip


@pytest.fixture
def users(tmp_path, monkeypatch):
    """Writes the user's presets, by the variable or into the folder of settings."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    presets.cache_clear()

    def write(text, name="mine.toml", *, settings=False):
        path = tmp_path / "config/cleancut/presets.toml" if settings else tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        if not settings:
            monkeypatch.setenv("CLEANCUT_PRESETS", str(path))
        return path

    yield write
    presets.cache_clear()


@pytest.mark.parametrize("name", NAMES)
def test_every_preset_makes_what_it_says(name):
    recipe = presets()[name].recipe(provenance=False)
    photo = Picture(np.full((60, 90, 3), (200, 40, 40), np.uint8))
    cutout = cut(photo, recipe, load=loading(disc()))
    width, height = SIZES.get(name, cutout.size)
    assert cutout.size == (width, height)
    corner = cutout.painted(0, 1)[0, 0]
    assert corner[3] == (0 if recipe.format == "png" or name == "sticker" else 255)
    if name in SIZES and name != "sticker":
        left, top, right, bottom = cutout.box
        assert abs((left + right) / 2 - width / 2) <= 2
        share = {"etsy": 0.8, "google-merchant": 0.85, "studio": 0.7}.get(name, 0.9)
        assert max((right - left) / width, (bottom - top) / height) == pytest.approx(share, abs=0.01)


def test_white_of_a_marketplace_is_white_in_the_file():
    recipe = presets()["amazon"].recipe()
    cutout = cut(Picture(np.full((60, 90, 3), 90, np.uint8)), recipe, load=loading(disc()))
    image = np.asarray(cutout.image())
    assert image.shape == (2000, 2000, 3)
    assert (image[:60] == 255).all()
    assert (image[:, :60] == 255).all()


def test_a_user_adds_presets_and_takes_fields_of_others(users):
    users("""
        [house]
        title = "Our shop"
        like = "amazon"
        format = "webp"
        [house-grey]
        title = "Our shop, grey"
        like = "house-base"
        effects = ["color:#eeeeee"]
        [house-base]
        title = "Base"
        quality = 70
        effects = ["trim"]
    """)
    assert [step.name for step in presets()["house"].recipe().effects] == ["trim", "fit", "shadow", "color"]
    assert presets()["house"].recipe().format == "webp"
    grey = presets()["house-grey"].recipe(quality=80)
    assert (grey.quality, [step.name for step in grey.effects]) == (80, ["color"])


def test_the_folder_of_settings_is_read_too(users):
    users('[mine]\ntitle = "Mine"\nformat = "avif"', settings=True)
    users('[other]\ntitle = "Other"\nlike = "mine"')
    assert presets()["other"].recipe().format == "avif"
    assert list(presets())[: len(NAMES)] == NAMES


def test_pictures_of_a_preset_lie_beside_it(users, tmp_path, monkeypatch):
    users('[brand]\ntitle = "Brand"\neffects = ["behind:picture=wall.png"]')
    (tmp_path / "wall.png").write_bytes(encoded(3))
    (tmp_path / "photo.png").write_bytes(encoded(1))
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert run(["../photo.png", "-o", "out.png", "--preset", "brand"]) == 0
    with Image.open("out.png") as image:
        assert np.asarray(image)[..., 3].min() == 255


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[a", "not TOML"),
        ("a = 1", r"\[a\] must be a table"),
        ("[a]\nformat = 'png'", r"\[a\]: title must be a line of text"),
        ("[a]\ntitle = 'x'\nfrmat = 'png'", "has no 'frmat'; it may have format"),
        ("[a]\ntitle = 'x'\neffects = ['blurr']", "did you mean blur"),
        ("[a]\ntitle = 'x'\nquality = 700", r"\[a\]: quality must be"),
        ("[a]\ntitle = 'x'\nlike = 'none'", "like must be the name of a preset"),
        ("[a]\ntitle = 'x'\nlike = 3", "like must be the name of a preset"),
        ("[a]\ntitle = 'x'\nlike = 'b'\n[b]\ntitle = 'x'\nlike = 'amazon'", "itself like another"),
        ("['a b']\ntitle = 'x'", "a preset's name must be"),
        ("[amazon]\ntitle = 'x'", "two presets amazon"),
        ('[a]\ntitle = "\\u001b[2J"', "title must be a line"),
    ],
)
def test_a_mistake_names_the_file_the_table_and_the_key(users, text, message):
    users(text)
    with pytest.raises(BadTable, match=message) as told:
        presets()
    assert "mine.toml" in str(told.value)


def test_files_are_limited_and_must_be_there(users, tmp_path, monkeypatch):
    users("#" * 1_000_001)
    with pytest.raises(BadTable, match="more than 1,000,000 bytes"):
        presets()
    users("".join(f"[p{n}]\ntitle = 'x'\n" for n in range(1_001)))
    with pytest.raises(BadTable, match="1,001 presets"):
        presets()
    monkeypatch.setenv("CLEANCUT_PRESETS", str(tmp_path / "gone.toml"))
    with pytest.raises(BadTable, match="cannot be read"):
        presets()


def test_an_unknown_name_suggests_a_known_one(tmp_path, capsys):
    with pytest.raises(UnknownPreset, match="did you mean amazon"):
        presets()["amazn"]
    (tmp_path / "x.png").write_bytes(encoded())
    assert run([str(tmp_path / "x.png"), "--preset", "ebai"]) == UnknownPreset.exit_code
    assert "did you mean ebay?" in capsys.readouterr().err


def test_a_flag_takes_the_place_of_a_presets_field(tmp_path):
    (tmp_path / "x.png").write_bytes(encoded())
    out = tmp_path / "out.png"
    flags = ["--preset", "sticker", "-f", "png", "-e", "fit:width=40,height=30"]
    assert run([str(tmp_path / "x.png"), "-o", str(out), *flags]) == 0
    with Image.open(out) as image:
        assert (image.format, image.size) == ("PNG", (40, 30))


def test_presets_are_listed(capsys):
    assert run(["presets"]) == 0
    told = capsys.readouterr().out
    assert all(name in told for name in NAMES)
    assert run(["presets", "--json"]) == 0
    listed = {one["name"]: one for one in json.loads(capsys.readouterr().out)}
    assert listed["amazon"]["recipe"]["effects"][1]["width"] == 2000
    assert set(listed["white"]["recipe"]) == {"effects", "format", "quality"}


def test_the_example_of_the_docs_is_read(users, tmp_path):
    text = (Path(__file__).parents[3] / "docs/presets.md").read_text()
    users(text.split("```toml\n")[1].split("```")[0])
    assert presets()["house-brand"].recipe().quality == 90
    assert all(f"`{name}`" in text for name in NAMES)
