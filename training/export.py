"""A checkpoint → one ONNX file: answers as probabilities, weights stored in 16 bits, compared with the network.

Operators are those that onnxruntime, OpenVINO and onnxruntime-web (WASM, WebGPU) all run: opset 17, no custom domain.
"""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from training.closeup.network import Closeup
from training.network import Small

SIDE = 320
"""Of cleancut-small's input."""

TILE = 256
"""Of the close-up network's, where it is not said otherwise."""

TOLERANCE = 1e-3
"""How far the graph's answers may be from the network's, anywhere, with the same weights."""

ROUNDED = 1 / 255
"""How far weights stored in 16 bits may move them on noise, the worst of pictures: a step of a written alpha."""

OUTPUTS = ("alpha", "error", "subject")


class Answers(nn.Module):
    """The network as it is shipped: what it says, in [0, 1]."""

    def __init__(self, network: Small) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Give alpha, its expected error at half the size, and whether there is a subject."""
        answer = self.network(image)
        return torch.sigmoid(answer.alpha), torch.sigmoid(answer.error), torch.sigmoid(answer.subject)


class Closer(nn.Module):
    """The close-up network as it is shipped: alpha in [0, 1]."""

    def __init__(self, network: Closeup) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor, coarse: Tensor) -> Tensor:
        """Give alpha for a part of a picture and its coarse alpha."""
        return torch.sigmoid(self.network(image, coarse))


def export(checkpoint: Path, out: Path, side: int = SIDE) -> float:
    """Write the averaged network of a checkpoint as an ONNX file; its batch is dynamic.

    Args:
        checkpoint: of a run, its last or its best one.
        out: the file to write.
        side: of the input.

    Returns:
        The largest difference between the file's answers and the network's.

    Raises:
        ValueError: it is more than `TOLERANCE` for the graph itself, or `ROUNDED` for the file.
    """
    network = Small()
    network.load_state_dict(_state(checkpoint)["averaged"])
    batch = {0: "batch"}
    return _written(Answers(network), out, {"image": _noise(3, side) * 2 - 1}, OUTPUTS, batch)


def export_closeup(checkpoint: Path, out: Path, side: int = TILE) -> float:
    """Write the averaged close-up network as an ONNX file, as `export` does; its batch and sides are dynamic."""
    network = Closeup()
    network.load_state_dict(_state(checkpoint)["averaged"])
    given = {"image": _noise(3, side) * 2 - 1, "coarse": _noise(1, side)}
    return _written(Closer(network), out, given, OUTPUTS[:1], {0: "batch", 2: "height", 3: "width"})


def _state(checkpoint: Path) -> dict[str, Any]:
    state: dict[str, Any] = torch.load(checkpoint, map_location="cpu", weights_only=True)
    return state


def _noise(channels: int, side: int) -> Tensor:
    """Give two pictures of noise: two, since that shows whether the batch is dynamic."""
    return torch.rand(2, channels, side, side, generator=torch.Generator().manual_seed(1))


def _written(
    whole: nn.Module, out: Path, given: dict[str, Tensor], outputs: tuple[str, ...], axes: dict[int, str]
) -> float:
    whole.eval()
    with torch.no_grad():
        graph = _graph(whole, given, outputs, axes)
        expected = whole(*given.values())
    expected = expected if isinstance(expected, tuple) else (expected,)
    _checked(graph, given, expected, TOLERANCE)
    model = stored_in_half(graph)
    model.doc_string = "Part of cleancut, MIT"
    onnx.checker.check_model(model)
    difference = _checked(model, given, expected, ROUNDED)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_bytes(model.SerializeToString())
    return difference


def _graph(
    whole: nn.Module, given: dict[str, Tensor], outputs: tuple[str, ...], axes: dict[int, str]
) -> onnx.ModelProto:
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's newer exporter, which it asks for, leaves the batch norms unfolded
        torch.onnx.export(
            whole,
            tuple(tensor[:1] for tensor in given.values()),
            buffer,  # type: ignore[arg-type]
            input_names=list(given),
            output_names=list(outputs),
            dynamic_axes=dict.fromkeys((*given, *outputs), axes),
            opset_version=17,
            dynamo=False,
        )
    return onnx.load_from_string(buffer.getvalue())


def stored_in_half(model: onnx.ModelProto) -> onnx.ModelProto:
    """Store float32 weights of more than a few numbers as float16, with a cast that runs once when the file is loaded.

    Arithmetic stays in float32. The file is half the size.
    """
    kept, casts = [], []
    for weight in model.graph.initializer:
        values = numpy_helper.to_array(weight)
        if values.dtype != np.float32 or values.size < 64:
            kept.append(weight)
            continue
        half = f"{weight.name}.half"
        kept.append(numpy_helper.from_array(values.astype(np.float16), half))
        casts.append(helper.make_node("Cast", [half], [weight.name], to=TensorProto.FLOAT))
    del model.graph.initializer[:]
    model.graph.initializer.extend(kept)
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    return model


def _checked(model: onnx.ModelProto, given: dict[str, Tensor], expected: tuple[Tensor, ...], allowed: float) -> float:
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    answers = session.run(None, {name: tensor.numpy() for name, tensor in given.items()})
    difference = max(float(np.abs(got - own.numpy()).max()) for got, own in zip(answers, expected, strict=True))
    if difference > allowed:
        raise ValueError(f"The file's answers are {difference:.2g} off; at most {allowed:.2g} is allowed.")
    return difference
