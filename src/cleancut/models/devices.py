"""What networks may run on: a table of devices, and the choice among those that are installed.

>>> [str(choice) for choice in candidates("auto", "auto", ["tensorrt", "cuda", "cpu"])]
['cuda', 'cpu']
>>> candidates("cuda:1", "auto", ["cuda", "cpu"])[0].options["device_id"]
'1'
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from cleancut.errors import BadSetting, DeviceFailed
from cleancut.models.triton import address

_CUDA = {
    "cudnn_conv_algo_search": "HEURISTIC",  # trying all of them takes seconds at the first run
    "arena_extend_strategy": "kSameAsRequested",  # doubling takes memory that others on the card could use
}


@dataclass(frozen=True, slots=True)
class Device:
    """A device, as far as it differs from the others.

    Attributes:
        provider: what onnxruntime calls it; it knows nothing of servers, whose name is ours.
        package: the package that brings it.
        precisions: the arithmetic it can do for layers of float32, and the options that make it; the first is "auto".
        options: options that it always gets.
        runtime: what runs networks on it.
        numbered: whether there may be several, told apart by a number.
        behind: providers that take the layers it cannot.
        asked: whether it runs only when it is asked for; a server is, by its address.
        alone: whether it runs one picture at a time.
        patterns: whether its memory may be laid out once for all runs.
    """

    provider: str
    package: str
    precisions: Mapping[str, Mapping[str, str]]
    options: Mapping[str, str] = field(default_factory=dict)
    runtime: Literal["onnxruntime", "openvino", "triton"] = "onnxruntime"
    numbered: bool = False
    behind: tuple[str, ...] = ()
    asked: bool = False
    alone: bool = False
    patterns: bool = True


TABLE: Mapping[str, Device] = {
    "cuda": Device(
        "CUDAExecutionProvider",
        "onnxruntime-gpu",
        {"fp32": {"use_tf32": "0"}, "tf32": {"use_tf32": "1"}},
        options=_CUDA,
        numbered=True,
    ),
    "tensorrt": Device(
        "TensorrtExecutionProvider",
        "onnxruntime-gpu",
        {"fp32": {}, "fp16": {"trt_fp16_enable": "1"}, "bf16": {"trt_bf16_enable": "1"}},
        numbered=True,
        behind=("CUDAExecutionProvider",),
        asked=True,  # it builds for minutes before its first picture
    ),
    "rocm": Device(
        "MIGraphXExecutionProvider",
        "onnxruntime-migraphx",
        {"fp32": {}, "fp16": {"migraphx_fp16_enable": "1"}},
        numbered=True,
    ),
    "coreml": Device("CoreMLExecutionProvider", "onnxruntime", {"fp32": {"ModelFormat": "MLProgram"}}),
    "directml": Device(
        "DmlExecutionProvider", "onnxruntime-directml", {"fp32": {}}, numbered=True, alone=True, patterns=False
    ),
    "openvino": Device(
        "OpenVINOExecutionProvider",
        "openvino",
        {
            "fp32": {"INFERENCE_PRECISION_HINT": "f32"},
            "bf16": {"INFERENCE_PRECISION_HINT": "bf16"},
            "fp16": {"INFERENCE_PRECISION_HINT": "f16"},
        },
        options={"PERFORMANCE_HINT": "LATENCY"},
        runtime="openvino",
        alone=True,
    ),
    "cpu": Device("CPUExecutionProvider", "onnxruntime", {"fp32": {}}),
    "triton": Device("TritonServer", "tritonclient", {"fp32": {}}, runtime="triton", asked=True),
}
"""Devices by name, the ones to prefer first."""

DEVICES: Mapping[str, str] = {name: device.provider for name, device in TABLE.items()}
"""What onnxruntime calls each device."""

PRECISIONS = ("auto", *dict.fromkeys(name for device in TABLE.values() for name in device.precisions))
"""Arithmetic that some device can do; "auto" is float32, as the files are written."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A device of a number, and the precision it computes in."""

    name: str
    number: int
    precision: str

    @property
    def device(self) -> Device:
        """What the table says of it."""
        return TABLE[self.name]

    @property
    def options(self) -> dict[str, str]:
        """What its runtime is to be told."""
        number = {"device_id": str(self.number)} if self.device.numbered else {}
        return {**self.device.options, **self.device.precisions[self.precision], **number}

    def __str__(self) -> str:
        return f"{self.name}:{self.number}" if self.number else self.name


def check(asked: str, precision: str) -> tuple[str, int]:
    """Take a device apart into its name and number, without looking at what is installed.

    Raises:
        DeviceFailed: there is no such device, or it cannot compute in that precision.
        BadSetting: there is no such precision.

    >>> check("cuda:1", "auto")
    ('cuda', 1)
    """
    if precision not in PRECISIONS:
        raise BadSetting(f"There is no precision {precision!r}; there are {', '.join(PRECISIONS)}.")
    if address.is_one(asked):
        address.parsed(asked)
        return "triton", 0
    name, _, number = asked.partition(":")
    if name == "auto" and not number and ":" not in asked:
        return name, 0
    if name not in TABLE:
        raise DeviceFailed(f"There is no device {asked!r}; there are auto, {', '.join(TABLE)}.")
    if TABLE[name].runtime == "triton":
        raise DeviceFailed("Say where the Triton server is, such as triton://gpu.example:8001.")
    if ":" in asked and not (TABLE[name].numbered and re.fullmatch("[0-9]{1,3}", number)):
        several = ", ".join(f"{name}:1" for name, device in TABLE.items() if device.numbered)
        raise DeviceFailed(f"There is no device {asked!r}; a number goes with some only, such as {several}.")
    if precision not in ("auto", *TABLE[name].precisions):
        able = _named(other for other, device in TABLE.items() if precision in device.precisions)
        raise DeviceFailed(f"The device {name} cannot compute in {precision}; {able} may.")
    return name, int(number or 0)


def candidates(asked: str, precision: str, offered: Iterable[str]) -> list[Choice]:
    """Give the devices to try, the best first: the one that is asked for, or for "auto" all that are installed.

    Raises:
        DeviceFailed: it is absent, or none that is installed computes in that precision.
        BadSetting: there is no such precision.
    """
    name, number = check(asked, precision)
    offered = [other for other in TABLE if other in set(offered)]
    if name != "auto" and name not in offered:
        raise DeviceFailed(_absent(name, offered))
    names = [other for other in offered if not TABLE[other].asked] if name == "auto" else [name]
    chosen = [
        Choice(other, number, next(iter(TABLE[other].precisions)) if precision == "auto" else precision)
        for other in names
        if precision in ("auto", *TABLE[other].precisions)
    ]
    if not chosen:
        able = _named(other for other, device in TABLE.items() if precision in device.precisions)
        raise DeviceFailed(f"Nothing that is installed computes in {precision}; {able} may, once asked for by name.")
    return chosen


def _named(names: Iterable[str]) -> str:
    return " or ".join(names)


def _absent(name: str, offered: list[str]) -> str:
    """Say how to get a device; a package that another one lies over is told apart from one that is not there."""
    said = f"The device {name} is not installed; there are {', '.join(offered)}. "
    package = TABLE[name].package
    from importlib import metadata  # noqa: PLC0415 - it takes 18 ms, which only a failure should cost

    try:
        metadata.version(package)
    except metadata.PackageNotFoundError:
        return f"{said}It comes with the package {package}: docs/devices.md says how to get it."
    if package == "onnxruntime" or TABLE[name].runtime != "onnxruntime":
        return f"{said}The package {package} of this machine was built without it."
    return (
        f"{said}The package {package} is there, but the plain onnxruntime lies over it: run pip uninstall onnxruntime, "
        f"then pip install --force-reinstall --no-deps {package}."
    )
