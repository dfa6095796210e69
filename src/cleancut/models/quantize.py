"""Bring a network to 8 bits: its weights, and what flows between its layers.

Static quantisation (Jacob et al. 2018, arXiv:1712.05877) by onnxruntime's tools, as QDQ: a graph in plain ONNX, in
which pairs of QuantizeLinear and DequantizeLinear say where 8 bits are enough. Which layers those are is measured on
pictures, since one badly scaled layer can spoil a whole network. docs/decisions/0010 has the figures.
"""

from __future__ import annotations

import copy
import functools
import importlib
import importlib.util
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from cleancut.errors import BadInput, CannotWrite, CleancutError, ModelFailed
from cleancut.models.registry import Model
from cleancut.models.sessions import silent_onnxruntime

Loss: TypeAlias = Callable[[bytes], float]
"""Takes a graph in ONNX; tells how far its answers are from those of the network it is made of, 0 for the same."""

_WITH_WEIGHTS = ("Conv", "ConvTranspose", "Gemm", "MatMul")

_OPERATORS = (
    *_WITH_WEIGHTS, "AveragePool", "Clip", "Flatten", "MaxPool", "Pad", "Relu", "Reshape", "Resize", "Slice", "Split",
    "Squeeze", "Transpose", "Unsqueeze",
)  # fmt: skip
"""What computes fast in 8 bits, and what only hands values on, so that they need not become floats in between.

Sums and joins are in 8 bits where their neighbours are; listed, they would bring 8 bits to layers that are in float.
"""

_OPSET = 13
"""The first in which a scale may belong to a channel."""

_TIGHTEST = 4
"""How many times less than all of them together a layer need lose, before the search gives up."""


@dataclass(frozen=True, slots=True)
class Quantized:
    """A network in 8 bits.

    Attributes:
        data: the graph in ONNX.
        layers: how many of its layers could be in 8 bits.
        in_float: how many of them stay as they were, because 8 bits lose too much there.
    """

    data: bytes
    layers: int
    in_float: int


def check_installed() -> None:
    """Refuse to begin without the extra package.

    Raises:
        BadInput: it is not installed.
    """
    if importlib.util.find_spec("onnx") is None:
        raise BadInput('Bringing a model to 8 bits needs one more package; run: pip install "cleancut[quantize]"')


def quantized(model: Model, data: bytes, inputs: Iterable[NDArray[np.float32]], loss: Loss, most: float) -> Quantized:
    """Bring a network to 8 bits, layer for layer where that loses little.

    Activations are unsigned, with one range from the smallest to the largest value seen; weights are signed, with one
    scale a channel, and in 7 bits, as processors without VNNI overflow with 8. What comes after the last weights stays
    in float, so that alpha has no steps.

    Args:
        model: says what the input is called.
        data: the graph in ONNX, with no values in other files.
        inputs: what the network is shown to learn the ranges, (1, 3, h, w) each.
        loss: measures what has become of the network.
        most: loss up to which a layer is welcome. The result may lose more where no choice of layers loses less.

    Raises:
        BadInput: the extra package is not installed.
        CannotWrite: there is no room for temporary files.
        ModelFailed: the graph is not one that the tools can read, or has nothing that 8 bits would speed up.
    """
    check_installed()
    with _told(model), tempfile.TemporaryDirectory(prefix="cleancut-") as folder:
        network = _Network.read(model, data, Path(folder))
        candidates = network.candidates()
        if not candidates:
            raise ModelFailed(f"The network of {model} has no layers that 8 bits would speed up.")
        ranges = network.ranges(inputs)
        lost = functools.cache(lambda layers: loss(network.converted(layers, ranges)))
        chosen = _chosen(candidates, lost, most)
        return Quantized(network.converted(chosen, ranges), len(candidates), len(candidates) - len(chosen))


Layers: TypeAlias = tuple[str, ...]
"""Names of nodes, in the graph's order."""


def _chosen(layers: Layers, lost: Callable[[Layers], float], most: float) -> Layers:
    """Choose layers that lose at most `most` together; where none do, the best choice that was found.

    Losses add up in no simple way, so what one layer may lose is halved until all that are left lose little enough.
    """
    chosen, limit = layers, most
    while lost(chosen) > most and limit > most / _TIGHTEST:
        limit /= 2
        fragile = set(_fragile(layers, lost, limit))
        chosen = tuple(name for name in layers if name not in fragile) or chosen
    return chosen


def _fragile(layers: Layers, lost: Callable[[Layers], float], limit: float) -> Layers:
    """Find by halving the layers that lose more than a limit by themselves."""
    if lost(layers) <= limit:
        return ()
    if len(layers) == 1:
        return layers
    half = len(layers) // 2
    return _fragile(layers[:half], lost, limit) + _fragile(layers[half:], lost, limit)


@dataclass(frozen=True, slots=True)
class _Network:
    """A graph made ready: constants folded, shapes known, every node named.

    Attributes:
        graph: onnx.ModelProto.
        given: name of its input.
        folder: for temporary files; the graph itself is there as `ready.onnx`.
    """

    graph: Any
    given: str
    folder: Path

    @classmethod
    def read(cls, model: Model, data: bytes, folder: Path) -> _Network:
        onnx = importlib.import_module("onnx")
        graph = onnx.load_model_from_string(data)
        if _opset(graph) < _OPSET:
            graph = importlib.import_module("onnx.version_converter").convert_version(graph, _OPSET)
        known = {opset.domain for opset in graph.opset_import}
        ready = folder / "ready.onnx"
        first = _fold(graph.SerializeToString(), ready)
        graph = importlib.import_module("onnx.shape_inference").infer_shapes(onnx.load(ready))
        for number, node in enumerate(graph.graph.node):
            node.name = f"{node.op_type}_{number}"
        # onnxruntime adds every domain it knows, and other runtimes refuse those that they do not.
        used = [o for o in graph.opset_import if o.domain in known | {node.domain for node in graph.graph.node}]
        opsets = [copy.deepcopy(opset) for opset in used]
        del graph.opset_import[:]
        graph.opset_import.extend(opsets)
        onnx.helper.set_model_props(graph, {"onnx.infer": "onnxruntime.quant"})  # or each conversion infers them anew
        onnx.save(graph, ready)
        return cls(graph, model.input.name or first, folder)

    def candidates(self) -> Layers:
        """List the layers that may be in 8 bits: none after the last weights, nor those themselves."""
        makers = {name: node for node in self.graph.graph.node for name in node.output}
        last: set[str] = set()
        waiting = [output.name for output in self.graph.graph.output]
        while waiting:
            node = makers.get(waiting.pop())
            if node is None or node.name in last:
                continue
            last.add(node.name)
            if node.op_type not in _WITH_WEIGHTS:
                waiting.extend(node.input)
        names = [node.name for node in self.graph.graph.node if node.op_type in _OPERATORS and node.name not in last]
        return tuple(names) if any(name.startswith(_WITH_WEIGHTS) for name in names) else ()

    def ranges(self, inputs: Iterable[NDArray[np.float32]]) -> Any:
        """Run the network and keep the smallest and largest value of each tensor."""
        calibrate = importlib.import_module("onnxruntime.quantization.calibrate")
        watched = calibrate.create_calibrator(
            self.folder / "ready.onnx",
            list(_OPERATORS),
            augmented_model_path=str(self.folder / "watched.onnx"),
            calibrate_method=calibrate.CalibrationMethod.MinMax,
        )
        watched.collect_data(_Shown(self.given, iter(inputs)))
        return watched.compute_data()

    def converted(self, layers: Layers, ranges: Any) -> bytes:
        """Give the graph with some layers in 8 bits; at least one, as none would mean all."""
        tools = importlib.import_module("onnxruntime.quantization")
        quantizer = tools.QDQQuantizer(
            copy.deepcopy(self.graph),
            per_channel=True,
            reduce_range=True,
            weight_qType=tools.QuantType.QInt8,
            activation_qType=tools.QuantType.QUInt8,
            tensors_range=ranges,
            nodes_to_quantize=list(layers),
            nodes_to_exclude=[],
            op_types_to_quantize=list(_OPERATORS),
            extra_options={},
        )
        quantizer.quantize_model()
        return bytes(quantizer.model.model.SerializeToString())


class _Shown:
    """Inputs, one after the other, as the tools ask for them."""

    def __init__(self, name: str, inputs: Iterator[NDArray[np.float32]]) -> None:
        self._name = name
        self._inputs = inputs

    def get_next(self) -> Mapping[str, NDArray[np.float32]] | None:
        """Give the next one by the name of the network's input; None at the end."""
        tensor = next(self._inputs, None)
        return None if tensor is None else {self._name: tensor}


def _opset(graph: Any) -> int:
    return max((int(opset.version) for opset in graph.opset_import if opset.domain in {"", "ai.onnx"}), default=0)


def _fold(data: bytes, path: Path) -> str:
    """Save a graph with its constants folded and its normalisations merged; give the name of its first input."""
    onnxruntime = silent_onnxruntime()
    onnxruntime.set_default_logger_severity(4)  # the tools' sessions have no other switch
    options = onnxruntime.SessionOptions()
    options.add_session_config_entry("session.load_model_format", "ONNX")
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = str(path)
    session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    return str(session.get_inputs()[0].name)


@contextmanager
def _told(model: Model) -> Iterator[None]:
    """Say in one sentence what went wrong in the tools."""
    try:
        yield
    except CleancutError:
        raise
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise CannotWrite(f"The folder for temporary files cannot be used: {reason}.") from error
    except Exception as error:  # nobody lists what a graph from elsewhere makes these tools raise
        raise ModelFailed(f"The network of {model} is not a graph that can be brought to 8 bits.") from error
