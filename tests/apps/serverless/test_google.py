"""The Google function, over its functions framework in a process of its own."""

import io
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from PIL import Image

from cleancut.apps.scene import scene

MAIN = Path(__file__).parents[3] / "deploy" / "google-cloud-function" / "main.py"
SECONDS = 60


@pytest.fixture(scope="module")
def function(tmp_path_factory):
    """What is deployed, run by Google's framework on a port that is free."""
    said = tmp_path_factory.mktemp("said") / "stderr"
    environ = os.environ | {
        "CLEANCUT_HOME": str(tmp_path_factory.mktemp("home")),
        "CLEANCUT_MAX_BODY": "200000",
        "CLEANCUT_PUBLIC": "1",
        "GUNICORN_LOG_LEVEL": "info",
        "THREADS": "4",
    }
    command = [sys.executable, "-m", "functions_framework", "--source", str(MAIN), "--target", "cleancut",
               "--host", "127.0.0.1", "--port", "0"]  # fmt: skip
    with said.open("w") as errors:
        process = subprocess.Popen(command, env=environ, stdout=errors, stderr=errors)
        try:
            with httpx.Client(base_url=listening(said, process), timeout=SECONDS, trust_env=False) as client:
                yield client
        finally:
            process.terminate()
            process.wait()


def listening(said, process):
    """Wait until the framework says where it listens."""
    until = time.monotonic() + SECONDS
    while process.poll() is None and time.monotonic() < until:
        if found := re.search(r"Listening at: (http://127\.0\.0\.1:\d+)", said.read_text()):
            return found[1]
        time.sleep(0.05)
    raise AssertionError(said.read_text())


def photo(side=96):
    stream = io.BytesIO()
    Image.fromarray(scene(side, side).photo.rgb).save(stream, "JPEG")
    return stream.getvalue()


def test_a_picture_is_cut(function):
    answer = function.post("/v1/cut?show=alpha", content=photo(), headers={"Content-Type": "image/jpeg"})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
    picture = Image.open(io.BytesIO(answer.content))
    assert (picture.mode, picture.size) == ("L", (96, 96))


def test_forms_and_errors_pass_through(function):
    answer = function.post("/v1/cut", files={"image": ("a.jpg", b"no picture")})
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")


def test_a_body_that_is_too_long_is_told_so(function):
    assert function.post("/v1/cut", content=bytes(300_000), headers={"Content-Type": "image/jpeg"}).status_code == 413
    assert function.get("/health/live").status_code == 200


def test_callers_are_strangers_though_the_framework_is_on_loopback(function):
    assert function.get("/metrics").status_code == 403
