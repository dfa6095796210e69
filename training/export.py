"""A checkpoint → one ONNX file: alpha, expected error and subject as probabilities, weights stored in 16 bits.

Operators are those that onnxruntime, OpenVINO and onnxruntime-web (WASM, WebGPU) all run: opset 17, no custom domain.
"""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from training.network import Small

SIDE = 320

TOLERANCE = 1e-3
"""How far the file's answers may be from the network's, anywhere."""

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


def export(checkpoint: Path, out: Path, side: int = SIDE) -> float:
    """Write a checkpoint's network as an ONNX file.

    Args:
        checkpoint: what training wrote; `best.pt` has the averaged network.
        out: the file to write.
        side: of the input; the batch is dynamic.

    Returns:
        The largest difference between the file's answers and the network's.

    Raises:
        ValueError: it is more than `TOLERANCE`.
    """
    network = Small()
    network.load_state_dict(torch.load(checkpoint, map_location="cpu", weights_only=True)["network"])
    whole = Answers(network).eval()
    with torch.no_grad():
        model = stored_in_half(_graph(whole, side))
    model.doc_string = "cleancut-small, MIT"
    onnx.checker.check_model(model)
    difference = _difference(whole, model, side)
    if difference > TOLERANCE:
        raise ValueError(f"The file's answers are {difference:.2g} off; at most {TOLERANCE:g} is allowed.")
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_bytes(model.SerializeToString())
    return difference


def _graph(whole: nn.Module, side: int) -> onnx.ModelProto:
    import io  # noqa: PLC0415

    buffer = io.BytesIO()
    axes = {name: {0: "batch"} for name in ("image", *OUTPUTS)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # torch's newer exporter leaves the batch norms unfolded
        torch.onnx.export(
            whole,
            (torch.zeros(1, 3, side, side),),
            buffer,
            input_names=["image"],
            output_names=list(OUTPUTS),
            dynamic_axes=axes,
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


def _difference(whole: nn.Module, model: onnx.ModelProto, side: int) -> float:
    """Compare on two pictures of noise at once, which shows whether the batch is dynamic too."""
    picture = torch.rand(2, 3, side, side, generator=torch.Generator().manual_seed(1)) * 2 - 1
    with torch.inference_mode():
        expected = whole(picture)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    answers = session.run(None, {"image": picture.numpy()})
    return max(float(np.abs(got - own.numpy()).max()) for got, own in zip(answers, expected, strict=True))
