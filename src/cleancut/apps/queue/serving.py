"""A worker's health and figures over HTTP: `/health/live`, `/health/ready` and `/metrics`, and nothing else."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from prometheus_client import CONTENT_TYPE_LATEST

from cleancut.errors import BadSetting

_SECONDS = 5


class Health:
    """Answers in threads, as long as it is not closed.

    Args:
        host, port: to listen on; port 0 is one that is free.
        state: "ready", or why not.
        page: the figures in Prometheus' text format.

    Raises:
        BadSetting: the address cannot be listened on.
    """

    def __init__(self, host: str, port: int, state: Callable[[], str], page: Callable[[], bytes]) -> None:
        try:
            self._server = ThreadingHTTPServer((host, port), _answering(state, page))
        except OSError as error:
            raise BadSetting(
                f"{host}:{port} cannot be listened on ({error.strerror}); choose another --port."
            ) from None
        self.address = f"http://{host}:{self._server.server_address[1]}"
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, name="cleancut-health", daemon=True).start()

    def close(self) -> None:
        """Answer no more."""
        self._server.shutdown()
        self._server.server_close()


def _answering(state: Callable[[], str], page: Callable[[], bytes]) -> type[BaseHTTPRequestHandler]:
    class Answer(BaseHTTPRequestHandler):
        timeout = _SECONDS
        server_version, sys_version = "cleancut", ""

        def do_GET(self) -> None:
            if self.path == "/metrics":
                return self._send(200, page(), CONTENT_TYPE_LATEST)
            if self.path == "/health/live":
                return self._send_state(200, "live")
            if self.path == "/health/ready":
                now = state()
                return self._send_state(200 if now == "ready" else 503, now)
            return self._send_state(404, "not found")

        def log_message(self, format: str, *args: object) -> None:
            """Write nothing: probes come every few seconds."""

        def _send_state(self, status: int, now: str) -> None:
            self._send(status, json.dumps({"status": now}).encode(), "application/json")

        def _send(self, status: int, body: bytes, kind: str) -> None:
            self.send_response(status)
            for name, value in (
                ("Content-Type", kind),
                ("Content-Length", str(len(body))),
                ("Cache-Control", "no-store"),
            ):
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

    return Answer
