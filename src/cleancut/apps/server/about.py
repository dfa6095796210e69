"""/v1/service: what a page must know of the service before it asks for anything."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

import cleancut
from cleancut.apps.server import access, browser
from cleancut.apps.server.native import static
from cleancut.apps.server.native.spec import LIST, Operation
from cleancut.apps.server.service import MEDIA_TYPES, Caller, Service
from cleancut.apps.server.settings import Settings
from cleancut.pictures.formats import FORMATS

router = APIRouter(prefix="/v1", tags=["cleancut"])

Who = Annotated[Caller, Depends(access.caller)]

_TOLD = ("max_bytes", "max_pixels", "max_frames", "max_files", "max_body", "workers", "waiting", "deadline")
"""The limits that a caller can keep to."""

_TEXTS = {"type": "array", "items": {"type": "string"}}
_COUNT = {"type": "integer", "minimum": 1}


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties)}


_LOCAL = _object(
    runtime={"type": "string", "description": "Folder of what runs the model in a browser."},
    model={"type": "string", "description": "Address of the model's ONNX file."},
    sha256={"type": "string", "description": "Of that file."},
    bytes=_COUNT,
    input={"type": "object"},
    output={"type": "object"},
)
_SCHEMA = _object(
    version={"type": "string"},
    limits=_object(**dict.fromkeys(_TOLD, _COUNT)),
    reads=_TEXTS | {"description": "Media types of the pictures that are read."},
    writes=_TEXTS | {"description": "Formats of results."},
    model={"type": "string", "description": "The model of a recipe that names none."},
    urls={"type": "boolean", "description": "Whether pictures may be given by their address."},
    feedback={"type": "boolean", "description": "Whether ratings are kept."},
    edits=_object(kept=_COUNT, seconds=_COUNT),
    local={"anyOf": [{"type": "null"}, _LOCAL]},
)


def _service() -> Operation:
    good = LIST.responses[200] | {
        "description": "What the service is.",
        "content": {"application/json": {"schema": _SCHEMA}},
    }
    return Operation(LIST.responses | {200: good}, LIST.extra)


SERVICE = _service()


@router.get("/service", responses=SERVICE.responses, openapi_extra=SERVICE.extra)
async def service(request: Request, who: Who) -> Response:
    """Tell what this service is, what it takes and what it does."""
    return static(request, told(request.app.state.service), "no-cache")


def told(service: Service) -> dict[str, Any]:
    """Tell of a service."""
    settings: Settings = service.settings
    limits = service.limits
    return {
        "version": cleancut.__version__,
        "limits": {name: getattr(limits, name) for name in _TOLD},
        "reads": list(reads()),
        "writes": list(MEDIA_TYPES),
        "model": settings.model,
        "urls": settings.allow_urls,
        "feedback": settings.feedback_dir is not None,
        "edits": {"kept": min(limits.edits_per_key, limits.edits_kept), "seconds": limits.edit_seconds},
        "local": browser.told(),
    }


def reads() -> Iterator[str]:
    """Name the media types of what this installation reads."""
    for format in FORMATS:
        if not format.extra or find_spec(format.parser.partition(".")[0]) is not None:
            yield f"image/{format.name.lower()}"
