"""The whole service within this process: a request goes in as a value, and its answer comes out as one.

Every route, limit and key holds as it does behind a port.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Iterable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from starlette.types import Message, Scope

from cleancut.apps.server import create_app, logs
from cleancut.apps.server.settings import Settings, read_settings

if TYPE_CHECKING:
    from fastapi import FastAPI

ANYWHERE = "0.0.0.0"
"""The address such a service is reached at, as far as its rules on callers go."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request.

    Attributes:
        method: of HTTP.
        path: decoded, from "/" on.
        query: as it was written, without the "?".
        headers: names and values in order.
        body: the whole of it.
        client: the caller's address.
    """

    method: str
    path: str
    query: str
    headers: Iterable[tuple[str, str]]
    body: bytes
    client: str


@dataclass(slots=True)
class Answer:
    """An answer.

    Attributes:
        status: of HTTP.
        headers: names and values in order.
        body: the whole of it, or what was taken of it.
        size: bytes that the body has; more than were taken where there was no room for them.
    """

    status: int = 0
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytearray = field(default_factory=bytearray)
    size: int = 0


class Here:
    """A service on an event loop in a thread of its own, from its making to `stop`. Threads may share it.

    Args:
        app: the service.

    Raises:
        Exception: whatever keeps the service from starting.
    """

    def __init__(self, app: FastAPI) -> None:
        self._app = app
        self._loop = asyncio.new_event_loop()
        self._end = asyncio.Event()
        self._begun: Future[None] = Future()
        self._thread = threading.Thread(target=self._loop.run_forever, name="cleancut-service", daemon=True)
        self._thread.start()
        self._life = asyncio.run_coroutine_threadsafe(self._live(), self._loop)
        try:
            self._begun.result()
        except BaseException:
            self._still()
            raise

    def ask(self, asked: Asked, most: int) -> Answer:
        """Answer a request.

        Args:
            asked: the request.
            most: bytes of the answer's body that are taken; the rest is counted only.
        """
        return asyncio.run_coroutine_threadsafe(self._ask(asked, most), self._loop).result()

    def stop(self) -> None:
        """Finish what was admitted, and end."""
        self._loop.call_soon_threadsafe(self._end.set)
        try:
            self._life.result()
        finally:
            self._still()

    def _still(self) -> None:
        """End the loop and its thread."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _live(self) -> None:
        """Begin and end the service in one task, as its own tasks demand."""
        try:
            async with self._app.router.lifespan_context(self._app):
                self._begun.set_result(None)
                await self._end.wait()
        except BaseException as error:
            if self._begun.done():
                raise
            self._begun.set_exception(error)

    async def _ask(self, asked: Asked, most: int) -> Answer:
        answer, unread = Answer(), [asked.body]

        async def receive() -> Message:
            if not unread:
                await asyncio.Event().wait()  # nobody leaves: whoever asked waits for what this gives
            return {"type": "http.request", "body": unread.pop(), "more_body": False}

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer.status = message["status"]
                answer.headers = [
                    (name.decode("latin-1"), value.decode("latin-1")) for name, value in message["headers"]
                ]
                return
            body = message.get("body", b"")
            answer.size += len(body)
            answer.body += body[: max(0, most - len(answer.body))]

        await self._app(_scope(asked), receive, send)
        return answer


_services: dict[int, Here] = {}
_lock = threading.Lock()


def start() -> Here:
    """Give the service of this process; the first call starts it: settings from `CLEANCUT_…`, log lines to stderr.

    A process that was forked gets one of its own: threads, and what networks hold, do not survive a fork.

    Raises:
        BadSetting: a variable does not fit.
    """
    with _lock:
        if os.getpid() not in _services:
            logs.start()
            _services[os.getpid()] = Here(create_app(settings()))
        return _services[os.getpid()]


def settings() -> Settings:
    """Read the settings. Callers are strangers, whatever the platform puts in between, and no job outlives its request.

    Raises:
        BadSetting: a variable does not fit.
    """
    return read_settings(host=ANYWHERE, jobs=False)


def _scope(asked: Asked) -> Scope:
    """Say a request as ASGI does."""
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": asked.method.upper(),
        "scheme": "https",
        "path": asked.path,
        "raw_path": asked.path.encode(),
        "root_path": "",
        "query_string": asked.query.encode(),
        "headers": [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in asked.headers],
        "client": (asked.client, 0),
        "server": (ANYWHERE, 443),
        "state": {},
    }
