"""A server of one file on this machine that does what a hostile or broken one may do."""

import re
import socketserver
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Server(ThreadingHTTPServer):
    """Serves `data` at every address; `reply(handler)` does it, and a test may put another in its place.

    Attributes:
        requests: (path, headers) of each request.
        released: what a stalled reply waits for.
        sent: bytes of bodies so far.
    """

    daemon_threads = True
    block_on_close = False

    def __init__(self, data):
        super().__init__(("127.0.0.1", 0), Handler)
        self.data = data
        self.tag = '"v1"'
        self.reply = whole
        self.requests = []
        self.released = threading.Event()
        self.sent = 0
        self._thread = threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}"

    def server_bind(self):
        socketserver.TCPServer.server_bind(self)  # http.server's asks the resolver for our name
        self.server_name, self.server_port = self.server_address

    def handle_error(self, request, client_address):
        """Clients of these tests leave when they like."""

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self.released.set()
        self.shutdown()
        self.server_close()
        self._thread.join()


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.requests.append((self.path, dict(self.headers)))
        self.server.reply(self)

    def head(self, status, length=None, **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), str(value))
        if length is not None:
            self.send_header("Content-Length", str(length))
        self.end_headers()

    def body(self, data, step=4096):
        for start in range(0, len(data), step):
            self.wfile.write(data[start : start + step])
            self.server.sent += len(data[start : start + step])

    def asked(self):
        """From which byte on the client wants the file, honouring If-Range."""
        match = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        tag = self.headers.get("If-Range")
        return int(match[1]) if match and tag in {None, self.server.tag} else 0

    def start(self, **more):
        """Send the head of a right answer; give the bytes that belong to it."""
        data, start = self.server.data, self.asked()
        if start >= len(data) > 0:
            self.head(416, 0, Content_Range=f"bytes */{len(data)}")
            return b""
        more = {"ETag": self.server.tag, **more}
        if start:
            more["Content_Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
        self.head(206 if start else 200, len(data) - start, **more)
        return data[start:]

    def log_message(self, *_):
        pass


def whole(handler):
    """Answer rightly."""
    handler.body(handler.start())


def cut_after(count):
    """Close the connection after so many bytes of each body."""

    def reply(handler):
        handler.body(handler.start()[:count])

    return reply


def stall_after(count):
    """Send so many bytes and then nothing."""

    def reply(handler):
        handler.body(handler.start()[:count])
        handler.server.released.wait(30)

    return reply


def status(code, **headers):
    """Answer with nothing but a status."""
    return lambda handler: handler.head(code, 0, **headers)


def corrupt(handler):
    """Send a file of the right length with one wrong byte."""
    data = bytearray(handler.start())
    data[len(data) // 2] ^= 1
    handler.body(bytes(data))


def without_ranges(handler):
    """Answer every request with the whole file."""
    handler.head(200, len(handler.server.data))
    handler.body(handler.server.data)


def endless(handler):
    """Send zeros until the client leaves."""
    handler.head(200)
    while True:
        handler.body(bytes(65536))


def raw(answer):
    """Send these bytes in place of an answer."""
    return lambda handler: handler.wfile.write(answer)
