"""What OpenAPI says of /v1/jobs."""

from __future__ import annotations

import copy
from typing import Any

from cleancut.apps.server.native.spec import CUT, Operation, problems
from cleancut.apps.server.service import MEDIA_TYPES

_MOMENT = {"type": "string", "format": "date-time"}
_LINK = {"type": "string", "format": "uri-reference"}
_STATE = {"type": "string", "enum": ["queued", "running", "done", "failed", "cancelled"]}
_COUNT = {"type": "integer", "minimum": 0}

_PICTURE: dict[str, Any] = {
    "type": "object",
    "title": "PictureOfAJob",
    "properties": {
        "number": {"type": "integer", "minimum": 1},
        "name": {"type": "string"},
        "state": _STATE,
        "stage": {"type": "string", "enum": ["waiting", "cutting", "writing"]},
        "result": {
            "type": "object",
            "properties": {"link": _LINK, "media_type": {"type": "string"}, "bytes": _COUNT},
            "required": ["link", "media_type", "bytes"],
        },
        "error": {"type": "object", "description": "Why there is no result, as RFC 9457 writes it."},
    },
    "required": ["number", "name", "state"],
}

_WEBHOOK: dict[str, Any] = {
    "anyOf": [
        {"type": "null"},
        {
            "type": "object",
            "properties": {
                "state": {"type": "string", "enum": ["waiting", "pending", "delivered", "failed"]},
                "attempts": _COUNT,
                "secret": {"type": "string", "description": "What the webhook is signed with; told once, here."},
            },
            "required": ["state", "attempts"],
        },
    ]
}

_JOB: dict[str, Any] = {
    "type": "object",
    "title": "Job",
    "properties": {
        "id": {"type": "string"},
        "state": _STATE,
        "progress": {
            "type": "object",
            "properties": {"total": _COUNT, "done": _COUNT, "failed": _COUNT},
            "required": ["total", "done", "failed"],
        },
        "created": _MOMENT,
        "ended": {"anyOf": [_MOMENT, {"type": "null"}]},
        "expires": _MOMENT | {"description": "When it is given up, or wiped once it has ended."},
        "webhook": _WEBHOOK,
        "links": {"type": "object", "additionalProperties": _LINK},
        "pictures": {"type": "array", "items": _PICTURE},
    },
    "required": ["id", "state", "progress", "created", "ended", "expires", "webhook", "links", "pictures"],
}

_JOBS = {"type": "object", "properties": {"jobs": {"type": "array", "items": _JOB}}, "required": ["jobs"]}

_LOST = problems(400, 403, 404, 429, 500, 503)


def _like(known: int, status: int, description: str) -> dict[int | str, dict[str, Any]]:
    """Describe a failure that only jobs have, as the others are."""
    return {status: problems(known)[known] | {"description": description}}


_FULL = _like(503, 507, "The service has no room for more pictures.")


def _header(name: str, description: str, **schema: Any) -> dict[str, Any]:
    return {"name": name, "in": "header", "description": description, "schema": {"type": "string", **schema}}


def _json(description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _put() -> Operation:
    """POST /v1/jobs: what /v1/cut takes, a webhook, and a key."""
    about = copy.deepcopy(CUT.extra)
    webhook = {"type": "string", "format": "uri", "description": "The address that is told when the job has ended."}
    for content in about["requestBody"]["content"].values():
        if "properties" in content["schema"]:
            content["schema"]["properties"]["webhook"] = webhook
    asked = [asked for asked in about["parameters"] if asked["in"] == "query"]
    asked.append({"name": "webhook", "in": "query", "description": webhook["description"], "schema": webhook})
    key = "A request that is sent twice with the same key and content is one job."
    about["parameters"] = [*asked, _header("Idempotency-Key", key, maxLength=255)]
    accepted = _json("The job was taken.", _JOB)
    accepted["headers"] = {"Location": {"description": "The job's address.", "schema": _LINK}}
    failed = problems(400, 402, 403, 404, 408, 413, 415, 422, 429, 500, 503, 504)
    return Operation({202: accepted, **failed, **_FULL}, about)


def _result() -> Operation:
    binary = {"type": "string", "format": "binary"}
    content = {media: {"schema": binary} for media in (*MEDIA_TYPES.values(), "application/zip")}
    gone = {
        **_like(404, 409, "The job, or the picture, is not done yet."),
        **_like(404, 410, "The job was cancelled."),
    }
    why = problems(402, 413, 415, 422, 504) | _FULL
    return Operation({200: {"description": "The result.", "content": content}, **_LOST, **gone, **why})


def _events() -> Operation:
    stream = {"description": "The events.", "content": {"text/event-stream": {"schema": {"type": "string"}}}}
    over = {"description": "The job has ended, and the caller has seen all of it."}
    seen = _header("Last-Event-ID", "The last id that the caller saw.")
    return Operation({200: stream, 204: over, **_LOST}, {"parameters": [seen]})


PUT = _put()
LIST = Operation({200: _json("The jobs of the caller's key.", _JOBS), **_LOST})
GET = Operation({200: _json("The job as it is now.", _JOB), **_LOST})
DELETE = Operation({204: {"description": "The job is wiped."}, **_LOST})
EVENTS = _events()
RESULT = _result()
