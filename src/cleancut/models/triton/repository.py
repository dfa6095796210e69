"""What Triton's model repository holds for a model: config.pbtxt and the files of one version.

The configuration follows github.com/triton-inference-server/common, protobuf/model_config.proto. It also states the
weights' checksum, by which `served` knows the model.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from cleancut.errors import BadSetting
from cleancut.models.registry import Model
from cleancut.models.triton.graph import Graph, Port
from cleancut.models.triton.served import MD5, SHA256, VERSION

_TYPES = {"f4": "FP32", "f2": "FP16", "f8": "FP64", "i8": "INT64", "i4": "INT32", "u1": "UINT8", "?": "BOOL"}

_WORKSPACE = 1 << 30
"""Bytes that TensorRT may use to try its ways of computing a layer."""


@dataclass(frozen=True, slots=True)
class Serving:
    """How a model is to be served.

    Attributes:
        backend: onnxruntime is Triton's own and the faster one; python runs onnxruntime in the server's Python.
        batch: pictures in one run at the most; 1 leaves dynamic batching out.
        delay: microseconds that the first picture of a batch waits for others.
        queue: requests that wait at the most; more are turned away.
        seconds: how long a request waits at the most.
        instances: copies of the network, on each card where there are some.
        kind: what they run on; auto is a card where there is one.
        tensorrt: let TensorRT compute it, in this precision.
        threads: of one run on a processor; 0 is one a processor.
    """

    backend: Literal["onnxruntime", "python"] = "onnxruntime"
    batch: int = 16
    delay: int = 2_000
    queue: int = 256
    seconds: float = 30.0
    instances: int = 1
    kind: Literal["auto", "cpu", "gpu"] = "auto"
    tensorrt: Literal["fp32", "fp16"] | None = None
    threads: int = 0

    def __post_init__(self) -> None:
        if self.tensorrt and (self.backend != "onnxruntime" or self.kind == "cpu"):
            raise BadSetting("TensorRT needs the backend onnxruntime and a card; leave --tensorrt out.")


def files(data: bytes, serving: Serving) -> dict[str, bytes]:
    """Give the files of a version by their names in the version's folder; `data` is the graph."""
    held = {"model.onnx": data}
    if serving.backend == "python":
        held["model.py"] = (Path(__file__).parent / "backend.py").read_bytes()
    return held


def config(model: Model, graph: Graph, sha256: str, serving: Serving, version: int) -> str:
    """Write a model's config.pbtxt.

    Args:
        model: its table; its name is the model's on the server too.
        graph: what it takes and answers.
        sha256: of its weights.
        serving: how it is to be served.
        version: the one that is described; Triton serves the newest alone.
    """
    batch = serving.batch if graph.batches else 0
    parts = [
        f"name: {_text(model.name)}\nbackend: {_text(serving.backend)}\nmax_batch_size: {batch}",
        _ports("input", graph.inputs, batch),
        _ports("output", graph.outputs, batch),
        "version_policy { latest { num_versions: 1 } }",
        _batching(batch, serving),
        _instances(serving),
        _tensorrt(serving),
        _warmup(graph, batch),
        _parameters(model, sha256, serving, version),
    ]
    return "\n".join(part for part in parts if part) + "\n"


def _text(value: str) -> str:
    r"""Quote a string as protobuf's text format does; what is not plain ASCII is escaped byte by byte.

    >>> _text('a"b')
    '"a\\042b"'
    """
    plain = "".join(chr(b) if 32 <= b < 127 and b not in b'"\\' else f"\\{b:03o}" for b in value.encode())
    return f'"{plain}"'


def _ports(what: str, ports: tuple[Port, ...], batch: int) -> str:
    """Declare inputs or outputs; where Triton makes batches, it adds their axis itself."""
    lines = []
    for port in ports:
        shape = port.shape[1:] if batch else port.shape
        dims = ", ".join(map(str, shape))
        lines.append(f"  {{ name: {_text(port.name)} data_type: TYPE_{_TYPES[port.dtype]} dims: [ {dims} ] }}")
    return f"{what} [\n" + ",\n".join(lines) + "\n]"


def _batching(batch: int, serving: Serving) -> str:
    """Put requests together, and let none wait for a caller that has left."""
    if not batch:
        return ""
    wait = int(serving.seconds * 1e6)
    return (
        f"dynamic_batching {{\n  max_queue_delay_microseconds: {serving.delay if batch > 1 else 0}\n"
        f"  default_queue_policy {{\n    timeout_action: REJECT\n    default_timeout_microseconds: {wait}\n"
        f"    allow_timeout_override: true\n    max_queue_size: {serving.queue}\n  }}\n}}"
    )


def _instances(serving: Serving) -> str:
    kind = "" if serving.kind == "auto" else f" kind: KIND_{serving.kind.upper()}"
    return f"instance_group [ {{ count: {serving.instances}{kind} }} ]"


def _tensorrt(serving: Serving) -> str:
    if not serving.tensorrt:
        return ""
    settings = {"precision_mode": serving.tensorrt.upper(), "max_workspace_size_bytes": str(_WORKSPACE)}
    told = "\n".join(f"      parameters {{ key: {_text(k)} value: {_text(v)} }}" for k, v in settings.items())
    return (
        "optimization {\n  execution_accelerators {\n    gpu_execution_accelerator [ {\n"
        f'      name: "tensorrt"\n{told}\n    }} ]\n  }}\n}}'
    )


def _warmup(graph: Graph, batch: int) -> str:
    """Run zeros once before the model is called ready, so that nobody waits for what the first run prepares."""
    inputs = []
    for port in graph.inputs:
        dims = ", ".join(map(str, port.tried[1:] if batch else port.tried))
        value = f"data_type: TYPE_{_TYPES[port.dtype]} dims: [ {dims} ] zero_data: true"
        inputs.append(f"  inputs {{ key: {_text(port.name)} value: {{ {value} }} }}")
    return 'model_warmup [ {\n  name: "zeros"\n  batch_size: 1\n' + "\n".join(inputs) + "\n} ]"


def _parameters(model: Model, sha256: str, serving: Serving, version: int) -> str:
    stated: Mapping[str, str | None] = {
        SHA256: sha256,
        MD5: model.weights["network"].md5,
        VERSION: str(version),
        "cleancut.threads": str(serving.threads) if serving.backend == "python" else None,
        "intra_op_thread_count": str(serving.threads) if serving.backend == "onnxruntime" and serving.threads else None,
    }
    return "\n".join(
        f"parameters {{ key: {_text(key)} value: {{ string_value: {_text(value)} }} }}"
        for key, value in stated.items()
        if value is not None
    )
