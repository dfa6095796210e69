from importlib import metadata

import pytest

from cleancut.errors import BadSetting, DeviceFailed
from cleancut.models.devices import DEVICES, PRECISIONS, TABLE, Choice, candidates, check


@pytest.mark.parametrize(
    ("asked", "offered", "tried"),
    [
        ("auto", ["cpu"], ["cpu"]),
        ("auto", ["cpu", "tensorrt", "cuda"], ["cuda", "cpu"]),
        ("auto", ["coreml", "cpu"], ["coreml", "cpu"]),
        ("auto", ["openvino", "directml", "rocm", "cpu"], ["rocm", "directml", "openvino", "cpu"]),
        ("tensorrt", ["tensorrt", "cuda", "cpu"], ["tensorrt"]),
        ("cpu", ["cuda", "cpu"], ["cpu"]),
        ("cuda:3", ["cuda", "cpu"], ["cuda:3"]),
        ("cuda:0", ["cuda", "cpu"], ["cuda"]),
    ],
)
def test_the_best_comes_first_and_what_is_asked_for_alone(asked, offered, tried):
    assert [str(choice) for choice in candidates(asked, "auto", offered)] == tried


def test_automatic_is_float32_everywhere():
    chosen = candidates("auto", "auto", [name for name in TABLE if not TABLE[name].asked])
    assert {choice.precision for choice in chosen} == {"fp32"}
    assert all(next(iter(device.precisions)) == "fp32" for device in TABLE.values())


def test_a_precision_leaves_out_the_devices_that_cannot():
    assert [choice.name for choice in candidates("auto", "bf16", ["cuda", "openvino", "cpu"])] == ["openvino"]
    with pytest.raises(DeviceFailed, match=r"^Nothing that is installed computes in bf16; tensorrt or openvino may"):
        candidates("auto", "bf16", ["cuda", "cpu"])
    with pytest.raises(DeviceFailed, match=r"^The device cpu cannot compute in fp16; tensorrt or rocm or openvino may"):
        check("cpu", "fp16")


def test_options_are_those_of_the_device_its_number_and_its_precision():
    options = Choice("cuda", 2, "tf32").options
    assert options["device_id"] == "2"
    assert options["use_tf32"] == "1"
    assert options["cudnn_conv_algo_search"] == "HEURISTIC"
    assert Choice("cpu", 0, "fp32").options == {}
    assert Choice("openvino", 0, "bf16").options["INFERENCE_PRECISION_HINT"] == "bf16"


@pytest.mark.parametrize("asked", ["gpu", "", "CUDA", "cuda:", "cuda:x", "cuda:-1", "cuda:1:2", "cuda:9999", "cpu:1",
                                   "auto:1", "auto:", "coreml:0", "cuda:¹"])  # fmt: skip
def test_a_device_that_does_not_exist_is_an_error(asked):
    with pytest.raises(DeviceFailed, match="There is no device"):
        check(asked, "auto")


def test_a_precision_that_does_not_exist_is_an_error():
    with pytest.raises(BadSetting, match="no precision 'int4'; there are auto, fp32, tf32, fp16, bf16"):
        check("cpu", "int4")


def test_an_absent_device_is_an_error_that_says_what_brings_it(monkeypatch):
    installed = {}
    monkeypatch.setattr(metadata, "version", lambda name: installed[name] if name in installed else absent())

    def absent():
        raise metadata.PackageNotFoundError

    with pytest.raises(DeviceFailed, match=r"cuda is not installed; there are cpu\. It comes with.* onnxruntime-gpu"):
        candidates("cuda", "auto", ["cpu"])
    installed["onnxruntime-gpu"] = "1"
    with pytest.raises(DeviceFailed, match="the plain onnxruntime lies over it: run pip uninstall onnxruntime"):
        candidates("cuda", "auto", ["cpu"])
    installed["onnxruntime"] = "1"
    with pytest.raises(DeviceFailed, match="was built without it"):
        candidates("coreml", "auto", ["cpu"])


def test_every_device_has_a_provider_of_its_own():
    assert len(set(DEVICES.values())) == len(DEVICES) == len(TABLE)
    assert set(PRECISIONS) == {"auto", "fp32", "tf32", "fp16", "bf16"}
