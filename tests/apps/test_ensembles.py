"""`-m a+b` and `--tta` from the command line to the report."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cleancut.apps.cli import run
from cleancut.apps.scene import scene
from cleancut.models.registry import HERE

EMBEDDED = HERE / "embedded" / "cleancut-small.onnx"
TWO = ["-m", "cleancut-small+copy.onnx", "--like", "cleancut-small"]


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with a photo and a network, which is the current one."""
    monkeypatch.chdir(tmp_path)
    Image.fromarray(scene(96, 120).photo.rgb).save("photo.png")
    Path("copy.onnx").symlink_to(EMBEDDED)
    return tmp_path


def alpha(path):
    return np.asarray(Image.open(io.BytesIO(Path(path).read_bytes())))[..., 3].astype(int)


def test_the_json_tells_of_every_model_and_of_the_edge(here, capsys):
    assert run(["photo.png", *TWO, "--refine", "none", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [one["model"][:5] for one in told["models"]] == ["clean", "file-"]
    assert [one["license"] for one in told["models"]] == ["MIT", "MIT"]
    assert told["model"] == "+".join(one["model"] for one in told["models"])
    assert told["softness"] > 1
    assert 0 < told["uncertain"] < 0.3
    assert run(["photo.png", "--refine", "none", "-o", "one.png"]) == 0
    assert np.abs(alpha("photo_no_bg.png") - alpha("one.png")).max() <= 1  # a network agrees with itself


def test_a_result_of_several_models_can_be_made_again(here, capsys):
    assert run(["photo.png", *TWO, "--tta", "flip,scale", "-o", "cut.png"]) == 0
    files = ["-m", "copy.onnx", "--like", "cleancut-small"]
    assert run(["replay", "cut.png", "photo.png", *files]) == 0
    assert "byte for byte" in capsys.readouterr().err


def test_other_weights_of_one_member_are_told(here, capsys, monkeypatch):
    assert run(["photo.png", *TWO, "-o", "cut.png"]) == 0
    monkeypatch.setattr(
        "cleancut.apps.replay.provenance_of",
        lambda made, found=None: {
            "recipe": {"model": "cleancut-small", "refine": []},
            "sha256": "0" * 64,
            "version": "0",
        },
    )
    assert run(["replay", "cut.png", "photo.png"]) == 3
    assert "was made by other weights of cleancut-small (000000000000" in capsys.readouterr().err


def test_views_change_the_result_and_explaining_shows_the_doubt(here, capsys):
    assert run(["photo.png", "-o", "plain.png"]) == 0
    assert run(["photo.png", "--tta", "flip", "-o", "looked.png", "--explain"]) == 0
    assert 0 < np.abs(alpha("plain.png") - alpha("looked.png")).mean() < 20
    with Image.open("looked_explained.png") as sheet:
        eighth = np.asarray(sheet)[sheet.height // 2 :, 3 * 432 :]
    assert eighth.min() < 100  # the doubt makes eight tiles of the seven


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (["-m", "cleancut-small+u2nett"], "There is no model 'u2nett'; did you mean u2net?"),
        (["-m", "cleancut-small+copy.onnx"], "Say what copy.onnx takes and answers: --like NAME"),
        (["-m", "cleancut-small+"], "There is no model ''"),
        (["-m", "cleancut-small+key:lime"], "is a keying model, whose answer cannot be averaged"),
        (["-m", "cleancut-small+cleancut-small"], "Name up to 5 different models"),
    ],
)
def test_what_cannot_be_asked_says_so(here, capsys, args, sentence):
    assert run(["photo.png", *args]) in {2, 3}
    assert sentence in capsys.readouterr().err
    assert not Path("photo_no_bg.png").exists()
