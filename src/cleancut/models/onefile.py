"""Tell whether an ONNX graph is whole in its own file.

A tensor of a graph may name another file that holds its values. onnxruntime looks for it in the current folder when it
is given bytes, so a graph from elsewhere could read a file there that nobody handed over. Ours come in one file.

The encoding is protobuf's; the fields are those of onnx.proto (IR version 10).
"""

from __future__ import annotations

from collections.abc import Iterator

_INSIDE: dict[str, dict[int, str]] = {
    "model": {7: "graph", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph"},
    "function": {7: "node", 11: "attribute"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
    "tensor": {},
}
"""Messages in which a tensor may be, and which of their fields lead to one."""

_EXTERNAL_DATA, _DATA_LOCATION = 13, 14
"""Fields of a tensor that say its values are elsewhere."""

_DEEPEST = 100
"""Messages within messages, as protobuf itself allows them."""


def is_whole(data: bytes) -> bool:
    """Tell whether no tensor of a graph lies in another file.

    Raises:
        ValueError: it is not protobuf.

    >>> is_whole(b"")
    True
    """
    # A tensor elsewhere states the key "location"; a graph without the word needs no walk.
    return b"location" not in data or not _leads_outside(memoryview(data), "model", 0)


def _leads_outside(message: memoryview, kind: str, depth: int) -> bool:
    if depth > _DEEPEST:
        raise ValueError("nested too deeply")
    for field, value in _fields(message):
        if kind == "tensor" and (field == _EXTERNAL_DATA or (field == _DATA_LOCATION and value != 0)):
            return True
        inner = _INSIDE[kind].get(field)
        if inner and isinstance(value, memoryview) and _leads_outside(value, inner, depth + 1):
            return True
    return False


def _fields(message: memoryview) -> Iterator[tuple[int, memoryview | int]]:
    """Give the fields of a message: their number, and their bytes or whole number."""
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        wire = tag & 7
        if wire == 0:
            number, at = _varint(message, at)
            yield tag >> 3, number
            continue
        if wire == 2:
            size, at = _varint(message, at)
        elif wire in {1, 5}:
            size = 8 if wire == 1 else 4
        else:
            raise ValueError("not protobuf")
        if size > len(message) - at:
            raise ValueError("it ends too early")
        yield tag >> 3, message[at : at + size]
        at += size


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(message) and shift < 70:
        byte = message[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at
    raise ValueError("it ends too early")
