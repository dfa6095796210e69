"""A service from its start to its end: what it says of itself, when it is ready, and how it leaves."""

import os
import re
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager

import httpx
import pytest

from cleancut.apps.cli import run
from cleancut.errors import NotDownloaded
from tests.apps.server.conftest import SECONDS, discs, until

CUT = "/v1/cut"
JPEG = {"content-type": "image/jpeg"}


@contextmanager
def process(*flags):
    """`cleancut serve` as a user starts it, on a free port; give the process and a client."""
    command = [sys.executable, "-m", "cleancut", "serve", "--port", "0", *flags]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=os.environ) as started:
        try:
            banner = started.stderr.readline()
            found = re.search(r"http://[\d.]+:\d+", banner)
            assert found, banner + started.stderr.read()
            with httpx.Client(base_url=found[0], timeout=SECONDS, trust_env=False) as client:
                yield started, client
        finally:
            started.kill()


def ready(client):
    return client.get("/health/ready").status_code == 200


def test_told_to_end_it_finishes_what_was_admitted_and_ends_with_0(photo):
    with process("--workers", "1") as (started, client):
        assert client.get("/health/live").json() == {"status": "live"}
        until(lambda: ready(client))
        answers = []

        def ask(side):
            with httpx.Client(base_url=client.base_url, timeout=SECONDS, trust_env=False) as one:
                answers.append(one.post(f"{CUT}?max_side={side}&format=avif", content=photo, headers=JPEG))

        asking = [threading.Thread(target=ask, args=(60 + side,)) for side in range(4)]
        for thread in asking:
            thread.start()
        until(lambda: admitted(client) + len(answers) >= 4)  # one that is not yet read would be cut off
        started.send_signal(signal.SIGTERM)
        for thread in asking:
            thread.join(SECONDS)
        assert started.wait(SECONDS) == 0
        assert {answer.status_code for answer in answers} <= {200, 503} and answers
        assert any(answer.status_code == 200 for answer in answers)
        assert photo[:20].hex() not in started.stderr.read()


def admitted(client):
    """How many pictures the service works on or lets wait."""
    values = dict(line.rsplit(" ", 1) for line in client.get("/metrics").text.splitlines() if line[0] != "#")
    return float(values["cleancut_workers_busy"]) + float(values["cleancut_queue_waiting"])


def test_it_is_live_before_it_is_ready_and_says_when_it_ends(serve):
    go = threading.Event()
    quick = discs()

    def load(name):
        assert go.wait(SECONDS)
        return quick(name)

    client = serve(load)
    assert client.get("/health/live").status_code == 200
    waiting = client.get("/health/ready")
    assert (waiting.status_code, waiting.json()) == (503, {"status": "starting"})
    go.set()
    until(lambda: ready(client))
    client.service.gate.close()
    assert client.get("/health/ready").json() == {"status": "closing"}
    assert client.get("/health/live").status_code == 200


@pytest.mark.parametrize(
    ("error", "detail"),
    [(NotDownloaded("Run cleancut models pull u2net."), "Run cleancut models pull u2net."),
     (RuntimeError("secret"), "The default model does not answer.")],
)  # fmt: skip
def test_a_model_that_does_not_answer_is_told(serve, error, detail, caplog):
    def load(name):
        raise error

    client = serve(load)
    until(lambda: client.service.failure is not None)
    told = client.get("/health/ready")
    assert (told.status_code, told.json()) == (503, {"status": "failed", "detail": detail})


def test_work_under_way_is_finished_when_the_service_ends(serve, photo):
    go, begun, answers = threading.Event(), threading.Event(), []
    client = serve(limits={"workers": 1})
    until(lambda: ready(client))
    client.service.load = discs(before=lambda: (begun.set(), go.wait(SECONDS)))
    asking = threading.Thread(target=lambda: answers.append(client.post(CUT, content=photo, headers=JPEG)))
    asking.start()
    assert begun.wait(SECONDS)
    client.service.gate.close()
    with httpx.Client(base_url=client.base_url, trust_env=False) as other:
        refused = other.post(CUT, content=photo, params={"show": "alpha"}, headers=JPEG)
    assert (refused.status_code, refused.json()["code"]) == (503, "closing")
    assert int(refused.headers["retry-after"]) > 0
    go.set()
    asking.join(SECONDS)
    assert answers[0].status_code == 200


def test_what_takes_too_long_is_a_504(serve, photo):
    go = threading.Event()
    client = serve(limits={"deadline": 1})
    until(lambda: ready(client))
    client.service.load = discs(before=lambda: go.wait(SECONDS))
    late = client.post(CUT, content=photo, headers=JPEG)
    assert (late.status_code, late.json()["code"]) == (504, "deadline")
    go.set()
    until(lambda: client.service.gate.busy == 0)
    assert client.post(CUT, content=photo, headers=JPEG).status_code == 200


def test_strangers_are_not_served_by_accident(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("CLEANCUT_KEYS_FILE", str(tmp_path / "keys.sqlite"))
    assert run(["serve", "--host", "0.0.0.0", "--port", "0"]) == 2
    assert "--public" in capsys.readouterr().err


def test_a_port_that_is_taken_is_told(client, capsys):
    assert run(["serve", "--port", str(client.base_url.port)]) == 2
    assert "choose another --port" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--cache", "nowhere"], "--cache"),
        (["--port", "a"], "CLEANCUT_PORT"),
        (["--max-body", "0"], "--max-body"),
        (["--batch", "1000"], "CLEANCUT_BATCH"),
        (["--device", "abacus"], "no device 'abacus'"),
        (["--cache", "disk"], "CLEANCUT_CACHE_DIR"),
    ],
)
def test_a_setting_that_does_not_fit_is_told(capsys, flags, said):
    assert run(["serve", *flags]) != 0
    err = capsys.readouterr().err
    assert said in err and "Traceback" not in err


def test_a_variable_that_does_not_fit_is_told(monkeypatch, capsys):
    monkeypatch.setenv("CLEANCUT_PUBLIC", "perhaps")
    assert run(["serve"]) == 2
    assert "CLEANCUT_PUBLIC" in capsys.readouterr().err
    monkeypatch.delenv("CLEANCUT_PUBLIC")
    monkeypatch.setenv("CLEANCUT_DEADLINE", "soon")
    assert run(["serve"]) == 2
    assert "CLEANCUT_DEADLINE" in capsys.readouterr().err


def test_every_setting_and_limit_is_a_flag_but_secrets(capsys):
    assert run(["serve", "--help"]) == 0
    said = capsys.readouterr().out
    shown = ("--host", "--port", "--model", "--public", "--allow-urls", "--proxy-headers", "--workers", "--deadline")
    for flag in (*shown, "--max-body", "--max-bytes", "--cache-seconds"):
        assert flag in said
    assert "secret" not in said and "--redis-url" not in said


def test_doctor_shows_the_limits(monkeypatch, capsys):
    import json

    monkeypatch.setenv("CLEANCUT_WAITING", "7")
    assert run(["doctor", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["service_limits"]["waiting"] == 7


def test_the_docs_ask_no_other_server_for_anything(client):
    page = client.get("/docs")
    assert page.headers["content-type"].startswith("text/html")
    assert "/v1/cut" in page.text and "<script" not in page.text
    assert not re.findall(r"(?:src|href|action)=\"(?:https?:)?//", page.text)
    assert page.headers["referrer-policy"] == "same-origin"  # or its form would be sent from the origin "null"
    assert client.get("/docs.css").headers["content-type"].startswith("text/css")


def test_the_form_of_the_docs_is_answered(client, photo):
    origin = str(client.base_url).rstrip("/")
    sent = {"origin": origin, "sec-fetch-site": "same-origin", "accept": "text/html,image/webp,*/*;q=0.8"}
    fields = {"effects": "", "format": "png"}
    answer = client.post("/v1/cut", files={"image": ("a.jpg", photo)}, data=fields, headers=sent)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
    nothing = client.post("/v1/cut", files={"image": ("", b"")}, data=fields, headers=sent)
    assert (nothing.status_code, nothing.json()["detail"][:19]) == (400, "There is no picture")
