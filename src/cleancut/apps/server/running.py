"""The application run by uvicorn: patient with pictures, impatient with heads of requests, and able to end well."""

from __future__ import annotations

import asyncio
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.h11_impl import H11Protocol

from cleancut.apps.server.service import Service
from cleancut.apps.server.settings import Settings
from cleancut.errors import BadSetting

_HEAD_SECONDS = 10
"""Time for the head of a request to come in, from its first byte or from the connection's beginning."""

_BACKLOG = 2048
"""Connections that wait to be accepted."""


class Protocol(H11Protocol):
    """HTTP/1.1 that waits for a head only so long; h11, because it bounds what a head may hold."""

    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a head."""
        super().connection_made(transport)
        self._watch()

    def data_received(self, data: bytes) -> None:
        """Take what came in."""
        super().data_received(data)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._rest()
        super().connection_lost(exc)

    def _watch(self) -> None:
        waits = self.cycle is None or self.cycle.response_complete
        if not waits:
            self._rest()
        elif self._timer is None:
            self._timer = self.loop.call_later(_HEAD_SECONDS, self._too_slow)

    def _rest(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _too_slow(self) -> None:
        self._timer = None
        if self.cycle is None or self.cycle.response_complete:
            self.transport.close()


class Server(uvicorn.Server):
    """uvicorn, told to end: new work is refused at once, what was admitted is finished, and the process ends with 0."""

    def __init__(self, config: uvicorn.Config, service: Service) -> None:
        super().__init__(config)
        self._service = service

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take the signals over as long as the service runs; unlike uvicorn's own, they are not raised again."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, earlier in before.items():
                signal.signal(number, earlier)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """End: the first time in good order, the second time at once."""
        self._service.gate.close()
        self.force_exit = self.should_exit
        self.should_exit = True


def server(app: FastAPI, settings: Settings) -> Server:
    """Make what runs the application."""
    config = uvicorn.Config(
        app,
        host=settings.host,
        http=Protocol,
        ws="none",
        lifespan="on",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=settings.proxy_headers,
        timeout_graceful_shutdown=settings.limits.drain_seconds,
    )
    return Server(config, app.state.service)


def listening(host: str, port: int) -> socket.socket:
    """Listen on an address.

    Raises:
        BadSetting: it is none of this machine's, or something else listens there.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address[:2], family=family, backlog=_BACKLOG)
    except OSError as error:
        raise BadSetting(f"{host}:{port} cannot be listened on ({error.strerror}); choose another --port.") from None


def address(listener: socket.socket) -> str:
    """Write the address that a socket listens on as a URL."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
