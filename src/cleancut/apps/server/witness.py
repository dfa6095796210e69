"""See every request from its head to its answer's end: one id, one log line, one count, one trace."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import anyio.to_thread
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cleancut.apps.server import logs, tracing
from cleancut.apps.server.meter import METHODS, Meter
from cleancut.apps.server.tracing import Tracing
from cleancut.apps.server.trail import Trail, follow, request_id

if TYPE_CHECKING:
    from fastapi import FastAPI

UNMATCHED = "unmatched"
LEFT = 499
"""The status that is counted where the caller left before an answer began, as nginx counts it."""

_QUIET = ("/health/live", "/health/ready", "/metrics")
"""Asked every few seconds by machines: counted, and logged only where something breaks."""


def install(app: FastAPI) -> None:
    """Watch over an application; installed last, so that it stands outside of all else.

    Raises:
        BadSetting: traces are asked for and cannot be made.
    """
    service = app.state.service
    app.state.tracing = tracing.start(follow=service.settings.proxy_headers)
    app.add_middleware(Witness, meter=service.meter, tracing=app.state.tracing)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Send the last spans when the service ends."""
    try:
        yield
    finally:
        await anyio.to_thread.run_sync(app.state.tracing.stop)


@dataclass(slots=True)
class _Answer:
    """What went out so far."""

    status: int = LEFT
    size: int = 0


class Witness:
    """Wraps the whole application. `X-Request-ID` is taken from the caller if it is short and plain, else made.

    The id stands in `request.state.request_id` and on the answer.
    """

    def __init__(self, app: ASGIApp, meter: Meter, tracing: Tracing) -> None:
        self._app = app
        self._meter = meter
        self._tracing = tracing
        self._log = logs.logger("request")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        trail = Trail(request_id(headers.get("x-request-id", "")))
        scope.setdefault("state", {})["request_id"] = trail.request_id
        answer, begun = _Answer(), time.perf_counter()

        async def seen(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer.status = message["status"]
                MutableHeaders(scope=message)["x-request-id"] = trail.request_id
            elif message["type"] == "http.response.body":
                answer.size += len(message.get("body", b""))
            await send(message)

        with follow(trail), self._tracing.request(trail, headers) as span:
            try:
                await self._app(scope, receive, seen)
            except BaseException as error:
                answer.status = _failed(answer.status, error)
                raise
            finally:
                self._told(scope, trail, answer, time.perf_counter() - begun, span)

    def _told(self, scope: Scope, trail: Trail, answer: _Answer, seconds: float, span: Any) -> None:
        """Tell the log, the metrics and the trace how it went."""
        route = template(scope)
        method = scope["method"] if scope["method"] in METHODS else "other"
        self._tracing.answered(span, method, route, answer.status)
        self._meter.request(route, answer.status, trail.model, trail.key, method=method, seconds=seconds)
        if route in _QUIET and answer.status != 500:
            return
        self._log.info(
            "request",
            method=method,
            route=route,
            status=answer.status,
            ms=round(seconds * 1000, 1),
            bytes=answer.size,
            **{name: value for name in ("model", "key", "cached") if (value := getattr(trail, name))},
        )


def template(scope: Scope) -> str:
    """Give the template of the route that answered, never the path that was asked for."""
    path = getattr(scope.get("route"), "path", None)
    return path if isinstance(path, str) and path else UNMATCHED


def _failed(status: int, error: BaseException) -> int:
    """Tell the status of a request whose answer broke: what was begun stands, a failure is 500, being cancelled 499."""
    return 500 if status == LEFT and isinstance(error, Exception) else status
