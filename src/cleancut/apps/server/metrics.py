"""`/metrics`, for Prometheus: from this machine, or with a key whose scope is `metrics`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST

from cleancut.apps.server.access import scoped
from cleancut.apps.server.service import Caller

router = APIRouter(tags=["operations"])


@router.get("/metrics", response_class=Response, include_in_schema=False)
def metrics(request: Request, caller: Annotated[Caller, Depends(scoped("metrics"))]) -> Response:
    """Give what the service counts, in Prometheus' text format."""
    page = request.app.state.service.meter.page()
    return Response(page, media_type=CONTENT_TYPE_LATEST, headers={"Cache-Control": "no-store"})
