"""The service assembled: what stands in front of the routes, the routes, and what starts and ends with it.

A part is a module of this package. It may have `router` (an `APIRouter`), `wanted(settings)` (whether that is
mounted), `words` (failures in the words of its wire format, by the beginning of a path), `install(app)` (adds
middleware and whatever else) and `lifespan(app)` (an async context: what runs as long as the service).
`app.state.service` is there before any of them is called.
"""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from functools import partial
from types import ModuleType
from typing import TYPE_CHECKING

from fastapi import FastAPI

import cleancut
from cleancut.apps.server.access import manner
from cleancut.apps.server.description import describe
from cleancut.apps.server.intake import Held, Intake
from cleancut.apps.server.problems import Net, Speaker
from cleancut.apps.server.service import Service
from cleancut.apps.server.settings import Settings, read_settings
from cleancut.models.runtime import Load

if TYPE_CHECKING:
    from fastapi.telemetry import TelemetryConfig  # of newer versions; older ones take the argument and ignore it

PARTS = (
    "native",
    "about",
    "edits",
    "ratings",
    "jobs",
    "removebg",
    "rembg",
    "lookalikes",
    "health",
    "metrics",
    "pages",
    "page",
    "access",
    "upkeep",
    "witness",
)
"""Parts in the order they are mounted; the middleware of later ones stands further outside."""

_SILENT: TelemetryConfig = {"tracing": False, "metrics": False, "logs": False, "auto_configure": False}
"""FastAPI's own reports, which the environment would switch on; what is told of requests is told by `witness`."""


def assembled(settings: Settings | None = None, load: Load | None = None) -> FastAPI:
    """Make the service.

    Args:
        settings: of the service; by default those of the environment.
        load: gives a network by name; by default an engine of the service's own.
    """
    settings = settings or read_settings()
    parts = [importlib.import_module(f"{__package__}.{name}") for name in PARTS]
    app = FastAPI(
        title="cleancut",
        version=cleancut.__version__,
        description="Background removal over HTTP.",
        docs_url=None,
        redoc_url=None,
        lifespan=_lifespan(parts),
        telemetry=_SILENT,
    )
    app.state.service = Service(settings, load)
    words = {begin: spoken for part in parts for begin, spoken in getattr(part, "words", {}).items()}
    speaker = app.state.speaker = Speaker(words)
    speaker.install(app)
    held = app.state.intake = Held()
    app.add_middleware(Intake, limits=settings.limits, speaker=speaker, held=held)
    app.add_middleware(Net, speaker=speaker)
    for part in parts:
        if hasattr(part, "router") and (not hasattr(part, "wanted") or part.wanted(settings)):
            app.include_router(part.router)
        if hasattr(part, "install"):
            part.install(app)
    app.openapi = partial(describe, app, manner(settings))  # type: ignore[method-assign]  # FastAPI's own way
    return app


def _lifespan(parts: list[ModuleType]) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    """What starts and ends with the service."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        service: Service = app.state.service
        async with AsyncExitStack() as stack:
            stack.callback(service.close)
            for part in reversed(parts):  # what stands further outside begins first and ends last
                if hasattr(part, "lifespan"):
                    await stack.enter_async_context(part.lifespan(app))
            warming = asyncio.create_task(service.warm())
            yield
            service.gate.close()
            await service.gate.drained(service.limits.drain_seconds)
            await warming

    return lifespan
