"""A request's body and address → a `Form`: fields and files, however they were written.

Bytes are counted and timed as they come, before anything here sees them (`intake.py`); what this bounds is what they
say: parts, fields, depth, values. Nothing is written to the disk.
"""

from __future__ import annotations

import binascii
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn, TypeAlias
from urllib.parse import parse_qsl

import anyio.to_thread
from fastapi import Request

from cleancut.apps.server.parts import Parts, text_of
from cleancut.apps.server.settings import Settings
from cleancut.errors import BadInput, TooBig, WrongType
from cleancut.limits import ServiceLimits

Fields: TypeAlias = "tuple[tuple[str, str], ...]"
"""Names and values, in the order they were given."""

READ = ("multipart/form-data", "application/x-www-form-urlencoded", "application/json", "application/octet-stream",
        "image/*")  # fmt: skip
"""Types of content that are read."""


@dataclass(frozen=True, slots=True)
class File:
    """A part of a form that is a file.

    Attributes:
        field: the part's name.
        filename: what the sender calls the file; never to be used as a path.
        content_type: what the sender says it is; never to be relied on.
        data: its bytes.
    """

    field: str
    filename: str
    content_type: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Form:
    """What a request says, in the order it says it.

    Attributes:
        fields: of the address first, then of the body. Scalars of JSON come as text ("true", "1"), null as "".
        files: the parts that are files.
        raw: the body itself, where it is a picture or application/octet-stream.
        json: the object, where the body was JSON.
    """

    fields: Fields = ()
    files: tuple[File, ...] = ()
    raw: bytes | None = None
    json: Mapping[str, Any] | None = None

    def text(self, name: str) -> str | None:
        """Give a field; "" counts as absent.

        Raises:
            BadInput: it was given twice.

        >>> Form((("size", "full"), ("crop", ""))).text("crop") is None
        True
        """
        found = [value for field, value in self.fields if field == name and value]
        if len(found) > 1:
            raise BadInput(f"The field {name} was given {len(found)} times; give it once.")
        return found[0] if found else None

    def all(self, name: str) -> tuple[str, ...]:
        """Give every value of a field that may be repeated."""
        return tuple(value for field, value in self.fields if field == name and value)


async def read_form(request: Request, settings: Settings) -> Form:
    """Read a request's body and address.

    Raises:
        BadInput: it is not written as its type says, or has too many parts, fields or values.
        TooBig, TooSlow: a limit on bytes or time is exceeded.
        WrongType: it is of a type that is not read.
    """
    limits = settings.limits
    asked = _pairs(request.url.query.encode(), limits)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        return await _multipart(request, asked, limits)
    body = b"".join([chunk async for chunk in request.stream()])
    if not body:
        return Form(asked)
    if kind in _PARSERS:
        return await anyio.to_thread.run_sync(_PARSERS[kind], body, asked, limits)
    if kind in {"", "application/octet-stream"} or kind.startswith("image/"):
        return Form(asked, raw=body)
    raise WrongType(f"A body of the type {kind[:100]!r} is not read; send {', '.join(READ)}.")


async def _multipart(request: Request, asked: Fields, limits: ServiceLimits) -> Form:
    taken = Parts(request.headers["content-type"], limits)
    async for chunk in request.stream():
        taken.write(chunk)
    taken.close()
    fields = [(name, text_of(part.data)) for name, filename, part in taken.parts if filename is None]
    files = [
        File(name, filename, part.content_type, bytes(part.data))
        for name, filename, part in taken.parts
        if filename is not None and (filename or part.data)  # a page sends a file that nobody chose as nothing
    ]
    return Form(_bounded([*asked, *fields], limits), tuple(files))


def _urlencoded(body: bytes, asked: Fields, limits: ServiceLimits) -> Form:
    return Form(_bounded([*asked, *_pairs(body, limits)], limits))


def _json(body: bytes, asked: Fields, limits: ServiceLimits) -> Form:
    data = parsed(body, limits)
    if not isinstance(data, dict):
        raise BadInput("The JSON of a request is an object.")
    scalars = [(name, _as_text(value)) for name, value in data.items() if not isinstance(value, dict | list)]
    return Form(_bounded([*asked, *scalars], limits), json=data)


_PARSERS: Mapping[str, Callable[[bytes, Fields, ServiceLimits], Form]] = {
    "application/x-www-form-urlencoded": _urlencoded,
    "application/json": _json,
}


def parsed(body: bytes | str, limits: ServiceLimits) -> Any:
    """Read JSON that a stranger wrote; how much it may hold is bounded before it is read.

    Raises:
        BadInput: it is no JSON, names a key twice, or is too deep.
        TooBig: it has too many values.
    """
    data = body.encode("utf-8", "surrogatepass") if isinstance(body, str) else body
    # Every value but the first follows one of these, so they bound what reading it takes; base64 has none of them.
    if sum(data.count(sign) for sign in (b",", b"[", b"{")) > limits.max_items:
        raise TooBig(f"The JSON has too many values; the limit is {limits.max_items:,}.")
    try:
        value = json.loads(data, object_pairs_hook=_object, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise BadInput("The JSON cannot be read; check it for mistakes and for keys that are given twice.") from None
    if _depth(value, limits.max_depth) > limits.max_depth:
        raise BadInput(f"The JSON is nested more than {limits.max_depth} deep.")
    return value


def from_base64(text: str, name: str) -> bytes:
    """Read base64 (RFC 4648, section 4), with or without the head of a data URL, line breaks and padding.

    Raises:
        BadInput: it is none.

    >>> from_base64("data:image/png;base64,aGk", "image")
    b'hi'
    """
    head, comma, rest = text.partition(",")
    compact = "".join((rest if comma and head.startswith("data:") else text).split()).rstrip("=")
    try:
        return binascii.a2b_base64((compact + "=" * (-len(compact) % 4)).encode("ascii"), strict_mode=True)
    except ValueError:
        raise BadInput(f"The field {name} is not base64.") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _depth(value: Any, left: int) -> int:
    """How deep a value is nested, as far as `left` and one more."""
    inner: Iterable[Any] = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    if left < 0 or not isinstance(value, dict | list):
        return 0
    return 1 + max((_depth(item, left - 1) for item in inner), default=0)


def _as_text(value: str | float | bool | None) -> str:
    return value if isinstance(value, str) else "" if value is None else json.dumps(value)


def _pairs(text: bytes, limits: ServiceLimits) -> Fields:
    try:
        found = parse_qsl(text_of(text), keep_blank_values=True, max_num_fields=limits.max_fields)
    except ValueError:
        raise TooBig(f"There are more than {limits.max_fields} fields.") from None
    return tuple(found)


def _bounded(fields: list[tuple[str, str]], limits: ServiceLimits) -> Fields:
    if len(fields) > limits.max_fields:
        raise TooBig(f"There are more than {limits.max_fields} fields.")
    return tuple(fields)
