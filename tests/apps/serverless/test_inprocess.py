"""A service within this process: asked from threads, begun and ended in good order."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

import pytest
from fastapi import FastAPI, Request, Response

from cleancut.apps.serverless.inprocess import Asked, Here, settings
from cleancut.errors import BadSetting


def asked(path="/", body=b"", method="POST", query=""):
    return Asked(method, path, query, [("X-A", "1"), ("Content-Type", "text/plain")], body, "192.0.2.7")


def app(events, fail=False):
    @asynccontextmanager
    async def lifespan(app):
        if fail:
            raise BadSetting("The service cannot start.")
        events.append("begun")
        yield
        events.append("ended")

    made = FastAPI(lifespan=lifespan)

    @made.post("/{path:path}")
    async def echo(request: Request):
        told = f"{request.url.path}|{request.url.query}|{request.client.host}|{request.headers['x-a']}|"
        body = await request.body()
        gone = await request.is_disconnected()
        return Response(told.encode() + body + str(gone).encode(), headers={"x-b": "2"})

    return made


@pytest.fixture
def here():
    events = []
    service = Here(app(events))
    service.events = events
    yield service
    if service.events[-1] != "ended":
        service.stop()


def test_a_request_goes_in_whole_and_its_answer_comes_out_whole(here):
    answer = here.ask(asked("/a b", b"body", query="x=1"), 1000)
    assert answer.status == 200
    assert bytes(answer.body) == b"/a b|x=1|192.0.2.7|1|bodyFalse"
    assert ("x-b", "2") in answer.headers


def test_of_a_long_answer_only_so_much_is_taken_and_all_is_counted(here):
    answer = here.ask(asked(body=bytes(10_000)), 100)
    assert len(answer.body) == 100
    assert answer.size > 10_000


def test_threads_may_ask_at_once(here):
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda number: here.ask(asked(body=b"%d" % number), 1000).body, range(40)))
    assert all(b"|%dFalse" % number in answer for number, answer in enumerate(answers))


def test_it_ends_in_good_order(here):
    here.ask(asked(), 10)
    here.stop()
    assert here.events == ["begun", "ended"]


def test_what_cannot_start_says_so():
    with pytest.raises(BadSetting, match="cannot start"):
        Here(app([], fail=True))


def test_callers_of_a_function_are_strangers(monkeypatch):
    monkeypatch.setenv("CLEANCUT_HOST", "127.0.0.1")
    assert settings().host == "0.0.0.0"
