import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from cleancut.errors import BadSetting, DeviceFailed, ModelFailed, UnknownModel
from cleancut.models import runtime, weights
from cleancut.models.registry import registry
from cleancut.models.runtime import Engine, engine, footprint

U2NETP = Path("../shared/models/u2netp.onnx")
ZEROS = np.zeros((1, 3, 320, 320), np.float32)


def test_a_network_is_a_function_of_named_arrays():
    loaded = Engine("cpu").load("cleancut-small")
    (alpha,) = loaded.network({"image": ZEROS}).values()
    assert alpha.shape == (1, 1, 320, 320)
    assert loaded.provider == "cpu"
    assert loaded.sha256 == loaded.model.weights["network"].sha256


def test_a_file_may_be_added_again_as_being_like_another_model(tmp_path):
    path = tmp_path / "copy.onnx"
    path.symlink_to(weights.path_of(registry()["cleancut-small"].weights["network"]).resolve())
    running = Engine("cpu")
    found = [running.load(running.add(path, like)) for like in ("u2netp", "cleancut-small", "cleancut-small")]
    assert [loaded.model.like for loaded in found] == ["u2netp", "cleancut-small", "cleancut-small"]
    assert found[1] is found[2]


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
    monkeypatch.setattr(runtime, "_STARTS", {"onnxruntime": lambda *_: lambda inputs: inputs})
    running = Engine("cpu", max_bytes=2 * footprint(Engine().model("u2netp"), 10))
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


def starting(monkeypatch, installed, broken=()):
    """Devices that are `installed`, of which some are `broken`; what was tried is collected."""
    tried = []

    def start(model, data, choice, threads):
        tried.append(str(choice))
        if choice.name in broken:
            raise DeviceFailed(f"{choice} could not be started.")
        return lambda inputs: inputs

    monkeypatch.setattr(runtime, "available", lambda: installed)
    monkeypatch.setattr(runtime, "_STARTS", {"onnxruntime": start, "openvino": start})
    return tried


def test_automatic_takes_the_best_that_starts_and_says_what_did_not(monkeypatch):
    tried = starting(monkeypatch, ["tensorrt", "cuda", "rocm", "cpu"], broken=["cuda"])
    loaded = Engine().load("cleancut-small")
    assert tried == ["cuda", "rocm"]
    assert loaded.provider == "rocm"
    assert loaded.notes == ("cuda could not be started.",)


def test_a_device_that_is_asked_for_is_never_replaced(monkeypatch):
    tried = starting(monkeypatch, ["cuda", "cpu"], broken=["cuda"])
    with pytest.raises(DeviceFailed, match="could not be started"):
        Engine("cuda:1").load("cleancut-small")
    assert tried == ["cuda:1"]


def test_where_nothing_starts_the_failure_is_the_last_one(monkeypatch):
    starting(monkeypatch, ["cuda", "cpu"], broken=["cuda", "cpu"])
    with pytest.raises(DeviceFailed, match="^cpu could not"):
        Engine().load("cleancut-small")


def test_the_precision_that_ran_is_told(monkeypatch):
    starting(monkeypatch, ["cuda", "openvino", "cpu"])
    assert Engine().load("cleancut-small").precision == "fp32"
    loaded = Engine(precision="bf16").load("cleancut-small")
    assert (loaded.provider, loaded.precision) == ("openvino", "bf16")


def test_an_absent_device_is_an_error(monkeypatch):
    starting(monkeypatch, ["cpu"])
    with pytest.raises(DeviceFailed, match="cuda is not installed; there are cpu"):
        Engine("cuda").load("cleancut-small")
    with pytest.raises(DeviceFailed, match="no device 'gpu0'"):
        Engine("gpu0")
    with pytest.raises(BadSetting, match="no precision 'fp8'"):
        engine(precision="fp8")


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


def test_there_is_one_engine_a_device_and_precision():
    assert engine("cpu") is engine("cpu")
    assert engine("cpu") is not engine("cpu", "fp32")


@pytest.mark.skipif(not U2NETP.exists(), reason="needs the shared weights of u2netp")
def test_a_file_on_disk_runs_like_a_table():
    running = Engine("cpu")
    loaded = running.load(running.add(U2NETP, "u2netp"))
    (mask,) = loaded.network({"image": ZEROS}).values()
    assert mask.shape == (1, 1, 320, 320)


def test_an_alias_is_the_same_network():
    from dataclasses import replace

    running = Engine("cpu")
    model = registry()["cleancut-small"]
    running._files["small"] = replace(model, aliases=("small",))
    assert running.load("small") is running.load("cleancut-small")


def test_what_is_computed_loads_nothing(monkeypatch):
    monkeypatch.setattr("cleancut.models.weights.read", lambda *_: pytest.fail("read weights"))
    running = Engine(device="cpu")
    loaded = running.load("key:#00ff00")
    assert (loaded.model.settings, loaded.provider, loaded.sha256) == ("#00ff00", "cpu", "")
    assert not running._kept
    with pytest.raises(ModelFailed, match="no network"):
        loaded.network({})


def test_settings_share_one_network():
    running = Engine(device="cpu")
    one, other = running.load("grabcut:box=0,0,9,9"), running.load("grabcut")
    assert one.network is other.network
    assert (one.model.settings, other.model.settings) == ("box=0,0,9,9", "")
    assert len(running._kept) == 1
