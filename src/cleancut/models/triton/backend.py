"""What runs inside Triton's Python backend: `export-triton --backend python` copies this file beside the graph.

It imports nothing of this package, which the server does not have; its Python needs numpy and onnxruntime.
"""

import importlib
import json
import os
from typing import Any

import numpy as np


class TritonPythonModel:
    """A graph in ONNX, run once for all requests that Triton's scheduler has put together."""

    def initialize(self, args: dict[str, str]) -> None:
        """Open the graph that lies beside this file, on the device that Triton says."""
        os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # it would write an identifier to the disk and send events
        onnxruntime = importlib.import_module("onnxruntime")
        onnxruntime.disable_telemetry_events()
        self._triton = importlib.import_module("triton_python_backend_utils")
        config = json.loads(args["model_config"])
        self._outputs = [port["name"] for port in config["output"]]
        self._inputs = [port["name"] for port in config["input"]]
        self._batches = config["max_batch_size"] > 0
        options = onnxruntime.SessionOptions()
        options.add_session_config_entry("session.load_model_format", "ONNX")
        options.add_session_config_entry("optimization.disable_specified_optimizers", "WeightBiasQuantization")
        options.intra_op_num_threads = int(config["parameters"]["cleancut.threads"]["string_value"])
        gpu = ("CUDAExecutionProvider", {"device_id": args["model_instance_device_id"], "use_tf32": "0"})
        provider = gpu if args["model_instance_kind"] == "GPU" else "CPUExecutionProvider"
        graph = os.path.join(os.path.dirname(os.path.abspath(__file__)), "model.onnx")  # noqa: PTH118, PTH120, PTH100
        self._session = onnxruntime.InferenceSession(graph, options, providers=[provider], enable_fallback=False)

    def execute(self, requests: list[Any]) -> list[Any]:
        """Answer requests; those of one shape in one run, and each with its own part of it."""
        given = [[self._array(request, name) for name in self._inputs] for request in requests]
        responses: list[Any] = [None] * len(requests)
        alike: dict[Any, list[int]] = {}
        for number, arrays in enumerate(given):
            key = tuple(array.shape[1:] for array in arrays) if self._batches else number
            alike.setdefault(key, []).append(number)
        for numbers in alike.values():
            self._answer(requests, given, numbers, responses)
        return responses

    def _answer(self, requests: list[Any], given: list[Any], numbers: list[int], responses: list[Any]) -> None:
        joined = [np.concatenate([given[number][at] for number in numbers]) for at in range(len(self._inputs))]
        wanted = [name for name in self._outputs if any(name in requests[n].requested_output_names() for n in numbers)]
        try:
            answers = self._session.run(wanted, dict(zip(self._inputs, joined, strict=True)))
        except Exception as error:  # noqa: BLE001 - one batch that fails must not end the server's process
            failure = self._triton.TritonError(f"onnxruntime: {type(error).__name__}")
            for number in numbers:
                responses[number] = self._triton.InferenceResponse(error=failure)
            return
        start = 0
        for number in numbers:
            end = start + len(given[number][0])
            asked = requests[number].requested_output_names()
            parts = [(name, array[start:end]) for name, array in zip(wanted, answers, strict=True) if name in asked]
            tensors = [self._triton.Tensor(name, np.ascontiguousarray(part)) for name, part in parts]
            responses[number] = self._triton.InferenceResponse(tensors)
            start = end

    def _array(self, request: Any, name: str) -> Any:
        return self._triton.get_input_tensor_by_name(request, name).as_numpy()
