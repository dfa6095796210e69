import hashlib
import json
import threading
from dataclasses import replace

import pytest

from cleancut.errors import BadTable, CannotWrite, NotAccepted
from cleancut.models import licenses
from cleancut.models.registry import NOT_STATED, Weights, registry
from cleancut.models.weights import read

DATA = b"weights"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("CLEANCUT_HOME", str(tmp_path))
    monkeypatch.setattr(licenses, "_for_now", set())
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "net.onnx").write_bytes(DATA)
    return tmp_path


def model(license="CC-BY-NC-4.0", name="net"):
    weights = {"network": Weights(file="net.onnx", sha256=hashlib.sha256(DATA).hexdigest())}
    return replace(registry()["bria-rmbg"], name=name, license=license, weights=weights)


def test_a_free_licence_asks_nobody(folder):
    licenses.accept(model("MIT"))
    assert read(model("MIT"))[0] == DATA
    assert read(model(NOT_STATED))[0] == DATA
    assert not (folder / "licenses.json").exists()


def test_a_restricted_one_names_itself_and_the_command():
    with pytest.raises(NotAccepted, match=r"CC-BY-NC-4\.0 \(see https://.*\).*run: cleancut models accept net$"):
        read(model())


def test_what_is_accepted_runs_in_every_process(folder):
    licenses.accept(model())
    assert read(model())[0] == DATA
    assert json.loads((folder / "licenses.json").read_text()) == {"net": "CC-BY-NC-4.0"}
    assert sorted(path.name for path in folder.iterdir()) == ["licenses.json", "weights"]


def test_it_may_be_accepted_for_this_process_only(folder):
    licenses.accept(model(), keep=False)
    assert read(model())[0] == DATA
    assert not (folder / "licenses.json").exists()


def test_one_acceptance_is_of_one_model_and_one_licence():
    licenses.accept(model())
    assert not licenses.accepted(model(name="other"))
    assert not licenses.accepted(model("CC-BY-NC-ND-4.0"))


def test_those_accepted_before_stay():
    names = [f"net-{index}" for index in range(8)]
    threads = [threading.Thread(target=licenses.accept, args=(model(name=name),)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(licenses.accepted(model(name=name)) for name in names)


def test_a_file_of_known_weights_is_under_their_licence(folder):
    bria = registry()["bria-rmbg"]
    file = replace(bria, name="file-5b486f", weights={"network": replace(bria.weights["network"], file="/a/mine.onnx")})
    with pytest.raises(NotAccepted, match=r"mine\.onnx is under .* models accept bria-rmbg"):
        licenses.check(file)
    licenses.accept(bria)
    licenses.check(file)


@pytest.mark.parametrize("text", ["", "{", "[1]", '{"net": 1}', "[" * 100_000, "\0"])
def test_a_damaged_file_is_no_acceptance(folder, text):
    (folder / "licenses.json").write_text(text)
    with pytest.raises(BadTable, match=r"licenses\.json is damaged; remove it"):
        licenses.accepted(model())
    assert read(model("MIT"))[0] == DATA


def test_what_cannot_be_written_is_told(folder, monkeypatch):
    (folder / "home").touch()
    monkeypatch.setenv("CLEANCUT_HOME", str(folder / "home"))
    with pytest.raises(CannotWrite, match=r"licenses\.json cannot be written into"):
        licenses.accept(model())
