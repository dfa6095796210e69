"""Every request is seen once: its id, its line, its count, its trace; none of its words."""

import asyncio

import httpx
import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from cleancut.apps.server import logs, tracing, trail
from cleancut.apps.server.meter import Meter
from cleancut.apps.server.witness import LEFT, UNMATCHED, Witness, template


class Said:
    """A logger that remembers."""

    def __init__(self):
        self.lines = []

    def info(self, event, **words):
        self.lines.append({"event": event, **words})


@pytest.fixture
def seen(monkeypatch):
    """An application under a witness, and what came of it."""
    said, meter, exporter = Said(), Meter(), InMemorySpanExporter()
    monkeypatch.setattr(logs, "logger", lambda name: said)

    async def cut(request: Request):
        trail.note(model="u2netp:refine=1", key="k1", cached=True)
        meter.stage("network", 0.25)
        return PlainTextResponse(request.state.request_id)

    async def fails(request: Request):
        raise ValueError("holiday.jpg")

    class App:
        app = Witness(
            Starlette(routes=[Route("/jobs/{job_id}", cut), Route("/fails", fails), Route("/health/live", cut)]),
            meter,
            tracing.traced(exporter, at_once=True),
        )

    App.lines, App.meter, App.exporter = said.lines, meter, exporter
    return App


def get(app, path, **more):
    async def ask():
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
            return await client.get(path, **more)

    return asyncio.run(ask())


def counted(meter):
    return {
        tuple(sample.labels[name] for name in ("method", "route", "status", "model", "key")): sample.value
        for metric in meter.registry.collect()
        for sample in metric.samples
        if sample.name == "cleancut_requests_total"
    }


def test_an_id_that_is_plain_is_taken_and_another_is_made(seen):
    taken = get(seen.app, "/jobs/1", headers={"X-Request-ID": "order-17"})
    assert (taken.headers["x-request-id"], taken.text) == ("order-17", "order-17")
    for odd in ("two words", "x" * 65, "", "-a", 'a"b'):
        made = get(seen.app, "/jobs/1", headers={"X-Request-ID": odd}).headers["x-request-id"]
        assert made != odd
        assert len(made) == 32


def test_a_line_says_what_happened_and_nothing_of_the_address(seen):
    get(seen.app, "/jobs/j0b-1d?token=secret", headers={"Authorization": "Bearer cc_secret"})
    (line,) = seen.lines
    assert {
        "event": "request",
        "method": "GET",
        "status": 200,
        "model": "u2netp",
        "key": "k1",
        "cached": True,
    }.items() <= (line.items())
    assert line["bytes"] == 32
    assert not any(word in repr(line) for word in ("j0b-1d", "secret", "127.0.0.1"))


def test_a_request_is_counted_and_traced(seen):
    get(seen.app, "/jobs/1")
    assert [labels[2:] for labels in counted(seen.meter)] == [("200", "u2netp", "k1")]
    names = {span.name for span in seen.exporter.get_finished_spans()}
    assert "network" in names
    assert len(names) == 2


def test_what_fails_is_500_and_goes_on_up(seen):
    assert get(seen.app, "/fails").status_code == 500
    assert [labels[2] for labels in counted(seen.meter)] == ["500"]
    assert "holiday" not in repr(seen.lines)


@pytest.mark.parametrize(("status", "logged"), [(200, 0), (503, 0), (500, 1)])
def test_health_is_counted_and_logged_only_where_it_breaks(seen, status, logged):
    class Live:
        path = "/health/live"

    async def app(scope, receive, send):
        scope["route"] = Live()
        await PlainTextResponse("ok", status)(scope, receive, send)

    seen.app._app = app
    get(seen.app, "/health/live")
    assert len(seen.lines) == logged
    assert [labels[1:3] for labels in counted(seen.meter)] == [("/health/live", str(status))]


def test_a_caller_who_leaves_is_counted_as_such(seen):
    async def app(scope, receive, send):
        raise asyncio.CancelledError

    seen.app._app = app
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(seen.app({"type": "http", "method": "GET", "path": "/", "headers": []}, None, None))
    assert [labels[2] for labels in counted(seen.meter)] == [str(LEFT)]


def test_only_templates_of_routes_are_names():
    class Match:
        path = "/v1/jobs/{job_id}"

    assert template({"path": "/v1/jobs/17", "route": Match()}) == "/v1/jobs/{job_id}"
    assert template({"path": "/etc/passwd"}) == UNMATCHED
    assert template({"path": "/x", "route": object()}) == UNMATCHED


def test_requests_at_once_keep_their_trails_apart(seen):
    async def slow(scope, receive, send):
        mine = trail.current()
        await asyncio.sleep(0)
        await asyncio.to_thread(trail.note, model=mine.request_id)
        await PlainTextResponse(trail.current().model)(scope, receive, send)

    seen.app._app = slow

    async def ask():
        async with httpx.AsyncClient(transport=httpx.ASGITransport(seen.app), base_url="http://here") as client:
            asks = [client.get("/", headers={"X-Request-ID": f"r{number}"}) for number in range(20)]
            return [answer.text for answer in await asyncio.gather(*asks)]

    assert asyncio.run(ask()) == [f"r{number}" for number in range(20)]
    assert trail.current() is None
