"""What is made of a cutout, written as JSON and read again by another process of the same version.

Only what stands in the tables here crosses: data of frozen classes, and functions by name. So whoever can write into
the queue can ask for work, and for nothing else. What both sides have of their own (the engine, the limits, the
source) is named and not sent.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, is_dataclass
from functools import cache, partial
from typing import Any

from cleancut.errors import BadCall, Broken, CleancutError

_PLAIN = (str, int, float, bool, type(None))
_LENGTH = 8


@dataclass(frozen=True, slots=True)
class Raised:
    """A failure in the words of another service's wire format, which its dialect needs whole."""

    message: str
    code: str
    detail: str

    def error(self) -> CleancutError:
        """Make the error again."""
        return BadCall(self.message, self.code, self.detail)


class Unwritten(Broken):
    """Work that no table knows, so that it cannot be handed over."""


@cache
def classes() -> Mapping[str, type]:
    """Name the classes whose data crosses."""
    from cleancut.apps.rembg.api import Plan as RembgPlan  # noqa: PLC0415 - the dialects are loaded when they are needed
    from cleancut.apps.rembg.sessions import Session  # noqa: PLC0415
    from cleancut.apps.server.lookalikes.rows import Call, Made  # noqa: PLC0415
    from cleancut.apps.server.removebg.parameters import Asked, Length, Margins, Region  # noqa: PLC0415
    from cleancut.apps.server.removebg.plan import Plan  # noqa: PLC0415
    from cleancut.apps.server.removebg.render import Rendered  # noqa: PLC0415
    from cleancut.pictures.images import Header  # noqa: PLC0415
    from cleancut.types import Recipe, Step, Stroke  # noqa: PLC0415

    of_ours = (Raised, Recipe, Step, Stroke, Header)
    of_dialects = (Asked, Length, Margins, Region, Plan, Rendered, Call, Made, RembgPlan, Session)
    return {f"{kind.__module__}.{kind.__qualname__}": kind for kind in (*of_ours, *of_dialects)}


@cache
def functions() -> Mapping[str, Callable[..., Any]]:
    """Name the functions that may be asked for."""
    from cleancut.apps.server import rembg  # noqa: PLC0415
    from cleancut.apps.server.lookalikes.rows import ROWS  # noqa: PLC0415
    from cleancut.apps.server.removebg.render import rendered  # noqa: PLC0415

    named: dict[str, Callable[..., Any]] = {row.path: row.make for row in ROWS}
    return {**named, "removebg": rendered, "rembg": rembg._png}


def written(value: Any, here: Mapping[str, object]) -> str:
    """Write a value as JSON.

    Args:
        value: data of the tables' classes, or a function of the tables with its arguments bound.
        here: what the other side has of its own, by name.

    Raises:
        Unwritten: something in it is in no table.

    >>> read(written((1, b"ab", {"x": [None]}), {}), {})
    (1, b'ab', {'x': [None]})
    """
    return json.dumps(_Writer(here).told(value))


def read(text: str, here: Mapping[str, object]) -> Any:
    """Read what `written` wrote.

    Raises:
        Broken: it is nothing that was written by this version.
    """
    with _understood():
        return _Reader(here).value(json.loads(text))


def packed(value: Any) -> bytes:
    """Write a value whose bytes may be many: JSON, with the bytes behind it."""
    writer = _Writer({}, [])
    told = writer.told(value)
    blobs = writer.blobs or []
    head = json.dumps([told, [len(blob) for blob in blobs]]).encode()
    return b"".join((len(head).to_bytes(_LENGTH), head, *blobs))


def unpacked(data: bytes) -> Any:
    """Read what `packed` wrote.

    Raises:
        Broken: it is nothing that was written by this version.

    >>> unpacked(packed(("png", b"PNG")))
    ('png', b'PNG')
    """
    begin = _LENGTH + int.from_bytes(data[:_LENGTH])
    blobs: list[bytes] = []
    with _understood():
        told, sizes = json.loads(data[_LENGTH:begin])
        for size in sizes:
            blobs.append(data[begin : begin + size])
            begin += size
        return _Reader({}, blobs).value(told)


@contextmanager
def _understood() -> Iterator[None]:
    try:
        yield
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise Broken("What was handed over cannot be read; another version wrote it.") from error


@dataclass(frozen=True, slots=True)
class _Writer:
    """Takes values apart: a scalar is itself, all else a pair of what it is and what is in it.

    Attributes:
        here: what is named and not written.
        blobs: where bytes go; None writes them as text.
    """

    here: Mapping[str, object]
    blobs: list[bytes] | None = None

    def told(self, value: Any) -> Any:
        """Take a value apart."""
        if isinstance(value, _PLAIN):
            return value
        own = [name for name, each in self.here.items() if each is value]
        return ["here", own[0]] if own else list(self._pair(value))

    def _pair(self, value: Any) -> tuple[str, Any]:
        name = f"{type(value).__module__}.{type(value).__qualname__}"
        if name in classes():
            pair = "of", [name, self._named({part: getattr(value, part) for part in _parts(value)})]
        elif isinstance(value, bytes):
            pair = self._bytes(value)
        elif isinstance(value, tuple | list):
            pair = type(value).__name__, [self.told(each) for each in value]
        elif isinstance(value, Mapping):
            pair = "map", [[self.told(key), self.told(each)] for key, each in value.items()]
        elif isinstance(value, partial):
            pair = "call", [_name_of(value.func), self._named(value.keywords)]
        else:
            pair = "call", [_name_of(value), {}]
        return pair

    def _bytes(self, value: bytes) -> tuple[str, Any]:
        if self.blobs is None:
            return "bytes", base64.b64encode(value).decode()
        self.blobs.append(value)
        return "blob", len(self.blobs) - 1

    def _named(self, given: Mapping[str, Any]) -> dict[str, Any]:
        return {name: self.told(each) for name, each in given.items()}


@dataclass(frozen=True, slots=True)
class _Reader:
    """Puts values together again; as `_Writer` took them apart."""

    here: Mapping[str, object]
    blobs: Sequence[bytes] = ()

    def value(self, told: Any) -> Any:
        """Put a value together."""
        if isinstance(told, _PLAIN):
            return told
        kind, inside = told
        kinds: Mapping[str, Callable[[Any], Any]] = {
            "here": self.here.__getitem__,
            "blob": self.blobs.__getitem__,
            "bytes": partial(base64.b64decode, validate=True),
            "tuple": lambda inside: tuple(map(self.value, inside)),
            "list": lambda inside: list(map(self.value, inside)),
            "map": lambda inside: {self.value(key): self.value(each) for key, each in inside},
            "of": lambda inside: classes()[inside[0]](**self._named(inside[1])),
            "call": lambda inside: partial(functions()[inside[0]], **self._named(inside[1])),
        }
        return kinds[kind](inside)

    def _named(self, given: Mapping[str, Any]) -> dict[str, Any]:
        return {name: self.value(each) for name, each in given.items()}


def _parts(value: Any) -> tuple[str, ...]:
    named: tuple[str, ...] = getattr(value, "_fields", ())
    return tuple(part.name for part in fields(value)) if is_dataclass(value) else named


def _name_of(work: Any) -> str:
    for name, function in functions().items():
        if function is work:
            return name
    raise Unwritten(f"{getattr(work, '__qualname__', type(work).__name__)} is in no table of what may be handed over.")
