"""What the images promise: nobody is root, the health check works, everything that is installed is pinned by hash."""

import http.server
import json
import re
import subprocess
import sys
import threading
import tomllib

import pytest

from tests.deploy.places import DEPLOY, ROOT

IMAGES = ["docker/Dockerfile.cpu", "docker/Dockerfile.cuda"]
ALL = [*IMAGES, "aws-lambda/Dockerfile"]


def lines(name):
    """The instructions of a Dockerfile, continued lines joined."""
    text = re.sub(r"\\\n\s*", "", (DEPLOY / name).read_text())
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def last_stage(name):
    given = lines(name)
    start = max(number for number, line in enumerate(given) if line.startswith("FROM"))
    return given[start:]


@pytest.mark.parametrize("name", IMAGES)
def test_the_service_is_not_root_and_writes_to_data_alone(name):
    stage = last_stage(name)
    assert "USER 10001:10001" in stage
    assert not any(line.startswith("RUN") for line in stage[stage.index("USER 10001:10001") :])
    assert "VOLUME /data" in stage
    assert any("CLEANCUT_HOME=/data" in line for line in stage)


@pytest.mark.parametrize("name", IMAGES)
@pytest.mark.parametrize(("status", "code"), [(200, 0), (503, 1)])
def test_the_health_check_tells_a_live_service_from_another(name, status, code):
    class Health(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(status if self.path == "/health/live" else 404)
            self.end_headers()

        def log_message(self, *args):
            pass

    (check,) = [line for line in lines(name) if "CMD [" in line and line.startswith("HEALTHCHECK")]
    _, *arguments = json.loads(check[check.index("[") :])
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Health) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        environ = {"CLEANCUT_PORT": str(server.server_port)}
        done = subprocess.run([sys.executable, *arguments], env=environ, capture_output=True)
        server.shutdown()
    assert done.returncode == code


@pytest.mark.parametrize("name", ALL)
def test_packages_are_installed_by_hash_and_ours_without_others(name):
    installs = [part for line in lines(name) for part in line.split("&&") if re.search(r"\binstall -?-?(req|no)", part)]
    assert len(installs) == 3
    assert all("--require-hashes" in part or "--no-deps --no-index" in part for part in installs)


@pytest.mark.parametrize("name", ALL)
def test_what_is_copied_is_there_and_is_let_into_the_build(name):
    allowed = (DEPLOY / f"{name}.dockerignore").read_text().splitlines()
    for line in lines(name):
        if line.startswith("COPY") and "--from" not in line:
            for source in line.split()[1:-1]:
                assert (ROOT / source).exists(), source
                assert any(source.startswith(entry[1:].rstrip("/")) for entry in allowed if entry.startswith("!")), (
                    source
                )


@pytest.mark.parametrize(("lock", "extras", "left_out"), [
    ("server.txt", ("server", "redis", "tracing", "heif"), set()),
    ("server-cuda.txt", ("server", "redis", "tracing", "heif", "gpu"), {"onnxruntime"}),
])  # fmt: skip
def test_the_locks_hold_what_the_extras_ask_for(lock, extras, left_out):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = project["dependencies"] + [one for extra in extras for one in project["optional-dependencies"][extra]]
    text = (ROOT / "requirements" / lock).read_text()
    pinned = set(re.findall(r"^([a-z0-9._-]+)==", text, re.MULTILINE))
    assert {re.match(r"[A-Za-z0-9._-]+", one)[0] for one in asked} - pinned == left_out
    blocks = re.split(r"\n(?=[a-z0-9])", text.strip())
    assert all("--hash=sha256:" in block for block in blocks)


def test_the_lock_of_the_service_is_that_of_the_checks():
    pins = {name: set(re.findall(r"^[a-z0-9._-]+==\S+", (ROOT / "requirements" / name).read_text(), re.MULTILINE))
            for name in ("server.txt", "dev.txt")}  # fmt: skip
    assert pins["server.txt"] <= pins["dev.txt"], "run scripts/lock: what is deployed is not what is tested"
