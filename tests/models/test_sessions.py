"""Sessions of onnxruntime on devices that this machine lacks: a stub stands for the library."""

import gc
import threading
from types import SimpleNamespace

import numpy as np
import pytest

from cleancut.errors import DeviceFailed, ModelFailed
from cleancut.models import sessions, weights
from cleancut.models.devices import DEVICES, Choice
from cleancut.models.registry import registry

state = sessions.silent_onnxruntime().capi.onnxruntime_pybind11_state
MODEL = registry()["cleancut-small"]
CUDA = Choice("cuda", 1, "fp32")


class Library:
    """An onnxruntime whose sessions run on `runs`, or raise `fails` when they start and `breaks` when they run."""

    def __init__(self, runs="CUDAExecutionProvider", fails=None, breaks=None, work=lambda: None):
        self.runs, self.fails, self.breaks, self.work = runs, fails, breaks, work
        self.providers = self.options = None

    def InferenceSession(self, data, options, providers, enable_fallback):  # noqa: N802 - the library's name
        self.data, self.options, self.providers = data, options, providers
        assert not enable_fallback
        if self.fails:
            raise self.fails
        name = [SimpleNamespace(name="alpha")]
        return SimpleNamespace(
            get_providers=lambda: [self.runs], get_inputs=lambda: name, get_outputs=lambda: name,
            disable_fallback=lambda: None, run=self.run,
        )  # fmt: skip

    def run(self, wanted, feeds):
        self.work()
        if self.breaks:
            raise self.breaks
        return [np.zeros((1, 1, 2, 2), np.float32)]

    def SessionOptions(self):  # noqa: N802 - the library's name
        entries = {}
        return SimpleNamespace(entries=entries, add_session_config_entry=entries.__setitem__)

    def set_default_logger_severity(self, level):
        assert level == 4

    def preload_dlls(self):
        print("Failed to load something")


@pytest.fixture
def library(monkeypatch):
    def use(**given):
        made = Library(**given)
        monkeypatch.setattr(sessions, "silent_onnxruntime", lambda: made)
        return made

    return use


def test_a_device_gets_its_options_and_nothing_to_fall_back_to(library):
    made = library()
    sessions.start(MODEL, b"", CUDA, 3)
    ((provider, options),) = made.providers
    assert provider == DEVICES["cuda"]
    assert options == CUDA.options
    assert made.options.intra_op_num_threads == 3
    assert made.options.enable_mem_pattern


def test_tensorrt_leaves_to_cuda_what_it_cannot(library):
    made = library(runs="TensorrtExecutionProvider")
    sessions.start(MODEL, b"", Choice("tensorrt", 0, "fp16"), 1)
    assert made.providers[0][1] == {"trt_fp16_enable": "1", "device_id": "0"}
    assert made.providers[1:] == ["CUDAExecutionProvider"]


def test_a_device_replaced_in_silence_is_an_error(library):
    library(runs="CPUExecutionProvider")
    with pytest.raises(DeviceFailed, match="cuda:1 is installed but could not be started"):
        sessions.start(MODEL, b"", CUDA, 1)


@pytest.mark.parametrize("failure", [RuntimeError("no driver"), state.EPFail("x"), state.Fail("x"), ValueError("x")])
def test_a_device_that_cannot_start_is_an_error(library, failure):
    library(fails=failure)
    with pytest.raises(DeviceFailed, match="could not be started"):
        sessions.start(MODEL, b"", CUDA, 1)


def test_a_damaged_graph_is_no_fault_of_the_device(library):
    library(fails=state.InvalidProtobuf("x"))
    with pytest.raises(ModelFailed, match="not a graph"):
        sessions.start(MODEL, b"", CUDA, 1)


@pytest.mark.parametrize(
    ("failure", "kind"),
    [(state.RuntimeException("out of memory"), DeviceFailed), (state.EPFail("x"), DeviceFailed),
     (state.InvalidArgument("x"), ModelFailed)],
)  # fmt: skip
def test_a_run_that_fails_says_whose_fault_it_is(library, failure, kind):
    library(breaks=failure)
    network = sessions.start(MODEL, b"", CUDA, 1)
    with pytest.raises(kind):
        network({"image": np.zeros(1)})


def test_directml_runs_one_picture_at_a_time(library):
    busy, most = [], []

    def work():
        busy.append(1)
        most.append(len(busy))
        threading.Event().wait(0.01)
        busy.pop()

    made = library(runs="DmlExecutionProvider", work=work)
    network = sessions.start(MODEL, b"", Choice("directml", 0, "fp32"), 1)
    threads = [threading.Thread(target=network, args=({"image": np.zeros(1)},)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1] * 6
    assert not made.options.enable_mem_pattern


def test_what_the_library_prints_does_not_go_where_a_picture_may(library, monkeypatch, capsys):
    library()
    monkeypatch.setattr(sessions.importlib.util, "find_spec", lambda name: name)
    sessions.start(MODEL, b"", CUDA, 1)
    out, err = capsys.readouterr()
    assert out == ""
    assert "Failed to load something" in err


def test_a_session_does_not_keep_the_file_in_memory():
    data = bytes(bytearray(weights.read(MODEL)[0]))
    before = len(gc.get_referrers(data))
    network = sessions.start(MODEL, data, Choice("cpu", 0, "fp32"), 1)
    assert len(gc.get_referrers(data)) == before
    assert network({"image": np.zeros((1, 3, 320, 320), np.float32)})["alpha"].shape == (1, 1, 320, 320)


def test_only_the_format_onnx_is_read():
    flatbuffer = b"\x00\x00\x00\x00ORTM" + bytes(64)
    with pytest.raises(ModelFailed, match="not a graph"):
        sessions.start(MODEL, flatbuffer, Choice("cpu", 0, "fp32"), 1)
