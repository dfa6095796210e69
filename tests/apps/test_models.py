import hashlib
import json
import sys

import pytest

from cleancut.apps import pulling
from cleancut.apps.cli import run
from cleancut.models.registry import registry
from tests.models import server as servers
from tests.models.server import Server

DATA = bytes(range(256)) * 400
TABLES = f"""
[net]
like = "u2netp"
title = "A [bold]net[/nothing]"
license = "MIT"
aliases = ["network"]
weights = {{ file = "net.onnx", sha256 = "{hashlib.sha256(DATA).hexdigest()}" }}

[restricted]
like = "u2netp"
license = "CC-BY-NC-4.0"
weights = {{ file = "net.onnx", sha256 = "{hashlib.sha256(DATA).hexdigest()}" }}
"""


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """A user with two tables of his own; their folder of weights."""
    (tmp_path / "tables.toml").write_text(TABLES)
    monkeypatch.setenv("CLEANCUT_HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("CLEANCUT_MODELS", str(tmp_path / "tables.toml"))
    for name in ("CLEANCUT_OFFLINE", "CLEANCUT_MIRROR"):
        monkeypatch.delenv(name, raising=False)
    registry.cache_clear()
    yield tmp_path / "weights"
    registry.cache_clear()


@pytest.fixture
def server():
    with Server(DATA) as running:
        yield running


@pytest.fixture
def here(home):
    home.mkdir()
    (home / "net.onnx").write_bytes(DATA)
    return home


def test_the_list_has_a_line_a_model(capsys):
    assert run(["models"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1 + len(registry())
    (net,) = (line for line in lines if line.startswith("net "))
    assert "A [bold]net[/nothing]" in net
    assert net.split()[-5:] == ["MIT", "yes", "not", "stated", "no"]
    assert any(line.startswith("sam ") and "not run by this version" in line for line in lines)


def test_the_list_tells_what_is_here(here, capsys):
    run(["models"])
    (net,) = (line for line in capsys.readouterr().out.splitlines() if line.startswith("net "))
    assert net.split()[-3:] == ["0.1", "MB", "yes"]


def test_json_tells_everything(here, capsys):
    assert run(["models", "--json"]) == 0
    found = {model["name"]: model for model in json.loads(capsys.readouterr().out)}
    net = found["net"]
    assert (net["here"], net["bytes"], net["commercial"], net["aliases"]) == (True, len(DATA), True, ["network"])
    assert (found["sam"]["runs"], set(found["sam"]["files"])) == (False, {"encoder", "decoder"})
    assert found["bria-rmbg"]["accepted"] is False


def test_pull_prints_paths_and_tells_how_far_it_is(home, server, capsys):
    assert run(["models", "pull", "net", "network", "--mirror", server.url]) == 0
    out, err = capsys.readouterr()
    assert out == f"{home / 'net.onnx'}\n" * 2
    assert err.splitlines()[0] == "net.onnx: 0.0 of 0.1 MB"
    assert err.splitlines()[-1] == "net.onnx: 0.1 of 0.1 MB"
    assert len(server.requests) == 1


def test_pull_draws_a_bar_on_a_terminal(home, server, capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    assert run(["models", "pull", "net", "--mirror", server.url]) == 0
    out, err = capsys.readouterr()
    assert out == f"{home / 'net.onnx'}\n"
    assert "net.onnx" in err and "0.0 of" not in err


def test_one_that_cannot_be_pulled_stops_no_other(home, server, capsys):
    def reply(handler):
        servers.whole(handler) if handler.path == "/net.onnx" else servers.status(404)(handler)

    server.reply = reply
    assert run(["models", "pull", "u2net", "net", "--mirror", server.url]) == 3
    out, err = capsys.readouterr()
    assert out == f"{home / 'net.onnx'}\n"
    assert "cleancut: u2net.onnx was not downloaded: 127.0.0.1 does not have it." in err


def test_a_wrong_name_is_told_before_any_download(server, capsys):
    assert run(["models", "pull", "net", "nett", "--mirror", server.url]) == 2
    assert "did you mean net?" in capsys.readouterr().err
    assert server.requests == []


def test_offline_has_the_exit_code_of_weights(capsys, monkeypatch):
    monkeypatch.setenv("CLEANCUT_OFFLINE", "1")
    assert run(["models", "pull", "u2net"]) == 3
    assert "CLEANCUT_OFFLINE is set" in capsys.readouterr().err


def test_verify_hashes_what_is_here(here, capsys):
    assert run(["models", "verify"]) == 0
    assert f"right   net  {here / 'net.onnx'}\n" in capsys.readouterr().out
    (here / "net.onnx").write_bytes(DATA[1:])
    assert run(["models", "verify"]) == 3
    out = capsys.readouterr().out
    assert f"wrong   net  {here / 'net.onnx'}\n" in out
    assert "right   cleancut-small" in out and "u2net" not in out


def test_verify_of_one_that_is_absent_fails(capsys):
    assert run(["models", "verify", "u2net"]) == 3
    assert capsys.readouterr().out.startswith("absent  u2net  ")
    assert run(["models", "verify", "cleancut-small"]) == 0


def test_path_is_where_a_file_is_or_belongs(home, capsys):
    assert run(["models", "path", "network"]) == 0
    out, err = capsys.readouterr()
    assert out == f"{home / 'net.onnx'}\n"
    assert "cleancut models pull net gets it" in err
    assert run(["models", "path", "sam"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_a_restricted_model_runs_after_it_was_accepted(home, here, capsys, monkeypatch, tmp_path):
    from PIL import Image

    monkeypatch.chdir(tmp_path)
    Image.new("RGB", (8, 8)).save("photo.png")
    assert run(["photo.png", "-m", "restricted"]) == 3
    assert "licence CC-BY-NC-4.0" in (said := capsys.readouterr().err)
    assert "run: cleancut models accept restricted" in said
    assert run(["models", "accept", "restricted"]) == 0
    assert capsys.readouterr().out.startswith("Accepted: restricted under CC-BY-NC-4.0")
    assert run(["photo.png", "-m", "restricted"]) == 1
    assert "restricted are not a graph" in capsys.readouterr().err


def test_pulling_a_restricted_one_says_what_comes_next(server, capsys):
    assert run(["models", "pull", "restricted", "--mirror", server.url]) == 0
    assert "restricted runs after: cleancut models accept restricted (CC-BY-NC-4.0)" in capsys.readouterr().err


def test_there_is_nothing_to_accept_in_a_free_licence(home, capsys):
    assert run(["models", "accept", "net"]) == 0
    assert "nothing to accept" in capsys.readouterr().out
    assert not (home.parent / "licenses.json").exists()


def test_a_models_toml_with_a_mistake_names_it_everywhere(home, capsys):
    (home.parent / "tables.toml").write_text("[net]\ntittle = 3")
    registry.cache_clear()
    for command in (["models"], ["models", "path", "u2net"], ["photo.png", "-m", "u2net"]):
        assert run(command) == 2
        assert "tables.toml: [net] has an unknown key 'tittle'" in capsys.readouterr().err


def test_lines_of_a_download_of_unknown_size_are_few(capsys):
    lines = pulling._Lines()
    for here in range(0, 250_000_000, 1_000_000):
        lines("a.onnx", here, None)
    assert capsys.readouterr().err.splitlines() == ["a.onnx: 0.0 MB", "a.onnx: 100.0 MB", "a.onnx: 200.0 MB"]


def test_a_model_without_weights_is_told_as_such(capsys):
    assert run(["models"]) == 0
    (line,) = (line for line in capsys.readouterr().out.splitlines() if line.startswith("key "))
    assert line.split()[-5:] == ["MIT", "yes", "no", "weights", "yes"]
    for command in ("pull", "path"):
        assert run(["models", command, "key"]) == 0
        told = capsys.readouterr()
        assert (told.out, told.err) == ("", "key has no weights; it runs as it is.\n")
    assert run(["models", "verify", "key"]) == 0
    assert run(["models", "accept", "key"]) == 0
    assert "key is under MIT; there is nothing to accept" in capsys.readouterr().out
