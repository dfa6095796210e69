"""A network that a Triton server runs: found, compared with its table, and asked as if it were here.

The server states in its configuration which weights it runs (`repository.py` writes that); those must be the table's.
What it answers is checked before it is believed: names, shapes, version, and that the numbers are finite.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from cleancut.errors import ModelFailed, ModelServerFailed
from cleancut.models import weights
from cleancut.models.registry import Model
from cleancut.models.triton import address, connection
from cleancut.models.triton.connection import Connection, NotServed
from cleancut.types import Network

SHA256, MD5, VERSION = "cleancut.sha256", "cleancut.md5", "cleancut.version"
"""Parameters of a model's configuration: the checksums of its weights, and the version of the model that they are."""


@dataclass(frozen=True, slots=True, eq=False)
class Served:
    """A network on a server.

    Attributes:
        network: the function.
        provider: the server, the model's name and its version, such as "triton://gpu.example:8001/u2net/1".
        sha256: of the weights, as the server states it.
        precision: the arithmetic that the server's configuration asks for.
    """

    network: Network
    provider: str
    sha256: str
    precision: str


@dataclass(frozen=True, slots=True)
class _Stated:
    """What a server's configuration says of a model.

    Attributes:
        version: the newest that it serves.
        most: pictures in one run at the most; 0 where the graph takes just what its shapes say.
        inputs, outputs: shapes by name, in the graph's order; −1 is any size.
        parameters: what else is stated.
        precision: of its float32 layers.
    """

    version: str
    most: int
    inputs: Mapping[str, tuple[int, ...]]
    outputs: Mapping[str, tuple[int, ...]]
    parameters: Mapping[str, str]
    precision: str


def served(model: Model, where: str, forget: Callable[[], None]) -> Served:
    """Find a model on a server, and prove that it is the one that is meant.

    Args:
        model: its table.
        where: the server's address.
        forget: called when the server fails, so that the model and its version are looked for anew next time.

    Raises:
        BadRecipe, NotAccepted: as for weights that are here.
        ModelServerFailed: the server is away, or does not serve the model.
        ModelFailed: it serves other weights, or does not say which.
    """
    weights.check_allowed(model)
    server = connection.connection(address.parsed(where))
    stated = _stated(server, model)
    sha256 = _proven(model, stated, server)
    _check_input(model, stated, server)
    network = _Remote(server, model, stated, forget)
    return Served(network, f"{server.address}/{model.name}/{stated.version}", sha256, stated.precision)


def _stated(server: Connection, model: Model) -> _Stated:
    """Ask a server what it says of a model."""
    given: dict[str, Any] = {"what": str(model), "model_name": model.name, "as_json": True}
    versions = server.asked("get_model_metadata", **given).get("versions", [])
    numbered = [version for version in versions if re.fullmatch("[0-9]{1,18}", version)]
    if not numbered:
        raise NotServed(f"The Triton server at {server.address} has {model}, but no version of it is ready.")
    version = max(numbered, key=int)
    config = server.asked("get_model_config", **given, model_version=version).get("config", {})
    return _Stated(
        version=version,
        most=int(config.get("max_batch_size", 0)),
        inputs=_shapes(config.get("input", [])),
        outputs=_shapes(config.get("output", [])),
        parameters={name: value.get("string_value", "") for name, value in config.get("parameters", {}).items()},
        precision=_precision(config),
    )


def _shapes(ports: list[dict[str, Any]]) -> dict[str, tuple[int, ...]]:
    return {port["name"]: tuple(map(int, port.get("dims", ()))) for port in ports}


def _precision(config: Mapping[str, Any]) -> str:
    """Read from a configuration what TensorRT, where it runs, was told."""
    accelerators = config.get("optimization", {}).get("execution_accelerators", {})
    for one in accelerators.get("gpu_execution_accelerator", []):
        mode = one.get("parameters", {}).get("precision_mode", "FP32")
        return str(mode).lower()[:8]
    return "fp32"


def _proven(model: Model, stated: _Stated, server: Connection) -> str:
    """Compare the checksum that the server states with the table's; give the sha256."""
    expected = model.weights["network"]
    found = stated.parameters.get(SHA256 if expected.sha256 else MD5)
    sha256, version = stated.parameters.get(SHA256), stated.parameters.get(VERSION)
    if not found or not sha256 or version != stated.version:
        raise ModelFailed(
            f"The Triton server at {server.address} does not say which weights version {stated.version} of {model} "
            "has; make its repository with cleancut models export-triton."
        )
    if found != (expected.sha256 or expected.md5):
        raise ModelFailed(
            f"The Triton server at {server.address} serves {model} with other weights than its table names; "
            "export it again from this machine."
        )
    return sha256


def _check_input(model: Model, stated: _Stated, server: Connection) -> None:
    """Refuse a configuration whose picture is not the table's, or that lacks an output that the table names."""
    width, height = model.input.size
    given = model.input.name or next(iter(stated.inputs), "")
    wanted = model.output.outputs(next(iter(stated.outputs), "")).values()
    shape = stated.inputs.get(given, ())[-3:]
    if not _fits((3, height, width), shape) or not set(wanted) <= set(stated.outputs):
        raise ModelFailed(
            f"The Triton server at {server.address} serves {model} with inputs or outputs that its table does not have."
        )


def _fits(shape: tuple[int, ...], stated: tuple[int, ...]) -> bool:
    """Tell whether a shape is one that was stated."""
    return len(shape) == len(stated) and all(b in (-1, a) for a, b in zip(shape, stated, strict=True))


class _Remote:
    """Named arrays go to the server, and named arrays come back. Threads may share it."""

    def __init__(self, server: Connection, model: Model, stated: _Stated, forget: Callable[[], None]) -> None:
        self._server = server
        self._model = model
        self._stated = stated
        self._forget = forget
        self._given = model.input.name or next(iter(stated.inputs))
        self._wanted = model.output.outputs(next(iter(stated.outputs)))

    def __call__(self, inputs: Mapping[str, NDArray[Any]]) -> Mapping[str, NDArray[Any]]:
        """Run the network, in as many parts as the server's bound on a batch makes of the pictures.

        Raises:
            ModelServerFailed, ModelServerSlow: the server is away, or too slow.
            ModelFailed: the network does not take this, or what comes back is no answer.
        """
        feeds = {self._given if name == "image" else name: np.asarray(array) for name, array in inputs.items()}
        if feeds.keys() != self._stated.inputs.keys():
            raise ModelFailed(f"The network of {self._model} does not take what its table says.")
        count = len(feeds[self._given])
        step = min(count, self._stated.most) or count
        parts = [
            self._run({name: array[at : at + step] for name, array in feeds.items()}) for at in range(0, count, step)
        ]
        return {role: np.concatenate([part[role] for part in parts]) for role in self._wanted}

    def _run(self, feeds: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        grpc, stated = self._server.grpc, self._stated
        try:
            answer = self._server.asked(
                "infer",
                str(self._model),
                model_name=self._model.name,
                model_version=stated.version,
                inputs=[_tensor(grpc, name, array) for name, array in feeds.items()],
                outputs=[grpc.InferRequestedOutput(name) for name in self._wanted.values()],
                timeout=int(self._server.address.timeout * 1e6),  # nobody waits longer, so it need not run later
            )
        except ModelServerFailed:  # it may have started anew, or unloaded this version for a later one
            self._forget()
            raise
        if answer.get_response().model_version != stated.version:
            self._refuse(f"with version {answer.get_response().model_version[:20]!r} where {stated.version} was asked")
        count = len(feeds[self._given])
        return {role: self._checked(answer, name, count) for role, name in self._wanted.items()}

    def _checked(self, answer: Any, name: str, count: int) -> NDArray[Any]:
        """Take one output out of an answer, if it is what the configuration says."""
        try:
            array = answer.as_numpy(name)
        except Exception as error:  # nobody lists what a damaged answer makes the client raise
            raise ModelFailed(self._said(f"with a damaged {name}")) from error
        shape = self._stated.outputs[name]
        if array is None or not _fits(array.shape, (count, *shape) if self._stated.most else shape):
            self._refuse(f"with the shape {getattr(array, 'shape', None)} where {shape} was stated")
        if array.dtype.kind != "f" or not np.isfinite(array).all():
            self._refuse("with what are no finite numbers")
        return np.array(array)  # the client's is a view that cannot be written to

    def _said(self, how: str) -> str:
        return f"The Triton server at {self._server.address} answered for {self._model} {how}."

    def _refuse(self, how: str) -> NoReturn:
        raise ModelFailed(self._said(how))


def _tensor(grpc: Any, name: str, array: NDArray[Any]) -> Any:
    types = {"f4": "FP32", "f2": "FP16", "f8": "FP64", "i8": "INT64", "i4": "INT32", "u1": "UINT8", "b1": "BOOL"}
    kind = types.get(array.dtype.str.lstrip("<>|="))
    if kind is None:
        raise ModelFailed(f"An array of {array.dtype} cannot be sent to a Triton server.")
    tensor = grpc.InferInput(name, list(array.shape), kind)
    tensor.set_data_from_numpy(array)
    return tensor
