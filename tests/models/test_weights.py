import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from cleancut.errors import NotDownloaded, WrongHash
from cleancut.models.registry import Weights, registry
from cleancut.models.weights import home, path_of, read

DATA = b"these are weights"


def model(**weights):
    return replace(registry()["u2netp"], weights={"network": Weights(file="net.onnx", **weights)})


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("CLEANCUT_HOME", str(tmp_path))
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "net.onnx").write_bytes(DATA)
    return tmp_path / "weights"


def test_the_embedded_weights_are_what_their_table_names():
    embedded = registry()["cleancut-small"]
    data, sha256 = read(embedded)
    assert (len(data), sha256) == (embedded.weights["network"].bytes, embedded.weights["network"].sha256)


@pytest.mark.parametrize(
    "weights", [{"sha256": hashlib.sha256(DATA).hexdigest()}, {"md5": hashlib.md5(DATA).hexdigest()}]
)
def test_weights_in_the_folder_are_read_and_proved(folder, weights):
    assert read(model(**weights)) == (DATA, hashlib.sha256(DATA).hexdigest())


@pytest.mark.parametrize("weights", [{"sha256": "0" * 64}, {"md5": "0" * 32}])
def test_other_weights_are_refused(folder, weights):
    with pytest.raises(WrongHash, match="u2netp in net.onnx are not the ones"):
        read(model(**weights))


def test_absent_weights_say_where_to_put_them(folder):
    (folder / "net.onnx").unlink()
    with pytest.raises(NotDownloaded, match="put net.onnx into .*--like u2netp"):
        read(model(sha256="0" * 64))


def test_the_folder_follows_the_environment():
    assert home({"CLEANCUT_HOME": "/a"}) == Path("/a")
    assert home({"XDG_DATA_HOME": "/b"}) == Path("/b/cleancut")
    assert home({}) == Path("~/.local/share/cleancut").expanduser()


def test_embedded_weights_lie_in_the_package():
    assert path_of(registry()["cleancut-small"].weights["network"]).parent.name == "embedded"
