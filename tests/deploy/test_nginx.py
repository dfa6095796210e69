"""The nginx example: its limits are the service's, and, where nginx is installed, it is run in front of a stub."""

import http.server
import os
import re
import shutil
import socket
import subprocess
import threading
import time

import httpx
import pytest

from cleancut.limits import ServiceLimits
from tests.deploy.places import DEPLOY

EXAMPLE = (DEPLOY / "nginx/cleancut.conf").read_text()
SECONDS = 10
ASKED = []
"""What the stub was asked: path and headers."""


def stated(name):
    (found,) = re.findall(rf"^\s*{name} (.+);$", EXAMPLE, re.MULTILINE)
    return found


def test_limits_are_the_services():
    limits = ServiceLimits()
    assert int(stated("client_max_body_size")) == limits.max_body
    patience = int(re.search(r"proxy_read_timeout (\d+)s", EXAMPLE)[1])
    assert patience > limits.deadline + limits.url_seconds + limits.body_seconds


def test_nothing_of_a_picture_is_spooled():
    assert stated("proxy_request_buffering") == "off"
    assert stated("proxy_max_temp_file_size") == "0"
    assert "$request_uri" not in EXAMPLE
    assert "$args" not in EXAMPLE
    assert "$remote_addr" not in re.search(r"log_format.*?;\n", EXAMPLE, re.DOTALL)[0]


class Service(http.server.BaseHTTPRequestHandler):
    """Answers as the service does, and remembers what it was asked."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        ASKED.append((self.path, dict(self.headers)))
        body = b"cut"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()

    def log_message(self, *args):
        pass


@pytest.fixture
def front(running):
    """The example in front of a stub; give a client and what the stub was asked."""
    ASKED.clear()
    return running, ASKED


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    """Run the example, without TLS; give a client."""
    tmp_path = tmp_path_factory.mktemp("nginx")
    nginx = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    if nginx is None:
        pytest.skip("nginx is not installed")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Service) as behind:
        Service.asked = []
        threading.Thread(target=behind.serve_forever, daemon=True).start()
        (tmp_path / "key.conf").write_text('proxy_set_header X-API-Key "cc_test";\n')
        (tmp_path / "example.conf").write_text(adapted(tmp_path, port, behind.server_port))
        (tmp_path / "nginx.conf").write_text(whole(tmp_path))
        command = [nginx, "-p", str(tmp_path), "-e", "stderr", "-c", str(tmp_path / "nginx.conf")]
        checked = subprocess.run([*command, "-t"], capture_output=True, text=True)
        assert checked.returncode == 0, checked.stderr
        assert "warn" not in checked.stderr
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=SECONDS, trust_env=False) as client:
                until = time.monotonic() + SECONDS
                while not reached(client) and time.monotonic() < until:
                    time.sleep(0.05)
                yield client
        finally:
            process.terminate()
            process.wait()
            behind.shutdown()


def reached(client):
    try:
        return client.get("/").status_code == 200
    except httpx.TransportError:
        return False


def adapted(folder, port, behind):
    """The example as it is, but for its addresses, its folders and TLS."""
    text = EXAMPLE.replace("listen 443 ssl http2;", f"listen 127.0.0.1:{port};").replace(
        "127.0.0.1:7000", f"127.0.0.1:{behind}"
    )
    text = re.sub(r"^\s*ssl_.*\n", "", text, flags=re.MULTILINE)
    text = text.replace("/etc/nginx/cleancut-key.conf", str(folder / "key.conf"))
    return text.replace("/var/cache/nginx/cleancut", str(folder / "cache")).replace("/var/log/nginx", str(folder))


def whole(folder):
    temporary = "".join(
        f"{name}_temp_path {folder / name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    return (
        f"pid {folder / 'pid'}; daemon off; master_process off; events {{}}\n"
        f"http {{ {temporary} include {folder / 'example.conf'}; }}\n"
    )


def test_requests_pass_with_who_asks(front):
    client, asked = front
    answer = client.post("/v1/cut?show=alpha", content=b"x" * 1000, headers={"X-Forwarded-For": "203.0.113.9"})
    assert answer.status_code == 200
    ((path, headers),) = asked
    assert path == "/v1/cut?show=alpha"
    assert headers["X-Forwarded-For"] == "127.0.0.1"
    assert len(headers["X-Request-ID"]) == 32


def test_what_is_too_long_is_refused_here(front):
    client, asked = front
    with socket.create_connection((client.base_url.host, client.base_url.port), SECONDS) as raw:
        raw.sendall(b"POST /v1/cut HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % (ServiceLimits().max_body + 1))
        assert raw.recv(100).startswith(b"HTTP/1.1 413 ")
    assert asked == []


def test_the_inside_stays_inside(front):
    client, asked = front
    assert [client.get(path).status_code for path in ("/metrics", "/health/live", "/health/ready")] == [404, 404, 404]
    assert asked == []


def test_a_cutout_is_made_once_and_kept(front):
    client, asked = front
    first, second = (client.get("/cutouts/shoes/17.jpg?v=1") for _ in range(2))
    assert (first.headers["x-cache"], second.headers["x-cache"]) == ("MISS", "HIT")
    assert second.headers["cache-control"] == "public, max-age=604800"
    ((path, headers),) = asked
    assert path == "/api/remove?url=https://pictures.example.com/shoes/17.jpg"
    assert headers["X-API-Key"] == "cc_test"
    assert client.post("/cutouts/shoes/17.jpg", content=b"x").status_code == 403


@pytest.mark.parametrize("path", ["/cutouts/../17.jpg", "/cutouts/a%0d%0ab.jpg", "/cutouts/a@evil.example/b.jpg",
                                  "/cutouts/17.exe", "/cutouts/a%3fb.jpg", "/cutouts/..%2f17.jpg"])  # fmt: skip
def test_only_plain_names_of_pictures_are_asked_for(front, path):
    client, asked = front
    client.get(path)
    assert not any("/api/remove" in where for where, _ in asked)
