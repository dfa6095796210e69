import hashlib
from dataclasses import replace

import pytest

from cleancut.apps import pulling
from cleancut.apps.cli import run
from cleancut.apps.rembg import weights as rembg_weights
from cleancut.models.registry import models, registry
from cleancut.models.weights import home, path_of

DATA = b"weights of a test"


@pytest.fixture
def table(monkeypatch):
    """A table whose weights are `DATA`, by the md5 its publisher gives."""
    model = registry()["u2net"]
    weights = replace(model.weights["network"], md5=hashlib.md5(DATA).hexdigest())
    monkeypatch.setattr(rembg_weights, "models", lambda: [replace(model, weights={"network": weights})])
    return weights


@pytest.fixture
def old(tmp_path, monkeypatch):
    """rembg's folders: one file that is known in each layout, one that is not, one of an interrupted download."""
    monkeypatch.delenv("U2NET_HOME", raising=False)
    monkeypatch.delenv("REMBG_HOME", raising=False)
    monkeypatch.setenv("CLEANCUT_HOME", str(tmp_path / "ours"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    folder = tmp_path / ".u2net"
    folder.mkdir()
    (folder / "u2net.onnx").write_bytes(DATA)
    (folder / "other.onnx").write_bytes(b"unknown")
    (folder / "tmp1x9").write_bytes(b"part")
    return folder


def test_known_weights_are_copied_and_checked(table, old, capsys):
    assert run(["rembg", "m"]) == 0
    assert path_of(table).read_bytes() == DATA
    assert sorted(path.name for path in old.iterdir()) == ["other.onnx", "tmp1x9", "u2net.onnx"]
    out = capsys.readouterr().out
    assert f"u2net.onnx -> {path_of(table)}" in out
    assert "other.onnx: not known" in out
    assert "1 not known, 1 left by interrupted downloads, 1 known" in out


def test_a_dry_run_changes_nothing(table, old, capsys):
    assert run(["rembg", "m", "--dry-run", "--delete-source", "--clean-orphans"]) == 0
    assert len(list(old.iterdir())) == 3
    assert not home().exists()
    assert "nothing was changed" in capsys.readouterr().out


def test_sources_and_leftovers_go_when_told(table, old):
    assert run(["rembg", "m", "--delete-source", "--clean-orphans"]) == 0
    assert [path.name for path in old.iterdir()] == ["other.onnx"]
    assert path_of(table).read_bytes() == DATA


def test_a_source_stays_where_what_lies_at_its_place_is_another(table, old):
    path_of(table).parent.mkdir(parents=True)
    path_of(table).write_bytes(b"damaged")
    assert run(["rembg", "m", "--delete-source"]) == 0
    assert (old / "u2net.onnx").exists()
    assert path_of(table).read_bytes() == b"damaged"


def test_the_present_layout_and_chosen_folders_are_looked_at(tmp_path):
    for name in ("chosen/a.onnx", "chosen/models/u2net/b.onnx", "new/models/u2netp/c.onnx", "new/d.onnx"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()

    def found(**environ):
        environ = {"XDG_DATA_HOME": str(tmp_path / "none"), **environ}
        return [path.name for path in rembg_weights.files(environ)]

    assert found() == []
    assert found(U2NET_HOME=str(tmp_path / "chosen")) == ["a.onnx", "b.onnx"]
    assert found(REMBG_HOME=str(tmp_path / "new")) == ["c.onnx"]


def test_nothing_to_migrate(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("U2NET_HOME", str(tmp_path / "none"))
    assert run(["rembg", "m"]) == 0
    assert "rembg has no weights here" in capsys.readouterr().out


def test_models_are_downloaded_by_name_or_all(monkeypatch):
    asked = []
    monkeypatch.setattr(pulling, "pull_models", lambda names, mirror: asked.append(names) or 3)
    assert run(["rembg", "d", "u2netp", "silueta"]) == 3
    assert run(["rembg", "d"]) == 3
    assert asked[0] == ("u2netp", "silueta")
    assert "cleancut-small" not in asked[1]
    assert {model.name for model in models() if "u2net" in model.name} <= set(asked[1])


def test_a_model_that_there_is_not_is_told(capsys):
    assert run(["rembg", "d", "u2netpp"]) == 2
    assert "u2netp" in capsys.readouterr().err
