import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from cleancut.errors import DeviceFailed, ModelFailed, UnknownModel
from cleancut.models import runtime, weights
from cleancut.models.runtime import Engine, choose, engine

U2NETP = Path("../shared/models/u2netp.onnx")
ZEROS = np.zeros((1, 3, 320, 320), np.float32)


def test_a_network_is_a_function_of_named_arrays():
    loaded = Engine("cpu").load("cleancut-small")
    (alpha,) = loaded.network({"image": ZEROS}).values()
    assert alpha.shape == (1, 1, 320, 320)
    assert loaded.provider == "cpu"
    assert loaded.sha256 == loaded.model.weights["network"].sha256


def test_the_batch_axis_is_dynamic():
    (alpha,) = engine().load("cleancut-small").network({"image": np.repeat(ZEROS, 3, axis=0)}).values()
    assert len(alpha) == 3


def test_a_second_load_reads_nothing(monkeypatch):
    running = Engine("cpu")
    first = running.load("cleancut-small")
    monkeypatch.setattr(weights, "read", lambda *_: pytest.fail("read again"))
    assert running.load("cleancut-small") is first


def test_threads_share_one_load(monkeypatch):
    reads, read = [], weights.read
    monkeypatch.setattr(weights, "read", lambda model: reads.append(model.name) or read(model))
    running, found = Engine("cpu"), []
    threads = [threading.Thread(target=lambda: found.append(running.load("cleancut-small"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(reads) == 1
    assert len(set(map(id, found))) == 1


def test_the_network_used_least_recently_is_dropped(tmp_path, monkeypatch):
    monkeypatch.setattr(runtime, "_session", lambda *_: lambda inputs: inputs)
    running = Engine("cpu", max_bytes=25)
    names = []
    for index in range(3):
        path = tmp_path / f"{index}.onnx"
        path.write_bytes(bytes([index]) * 10)
        names.append(running.add(path, "u2netp"))
    first, second = (running.load(name) for name in names[:2])
    assert running.load(names[0]) is first  # used again, so the second is now the oldest
    running.load(names[2])
    assert running.load(names[0]) is first
    assert running.load(names[1]) is not second


def test_the_network_in_use_stays_whatever_its_size():
    running = Engine("cpu", max_bytes=1)
    assert running.load("cleancut-small") is running.load("cleancut-small")


@pytest.mark.parametrize(
    ("device", "offered", "chosen"),
    [
        ("auto", ["cpu"], "cpu"),
        ("auto", ["tensorrt", "cuda", "cpu"], "cuda"),
        ("auto", ["coreml", "cpu"], "coreml"),
        ("tensorrt", ["tensorrt", "cuda", "cpu"], "tensorrt"),
    ],
)
def test_the_best_device_is_chosen(device, offered, chosen):
    assert choose(device, offered) == chosen


def test_an_absent_device_is_an_error():
    with pytest.raises(DeviceFailed, match="cuda is not installed; there are cpu"):
        choose("cuda", ["cpu"])
    with pytest.raises(DeviceFailed, match="no device 'gpu0'"):
        Engine("gpu0")


def test_an_absent_model_is_an_error():
    with pytest.raises(UnknownModel):
        engine().load("nothing")


@pytest.mark.parametrize("data", [b"", b"not a graph", bytes(1000)])
def test_a_file_that_is_no_graph_is_refused(tmp_path, data):
    path = tmp_path / "bad.onnx"
    path.write_bytes(data)
    running = Engine("cpu")
    with pytest.raises(ModelFailed, match="not a graph"):
        running.load(running.add(path, "u2netp"))


def test_a_wrong_input_is_our_error():
    with pytest.raises(ModelFailed, match="does not take"):
        engine().load("cleancut-small").network({"image": np.zeros((1, 5, 7, 7), np.float32)})


def test_onnxruntime_reports_to_nobody(tmp_path):
    """Its telemetry keeps an identifier and a queue in the user's cache; where CI is named it is off, so none is."""
    code = "import cleancut, numpy; cleancut.remove(numpy.zeros((8, 8, 3), 'uint8'))"
    plain = {"HOME": str(tmp_path), "PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"}
    subprocess.run([sys.executable, "-c", code], env=plain, check=True, timeout=60)
    assert [str(path) for path in tmp_path.rglob("*")] == []


def test_there_is_one_engine_a_device():
    assert engine("cpu") is engine("cpu")


@pytest.mark.skipif(not U2NETP.exists(), reason="needs the shared weights of u2netp")
def test_a_file_on_disk_runs_like_a_table():
    running = Engine("cpu")
    loaded = running.load(running.add(U2NETP, "u2netp"))
    (mask,) = loaded.network({"image": ZEROS}).values()
    assert mask.shape == (1, 1, 320, 320)
