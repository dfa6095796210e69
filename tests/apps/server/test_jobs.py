"""/v1/jobs as a caller sees it."""

import doctest
import hashlib
import hmac
import io
import json
import stat
import threading
import time
import zipfile
from base64 import b64decode, b64encode
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cleancut.apps.fetch.get import Fetcher
from cleancut.apps.keys.store import KeyStore
from cleancut.apps.server.jobs.events import since
from cleancut.apps.server.jobs.shown import revived
from cleancut.apps.server.jobs.webhooks import Webhooks
from cleancut.errors import Broken, NotAPicture
from cleancut.jobs.store import Failure, Job
from tests.apps.server.conftest import SECONDS, encoded
from tests.stubs import disc, loading

JOBS = "/v1/jobs"
JPEG = {"content-type": "image/jpeg"}


@pytest.fixture(scope="module")
def spotted():
    """Three pictures that differ, by name."""
    return {f"{n}.png": encoded(np.full((40, 30 + n, 3), 40 * n, np.uint8), "PNG") for n in (1, 2, 3)}


def images(pictures):
    return [("image", (name, data)) for name, data in pictures.items()]


def put(client, *, status=202, **sent):
    answer = client.post(JOBS, **sent)
    assert answer.status_code == status, answer.text
    return answer.json()


def ended(client, job):
    until = time.monotonic() + SECONDS
    while (now := client.get(job["links"]["self"]).json())["state"] in {"queued", "running"}:
        assert time.monotonic() < until
        time.sleep(0.02)
    return now


class Gated:
    """A network that stands still until it is let go."""

    def __init__(self):
        self.begun, self.go = threading.Event(), threading.Event()
        self._load = loading(disc())

    def __call__(self, name):
        from dataclasses import replace

        loaded = self._load(name)

        def network(inputs):
            if np.ptp(inputs["image"], (-2, -1)).max() > 0:  # the picture that warms the service is blank
                self.begun.set()
                assert self.go.wait(SECONDS)
            return loaded.network(inputs)

        return replace(loaded, network=network)


@pytest.fixture
def gated():
    gate = Gated()
    yield gate
    gate.go.set()


def events_of(client, job, seen=None, until=None):
    """Follow a job to its end; a network that stands still is let go once it is told of."""
    headers = {} if seen is None else {"last-event-id": str(seen)}
    with client.stream("GET", job["links"]["events"], headers=headers) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        text = ""
        for piece in answer.iter_text():
            text += piece
            if until is not None and '"cutting"' in text:
                until.go.set()
    blocks = [
        dict(line.split(": ", 1) for line in block.split("\n")) for block in text.split("\n\n") if "id: " in block
    ]
    return [(int(block["id"]), block["event"], json.loads(block["data"])) for block in blocks]


def spooled(client):
    return sorted(path for path in Path(client.service.settings.spool, "files").iterdir())


def left_over(client, count):
    """Wait until the spool holds so many files: one that is not needed any more goes a moment after its row."""
    until = time.monotonic() + SECONDS
    while len(spooled(client)) != count:
        assert time.monotonic() < until
        time.sleep(0.02)


def test_one_picture(client, photo):
    answer = client.post(JOBS, content=photo, headers=JPEG, params={"format": "webp", "refine": "none"})
    job = answer.json()
    assert (answer.status_code, answer.headers["location"]) == (202, f"{JOBS}/{job['id']}")
    now = ended(client, job)
    assert (now["state"], now["progress"]) == ("done", {"total": 1, "done": 1, "failed": 0})
    result = client.get(job["links"]["result"])
    assert (result.status_code, result.headers["content-type"]) == (200, "image/webp")
    assert int(result.headers["content-length"]) == len(result.content) == now["pictures"][0]["result"]["bytes"]
    same = client.post("/v1/cut", content=photo, headers=JPEG, params={"format": "webp", "refine": "none"})
    assert result.content == same.content
    about = now["pictures"][0]["result"]
    assert (about["size"], about["model"], about["media_type"]) == ([96, 120], "cleancut-small", "image/webp")


def test_several_pictures_are_a_zip_and_each_is_there_by_itself(client, spotted):
    pictures = dict(spotted) | {"4.png": b"no picture"}
    job = put(client, files=images(pictures), data={"effects": "color:white"})
    now = ended(client, job)
    assert [each["state"] for each in now["pictures"]] == ["done", "done", "done", "failed"]
    assert (now["state"], now["pictures"][3]["error"]["code"]) == ("done", "not_a_picture")
    answer = client.get(job["links"]["result"])
    assert answer.headers["content-type"] == "application/zip"
    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    assert archive.testzip() is None
    names = [f"{n}_{n}_no_bg.png" for n in (1, 2, 3)]
    assert archive.namelist() == [*names, "report.json"]
    report = json.loads(archive.read("report.json"))
    assert [each["file"] for each in report] == [*names, None]
    for number, name in enumerate(names, 1):
        alone = client.get(f"{job['links']['result']}/{number}")
        assert alone.content == archive.read(name)
        assert Image.open(io.BytesIO(alone.content)).size == (30 + number, 40)
    assert client.get(f"{job['links']['result']}/4").status_code == 400
    assert client.get(f"{job['links']['result']}/5").status_code == 404


def test_a_picture_that_a_recipe_names_comes_along(client, photo, spotted):
    job = put(client, files=[("image", ("a.jpg", photo)), ("sky", ("b.png", spotted["1.png"]))],
              data={"effects": "behind:picture=sky"})  # fmt: skip
    assert ended(client, job)["state"] == "done"


def test_a_job_that_failed_answers_with_why(client):
    job = put(client, content=b"no picture", headers=JPEG)
    assert ended(client, job)["state"] == "failed"
    answer = client.get(job["links"]["result"])
    assert (answer.status_code, answer.json()["code"]) == (400, "not_a_picture")
    both = put(client, files=[("image", ("a", b"x")), ("image", ("b", b"y"))])
    assert ended(client, both)["state"] == "failed"
    assert client.get(both["links"]["result"]).status_code == 400


def test_nothing_is_given_before_it_is_done(serve, gated, photo):
    client = serve(gated)
    job = put(client, content=photo, headers=JPEG)
    assert gated.begun.wait(SECONDS)
    running = client.get(job["links"]["self"]).json()
    assert (running["state"], running["pictures"][0]["stage"]) == ("running", "cutting")
    for link in ("result", "result/1"):
        answer = client.get(f"{job['links']['self']}/{link}")
        assert (answer.status_code, answer.json()["code"]) == (409, "not_done")
    gated.go.set()
    assert ended(client, job)["state"] == "done"


def test_events_tell_of_every_stage_and_end_with_the_job(serve, gated, photo):
    client = serve(gated)
    job = put(client, content=photo, headers=JPEG)
    told = events_of(client, job, until=gated)
    ids = [id for id, _, _ in told]
    assert ids == sorted(ids)
    assert told[-1][1:] == ("job", told[-1][2])
    assert (told[-1][2]["state"], told[-1][2]["progress"]["done"]) == ("done", 1)
    assert "cutting" in [data.get("stage") for _, name, data in told if name == "picture"]
    again = events_of(client, job, seen=ids[-2])
    assert [id for id, _, _ in again] == ids[-1:]
    over = client.get(job["links"]["events"], headers={"last-event-id": str(ids[-1])})
    assert over.status_code == 204


def test_events_are_told_once_and_in_order():
    job = Job("id", "", "running", 0, None, 1, 9, 3, None, 0, ())
    assert [revision for revision, _ in since(job, 0)] == [3]
    assert since(job, 3) == []


def test_those_who_follow_are_bounded(serve, gated, photo):
    client = serve(gated, limits={"jobs_watched": 1})
    job = put(client, content=photo, headers=JPEG)
    with client.stream("GET", job["links"]["events"]) as first:
        told = first.iter_text()  # held, as httpx closes the connection with it
        next(told)
        refused = client.get(job["links"]["events"])
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "5")


def test_cancelling_drops_the_work_and_wipes_everything(serve, gated, photo):
    client = serve(gated)
    job = put(client, content=photo, headers=JPEG)
    assert gated.begun.wait(SECONDS)
    assert client.delete(job["links"]["self"]).status_code == 204
    assert spooled(client) == []
    left = client.get(job["links"]["self"]).json()
    assert (left["state"], left["pictures"]) == ("cancelled", [])
    assert client.get(job["links"]["result"]).status_code == 410
    gated.go.set()
    assert events_of(client, job)[-1][2]["state"] == "cancelled"
    left_over(client, 0)
    assert client.delete(job["links"]["self"]).status_code == 204
    assert client.get(job["links"]["self"]).status_code == 404


def test_deleting_wipes_a_result(serve, photo):
    client = serve()
    job = put(client, content=photo, headers=JPEG)
    ended(client, job)
    assert len(spooled(client)) in {1, 2}  # the result, and for a moment yet the source
    assert client.delete(job["links"]["self"]).status_code == 204
    for link in ("self", "result", "events"):
        assert client.get(job["links"][link]).status_code == 404
    left_over(client, 0)


def test_what_is_sent_twice_is_one_job(serve, photo, spotted):
    client = serve()
    key = {"idempotency-key": "order-17"}
    first = client.post(JOBS, content=photo, headers=JPEG | key)
    again = client.post(JOBS, content=photo, headers=key)
    assert (again.status_code, again.json()["id"]) == (202, first.json()["id"])
    assert (first.headers["idempotency-replayed"], again.headers["idempotency-replayed"]) == ("false", "true")
    for other in ({"content": spotted["1.png"]}, {"content": photo, "params": {"format": "webp"}}):
        refused = client.post(JOBS, headers=JPEG | key, **other)
        assert (refused.status_code, refused.json()["code"]) == (422, "key_reused")
    ended(client, first.json())
    left_over(client, 1)


def test_what_is_sent_twice_at_once_is_one_job(client, photo):
    ids, key = [], {"idempotency-key": "at-once"}

    def send():
        ids.append(put(client, content=photo, headers=JPEG | key)["id"])

    threads = [threading.Thread(target=send) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ids) == 6 and len(set(ids)) == 1


@pytest.mark.parametrize("key", ["", "x" * 256, "two words"])
def test_keys_that_are_none(client, photo, key):
    assert put(client, status=400, content=photo, headers=JPEG | {"idempotency-key": key})["code"] == "bad_input"


@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        ({"content": b""}, 400, "bad_input"),
        ({"json": {"image": "aGk", "modle": "x"}}, 422, "bad_recipe"),
        ({"content": b"x", "headers": JPEG, "params": {"model": "no-such"}}, 422, "unknown_model"),
        ({"files": [("image", b"x")] * 21}, 413, "too_big"),
        ({"content": b"x", "headers": JPEG, "params": {"webhook": "https://example.org"}}, 403, "urls_off"),
        ({"json": {"image": "aGk", "webhook": ["https://example.org"]}}, 400, "bad_input"),
        ({"json": {"url": "https://example.org/a.png"}}, 403, "urls_off"),
    ],
)
def test_bad_orders_are_refused_and_leave_nothing(serve, sent, status, code):
    client = serve()
    assert put(client, status=status, **sent)["code"] == code
    assert spooled(client) == []


@pytest.mark.parametrize("id", ["x", "..", "%2e%2e%2fjobs.sqlite3", "a" * 500, "%00"])
def test_jobs_that_are_none(client, id):
    for method, end in (("GET", ""), ("GET", "/result"), ("GET", "/result/1"), ("GET", "/events"), ("DELETE", "")):
        assert client.request(method, f"{JOBS}/{id}{end}").status_code in {404, 405}


def test_limits_of_a_job(serve, photo):
    client = serve(limits={"job_pictures": 2, "jobs_per_key": 1, "spool_bytes_per_key": len(photo) * 4})
    many = put(client, status=413, files=[("image", photo)] * 3)
    assert "2 are the most" in many["detail"]
    put(client, content=photo, headers=JPEG)
    refused = client.post(JOBS, content=photo, headers=JPEG)
    assert (refused.status_code, refused.json()["code"], refused.headers["retry-after"]) == (429, "too_many_jobs", "60")


@pytest.mark.parametrize("limits", [{"spool_bytes": 100}, {"spool_spare": 10**18}])
def test_a_full_spool_refuses_with_507(serve, photo, limits):
    client = serve(limits=limits)
    assert put(client, status=507, content=photo, headers=JPEG)["code"] == "no_room"
    assert spooled(client) == []
    assert client.post("/v1/cut", content=photo, headers=JPEG).status_code == 200


def test_a_service_without_jobs_says_so(serve, photo):
    client = serve(jobs=False)
    assert "/v1/cut" in put(client, status=404, content=photo, headers=JPEG)["detail"]
    assert not Path(client.service.settings.spool).exists()


def test_the_spool_is_private_and_results_go_when_retention_ends(serve, photo):
    client = serve(limits={"job_retention": 1})
    job = put(client, content=photo, headers=JPEG)
    ended(client, job)
    root = Path(client.service.settings.spool)
    assert stat.S_IMODE(root.stat().st_mode) == 0o700
    until = time.monotonic() + SECONDS
    while client.get(job["links"]["self"]).status_code == 200:
        assert time.monotonic() < until
        time.sleep(0.1)
    left_over(client, 0)
    assert client.get(job["links"]["result"]).json()["code"] == "no_such_job"


def test_jobs_go_behind_requests(serve, gated, photo):
    client = serve(gated, limits={"workers": 1, "job_workers": 1})
    job = put(client, content=photo, headers=JPEG)
    assert gated.begun.wait(SECONDS)
    assert client.service.gate.busy == 1
    gated.go.set()
    assert client.post("/v1/cut", content=photo, headers=JPEG).status_code == 200
    assert ended(client, job)["state"] == "done"


@contextmanager
def receiver(statuses):
    """Answers one POST after another with these statuses, and notes them."""
    got = []

    class Answers(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"]))
            got.append(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(statuses[min(len(got), len(statuses)) - 1])
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *told):
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/hook", server.server_port, got
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def verified(headers, body, secret):
    key = b64decode(secret.removeprefix("whsec_"))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = b"v1," + b64encode(hmac.digest(key, signed, "sha256"))
    return hmac.compare_digest(expected, headers["webhook-signature"].encode())


@pytest.mark.parametrize("status", [204, 500])
def test_a_webhook_tells_that_a_job_has_ended(serve, photo, status):
    client = serve(allow_urls=True)
    client.get("/health/live")  # it has started
    desk = client.app.state.desk
    with receiver([status]) as (url, port, got):
        fetcher = Fetcher(on=True, ports={port}, allowed=lambda address: True)
        desk.webhooks = Webhooks(b"s" * 32, fetcher)
        job = put(client, content=photo, headers=JPEG, params={"webhook": url})
        secret = job["webhook"]["secret"]
        until = time.monotonic() + SECONDS
        wanted = "delivered" if status == 204 else "pending"
        while not got or client.get(job["links"]["self"]).json()["webhook"]["state"] != wanted:
            assert time.monotonic() < until
            time.sleep(0.02)
        fetcher.close()
    headers, body = got[0]
    assert verified(headers, body, secret)
    assert not verified(headers, body + b" ", secret)
    told = json.loads(body)
    assert (told["type"], told["data"]["id"], told["data"]["state"]) == ("job.done", job["id"], "done")
    assert abs(int(headers["webhook-timestamp"]) - time.time()) < 60
    assert "secret" not in client.get(job["links"]["self"]).json()["webhook"]


def test_keys_have_secrets_of_their_own():
    webhooks = Webhooks(b"s" * 32, Fetcher(on=False))

    def job(id, owner):
        return Job(id, owner, "done", 0, 0, 0, 1, 1, None, 0, ())

    assert webhooks.secret(job("1", "ann")) == webhooks.secret(job("2", "ann"))
    assert len({webhooks.secret(job(*who)) for who in (("1", "ann"), ("1", "bob"), ("1", ""), ("2", ""))}) == 4
    assert hashlib.sha256(b"s" * 32).digest() != webhooks.secret(job("1", "ann"))


def test_failures_are_errors_again():
    assert isinstance(revived(Failure(400, "NotAPicture", "No.")), NotAPicture)
    for name in ("annotations", "Nothing", "Exception"):
        assert type(revived(Failure(500, name, "No."))) is Broken


def test_a_job_belongs_to_its_key(serve, photo, tmp_path):
    with closing(KeyStore(tmp_path / "keys.sqlite")) as keys:
        ann, bob = (keys.create(name, scopes=frozenset({"jobs"}))[1] for name in ("ann", "bob"))
        cutter = keys.create("cutter", scopes=frozenset({"cut"}))[1]
    client = serve(require_keys=True, keys_file=str(tmp_path / "keys.sqlite"))
    as_ann, as_bob, as_cutter = ({"X-API-Key": text} for text in (ann, bob, cutter))
    job = put(client, content=photo, headers=JPEG | as_ann)
    for link in job["links"].values():
        assert client.get(link, headers=as_bob).json()["code"] == "no_such_job"
    assert client.delete(job["links"]["self"], headers=as_bob).status_code == 404
    assert client.get(JOBS, headers=as_bob).json() == {"jobs": []}
    assert [found["id"] for found in client.get(JOBS, headers=as_ann).json()["jobs"]] == [job["id"]]
    assert put(client, status=403, content=photo, headers=JPEG | as_cutter)["code"] == "not_allowed"
    assert put(client, status=403, content=photo, headers=JPEG)["code"] == "no_key"
    until = time.monotonic() + SECONDS
    while client.get(job["links"]["self"], headers=as_ann).json()["state"] != "done":
        assert time.monotonic() < until
        time.sleep(0.02)
    assert client.get(job["links"]["result"], headers=as_ann).status_code == 200


def test_without_keys_none_is_listed(client, photo):
    put(client, content=photo, headers=JPEG)
    assert client.get(JOBS).json() == {"jobs": []}


def test_what_the_docs_say_of_webhooks_holds():
    done = doctest.testfile(str(Path(__file__).parents[3] / "docs" / "jobs.md"), module_relative=False)
    assert done.attempted >= 6 and not done.failed
