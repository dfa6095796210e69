"""`cleancut models export-triton`: what is written, and that a real Triton loads it and answers as the engine here."""

import contextlib
import dataclasses
import importlib.util
import json
import re
import threading
import time

import numpy as np
import pytest

from cleancut.apps.cli import run
from cleancut.apps.scene import scene
from cleancut.errors import BadSetting, ModelFailed, ModelServerFailed
from cleancut.matting.pipeline import cut
from cleancut.matting.recipe import make
from cleancut.matting.write import encoded
from cleancut.models import weights
from cleancut.models.registry import registry
from cleancut.models.runtime import Engine
from cleancut.models.triton import repository
from cleancut.models.triton.graph import examined
from cleancut.models.triton.repository import Serving
from tests.models.networks import brightness
from tests.models.triton import INSTALLED, REASON, SHA256, real

SMALL = registry()["cleancut-small"]
NOISE = np.random.default_rng(0).random((1, 3, 320, 320), np.float32)


@pytest.fixture(scope="module")
def small():
    return examined(SMALL, weights.read(SMALL)[0], 1)


def config(graph, model=SMALL, **given):
    return repository.config(model, graph, SHA256, Serving(**given), 3)


def test_names_shapes_and_the_batch_are_those_of_the_graph(small):
    text = config(small, batch=8, delay=500)
    assert 'name: "cleancut-small"\nbackend: "onnxruntime"\nmax_batch_size: 8\n' in text
    assert '{ name: "image" data_type: TYPE_FP32 dims: [ 3, 320, 320 ] }' in text
    assert '{ name: "alpha" data_type: TYPE_FP32 dims: [ 1, 320, 320 ] }' in text
    assert "max_queue_delay_microseconds: 500" in text
    assert f'key: "cleancut.sha256" value: {{ string_value: "{SHA256}" }}' in text
    assert 'key: "cleancut.version" value: { string_value: "3" }' in text
    assert "tensorrt" not in text


def test_tensorrt_and_instances_are_told(small):
    text = config(small, tensorrt="fp16", instances=2, kind="gpu")
    assert "instance_group [ { count: 2 kind: KIND_GPU } ]" in text
    assert 'name: "tensorrt"' in text
    assert 'parameters { key: "precision_mode" value: "FP16" }' in text
    for wrong in ({"kind": "cpu"}, {"backend": "python"}):
        with pytest.raises(BadSetting, match="TensorRT needs"):
            Serving(tensorrt="fp16", **wrong)


def test_a_graph_that_takes_one_picture_is_not_batched():
    """U²-Net's files state a batch of 1; what they would do with two is an error of the server."""
    model = dataclasses.replace(SMALL, input=dataclasses.replace(SMALL.input, size=(32, 32)))
    text = config(examined(model, brightness(), 1))
    assert "max_batch_size: 0" in text
    assert "dims: [ 1, 3, 32, 32 ]" in text
    assert "dynamic_batching" not in text


def test_a_graph_that_looks_at_tiles_keeps_its_sizes_open():
    model = registry()["cleancut-closeup"]
    text = config(examined(model, weights.read(model)[0], 1), model)
    assert '{ name: "coarse" data_type: TYPE_FP32 dims: [ 1, -1, -1 ] }' in text
    assert "dims: [ 1, 256, 256 ] zero_data: true" in text


@pytest.mark.parametrize(
    "data",
    [b"not a graph", brightness()],
    ids=["no graph", "another output"],
)
def test_a_graph_that_does_not_fit_its_table_is_refused(data):
    given = dataclasses.replace(SMALL.input, size=(32, 32))
    model = dataclasses.replace(SMALL, input=given, output=dataclasses.replace(SMALL.output, name="elsewhere"))
    with pytest.raises(ModelFailed):
        examined(model, data, 1)


def test_names_are_quoted_as_protobuf_does():
    assert repository._text('a"}\nb\\é') == r'"a\042}\012b\134\303\251"'


def test_the_command_writes_a_repository_and_says_how_to_use_it(tmp_path, capsys):
    assert run(["models", "export-triton", "cleancut-small", str(tmp_path), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["version"], told["batch"], told["sha256"]) == (1, 16, SHA256)
    assert told["ask"] == "cleancut photo.jpg -m cleancut-small --device triton://localhost:8001"
    found = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file())
    assert found == ["cleancut-small/1/model.onnx", "cleancut-small/config.pbtxt"]
    assert (tmp_path / "cleancut-small/1/model.onnx").read_bytes() == weights.read(SMALL)[0]


def test_a_version_is_not_replaced_by_accident_nor_shadowed(tmp_path, capsys):
    command = ["models", "export-triton", "cleancut-small", str(tmp_path)]
    assert run([*command, "--version", "2"]) == 0
    before = (tmp_path / "cleancut-small" / "config.pbtxt").read_text()
    assert run([*command, "--version", "2"]) == 2
    assert run([*command, "--version", "1"]) == 2
    assert (tmp_path / "cleancut-small" / "config.pbtxt").read_text() == before
    assert run([*command, "--version", "2", "--overwrite", "--batch", "4"]) == 0
    assert run([*command, "--version", "3"]) == 0
    said = capsys.readouterr().err
    assert "has a version 2 already; name --version 3, or use --overwrite" in said
    assert "has version 2, which Triton would serve" in said


@pytest.mark.parametrize(
    ("name", "said"),
    [("key", "computed without a network"), ("nix", "There is no model"), ("u2net", "not on this machine"),
     ("cleancut-small --tensorrt fp16 --kind cpu", "TensorRT needs")],
)  # fmt: skip
def test_what_cannot_be_exported_leaves_nothing(tmp_path, capsys, name, said):
    assert run(["models", "export-triton", *name.split(), str(tmp_path / "out")]) != 0
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


needs_server = pytest.mark.skipif(not INSTALLED or importlib.util.find_spec("tritonclient") is None, reason=REASON)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("triton")
    for name in ("cleancut-small", "cleancut-closeup"):
        command = ["models", "export-triton", name, str(folder / "models"), "--backend", "python", "--kind", "cpu"]
        assert run([*command, "--threads", "1", "--delay", "20000"]) == 0
    with real(folder / "models", folder / "log") as address:
        yield address, folder / "models"


def client(address):
    from tritonclient.grpc import InferenceServerClient

    return InferenceServerClient(address.removeprefix("triton://"))


def statistics(address, name="cleancut-small"):
    """Pictures and runs so far, over all versions."""
    with client(address) as asked:
        found = asked.get_inference_statistics(name, as_json=True)["model_stats"]
    return [sum(int(one.get(count, 0)) for one in found) for count in ("inference_count", "execution_count")]


@needs_server
def test_a_real_server_gives_the_same_picture(server):
    address, _ = server
    photo = scene(300, 400).photo
    for refine in ("auto", "detail"):
        recipe = make(refine=["auto", "detail"] if refine == "detail" else ["auto"])
        here, there = (cut(photo, recipe, load=Engine(device).load) for device in ("cpu", address))
        assert encoded(here) == encoded(there)
        assert re.fullmatch(rf"{address}/cleancut-small/\d+", there.report.provider)


@needs_server
def test_a_real_server_makes_batches_of_what_comes_at_once(server):
    address, _ = server
    network = Engine(address).load("cleancut-small").network
    expected = Engine("cpu").load("cleancut-small").network({"image": NOISE})["alpha"]
    before, wrong = statistics(address), []

    def work():
        for _ in range(4):
            wrong.extend([1] if np.abs(network({"image": NOISE})["alpha"] - expected).max() > 1e-4 else [])

    threads = [threading.Thread(target=work) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
        assert not thread.is_alive()
    pictures, runs = (now - then for now, then in zip(statistics(address), before, strict=True))
    assert wrong == []
    assert pictures == 48
    assert runs <= pictures / 2


@needs_server
def test_a_real_server_takes_up_a_new_version(server):
    address, folder = server
    engine = Engine(address)
    first = engine.load("cleancut-small")
    command = ["models", "export-triton", "cleancut-small", str(folder), "--backend", "python", "--kind", "cpu"]
    assert run([*command, "--version", "2", "--threads", "1"]) == 0
    with client(address) as asked:
        asked.load_model("cleancut-small")
    ends = time.monotonic() + 60
    while engine.load("cleancut-small") is first:  # it is served until it is unloaded; then it is looked for anew
        assert time.monotonic() < ends
        with contextlib.suppress(ModelServerFailed):
            first.network({"image": NOISE})
    assert engine.load("cleancut-small").provider == f"{address}/cleancut-small/2"
    assert engine.load("cleancut-small").network({"image": NOISE})["alpha"].shape == (1, 1, 320, 320)
