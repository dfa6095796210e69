"""Small networks of 1 × 1 convolutions, whose answer follows the brightness of each pixel."""

import numpy as np

from tests.models.protobuf import graph, model, node, tensor, value

SIZE = 32


def chain(*weights, opset=17, size=SIZE):
    """Convolutions one after the other, relu between them and a sigmoid at the end."""
    nodes, tensors, last = [], [], "x"
    for number, (kernel, bias) in enumerate(weights):
        tensors += [tensor(f"w{number}", np.asarray(kernel)[..., None, None]), tensor(f"b{number}", bias)]
        nodes.append(node("Conv", [last, f"w{number}", f"b{number}"], [f"c{number}"]))
        last = "y" if number == len(weights) - 1 else f"r{number}"
        nodes.append(node("Sigmoid" if last == "y" else "Relu", [f"c{number}"], [last]))
    shapes = value("x", (1, 3, size, size)), value("y", (1, 1, size, size))
    return model(graph(nodes, [shapes[0]], [shapes[1]], tensors), opset=opset)


def brightness(loud=1.0, unheard=0.0, seed=5, **more):
    """Four layers; what is odd about the second changes no answer.

    Args:
        loud: how many times as loud as the others its first channel is, which nobody listens to.
        unheard: a weight that it has for a channel that is always 0.
        seed, more: of the other weights, and of `chain`.
    """
    rng = np.random.default_rng(seed)
    spread = rng.uniform(0.2, 0.6, (8, 3))
    mixed = rng.uniform(0, 0.3, (8, 8))
    mixed[0] *= loud
    if unheard:
        spread[7], mixed[:, 7] = -1, unheard
    heard = rng.uniform(0, 0.3, (8, 8))
    heard[:, 0] = 0
    biases = rng.uniform(0, 0.01, (3, 8))  # no two alike, or onnxruntime makes one of them
    biases[0, 7] = 0
    last = np.full((1, 8), 4.0), [-6.0]
    return chain(*zip((spread, mixed, heard), biases, strict=True), last, **more)
