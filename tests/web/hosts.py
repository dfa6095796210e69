"""Hosts of files for the tests, as strangers would have them: with and without the headers that allow threads."""

from __future__ import annotations

import functools
import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

ISOLATING = {"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp"}


@dataclass
class Host:
    """A running host: its address, what it was asked for, and which paths it answers 404 to."""

    url: str
    asked: list[str] = field(default_factory=list)
    missing: set[str] = field(default_factory=set)


class _Files(http.server.SimpleHTTPRequestHandler):
    host: Host
    headers_more: dict[str, str]

    def do_GET(self):
        self.host.asked.append(self.path)
        if any(part in self.path for part in self.host.missing):
            self.send_error(404)
            return
        try:
            super().do_GET()
        except ConnectionError:  # a page that is closed stops listening
            self.close_connection = True

    def end_headers(self):
        for name, value in self.headers_more.items():
            self.send_header(name, value)
        super().end_headers()

    def log_message(self, *args):
        """Say nothing: what was asked is kept."""


@contextmanager
def hosted(folder, *, isolated=False) -> Iterator[Host]:
    host = Host("")
    kind = type("Files", (_Files,), {"host": host, "headers_more": ISOLATING if isolated else {}})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(kind, directory=str(folder))) as server:
        server.daemon_threads = True
        host.url = f"http://127.0.0.1:{server.server_port}/"
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield host
        finally:
            server.shutdown()
            thread.join()
