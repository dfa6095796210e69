"""What OpenAPI says of /v1/edits, made of what it says of /v1/cut."""

from __future__ import annotations

import copy
from typing import Any

from cleancut.apps.server.edits.previews import FORMATS
from cleancut.apps.server.native.asked import PICTURE, URL
from cleancut.apps.server.native.spec import CUT, ETAG, IF_NONE_MATCH, Operation, bodies, header, problems
from cleancut.apps.server.service import MEDIA_TYPES

_COUNT = {"type": "integer", "minimum": 0}
_PAIR = {"type": "array", "items": _COUNT, "minItems": 2, "maxItems": 2}
_BOX = {"type": "array", "items": _COUNT, "minItems": 4, "maxItems": 4}
_BINARY = {"type": "string", "format": "binary"}

_EDIT: dict[str, Any] = {
    "type": "object",
    "title": "Edit",
    "properties": {
        "id": {"type": "string"},
        "size": _PAIR | {"description": "Width and height of the picture, upright, as max_side reduced it."},
        "preview": _PAIR | {"description": "Width and height of its previews, before effects."},
        "box": {
            "anyOf": [_BOX, {"type": "null"}],
            "description": "left, top, right, bottom of the subject in the picture, as the model sees it; null without "
            "one.",
        },
        "confidence": {"type": "number", "minimum": 0, "maximum": 1},
        "notes": {"type": "array", "items": {"type": "string"}},
        "expires_in": {"type": "integer", "description": "Seconds for which it is kept after each use."},
    },
    "required": ["id", "size", "preview", "box", "confidence", "notes", "expires_in"],
}

_FAILED = problems(400, 402, 403, 408, 410, 413, 415, 422, 429, 500, 503, 504)


def _put() -> Operation:
    """POST /v1/edits: what /v1/cut takes, one picture."""
    about = copy.deepcopy(CUT.extra)
    about["parameters"] = [asked for asked in about["parameters"] if asked["in"] == "query"]
    made = {
        "description": "The picture is kept.",
        "headers": {"Location": header("The edit's address.")},
        "content": {"application/json": {"schema": _EDIT}},
    }
    failed = {status: answer for status, answer in _FAILED.items() if status != 410}
    return Operation({201: made, **failed}, about)


def _recipe() -> dict[str, Any]:
    """The body of what is asked of an edit: a recipe, and pictures that it names."""
    content = {kind: copy.deepcopy(bodies()[kind]) for kind in ("application/json", "multipart/form-data")}
    for about in content.values():
        for name in (PICTURE, URL):
            del about["schema"]["properties"][name]
    return {"required": True, "content": content}


def _preview() -> Operation:
    content = {MEDIA_TYPES[name]: {"schema": _BINARY} for name in FORMATS}
    headers = {"Server-Timing": header("Milliseconds by stage.")}
    good = {"description": "The preview, without loss.", "headers": headers, "content": content}
    show = {
        "name": "show",
        "in": "query",
        "description": "alpha gives the alpha alone, without effects, as 8-bit grey.",
        "schema": {"type": "string", "enum": ["alpha"]},
    }
    return Operation({200: good, **_FAILED}, {"parameters": [show], "requestBody": _recipe()})


def _result() -> Operation:
    shown = {kind: about for kind, about in CUT.responses[200]["content"].items() if not kind.startswith("multipart")}
    del shown["application/zip"]
    good = CUT.responses[200] | {"description": "The result.", "content": shown}
    unchanged = {"description": "The caller has this result already.", "headers": ETAG}
    about = {"parameters": [IF_NONE_MATCH], "requestBody": _recipe()}
    return Operation({200: good, 304: unchanged, **_FAILED}, about)


PUT = _put()
PREVIEW = _preview()
RESULT = _result()
DELETE = Operation({204: {"description": "It is forgotten."}, **problems(400, 403, 410, 429, 500, 503)})
