"""Lambda's Runtime API on loopback: hands events out one by one and takes what the function makes of them."""

import json
import queue
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

BASE = "/2018-06-01/runtime/"


class RuntimeApi:
    """Serves the API; `ask` gives a function an event and waits for what it answers."""

    def __init__(self):
        self.events, self.answers = queue.Queue(), queue.Queue()
        api = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                number, event = api.events.get()
                body = json.dumps(event).encode()
                self.send_response(200)
                for name, value in {
                    "Content-Type": "application/json",
                    "Content-Length": str(len(body)),
                    "Lambda-Runtime-Aws-Request-Id": f"r{number}",
                    "Lambda-Runtime-Deadline-Ms": "4102444800000",
                    "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:eu-central-1:1:function:cleancut",
                    "Lambda-Runtime-Trace-Id": "Root=1-0-0",
                }.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                api.answers.put((self.path.removeprefix(f"{BASE}"), body))
                self.send_response(202)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.address = f"127.0.0.1:{self.server.server_port}"
        self._count = 0
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def ask(self, event, seconds=60):
        """Give the function an event; give the last word of the address it answered at, and its answer."""
        self._count += 1
        self.events.put((self._count, event))
        path, body = self.answers.get(timeout=seconds)
        return path.rpartition("/")[2], json.loads(body)

    def close(self):
        self.server.shutdown()
        self.server.server_close()
