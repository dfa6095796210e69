import hashlib
import importlib.util
import json
import shlex
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cleancut.apps import comparing, quantizing
from cleancut.apps.cli import run
from cleancut.errors import CannotWrite
from cleancut.models import quantize
from cleancut.models.quantize import Quantized
from cleancut.models.registry import OURS, models, read_tables, registry, whole_tables
from tests.models.networks import SIZE, brightness
from tests.stubs import disc

NETWORK = brightness()
TABLE = f"""
[net]
title   = "A \\"small\\" net"
kind    = "salient"
license = "MIT"
source  = "https://example.org/net"
weights = {{ file = "net.onnx", sha256 = "{hashlib.sha256(NETWORK).hexdigest()}" }}
input   = {{ size = [{SIZE}, {SIZE}], mean = [0, 0, 0], std = [1, 1, 1] }}
"""


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """A user with a model, a folder of twelve pictures, and nothing else."""
    for name, folder in {"CLEANCUT_HOME": "home", "XDG_CONFIG_HOME": "config"}.items():
        monkeypatch.setenv(name, str(tmp_path / folder))
    monkeypatch.setenv("CLEANCUT_MODELS", str(tmp_path / "tables.toml"))
    (tmp_path / "tables.toml").write_text(TABLE)
    (tmp_path / "home" / "weights").mkdir(parents=True)
    (tmp_path / "home" / "weights" / "net.onnx").write_bytes(NETWORK)
    (tmp_path / "photos" / "more").mkdir(parents=True)
    for number in range(12):
        shade = (disc(48, 0.1 + number / 40)[..., None] * 200 + 30 + np.arange(3) * 5).astype(np.uint8)
        Image.fromarray(shade).save(tmp_path / "photos" / ("more" if number % 2 else ".") / f"{number}.png")
    monkeypatch.chdir(tmp_path)
    registry.cache_clear()
    yield tmp_path
    registry.cache_clear()


@pytest.fixture
def tools(monkeypatch):
    """Stand-ins for onnxruntime's tools, which need a package: they look at every picture and give `data`."""

    class Tools:
        data, seen, most = NETWORK, 0, 0.0

        def __call__(self, model, data, inputs, loss, most):
            assert loss(data) == 0
            self.seen, self.most = len(list(inputs)), most
            return Quantized(self.data, layers=6, in_float=2)

    made = Tools()
    monkeypatch.setattr(quantize, "check_installed", lambda: None)
    monkeypatch.setattr(quantize, "quantized", made)
    return made


def weights():
    return sorted(path.name for path in Path("home/weights").iterdir())


def test_the_report_tells_what_was_lost_and_gained(tools, capsys):
    assert run(["models", "quantize", "net", "--calibrate", "photos"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert "differs by 0.0000 on average, 0.0000 at worst; IoU of masks 1.000, below 0.95 on 0 of 4 pictures" in out
    assert "times as fast" in out
    assert "from 8 other pictures (0 could not be read); 2 of 6 layers stay in float" in out
    assert weights() == ["net-int8.onnx", "net.onnx"]
    assert tools.seen == 8 and tools.most == pytest.approx(0.02 / 2)


def test_the_new_file_runs_by_the_line_that_is_printed(tools, capsys):
    run(["models", "quantize", "net", "--calibrate", "photos"])
    (line,) = (line for line in capsys.readouterr().out.splitlines() if line.startswith("To use it: "))
    command = shlex.split(line.partition(": cleancut ")[2])
    assert run(["photos/0.png", *command[1:], "-o", "cut.png"]) == 0
    assert Path("cut.png").is_file()


def test_the_new_file_runs_by_its_name_once_the_table_is_kept(tools, capsys):
    run(["models", "quantize", "net", "--calibrate", "photos"])
    table = capsys.readouterr().out.partition("models.toml:\n\n")[2]
    Path("config/cleancut").mkdir(parents=True)
    Path("config/cleancut/models.toml").write_text(table)
    registry.cache_clear()
    model = registry()["net-int8"]
    assert (model.license, model.source, model.title) == ("MIT", "https://example.org/net", 'A "small" net, in 8 bits')
    assert run(["photos/0.png", "-m", "net-int8", "-o", "cut.png"]) == 0


@pytest.mark.parametrize("model", [m for m in models() if m.kind == "salient"], ids=str)
def test_the_table_of_every_model_says_the_same_as_its_own(model, tmp_path):
    path = tmp_path / "written.toml"
    path.write_text(quantizing._table(model, b"data"), "utf-8")
    (found,) = read_tables(path, base=whole_tables(OURS, "ours", {})).values()
    for key in ("kind", "license", "paper", "source", "layers", "input", "output"):
        assert getattr(found, key) == getattr(model, key)
    assert found.weights["network"].sha256 == hashlib.sha256(b"data").hexdigest()


def test_json_has_every_figure(tools, capsys):
    assert run(["models", "quantize", "net", "--calibrate", "photos", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["difference"], report["iou"], report["unlike"], report["pictures"]) == (0, 1, 0, 4)
    assert report["speedup"] > 0 and report["before_ms"] >= 0
    assert report["sha256"] == hashlib.sha256(NETWORK).hexdigest()
    assert report["table"].startswith("[net-int8]\n")


def test_a_file_of_ones_own_goes_where_it_is_told(tools, capsys):
    Path("my nét.onnx").write_bytes(NETWORK)
    command = ["models", "quantize", "my nét.onnx", "--like", "net", "--calibrate", "photos"]
    assert run([*command, "-o", "small one.onnx"]) == 0
    out = capsys.readouterr().out
    assert "-m 'small one.onnx' --like net" in out and "models.toml" not in out
    assert run(command) == 0
    assert weights() == ["my-n-t-int8.onnx", "net.onnx"]


def test_one_that_differs_too_much_is_not_written(tools, capsys):
    tools.data = brightness(loud=9)
    assert run(["models", "quantize", "net", "--calibrate", "photos", "--most-loss", "0.001"]) == 0, "nobody listens"
    Path("home/weights/net-int8.onnx").unlink()
    tools.data = brightness(seed=6)
    assert run(["models", "quantize", "net", "--calibrate", "photos", "--most-loss", "0.001"]) == 1
    err = capsys.readouterr().err
    assert "the alpha of net differs by 0." in err and "where 0.001 is allowed" in err
    assert weights() == ["net.onnx"]


def test_what_is_no_picture_is_passed_over_and_counted(tools, capsys):
    Path("photos/notes.txt").write_text("no picture")
    Path("photos/.hidden").write_text("no picture either")
    Path("photos/short.png").write_bytes(Path("photos/0.png").read_bytes()[:60])
    assert run(["models", "quantize", "net", "--calibrate", "photos"]) == 0
    out, err = capsys.readouterr()
    assert "(2 could not be read)" in out
    assert sorted(line.split()[1] for line in err.splitlines()) == ["photos/notes.txt", "photos/short.png"]


@pytest.mark.parametrize("kept", [0, 7])
def test_few_pictures_are_too_few(tools, capsys, kept):
    for path in sorted(Path("photos").rglob("*.png"))[kept:]:
        path.write_text("no picture") if kept else path.unlink()
    assert run(["models", "quantize", "net", "--calibrate", "photos"]) == 2
    assert "at least 8" in capsys.readouterr().err
    assert weights() == ["net.onnx"]


def test_a_folder_is_needed(tools, capsys):
    assert run(["models", "quantize", "net", "--calibrate", "photos/0.png"]) == 2
    assert "photos/0.png is not a folder" in capsys.readouterr().err


def test_no_more_pictures_are_read_than_asked_for_and_they_are_spread(tools, capsys):
    assert run(["models", "quantize", "net", "--calibrate", "photos", "--pictures", "8", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["calibrated"], report["pictures"]) == (6, 2)
    files = quantizing._files(Path("photos"))
    assert len(set(files)) == 12
    assert {path.parent.name for path in files[:4]} == {"photos", "more"}


def test_no_picture_is_both_learnt_from_and_compared():
    looks = quantizing._Looks(list(range(11)), 0)
    assert [*looks.others] == [2, 5, 8]
    assert sorted([*looks.others, *looks.calibrated]) == list(range(11))


def test_a_file_that_exists_is_told_before_any_work(tools, capsys):
    Path("home/weights/net-int8.onnx").write_text("mine")
    assert run(["models", "quantize", "net", "--calibrate", "photos"]) == 2
    assert "exists already" in capsys.readouterr().err
    assert Path("home/weights/net-int8.onnx").read_text() == "mine" and tools.seen == 0
    assert run(["models", "quantize", "net", "--calibrate", "photos", "--overwrite"]) == 0
    assert Path("home/weights/net-int8.onnx").read_bytes() == NETWORK


@pytest.mark.parametrize(("failure", "code"), [(KeyboardInterrupt, 130), (CannotWrite("The disk is full."), 2)])
def test_what_ends_it_leaves_no_file(tools, monkeypatch, failure, code):
    def fail(*_):
        raise failure

    monkeypatch.setattr(comparing, "compared", fail)
    assert run(["models", "quantize", "net", "--calibrate", "photos"]) == code
    assert weights() == ["net.onnx"]


def test_a_kind_that_needs_more_than_a_picture_is_refused(tools, capsys):
    assert run(["models", "quantize", "sam", "--calibrate", "photos"]) == 2
    assert "sam is a prompted model" in capsys.readouterr().err


def test_without_the_package_the_sentence_names_it(monkeypatch, capsys):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert run(["models", "quantize", "net", "--calibrate", "photos"]) == 2
    assert 'pip install "cleancut[quantize]"' in capsys.readouterr().err


@pytest.mark.skipif(importlib.util.find_spec("onnx") is None, reason="the extra quantize (onnx) is not installed")
def test_it_works_with_onnxruntimes_own_tools(capsys):
    assert run(["models", "quantize", "net", "--calibrate", "photos", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert 0 < report["difference"] < 0.02 and report["in_float"] < report["layers"]
    assert run(["photos/0.png", "-m", report["file"], "--like", "net", "-o", "cut.png"]) == 0
    assert run(["models", "quantize", "net", "--calibrate", "photos", "--overwrite", "--most-loss", "0"]) == 1
    assert "0 is allowed" in capsys.readouterr().err
