"""A service in two tiers answers as one does, and says so where it cannot."""

import io
import threading
import time
from contextlib import closing

import httpx
import pytest
from PIL import Image

from cleancut.apps.keys.store import KeyStore
from cleancut.jobs.queue.orders import Handed
from cleancut.jobs.store import Stored
from tests import redis
from tests.apps.queue.conftest import working
from tests.apps.server.conftest import discs, serving, until

JPEG = {"Content-Type": "image/jpeg"}
BLANK = io.BytesIO()
Image.new("RGB", (64, 64), (9, 9, 9)).save(BLANK, "PNG")


def asked(client, photo):
    """Ask in every dialect; give what came, by name."""
    calls = {
        "cut": lambda: client.post("/v1/cut", content=photo, headers=JPEG),
        "json": lambda: client.post("/v1/cut", content=photo, headers={**JPEG, "Accept": "application/json"}),
        "effects": lambda: client.post("/v1/cut?effects=color:color=white&format=webp", content=photo, headers=JPEG),
        "removebg": lambda: client.post(
            "/v1.0/removebg",
            files={"image_file": photo},
            data={"crop": "true", "add_shadow": "true", "roi": "0% 0% 90% 90%"},
        ),
        "zip": lambda: client.post("/v1.0/removebg", files={"image_file": photo}, data={"format": "zip"}),
        "rembg": lambda: client.post("/api/remove", files={"file": photo}, data={"ppm": "true"}),
        "withoutbg": lambda: client.post("/v1/remove-background", files={"image": photo}),
        "photoroom": lambda: client.post("/v1/segment", files={"image_file": photo}, data={"crop": "true"}),
        "clipdrop": lambda: client.post("/remove-background/v1", files={"image_file": photo}),
        "junk": lambda: client.post("/v1/cut", content=b"no picture", headers=JPEG),
        "roi": lambda: client.post("/v1.0/removebg", files={"image_file": photo}, data={"roi": "0px 0px 1px 1px"}),
    }
    return {name: call() for name, call in calls.items()}


def content(answer):
    if "json" not in answer.headers["content-type"]:
        return answer.content
    told = answer.json()
    for timed in ("ms", "models", "latencyMs"):
        if isinstance(told, dict):
            told.pop(timed, None)
    return told


def test_every_dialect_answers_as_one_process_does(house, work, photo):
    with house() as two, work(), serving(discs()) as one:
        here, there = asked(one, photo), asked(two, photo)
    assert {name: answer.status_code for name, answer in there.items()} == {
        name: answer.status_code for name, answer in here.items()
    }
    different = [name for name in here if content(here[name]) != content(there[name]) and name != "json"]
    assert different == []
    assert here["roi"].json() == there["roi"].json()


def test_jobs_have_the_same_wire_format(house, work, photo):
    with house() as client, work():
        key = {"Idempotency-Key": "k"}
        files = [("image", ("a.jpg", photo)), ("image", ("b.jpg", b"no picture"))]
        taken = client.post("/v1/jobs", files=files, headers=key)
        again = client.post("/v1/jobs", files=files, headers=key)
        assert (taken.status_code, taken.json()["id"]) == (202, again.json()["id"])
        path = taken.headers["Location"]
        until(lambda: client.get(path).json()["state"] == "done")
        job = client.get(path).json()
        assert [picture["state"] for picture in job["pictures"]] == ["done", "failed"]
        assert job["pictures"][1]["error"]["status"] == 400
        events = client.get(f"{path}/events").text
        assert '"state":"done"' in events
        alone = client.post("/v1/cut", content=photo, headers=JPEG)
        assert client.get(f"{path}/result/1").content == alone.content
        assert client.delete(path).status_code == 204
        assert client.get(path).status_code == 404


def test_a_repeated_upload_is_answered_from_the_store(house, work, photo):
    seen = []
    with house(cache="memory") as client, work(discs(seen)):
        first = client.post("/v1/jobs", files={"image": photo}).json()["id"]
        until(lambda: client.get(f"/v1/jobs/{first}").json()["state"] == "done")
        count = len(seen)
        assert client.post("/v1/jobs", files={"image": photo}).json()["state"] == "done"
        assert client.post("/v1/cut", content=photo, headers=JPEG).status_code == 200
    assert len(seen) == count


def test_a_service_without_a_cache_keeps_nothing(house, work, photo, server):
    with house(cache="off") as client, work():
        for _ in range(2):
            assert client.post("/v1/cut", content=photo, headers=JPEG).status_code == 200
        place = client.service.tier.place
        place.depot.remove(place.store.expired())
        assert place.store.all() == []
        assert place.depot.paths("files") == {}


def test_nobody_waits_longer_than_the_deadline(house, photo):
    with house({"deadline": 1}) as client:
        answer = client.post("/v1/cut", content=photo, headers=JPEG)
        assert answer.status_code == 504
        place = client.service.tier.place
        until(lambda: place.store.gauges().waiting == 0)
        until(lambda: place.depot.paths("files") == {})


def test_nobody_works_for_who_has_left(house, photo):
    with house() as client:
        with pytest.raises(httpx.ReadTimeout):
            client.post("/v1/cut", content=photo, headers=JPEG, timeout=0.5)
        until(lambda: client.service.tier.place.store.gauges().waiting == 0)


def test_a_worker_that_ends_finishes_what_it_began(house, work, photo):
    begun, end, answers = threading.Event(), threading.Event(), []

    def before():
        begun.set()
        end.wait(10)

    with house() as client, work(discs(before=before)) as worker:
        asking = threading.Thread(
            target=lambda: answers.append(client.post("/v1/cut", content=photo, headers=JPEG).status_code)
        )
        asking.start()
        assert begun.wait(10)
        worker.ending.asked.set()
        until(lambda: httpx.get(f"{worker.health.address}/health/ready", trust_env=False).status_code == 503)
        end.set()
        asking.join(20)
    assert answers == [200]


def test_a_model_that_a_worker_is_not_for_is_left_to_another(house, work, photo, monkeypatch):
    monkeypatch.setattr("cleancut.jobs.queue.worker._ELSEWHERE", 0.1)
    with house() as client, work(models=("u2net",)) as wrong:
        job = client.post("/v1/jobs", files={"image": photo}).json()["id"]
        until(lambda: wrong.crew.outcomes["elsewhere"])
        assert client.get(f"/v1/jobs/{job}").json()["state"] in {"queued", "running"}
        with work(models=("cleancut-small",)):
            until(lambda: client.get(f"/v1/jobs/{job}").json()["state"] == "done")


def test_what_is_asked_for_waits_while_the_version_is_wrong(house, work, photo):
    with house() as client, work() as worker:
        place = client.service.tier.place
        source = Stored("a.jpg", place.depot.write(photo), len(photo))
        job, _ = place.store.put(Handed(owner="", recipe={}, pictures=[source], version="0.0.1"))
        place.turns.send()
        until(lambda: worker.crew.outcomes["elsewhere"])
        assert place.store.get(job.id).state in {"queued", "running"}
        assert worker.crew.outcomes["failed"] == 0


def test_figures_for_whoever_scales(house, work, photo):
    with house() as client:
        client.post("/v1/jobs", files=[("image", photo), ("image", photo + b"x")])
        page = client.get("/metrics").text
        assert 'cleancut_backlog_pictures{state="waiting"} 2.0' in page
        assert "cleancut_backlog_megapixels 0.02304" in page
        with work() as worker:
            until(lambda: worker.crew.outcomes["done"] + worker.crew.outcomes["known"] == 2)
            page = httpx.get(f"{worker.health.address}/metrics", trust_env=False).text
            assert "cleancut_turns_total" in page
            assert "cleancut_backlog_up 1.0" in page
            assert httpx.get(f"{worker.health.address}/nothing", trust_env=False).status_code == 404


def test_redis_away_is_said_and_survived(tmp_path, photo):
    """Away at the start, away in the middle, back with its data, back without."""
    if redis.PROGRAM is None:
        pytest.skip("redis-server is not installed (apt-get install redis-server)")
    storage = str(tmp_path / "depot")
    with redis.server() as server:
        server.kill()
        with serving(None, None, queue=server.url, queue_storage=storage, cache="off") as client:
            assert client.get("/health/ready").status_code == 503
            assert client.post("/v1/jobs", files={"image": photo}).status_code == 503
            assert client.post("/v1/cut", content=photo, headers=JPEG).status_code == 503
            server.start()
            until(lambda: client.get("/health/ready").status_code == 200)
            ids = [client.post("/v1/jobs", files={"image": photo + bytes([n])}).json()["id"] for n in range(3)]
            server.kill()
            assert client.get(f"/v1/jobs/{ids[0]}").status_code == 503
            assert "cleancut_backlog_up 0.0" in client.get("/metrics").text
            server.forget()
            server.start()
            until(lambda: client.get(f"/v1/jobs/{ids[0]}").status_code == 200)
            with working(server.url, storage):
                until(lambda: all(client.get(f"/v1/jobs/{id}").json()["state"] == "done" for id in ids))


def test_a_caller_who_waits_survives_a_redis_without_its_data(tmp_path, photo):
    if redis.PROGRAM is None:
        pytest.skip("redis-server is not installed (apt-get install redis-server)")
    storage, answers = str(tmp_path / "depot"), []
    with redis.server() as server, serving(None, None, queue=server.url, queue_storage=storage) as client:
        until(lambda: client.get("/health/ready").status_code == 200)
        asking = threading.Thread(
            target=lambda: answers.append(client.post("/v1/cut", content=photo, headers=JPEG).status_code)
        )
        asking.start()
        until(lambda: client.service.tier.place.store.gauges().waiting == 1)
        server.kill()
        server.forget()
        time.sleep(0.3)
        server.start()
        with working(server.url, storage):
            asking.join(30)
    assert answers == [200]


def test_keys_are_charged_when_a_job_is_taken(house, photo, tmp_path):
    path = tmp_path / "keys.sqlite"
    with closing(KeyStore(path)) as keys:
        _, key = keys.create("ann", quota=1)
    with house(require_keys=True, keys_file=str(path)) as client:
        headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": "k"}
        statuses = [client.post("/v1/jobs", files={"image": photo}, headers=headers).status_code for _ in range(2)]
        assert statuses == [202, 202]  # the second is the first
        headers["Idempotency-Key"] = "other"
        assert client.post("/v1/jobs", files={"image": photo}, headers=headers).status_code == 402
