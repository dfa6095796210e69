"""Is the process alive, and may requests be sent to it: two questions, asked by whoever keeps it running."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from cleancut.apps.server.problems import JSON

router = APIRouter(prefix="/health", tags=["health"])


@router.get("/live")
async def live() -> Response:
    """Answer as long as the process can."""
    return JSON({"status": "live"})


_NOT_YET: dict[int | str, dict[str, Any]] = {
    503: {"description": "It starts, it failed to start, or it is about to end."}
}


@router.get("/ready", responses=_NOT_YET)
async def ready(request: Request) -> Response:
    """Answer 200 once the default model has answered, and until the service is told to end."""
    service = request.app.state.service
    if service.gate.closing:
        return JSON({"status": "closing"}, 503)
    if service.failure is not None:
        return JSON({"status": "failed", "detail": service.failure}, 503)
    return JSON({"status": "ready"}) if service.ready else JSON({"status": "starting"}, 503)
