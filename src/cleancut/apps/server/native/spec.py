"""What OpenAPI says of the native API, read off the recipe and the errors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cleancut.apps.server.native.asked import ASSETS, PICTURE, RECIPE, URL
from cleancut.apps.server.service import MEDIA_TYPES
from cleancut.matting import recipe as recipes

_STATUSES: Mapping[int, str] = {
    400: "The request or the picture cannot be read.",
    402: "The key's quota is used up.",
    403: "The key is missing, wrong or may not do this.",
    404: "There is nothing at this address.",
    405: "This address takes other methods.",
    408: "The body came too slowly.",
    410: "The edit is unknown, has expired or is another caller's: send the picture again.",
    413: "A limit on bytes, pixels, frames or parts is exceeded.",
    415: "The body is of a type, or in a coding, that is not read.",
    422: "The recipe does not fit.",
    429: "There is too much to do, or the key's rate is used up; Retry-After says when to ask again.",
    500: "Something failed that is not the caller's fault.",
    503: "The service starts, ends, or lacks the weights of the model.",
    504: "The picture was not done in time.",
}

_PROBLEM: Mapping[str, Any] = {
    "type": "object",
    "title": "Problem",
    "description": "A failure as RFC 9457 writes it.",
    "properties": {
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "One sentence that says what to do."},
        "code": {"type": "string", "description": "The failure's name for programs."},
    },
    "required": ["title", "status", "detail", "code"],
}

_RESULT: Mapping[str, Any] = {
    "type": "object",
    "title": "Result",
    "properties": {
        "name": {"type": "string"},
        "size": {"type": "array", "items": {"type": "integer"}, "minItems": 2, "maxItems": 2},
        "box": {
            "description": "left, top, right, bottom of the subject; null without one.",
            "anyOf": [
                {"type": "array", "items": {"type": "integer"}, "minItems": 4, "maxItems": 4},
                {"type": "null"},
            ],
        },
        "confidence": {"type": "number", "minimum": 0, "maximum": 1},
        "model": {"type": "string"},
        "sha256": {"type": "string", "description": "Of the weights."},
        "provider": {"type": "string"},
        "precision": {"type": "string"},
        "refine": {"type": "array", "items": {"type": "string"}},
        "ms": {"type": "object", "additionalProperties": {"type": "number"}, "description": "By stage."},
        "notes": {"type": "array", "items": {"type": "string"}},
        "media_type": {"type": "string"},
        "digest": {"type": "string"},
        "cached": {"type": "boolean"},
        "image": {"type": "string", "contentEncoding": "base64"},
    },
    "required": ["name", "size", "box", "confidence", "model", "ms", "media_type", "digest", "cached", "image"],
}

_RESULTS: Mapping[str, Any] = {
    "type": "object",
    "title": "Results",
    "properties": {"results": {"type": "array", "items": {"type": "object"}}},
    "required": ["results"],
}


@dataclass(frozen=True, slots=True)
class Operation:
    """What a route's decorator is told.

    Attributes:
        responses: by status.
        extra: whatever else the operation states.
    """

    responses: dict[int | str, dict[str, Any]]
    extra: dict[str, Any] = field(default_factory=dict)


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Describe the failures that an operation may answer with, by status."""
    content = {"application/problem+json": {"schema": _PROBLEM}}
    return {status: {"description": _STATUSES[status], "content": content} for status in statuses}


def header(description: str) -> dict[str, Any]:
    """Describe a header of an answer."""
    return {"description": description, "schema": {"type": "string"}}


ETAG = {"ETag": header("A name of this answer, for If-None-Match.")}

IF_NONE_MATCH = {
    "name": "If-None-Match",
    "in": "header",
    "description": "ETags of answers that the caller has; one that still holds is answered with 304.",
    "schema": {"type": "string"},
}


def _fields() -> dict[str, Any]:
    """The fields of a recipe as forms and addresses write them: steps are text."""
    told = dict(recipes.schema()["properties"])
    steps = {"type": "array", "items": {"type": "string"}}
    return told | {name: {"description": told[name]["description"], **steps} for name in recipes.LISTS}


def bodies() -> dict[str, Any]:
    """Every way to send a picture."""
    binary = {"type": "string", "format": "binary"}
    base64 = {"type": "string", "contentEncoding": "base64"}
    urls = {"anyOf": [{"type": "string", "format": "uri"}, {"type": "array", "items": {"type": "string"}}]}
    form = {
        "type": "object",
        "properties": {
            PICTURE: {"type": "array", "items": binary, "description": "Pictures to cut."},
            URL: {"type": "array", "items": {"type": "string"}, "description": "Addresses of pictures to cut."},
            RECIPE: {"type": "string", "description": "A recipe as JSON, instead of fields of their own."},
            **_fields(),
        },
        "additionalProperties": binary | {"description": "Pictures that the recipe names."},
    }
    as_json = {
        "type": "object",
        "properties": {
            PICTURE: {"anyOf": [base64, {"type": "array", "items": base64}]},
            URL: urls,
            RECIPE: {key: value for key, value in recipes.schema().items() if key != "$schema"},
            ASSETS: {"type": "object", "additionalProperties": base64},
            **recipes.schema()["properties"],
        },
        "additionalProperties": False,
    }
    return {
        "multipart/form-data": {"schema": form},
        "application/json": {"schema": as_json},
        "image/*": {"schema": binary},
        "application/octet-stream": {"schema": binary},
    }


def _cut() -> Operation:
    """POST /v1/cut."""
    binary = {"type": "string", "format": "binary"}
    content: dict[str, Any] = {
        media: {"schema": binary} for media in (*MEDIA_TYPES.values(), "application/zip", "multipart/mixed")
    }
    content["application/json"] = {"schema": {"anyOf": [_RESULT, _RESULTS]}}
    good = {
        "description": "The result; of several pictures a ZIP, parts or JSON, by Accept.",
        "headers": ETAG | {"Server-Timing": header("Milliseconds by stage.")},
        "content": content,
    }
    unchanged = {"description": "The caller has this result already.", "headers": ETAG}
    failed = problems(400, 402, 403, 408, 413, 415, 422, 429, 500, 503, 504)
    asked = [
        {"name": name, "in": "query", "description": told.get("description"), "schema": told}
        for name, told in _fields().items()
    ]
    body = {"required": True, "content": bodies()}
    return Operation(
        {200: good, 304: unchanged, **failed}, {"parameters": [*asked, IF_NONE_MATCH], "requestBody": body}
    )


def _list() -> Operation:
    """What there is to choose from."""
    good = {
        "description": "The list.",
        "headers": ETAG,
        "content": {"application/json": {"schema": {"type": "object"}}},
    }
    unchanged = {"description": "The caller has it already.", "headers": ETAG}
    return Operation({200: good, 304: unchanged, **problems(400, 403, 429, 500)}, {"parameters": [IF_NONE_MATCH]})


CUT = _cut()
LIST = _list()
