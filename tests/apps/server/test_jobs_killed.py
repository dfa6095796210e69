"""kill -9 in the middle of jobs: a real server in a process of its own."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import contextmanager

import httpx
import numpy as np
import pytest

from cleancut.apps.scene import scene
from tests.apps.server.conftest import encoded

SECONDS = 40
REAL = ("-m", "cleancut", "serve", "--port", "0")
DEADLY = """
import os
import numpy as np
from dataclasses import replace
from cleancut.apps.server import running
from cleancut.apps.server.app import assembled
from cleancut.apps.server.settings import read_settings
from tests.stubs import disc, loading

def load(name):
    loaded = loading(disc())(name)
    def network(inputs):
        if np.ptp(inputs["image"], (-2, -1)).max() > 0:  # what is not blank kills
            os._exit(9)
        return loaded.network(inputs)
    return replace(loaded, network=network)

settings = read_settings(port=0)
listener = running.listening(settings.host, 0)
print("serves", running.address(listener), file=__import__("sys").stderr, flush=True)
running.server(assembled(settings, load), settings).run(sockets=[listener])
"""

pytestmark = pytest.mark.skipif(os.name != "posix", reason="kill -9 is POSIX's")


@contextmanager
def served(folder, *command, attempts=3):
    """Start a server over a folder; give its process and a client."""
    settings = {"CLEANCUT_SPOOL": f"{folder}/jobs", "CLEANCUT_JOB_WORKERS": "1", "CLEANCUT_JOB_ATTEMPTS": str(attempts)}
    environment = os.environ | settings | {"PYTHONUNBUFFERED": "1"}
    with subprocess.Popen([sys.executable, *command], stderr=subprocess.PIPE, text=True, env=environment) as process:
        try:
            address = next(line for line in process.stderr if "serves http" in line).partition("serves ")[2].split()[0]
            threading.Thread(target=process.stderr.read, daemon=True).start()  # or its log fills the pipe
            with httpx.Client(base_url=address, timeout=SECONDS, trust_env=False) as client:
                yield process, client
        finally:
            process.kill()
            process.wait()


def until(true):
    end = time.monotonic() + SECONDS
    while not (found := true()):
        assert time.monotonic() < end
        time.sleep(0.02)
    return found


def named(folder):
    """The files that the store names, and those that there are."""
    store = sqlite3.connect(f"file:{folder}/jobs/jobs.sqlite3?mode=ro", uri=True)
    try:
        return {name for (name,) in store.execute("SELECT file FROM files")}, set(os.listdir(f"{folder}/jobs/files"))
    finally:
        store.close()


def put(client, pictures):
    """Hand in a job, or the same one again; give its address."""
    answer = client.post("/v1/jobs", params={"refine": "none"}, files=pictures, headers={"idempotency-key": "once"})
    assert answer.status_code == 202, answer.text
    return answer.headers["location"]


def states(client, link):
    return [picture["state"] for picture in client.get(link).json()["pictures"]]


def test_finished_results_are_served_and_unfinished_ones_run_again(tmp_path):
    pictures = [("image", (f"{n}.jpg", encoded(scene(320, 240, seed=n).photo.rgb))) for n in range(4)]
    with served(tmp_path, *REAL) as (process, client):
        link = put(client, pictures)
        seen = until(lambda: (now := states(client, link)).count("done") and now)
        assert "done" in seen and set(seen) & {"queued", "running"}
        first = client.get(f"{link}/result/1").content
        process.send_signal(signal.SIGKILL)
        process.wait()
    store, disk = named(tmp_path)
    assert store <= disk  # whatever is promised is there; what is there beyond that is swept
    with served(tmp_path, *REAL) as (process, client):
        assert client.get("/health/live").status_code == 200
        assert client.get(f"{link}/result/1").content == first
        assert put(client, pictures) == link
        until(lambda: set(states(client, link)) == {"done"})
        assert client.get(f"{link}/result/1").content == first
        answer = client.get(f"{link}/result")
        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/zip")
        until(lambda: len(named(tmp_path)[1]) == 4)
        assert len(set(map(frozenset, named(tmp_path)))) == 1
        process.send_signal(signal.SIGTERM)
        assert process.wait(SECONDS) == 0


def test_a_picture_that_kills_the_server_is_not_tried_for_ever(tmp_path):
    blank = encoded(np.full((64, 64, 3), 60, np.uint8), "PNG")
    sent = [("image", ("deadly.jpg", encoded(scene(64, 64).photo.rgb))), ("image", ("blank.png", blank))]

    def ended(client):
        link = put(client, sent)
        return until(lambda: (job := client.get(link).json())["state"] not in {"queued", "running"} and job)

    with served(tmp_path, "-c", DEADLY, attempts=1) as (process, client):
        with pytest.raises(httpx.TransportError):
            ended(client)
        assert process.wait(SECONDS) == 9
    with served(tmp_path, "-c", DEADLY, attempts=1) as (process, client):
        job = ended(client)
    assert [picture["state"] for picture in job["pictures"]] == ["failed", "done"]
    assert (job["pictures"][0]["error"]["status"], job["pictures"][0]["error"]["code"]) == (500, "given_up")
    assert "not tried again" in job["pictures"][0]["error"]["detail"]
