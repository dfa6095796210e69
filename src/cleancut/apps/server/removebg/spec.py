"""What OpenAPI says of remove.bg's addresses, read off the tables of parameters and codes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cleancut.apps.server.native.spec import Operation
from cleancut.apps.server.removebg.errors import CODES, OURS
from cleancut.apps.server.removebg.parameters import FORMATS, SHADOWS, SIZES, TYPES

_STATUSES: Mapping[int, str] = {
    400: "The request or the picture does not fit; the code says what.",
    402: "The key's quota is used up.",
    403: "The key is missing, wrong or may not do this.",
    408: "The body came too slowly.",
    415: "The body is of a type, or in a coding, that is not read.",
    429: "There is too much to do, or the key's rate is used up; Retry-After says when to ask again.",
    500: "Something failed that is not the caller's fault.",
    503: "The service starts, ends, or lacks the weights of the model.",
    504: "The picture was not done in time.",
    507: "There is no room to keep the picture.",
}

_BINARY: Mapping[str, Any] = {"type": "string", "format": "binary"}
_NUMBER: Mapping[str, Any] = {"type": "number"}
_INTEGER: Mapping[str, Any] = {"type": "integer"}


def _object(title: str, required: Mapping[str, Any], more: Mapping[str, Any] | None = None) -> dict[str, Any]:
    properties = {**required, **(more or {})}
    return {"type": "object", "title": title, "properties": properties, "required": list(required)}


_ERROR = _object(
    "RemoveBgError",
    {"title": {"type": "string"}},
    {"code": {"type": "string", "enum": sorted([*CODES, *OURS, "auth_failed"])}, "detail": {"type": "string"}},
)
_ERRORS = _object("RemoveBgErrors", {"errors": {"type": "array", "minItems": 1, "items": _ERROR}})

_PLACES = {f"foreground_{name}": _INTEGER for name in ("top", "left", "width", "height")}
_RESULT = _object(
    "RemoveBgResult",
    {"data": _object("RemoveBgData", {"result_b64": {"type": "string", "contentEncoding": "base64"}, **_PLACES})},
)
_CREDITS = _object("RemoveBgCredits", dict.fromkeys(("total", "subscription", "payg", "enterprise"), _NUMBER))
_CALLS = _object("RemoveBgCalls", {"free_calls": _NUMBER, "sizes": {"type": "string"}})
_ATTRIBUTES = _object("RemoveBgAttributes", {"credits": _CREDITS, "api": _CALLS})
_BALANCE = _object("RemoveBgAccount", {"data": _object("RemoveBgBalance", {"attributes": _ATTRIBUTES})})


def _word(default: str, words: tuple[str, ...], description: str) -> dict[str, Any]:
    return {"type": "string", "enum": list(words), "default": default, "description": description}


def _switch(default: bool, description: str) -> dict[str, Any]:
    return {"type": "boolean", "default": default, "description": description}


def _text(pattern: str, default: str, description: str) -> dict[str, Any]:
    return {"type": "string", "pattern": pattern, "default": default, "description": description}


_NUMERAL = r"\d{1,3}(\.\d{1,3})?"
_SHARE = r"(\d{1,2}|100)%"

_PARAMETERS: Mapping[str, Mapping[str, Any]] = {
    "size": _word("preview", tuple(SIZES), "How large the result may be."),
    "type": _word("auto", TYPES, "What the subject is; any is taken, as nothing here tells them apart."),
    "type_level": _word("1", ("none", "1", "2", "latest"), "none leaves the header X-Type out."),
    "format": _word("auto", FORMATS, "auto is png where anything shows through, else jpg."),
    "roi": _text(rf"^({_NUMERAL}(px|%)? ){{3}}{_NUMERAL}(px|%)?$", "0% 0% 100% 100%", "What may hold the subject."),
    "crop": _switch(False, "Crop to the subject."),
    "crop_margin": _text(r"^([1-4]?\d(px|%)?)( [1-4]?\d(px|%)?)?$", "0", "What is left around a cropped subject."),
    "scale": _text(r"^(original|([1-9]\d|100)%)$", "original", "Share of the canvas that the subject fills."),
    "position": _text(rf"^(original|center|{_SHARE}( {_SHARE})?)$", "original", "Where the subject is put."),
    "channels": _word("rgba", ("rgba", "alpha"), "alpha gives the mask."),
    "add_shadow": _switch(False, "Lay a shadow beneath the subject."),
    "shadow_type": _word("none", tuple(SHADOWS), "The shadow to lay beneath the subject."),
    "shadow_opacity": _text(r"^(auto|\d{1,2}|100)$", "auto", "Of the shadow, in percent."),
    "semitransparency": _switch(True, "Keep glass in the subject translucent."),
    "bg_color": _text("^([0-9a-f]{3}|[0-9a-f]{4}|[0-9a-f]{6}|[0-9a-f]{8}|white)$", "0000", "A colour behind."),
    "bg_image_url": {"type": "string", "format": "uri", "description": "Address of a picture behind."},
}

_SOURCES: Mapping[str, Mapping[str, Any]] = {
    "image_file_b64": {"type": "string", "contentEncoding": "base64", "description": "The picture in base64."},
    "image_url": {"type": "string", "format": "uri", "description": "Address of the picture."},
}
_FILES: Mapping[str, Mapping[str, Any]] = {
    "image_file": {**_BINARY, "description": "The picture."},
    "bg_image_file": {**_BINARY, "description": "A picture behind."},
}
_FEEDBACK: Mapping[str, Mapping[str, Any]] = {
    "image_filename": {"type": "string", "maxLength": 255},
    "tag": {"type": "string", "maxLength": 255},
}


def _body(fields: Mapping[str, Any], files: Mapping[str, Any]) -> dict[str, Any]:
    """Describe the three ways to write a form; files go into one of them."""
    written = {"type": "object", "properties": {**_SOURCES, **fields}}
    parts = {"type": "object", "properties": {**files, **_SOURCES, **fields}}
    kinds = {"multipart/form-data": parts, "application/x-www-form-urlencoded": written, "application/json": written}
    return {"requestBody": {"required": True, "content": {kind: {"schema": schema} for kind, schema in kinds.items()}}}


def _responses(good: Mapping[str, Any], *statuses: int) -> dict[int | str, dict[str, Any]]:
    failed = {"application/json": {"schema": _ERRORS}}
    told: dict[int | str, dict[str, Any]] = {200: dict(good)}
    return told | {status: {"description": _STATUSES[status], "content": failed} for status in statuses}


def _json(schema: Mapping[str, Any], description: str) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _headers() -> dict[str, Any]:
    told = {
        **{f"X-{name}": _INTEGER for name in ("Width", "Height", "Max-Width", "Max-Height")},
        **{f"X-Foreground-{name}": _INTEGER for name in ("Top", "Left", "Width", "Height")},
        "X-Credits-Charged": _NUMBER,
        "X-Type": {"type": "string"},
    }
    return {name: {"schema": schema} for name, schema in told.items()}


_PICTURES = {media: {"schema": _BINARY} for media in ("image/png", "image/jpeg", "image/webp", "application/zip")}
_GOOD = {
    "description": "The result; JSON where that is the only type that is accepted.",
    "headers": _headers(),
    "content": {**_PICTURES, "application/json": {"schema": _RESULT}},
}
_ID = _object("RemoveBgFeedback", {"id": {"type": "string"}})

REMOVEBG = Operation(_responses(_GOOD, 400, 402, 403, 408, 415, 429, 500, 503, 504), _body(_PARAMETERS, _FILES))
ACCOUNT = Operation(_responses(_json(_BALANCE, "What is left."), 400, 403, 429, 500, 503))
IMPROVE = Operation(
    _responses(_json(_ID, "It is kept by this name."), 400, 402, 403, 408, 415, 429, 500, 503, 507),
    _body(_FEEDBACK, {"image_file": _FILES["image_file"]}),
)
