"""Run networks with onnxruntime, without its telemetry and without its ways of falling back in silence."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import sys
import threading
from collections.abc import Mapping
from types import ModuleType
from typing import Any, NamedTuple, cast

from numpy.typing import NDArray

from cleancut.errors import DeviceFailed, ModelFailed
from cleancut.models.devices import Choice
from cleancut.models.registry import Model
from cleancut.types import Network

_ENTRIES = {
    "session.load_model_format": "ONNX",  # not its own format, told by content, whose reader we never need
    "optimization.disable_specified_optimizers": "WeightBiasQuantization",  # brings layers left in float to 8 bits
    "session.force_spinning_stop": "1",  # threads that wait for the next run take processors from the strips
}
"""What every session is told; docs/decisions/0008 has the measurements."""

SIDE_BY_SIDE = ("closeup",)
"""Kinds that are asked about many small things by several threads at once: two threads that share a layer of 256 pixels
take 2.4 times the processor time of one."""


def silent_onnxruntime() -> ModuleType:
    """Import onnxruntime with its telemetry switched off; the only place that imports it.

    Its official builds write an identifier of the device to the user's cache and send events about every session.
    The variable must be set before the library loads; after that, only its later events can be switched off.
    """
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    import onnxruntime  # noqa: PLC0415 - importing it costs more than most commands need

    onnxruntime.disable_telemetry_events()
    return cast(ModuleType, onnxruntime)


def start(model: Model, data: bytes, choice: Choice, threads: int) -> Network:
    """Make a session of onnxruntime a function of named arrays.

    Args:
        model: says what its input and output are called.
        data: the graph in ONNX.
        choice: where it runs, and how.
        threads: of one run on the CPU; a kind of `SIDE_BY_SIDE` has one.

    Raises:
        DeviceFailed: the device cannot be started.
        ModelFailed: it is not a graph that can run.
    """
    session = opened(model, data, choice, threads)
    wanted = model.output.outputs(session.get_outputs()[0].name)
    given = model.input.name or session.get_inputs()[0].name
    turn = threading.Lock() if choice.device.alone else contextlib.nullcontext()
    raised = _raised()

    def network(inputs: Mapping[str, NDArray[Any]]) -> Mapping[str, NDArray[Any]]:
        feeds = {given if name == "image" else name: array for name, array in inputs.items()}
        try:
            with turn:
                return dict(zip(wanted, session.run(list(wanted.values()), feeds), strict=True))
        except raised.any as error:
            if choice.name == "cpu" or isinstance(error, raised.by_arguments):
                raise ModelFailed(f"The network of {model} does not take what its table says.") from error
            raise DeviceFailed(f"The device {choice} failed while it ran {model}; it may be out of memory.") from error

    return network


def opened(model: Model, data: bytes, choice: Choice, threads: int) -> Any:
    """Open a graph on a device and nowhere else; give onnxruntime's InferenceSession.

    Raises:
        DeviceFailed, ModelFailed: as `start` says.
    """
    onnxruntime = silent_onnxruntime()
    if choice.name != "cpu":
        _prepare(onnxruntime)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1 if model.kind in SIDE_BY_SIDE else threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    options.enable_mem_pattern = choice.device.patterns
    for name, value in _ENTRIES.items():
        options.add_session_config_entry(name, value)
    providers = [(choice.device.provider, choice.options), *choice.device.behind]
    raised = _raised()
    try:
        session = onnxruntime.InferenceSession(data, options, providers=providers, enable_fallback=False)
    except raised.any as error:
        if choice.name == "cpu" or isinstance(error, raised.by_files):
            raise ModelFailed(f"The weights of {model} are not a graph that onnxruntime can load.") from error
        raise DeviceFailed(_not_started(choice)) from error
    if session.get_providers()[0] != choice.device.provider:
        raise DeviceFailed(_not_started(choice))
    session.disable_fallback()
    session._model_bytes = None  # kept by onnxruntime for the fallback that is off: as much memory again as the file
    return session


def _not_started(choice: Choice) -> str:
    return f"The device {choice} is installed but could not be started; its driver or its libraries may be missing."


def _prepare(onnxruntime: ModuleType) -> None:
    """Load CUDA's libraries where pip put them, and let our one sentence replace the runtime's lines on stderr."""
    onnxruntime.set_default_logger_severity(4)
    if importlib.util.find_spec("nvidia") is not None:
        with contextlib.redirect_stdout(sys.stderr):  # it prints, and stdout may be a picture
            onnxruntime.preload_dlls()


class _Raised(NamedTuple):
    """What onnxruntime raises, by what is at fault."""

    by_files: tuple[type[Exception], ...]
    by_arguments: tuple[type[Exception], ...]
    any: tuple[type[Exception], ...]


def _raised() -> _Raised:
    from onnxruntime.capi import onnxruntime_pybind11_state as state  # noqa: PLC0415

    by_files = (state.InvalidGraph, state.InvalidProtobuf)
    by_arguments = (state.InvalidArgument, ValueError)
    others = (state.Fail, state.EPFail, state.EngineError, state.NoSuchFile, state.NotFound, state.NotImplemented,
              state.RuntimeException, RuntimeError)  # fmt: skip
    return _Raised(by_files, by_arguments, (*by_files, *by_arguments, *others))
