"""/v1/feedback: thumbs and reasons, kept only where whoever runs the service wants them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any

import anyio.to_thread
from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from cleancut.apps.feedback.store import LONGEST, keep
from cleancut.apps.server import access
from cleancut.apps.server.form import Form, from_base64, read_form
from cleancut.apps.server.native.asked import PICTURE, listed
from cleancut.apps.server.native.spec import Operation, problems
from cleancut.apps.server.problems import JSON
from cleancut.apps.server.service import Caller, Service
from cleancut.errors import BadInput, BadSetting, NotFound

router = APIRouter(prefix="/v1", tags=["cleancut"])

Who = Annotated[Caller, Depends(access.caller)]

_FIELDS = ("rating", "reasons", "model", "text", PICTURE)
_MOST_REASONS = 10
_REASON = r"^[a-z][a-z0-9_-]{0,39}$"
_LONGEST_NAME = 200


def _spec() -> Operation:
    said = {
        "rating": {"type": "string", "enum": ["up", "down"]},
        "reasons": {
            "type": "array",
            "items": {"type": "string", "pattern": _REASON},
            "maxItems": _MOST_REASONS,
            "description": "Words such as hair or lost-part; they are counted.",
        },
        "model": {"type": "string", "maxLength": _LONGEST_NAME},
        "text": {"type": "string", "maxLength": LONGEST},
    }
    picture = {"type": "string", "description": "The picture, where the person agrees to hand it over."}
    shapes = {
        "application/json": said | {PICTURE: picture | {"contentEncoding": "base64"}},
        "multipart/form-data": said | {PICTURE: picture | {"format": "binary"}},
    }
    body = {
        kind: {"schema": {"type": "object", "properties": fields, "required": ["rating"]}}
        for kind, fields in shapes.items()
    }
    made = {"type": "object", "properties": {"id": {"type": "string"}}, "required": ["id"]}
    good = {"description": "It is kept by this name.", "content": {"application/json": {"schema": made}}}
    off = {404: problems(404)[404] | {"description": "This service keeps no feedback."}}
    full = {507: problems(503)[503] | {"description": "There is no room for it."}}
    failed = problems(400, 402, 403, 408, 413, 415, 422, 429, 500, 503) | off | full
    return Operation({201: good, **failed}, {"requestBody": {"required": True, "content": body}})


SPEC = _spec()


@router.post("/feedback", status_code=201, responses=SPEC.responses, openapi_extra=SPEC.extra)
async def feedback(request: Request, who: Who) -> Response:
    """Say whether a result is good, and why not; whoever runs the service reads it."""
    service: Service = request.app.state.service
    form = await read_form(request, service.settings)
    folder = service.settings.feedback_dir
    if folder is None:
        raise NotFound("This service keeps no feedback; it is told to with CLEANCUT_FEEDBACK_DIR.")
    said, picture = _said(form), _picture(form)
    if picture is not None:
        await anyio.to_thread.run_sync(service.headers, picture, {})
    kept = await anyio.to_thread.run_sync(keep, Path(folder), said, picture)
    return JSON({"id": kept}, 201, headers={"Cache-Control": "no-store"})


def _said(form: Form) -> dict[str, Any]:
    """Read what is said.

    Raises:
        BadInput: a field is unknown, was given twice, or is no text.
        BadSetting: one does not fit.
    """
    names = {name for name, _ in form.fields} | set(form.json or ()) | {file.field for file in form.files}
    if unknown := names - set(_FIELDS):
        raise BadInput(f"Feedback has no {min(unknown)[:100]!r}; it has {', '.join(_FIELDS)}.")
    rating, reasons = form.text("rating"), listed(form, "reasons")
    if rating not in {"up", "down"}:
        raise BadSetting("The rating is up or down.")
    if len(reasons) > _MOST_REASONS or not all(re.fullmatch(_REASON[1:-1], reason) for reason in reasons):
        raise BadSetting(f"There are up to {_MOST_REASONS} reasons, words in small letters such as lost-part.")
    return {
        "rating": rating,
        "reasons": list(dict.fromkeys(reasons)),
        "model": _text(form, "model", _LONGEST_NAME),
        "text": _text(form, "text", LONGEST),
    }


def _text(form: Form, name: str, longest: int) -> str:
    if isinstance((form.json or {}).get(name), dict | list):
        raise BadInput(f"The field {name} is text.")
    given = form.text(name) or ""
    if len(given) > longest:
        raise BadSetting(f"The field {name} has {longest:,} characters at the most.")
    return given


def _picture(form: Form) -> bytes | None:
    """Give the picture that came along, as a file or in base64."""
    found = [file.data for file in form.files] + [from_base64(text, PICTURE) for text in listed(form, PICTURE)]
    if len(found) > 1 or form.raw is not None:
        raise BadInput(f"One picture may come along, as a file or base64 named {PICTURE}.")
    return found[0] if found else None
