"""Traces: off without an endpoint, an error without the extra, spans by stage with it."""

import http.server
import threading

import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from cleancut.apps.server import tracing
from cleancut.apps.server.trail import Lap, Trail
from cleancut.errors import BadSetting

PARENT = {"traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}


@pytest.fixture
def exporter():
    return InMemorySpanExporter()


def traced(exporter, trail, headers=(), status=200, **how):
    spans = tracing.traced(exporter, at_once=True, **how)
    with spans.request(trail, dict(headers)) as span:
        spans.answered(span, "POST", "/v1/cut", status)
    spans.stop()
    return {span.name: span for span in exporter.get_finished_spans()}


def test_without_an_endpoint_nothing_is_traced():
    off = tracing.start({})
    assert isinstance(off, tracing.Off)
    with off.request(Trail("r1"), {}) as span:
        off.answered(span, "GET", "/", 200)
    off.stop()


@pytest.mark.parametrize("variable", tracing.ENDPOINTS)
def test_an_endpoint_without_the_extra_is_an_error_at_the_start(monkeypatch, variable):
    monkeypatch.setattr(tracing, "_NEEDED", ("opentelemetry.sdk", "opentelemetry_that_is_absent.trace"))
    with pytest.raises(BadSetting, match=r"cleancut\[tracing\]"):
        tracing.start({variable: "http://127.0.0.1:9"})


def test_a_request_is_a_span_and_each_stage_one_within(exporter):
    trail = Trail("r1", model="u2netp", key="k1")
    trail.laps += [Lap("waiting", 1.0, 1.5, 0.5), Lap("network", 1.5, 1.75, 0.25), Lap("write", 1.6, 1.9, 0.4)]
    spans = traced(exporter, trail)
    root = spans["POST /v1/cut"]
    assert root.kind is SpanKind.SERVER
    assert root.attributes["http.response.status_code"] == 200
    assert (root.attributes["cleancut.model"], root.attributes["cleancut.key"]) == ("u2netp", "k1")
    assert root.resource.attributes["service.name"] == "cleancut"
    for lap in trail.laps:
        stage = spans[lap.name]
        assert stage.parent.span_id == root.context.span_id
        assert (stage.end_time - stage.start_time) / 1e9 == pytest.approx(lap.end - lap.start, abs=1e-6)
        assert stage.attributes["cleancut.busy_seconds"] == lap.busy
    assert (spans["network"].start_time - spans["waiting"].start_time) / 1e9 == pytest.approx(0.5, abs=1e-6)


@pytest.mark.parametrize(
    ("status", "code"), [(200, StatusCode.UNSET), (422, StatusCode.UNSET), (503, StatusCode.ERROR)]
)
def test_only_what_fails_on_our_side_is_an_error(exporter, status, code):
    assert traced(exporter, Trail("r1"), status=status)["POST /v1/cut"].status.status_code is code


def test_a_callers_trace_is_continued_only_where_it_may_be(exporter):
    assert traced(exporter, Trail("r1"), PARENT)["POST /v1/cut"].parent is None
    exporter = InMemorySpanExporter()
    followed = traced(exporter, Trail("r2"), PARENT, follow=True)["POST /v1/cut"]
    assert f"{followed.context.trace_id:032x}" == PARENT["traceparent"].split("-")[1]


def test_garbage_in_a_traceparent_begins_a_trace_of_its_own(exporter):
    garbage = {"traceparent": "00-zz-\n", "tracestate": "x" * 10_000}
    assert traced(exporter, Trail("r1"), garbage, follow=True)["POST /v1/cut"].parent is None


def test_spans_reach_the_endpoint_over_http(monkeypatch):
    got = []

    class Collector(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            got.append((self.path, self.headers["Content-Type"], self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *args):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Collector) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        endpoint = {tracing.ENDPOINTS[0]: f"http://127.0.0.1:{server.server_port}"}
        monkeypatch.setenv(*next(iter(endpoint.items())))
        spans = tracing.start(endpoint)
        with spans.request(Trail("r1"), {}) as span:
            spans.answered(span, "GET", "/v1/models", 200)
        spans.stop()
        server.shutdown()
    ((path, kind, body),) = got
    assert (path, kind) == ("/v1/traces", "application/x-protobuf")
    assert b"GET /v1/models" in body
