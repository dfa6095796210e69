import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from cleancut.errors import BadRecipe, ModelFailed, NotDownloaded, WrongHash
from cleancut.models.registry import RUNNING, Weights, models, registry
from cleancut.models.weights import home, path_of, read, state
from tests.models import protobuf as onnx

DATA = b""
RIGHT = [{"sha256": hashlib.sha256(DATA).hexdigest()}, {"md5": hashlib.md5(DATA).hexdigest()}]
WRONG = [{"sha256": "0" * 64}, {"md5": "0" * 32}]


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


@pytest.mark.parametrize("weights", RIGHT)
def test_weights_in_the_folder_are_read_and_proved(folder, weights):
    assert read(model(**weights)) == (DATA, hashlib.sha256(DATA).hexdigest())
    assert state(Weights(file="net.onnx", **weights)) == "right"


@pytest.mark.parametrize("weights", WRONG)
def test_other_weights_are_refused(folder, weights):
    with pytest.raises(WrongHash, match="u2netp in net.onnx are not the ones .* remove the file"):
        read(model(**weights))
    with pytest.raises(WrongHash, match="get them again with cleancut models pull u2netp"):
        read(model(url="https://example.com/net.onnx", **weights))
    assert state(Weights(file="net.onnx", **weights)) == "wrong"


def test_a_file_that_changed_since_it_was_named_is_refused(tmp_path):
    path = tmp_path / "mine.onnx"
    path.write_bytes(b"other")
    with pytest.raises(WrongHash, match=r"The weights of mine\.onnx in mine\.onnx .* name the file again"):
        read(replace(model(**RIGHT[0]), weights={"network": Weights(file=str(path), **RIGHT[0])}))


def test_absent_weights_say_how_to_get_them(folder):
    (folder / "net.onnx").unlink()
    with pytest.raises(NotDownloaded, match="on this machine; put net.onnx into .*--like u2netp"):
        read(model(sha256="0" * 64))
    with pytest.raises(NotDownloaded, match="cleancut models pull u2netp, put net.onnx into .*--like u2netp"):
        read(model(sha256="0" * 64, url="https://example.com/net.onnx"))
    assert state(Weights(file="net.onnx", sha256="0" * 64)) == "absent"


@pytest.mark.parametrize("name", [m.name for m in models() if m.kind not in RUNNING])
def test_a_kind_that_cannot_run_says_so_before_it_is_downloaded(folder, name):
    with pytest.raises(BadRecipe, match=f"{name} is a prompted model, which this version cannot run"):
        read(registry()[name])


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (onnx.like_u2netp([onnx.MEAN], [onnx.external("w", (1,), "w.bin")]), "lie in other files too"),
        (onnx.like_u2netp([onnx.MEAN])[:-9] + b"location", "the file is damaged"),
    ],
)
def test_a_graph_that_reads_other_files_is_refused(folder, data, said):
    (folder / "net.onnx").write_bytes(data)
    with pytest.raises(ModelFailed, match=said):
        read(model(sha256=hashlib.sha256(data).hexdigest()))


def test_the_folder_follows_the_environment():
    assert home({"CLEANCUT_HOME": "/a"}) == Path("/a")
    assert home({"XDG_DATA_HOME": "/b"}) == Path("/b/cleancut")
    assert home({}) == Path("~/.local/share/cleancut").expanduser()


def test_embedded_weights_lie_in_the_package():
    assert path_of(registry()["cleancut-small"].weights["network"]).parent.name == "embedded"
