"""What a graph takes and answers: read from the graph, and tried, since some that claim any batch fail at two."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from cleancut.errors import Broken, ModelFailed
from cleancut.models import sessions
from cleancut.models.devices import candidates
from cleancut.models.registry import Model

Arrays: TypeAlias = "dict[str, NDArray[Any]]"

_TYPES = {"float": "f4", "float16": "f2", "double": "f8", "int64": "i8", "int32": "i4", "uint8": "u1", "bool": "?"}
"""numpy's names of ONNX's types of elements."""

_SAME = 1e-3
"""How far an answer in a batch may be off that to the picture alone: a quarter of a level of 255."""


@dataclass(frozen=True, slots=True)
class Port:
    """An input or output of a graph.

    Attributes:
        name: as the graph calls it.
        dtype: of its elements, as numpy calls it, such as "f4".
        shape: −1 is any size.
        tried: the shape it had when the graph was tried with one picture.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    tried: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Graph:
    """A graph's inputs and outputs in its order, and whether it answers several pictures at once."""

    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    batches: bool


def examined(model: Model, data: bytes, threads: int) -> Graph:
    """Read what a graph takes and answers, and run it on noise: with one picture, another, and both.

    Args:
        model: its table, which says how large a picture is where the graph does not.
        data: the graph in ONNX.
        threads: of one run.

    Raises:
        ModelFailed: it cannot run, or takes what nobody here could give.
    """
    (cpu,) = candidates("cpu", "auto", ["cpu"])
    session = sessions.opened(model, data, cpu, threads)
    given = model.input.name or session.get_inputs()[0].name
    sizes = _sizes(session.get_inputs(), given, model)
    shapes = {port.name: tuple(_size(size, sizes) for size in port.shape) for port in session.get_inputs()}
    if any(size < 1 for shape in shapes.values() for size in shape):
        raise ModelFailed(f"The network of {model} has inputs of no known size, so it cannot be tried.")
    drawn = np.random.default_rng(0)
    asked = [{port.name: _noise(drawn, shapes[port.name], port.type) for port in session.get_inputs()} for _ in "ab"]
    names = [port.name for port in session.get_outputs()]
    if not set(model.output.outputs(names[0]).values()) <= set(names):
        raise ModelFailed(f"The network of {model} has not the outputs that its table names.")
    alone = [_run(session, names, one, model) for one in asked]
    return Graph(
        inputs=tuple(_port(port, shapes[port.name], model) for port in session.get_inputs()),
        outputs=tuple(_port(port, alone[0][port.name].shape, model) for port in session.get_outputs()),
        batches=_batches(session, names, asked, alone, model),
    )


def _sizes(inputs: list[Any], given: str, model: Model) -> dict[str, int]:
    """Give what the graph's names of sizes are for one picture of the table's size."""
    width, height = model.input.size
    shape = next((port.shape for port in inputs if port.name == given), None)
    if shape is None or len(shape) != 4:
        raise ModelFailed(f"The network of {model} has no input (1, 3, h, w) that its table could mean.")
    known = zip(shape, (1, 3, height, width), strict=True)
    return {str(size): number for size, number in known if not isinstance(size, int)}


def _size(size: int | str | None, sizes: Mapping[str, int]) -> int:
    return size if isinstance(size, int) else sizes.get(str(size), 0)


def _noise(drawn: np.random.Generator, shape: tuple[int, ...], kind: str) -> NDArray[Any]:
    return drawn.random(shape, np.float32).astype(_dtype(kind))


def _dtype(kind: str) -> str:
    return _TYPES.get(kind.removeprefix("tensor(").rstrip(")"), "")


def _port(port: Any, tried: tuple[int, ...], model: Model) -> Port:
    if not _dtype(port.type):
        raise ModelFailed(f"The network of {model} has {port.name[:40]!r} of {port.type}, which cannot be sent.")
    # Only salient networks are always shown the table's size; others look at tiles.
    shape = tuple(size if isinstance(size, int) else -1 for size in port.shape)
    if model.kind == "salient":
        shape = (shape[0], *tried[1:])
    return Port(port.name, _dtype(port.type), shape, tried)


def _run(session: Any, names: list[str], feeds: Arrays, model: Model) -> Arrays:
    try:
        return dict(zip(names, session.run(names, feeds), strict=True))
    except Exception as error:  # onnxruntime raises what it likes; callers see one of ours
        raise ModelFailed(f"The network of {model} does not take what its table says.") from error


def _batches(session: Any, names: list[str], asked: list[Arrays], alone: list[Arrays], model: Model) -> bool:
    try:
        both = {name: np.concatenate([one[name] for one in asked]) for name in asked[0]}
        together = _run(session, names, both, model)
    except Broken:
        return False
    return all(
        together[name].shape == (2, *alone[0][name].shape[1:])
        and np.allclose(together[name], np.concatenate([one[name] for one in alone]), rtol=0, atol=_SAME)
        for name in names
    )
