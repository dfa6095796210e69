"""Run networks with OpenVINO: in bfloat16 where the processor computes in it, which onnxruntime cannot."""

from __future__ import annotations

import importlib
import importlib.util
import io
import sys
import threading
from collections.abc import Mapping
from types import ModuleType
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from cleancut.errors import DeviceFailed, ModelFailed
from cleancut.models.devices import Choice
from cleancut.models.registry import Model
from cleancut.types import Network


def installed() -> bool:
    """Tell whether OpenVINO is installed, without importing it."""
    return importlib.util.find_spec("openvino") is not None


def silent_openvino() -> ModuleType:
    """Import OpenVINO without its telemetry; the only place that imports it.

    Importing it writes an identifier to the user's home and sends an event. A module that is None cannot be imported,
    and OpenVINO goes on without this one (docs/decisions/0008).

    Raises:
        DeviceFailed: it cannot be imported.
    """
    sys.modules.setdefault("openvino_telemetry", cast(ModuleType, None))
    try:
        return importlib.import_module("openvino")
    except ImportError as error:
        raise DeviceFailed("OpenVINO is installed but cannot be loaded; install cleancut[openvino] again.") from error


def start(model: Model, data: bytes, choice: Choice, threads: int) -> Network:
    """Make a network compiled by OpenVINO a function of named arrays. Threads that share it take turns.

    Args:
        model: says what its input and output are called.
        data: the graph in ONNX.
        choice: the precision.
        threads: of one run.

    Raises:
        DeviceFailed: the processor does not compute in that precision.
        ModelFailed: it is not a graph that can run.
    """
    openvino = silent_openvino()
    compiled = _compiled(openvino, model, data, {**choice.options, "INFERENCE_NUM_THREADS": threads})
    asked = choice.options["INFERENCE_PRECISION_HINT"]
    if compiled.get_property("INFERENCE_PRECISION_HINT") != getattr(openvino.Type, asked):
        raise DeviceFailed(f"This processor does not compute in {choice.precision}; ask for fp32 or auto.")
    given, wanted = _ports(compiled, model)
    turn, queue = threading.Lock(), openvino.AsyncInferQueue(compiled, 1)

    def network(inputs: Mapping[str, NDArray[Any]]) -> Mapping[str, NDArray[Any]]:
        nonlocal queue
        feeds = {given if name == "image" else name: array for name, array in inputs.items()}
        # Requests that several threads run at once have hung; and one request uses all threads anyway.
        with turn:
            try:
                queue.start_async(feeds)
                queue.wait_all()
                return {role: np.array(queue[0].get_tensor(name).data) for role, name in wanted.items()}
            except (RuntimeError, TypeError, ValueError) as error:
                queue = openvino.AsyncInferQueue(compiled, 1)  # the old one raises this failure for ever
                raise ModelFailed(f"The network of {model} does not take what its table says.") from error

    return network


def _compiled(openvino: ModuleType, model: Model, data: bytes, options: Mapping[str, Any]) -> Any:
    """Read a graph by the reader of ONNX alone, as others would take anything by its content, and compile it."""
    frontend = importlib.import_module("openvino.frontend")
    refusals = (RuntimeError, frontend.GeneralFailure, frontend.InitializationFailure, frontend.NotImplementedFailure,
                frontend.OpConversionFailure, frontend.OpValidationFailure)  # fmt: skip
    try:
        reader = frontend.FrontEndManager().load_by_framework("onnx")
        graph = reader.convert(reader.load(io.BytesIO(data)))
        return openvino.Core().compile_model(graph, "CPU", dict(options))
    except refusals as error:
        raise ModelFailed(f"The weights of {model} are not a graph that OpenVINO can load.") from error


def _ports(compiled: Any, model: Model) -> tuple[str, dict[str, str]]:
    """Give the name of the input that takes the picture, and those of the outputs by what they are for."""
    try:
        given = compiled.input(model.input.name) if model.input.name else compiled.input(0)
        wanted = model.output.outputs(compiled.output(0).get_any_name())
        return given.get_any_name(), {role: compiled.output(name).get_any_name() for role, name in wanted.items()}
    except RuntimeError as error:
        raise ModelFailed(f"The graph of {model} has not the input and output that its table says.") from error
