"""`cleancut worker`, really started: it works, is killed, poisoned, ended; a small chaos."""

import io
import os
import subprocess
import sys
import time
from collections import Counter

import pytest
from PIL import Image

from cleancut.apps.cli import main
from cleancut.apps.scene import scene
from tests import redis
from tests.apps.server.conftest import encoded

pytestmark = [redis.needed, pytest.mark.skipif(os.name != "posix", reason="kill -9 is POSIX's")]

JPEG = {"Content-Type": "image/jpeg"}

DEADLY = """
import os, sys
import numpy as np
from dataclasses import replace
from cleancut.apps import worker
from cleancut.jobs.queue import turns
from cleancut.models.runtime import Engine
from tests.stubs import disc, loading

def load(engine, name):
    loaded = loading(disc())(name)
    def network(inputs):
        if np.ptp(inputs["image"], (-2, -1)).max() > 0:  # what is not blank kills
            os._exit(9)
        return loaded.network(inputs)
    return replace(loaded, network=network)

Engine.load = load
turns.HEARTBEAT_MS = 1500  # seen to be dead sooner than in life, so that the test is short
worker.worker(standalone_mode=False)
"""


def blank():
    stream = io.BytesIO()
    Image.new("RGB", (48, 40), (90, 120, 60)).save(stream, "PNG")
    return stream.getvalue()


def test_killed_workers_and_redis_lose_nothing():
    from bench.chaos import run

    outcomes, killed, count = run(jobs=8, kills=3, workers=2, seed=3)
    assert outcomes == Counter({"right": 8})
    assert count == 8
    assert sum(killed.values()) == 3


def test_a_poisoned_picture_is_given_up_and_takes_nobody_with_it():
    """Whoever works on it dies and is started again, as an orchestrator would."""
    from bench.chaos import tiers

    photo = encoded(scene(40, 48).photo.rgb)
    with tiers(CLEANCUT_JOB_ATTEMPTS="2") as house, house.serving() as client:
        files = [("image", ("poison.jpg", photo)), *[("image", (f"{n}.png", blank())) for n in range(3)]]
        job = client.post("/v1/jobs", files=files).json()["id"]
        environ = house.process("w", "worker").environ
        deaths, worker = 0, None
        try:
            begun = time.monotonic()
            while (now := client.get(f"/v1/jobs/{job}").json())["state"] in {"queued", "running"}:
                assert time.monotonic() < begun + 90
                if worker is None or worker.poll() is not None:
                    deaths += worker is not None
                    worker = subprocess.Popen(
                        [sys.executable, "-c", DEADLY, "--port", "0"], env=environ, stderr=subprocess.DEVNULL
                    )
                time.sleep(0.1)
        finally:
            worker.kill()
            worker.wait()
    assert [picture["state"] for picture in now["pictures"]] == ["failed", "done", "done", "done"]
    assert now["pictures"][0]["error"]["code"] == "given_up"
    assert deaths == 2


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ((), "--queue"),
        (("--queue", "amqp://x"), "redis://"),
        (("--queue", "redis://127.0.0.1:1", "--model", "nothing"), "nothing"),
        (("--queue", "redis://127.0.0.1:1", "--queue-storage", "nowhere://x"), "nowhere"),
    ],
)
def test_what_cannot_be_started_is_said(given, says, capsys, monkeypatch):
    monkeypatch.setattr("sys.argv", ["cleancut", "worker", "--port", "0", *given])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert says in capsys.readouterr().err
