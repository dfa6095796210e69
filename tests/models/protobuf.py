"""Tiny ONNX graphs written by hand, so that malicious ones need no package that refuses to write them."""

import numpy as np


def varint(value):
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def field(number, value):
    """One field of a message: a whole number, text, or bytes."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def tensor(name, array):
    array = np.asarray(array, np.float32)
    dims = b"".join(field(1, size) for size in array.shape)
    return dims + field(2, 1) + field(8, name) + field(9, array.tobytes())


def external(name, shape, location):
    """A tensor whose values lie in another file."""
    dims = b"".join(field(1, size) for size in shape)
    entry = field(1, "location") + field(2, location)
    return dims + field(2, 1) + field(8, name) + field(13, entry) + field(14, 1)


def attribute(name, **given):
    """An attribute that holds a tensor (`t`), a graph (`g`) or a whole number (`i`)."""
    number, kind = {"i": (3, 2), "t": (5, 4), "g": (6, 5)}[next(iter(given))]
    return field(1, name) + field(number, next(iter(given.values()))) + field(20, kind)


def node(kind, inputs, outputs, attributes=(), domain=""):
    parts = [field(1, name) for name in inputs] + [field(2, name) for name in outputs] + [field(4, kind)]
    return b"".join([*parts, *(field(5, a) for a in attributes), field(7, domain) if domain else b""])


def value(name, shape):
    dims = b"".join(field(1, field(1, size)) for size in shape)
    return field(1, name) + field(2, field(1, field(1, 1) + field(2, dims)))


def graph(nodes, inputs, outputs, tensors=()):
    parts = [field(1, n) for n in nodes] + [field(2, "g")] + [field(5, t) for t in tensors]
    return b"".join([*parts, *(field(11, i) for i in inputs), *(field(12, o) for o in outputs)])


def model(graph, opset=17, domains=()):
    opsets = [field(8, field(2, opset))] + [field(8, field(1, domain) + field(2, 1)) for domain in domains]
    return field(1, 8) + b"".join(opsets) + field(7, graph)


def like_u2netp(nodes, tensors=(), size=320, planes=1, **more):
    """A graph of u2netp's input `x` and an output `y`."""
    given, answered = value("x", (1, 3, size, size)), value("y", (1, planes, size, size))
    return model(graph(nodes, [given], [answered], tensors), **more)


MEAN = node("ReduceMean", ["x"], ["y"], [field(1, "axes") + field(8, 1) + field(20, 7), attribute("keepdims", i=1)])
"""The mean of the channels: the smallest network that works."""
