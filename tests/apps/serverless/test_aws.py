"""The Lambda function: over the real runtime client, with the Runtime API on loopback; and its edges one by one."""

import base64
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from cleancut.apps.scene import scene
from cleancut.apps.serverless import aws
from cleancut.apps.serverless.inprocess import Answer
from cleancut.errors import BadInput
from tests.apps.serverless.runtime_api import RuntimeApi

DEPLOYED = Path(__file__).parents[3] / "deploy" / "aws-lambda"


def event(method="GET", path="/health/live", query="", body=None, stage="$default", **headers):
    """An event of payload format 2.0."""
    made = {
        "version": "2.0",
        "rawPath": path,
        "rawQueryString": query,
        "headers": {"host": "x.lambda-url.eu-central-1.on.aws", **headers},
        "requestContext": {"http": {"method": method, "path": path, "sourceIp": "192.0.2.7"}, "stage": stage},
        "isBase64Encoded": body is not None,
    }
    return made if body is None else made | {"body": base64.b64encode(body).decode()}


def photo():
    stream = io.BytesIO()
    Image.fromarray(scene(96, 120).photo.rgb).save(stream, "JPEG")
    return stream.getvalue()


@pytest.fixture(scope="module")
def function(tmp_path_factory):
    """What is deployed, run by AWS's own runtime."""
    api = RuntimeApi()
    environ = os.environ | {
        "AWS_LAMBDA_RUNTIME_API": api.address,
        "AWS_LAMBDA_FUNCTION_NAME": "cleancut",
        "AWS_LAMBDA_FUNCTION_VERSION": "1",
        "CLEANCUT_HOME": str(tmp_path_factory.mktemp("home")),
        "CLEANCUT_PUBLIC": "1",
        "LAMBDA_TASK_ROOT": str(DEPLOYED),
    }
    command = [sys.executable, "-m", "awslambdaric", "app.handle"]
    errors = tmp_path_factory.mktemp("said") / "stderr"
    with errors.open("w") as said:
        process = subprocess.Popen(command, cwd=DEPLOYED, env=environ, stdout=said, stderr=said)
        try:
            yield api, errors
        finally:
            process.kill()
            process.wait()
            api.close()


def test_a_picture_is_cut_over_the_real_runtime(function):
    api, said = function
    kind, answer = api.ask(event("POST", "/v1/cut", "show=alpha", photo(), **{"content-type": "image/jpeg"}))
    assert (kind, answer["statusCode"], answer["headers"]["content-type"]) == ("response", 200, "image/png")
    picture = Image.open(io.BytesIO(base64.b64decode(answer["body"])))
    assert (picture.mode, picture.size) == ("L", (96, 120))
    lines = [json.loads(line) for line in said.read_text().splitlines() if line.startswith("{")]
    assert any(line.get("route") == "/v1/cut" and line.get("status") == 200 for line in lines)
    assert "192.0.2.7" not in said.read_text()


def test_a_bad_picture_is_answered_and_the_next_one_served(function):
    api, _ = function
    bad = event("POST", "/v1/cut", body=b"no picture", **{"content-type": "image/jpeg"})
    kind, answer = api.ask(bad)
    problem = json.loads(base64.b64decode(answer["body"]))
    assert (kind, answer["statusCode"], problem["code"]) == ("response", 400, "not_a_picture")
    assert api.ask(event())[1]["statusCode"] == 200


def test_metrics_are_not_for_anyone(function):
    assert function[0].ask(event(path="/metrics"))[1]["statusCode"] == 403


def test_another_event_is_told_to_whoever_set_it_up(function):
    kind, answer = function[0].ask({"Records": []})
    assert (kind, answer["errorType"]) == ("error", "BadInput")
    assert "payload format 2.0" in answer["errorMessage"]


@pytest.mark.parametrize("wrong", [{}, {"requestContext": None}, {"requestContext": {"http": "x"}},
                                   {"requestContext": {"http": {"method": "GET", "sourceIp": "x"}}},
                                   event() | {"headers": 7}, event() | {"body": "å", "isBase64Encoded": True},
                                   event() | {"body": 7}, [], None])  # fmt: skip
def test_no_event_of_the_format_is_told_as_such(wrong):
    with pytest.raises(BadInput, match=r"payload format 2\.0"):
        aws.asked(wrong)


def test_an_event_is_read_whole():
    given = event("POST", "/live/v1/cut%20x", "a=1&a=2", b"\x00\xff", stage="live", **{"x-a": "1"})
    asked = aws.asked(given)
    assert (asked.method, asked.path, asked.query, asked.body) == ("POST", "/v1/cut x", "a=1&a=2", b"\x00\xff")
    assert ("x-a", "1") in asked.headers
    assert asked.client == "192.0.2.7"
    assert aws.asked(event() | {"body": "ü"}).body == "ü".encode()


def test_an_answer_as_long_as_lambda_carries_fits_and_a_longer_one_is_told(monkeypatch):
    headers = [("content-type", "image/png"), ("x-request-id", "r" * 64), *((f"x-{n}", "v" * 100) for n in range(50))]
    fits = Answer(200, headers, bytearray(aws.MOST_BODY), aws.MOST_BODY)
    assert len(json.dumps(aws.told(aws.fitting(fits)))) <= aws.MOST_PAYLOAD
    told = aws.fitting(Answer(200, headers, bytearray(aws.MOST_BODY), aws.MOST_BODY + 1))
    problem = json.loads(told.body)
    assert (told.status, problem["status"], problem["code"]) == (413, 413, "too_big")
    assert "4.7 MB" in problem["detail"]
    assert ("x-request-id", "r" * 64) in told.headers
    assert ("content-type", "image/png") not in told.headers


def test_headers_that_come_twice_are_joined():
    assert aws.told(Answer(200, [("vary", "a"), ("vary", "b")]))["headers"] == {"vary": "a, b"}
