"""Traces by OpenTelemetry: a span a request, a span a stage of its work; off unless an endpoint is named.

`OTEL_EXPORTER_OTLP_ENDPOINT` names it, and the other `OTEL_…` variables of the specification hold (headers, sampler,
service name, `OTEL_SDK_DISABLED`). A span holds what a log line holds: never a path, a query, an address or a key.
"""

from __future__ import annotations

import importlib.util
import os
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, Protocol

import cleancut
from cleancut.apps.server.trail import Trail
from cleancut.errors import BadSetting

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SpanExporter

ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
_NEEDED = ("opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http")


class Tracing(Protocol):
    """What traces requests."""

    def request(self, trail: Trail, headers: Mapping[str, str]) -> AbstractContextManager[Any]:
        """Trace what happens within; the stages of the trail become spans at its end."""

    def answered(self, span: Any, method: str, route: str, status: int) -> None:
        """Note how it ended."""

    def stop(self) -> None:
        """Send what was not sent yet."""


def start(environ: Mapping[str, str] | None = None, *, follow: bool = False) -> Tracing:
    """Begin to trace if an endpoint is named.

    Args:
        environ: of the process, by default.
        follow: continue the trace that a `traceparent` header names; only behind a proxy of yours, as a stranger
            could join traces of others or switch theirs off.

    Raises:
        BadSetting: an endpoint is named and the extra is not installed.
    """
    environ = os.environ if environ is None else environ
    if not any(environ.get(name) for name in ENDPOINTS):
        return Off()
    if not all(map(_installed, _NEEDED)):
        raise BadSetting(
            f"{ENDPOINTS[0]} is set, but OpenTelemetry is not installed; "
            "run pip install 'cleancut[tracing]', or unset the variable."
        )
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415

    return traced(OTLPSpanExporter(), follow=follow)


def traced(exporter: SpanExporter, *, follow: bool = False, at_once: bool = False) -> Spans:
    """Trace to an exporter.

    Args:
        exporter: takes the spans.
        follow: continue traces of callers.
        at_once: hand each span over when it ends, as tests want it, not in batches of another thread.
    """
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415 - an extra, loaded where it is used
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor  # noqa: PLC0415

    named = {"service.version": cleancut.__version__}
    if not os.environ.get("OTEL_SERVICE_NAME"):
        named["service.name"] = "cleancut"
    provider = TracerProvider(resource=Resource.create(named))
    provider.add_span_processor(SimpleSpanProcessor(exporter) if at_once else BatchSpanProcessor(exporter))
    return Spans(provider, follow=follow)


class Off:
    """Traces nothing."""

    def request(self, trail: Trail, headers: Mapping[str, str]) -> AbstractContextManager[Any]:
        """Do nothing."""
        return nullcontext()

    def answered(self, span: Any, method: str, route: str, status: int) -> None:
        """Do nothing."""

    def stop(self) -> None:
        """Do nothing."""


class Spans:
    """Traces through a provider of its own; the process's global one is left alone."""

    def __init__(self, provider: TracerProvider, *, follow: bool) -> None:
        self._provider = provider
        self._tracer = provider.get_tracer("cleancut", cleancut.__version__)
        self._follow = follow

    @contextmanager
    def request(self, trail: Trail, headers: Mapping[str, str]) -> Iterator[Any]:
        """Make a span of a request and, of its stages, spans within."""
        from opentelemetry.trace import SpanKind, set_span_in_context  # noqa: PLC0415
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator  # noqa: PLC0415

        caller = TraceContextTextMapPropagator().extract(headers) if self._follow else None
        span = self._tracer.start_span("request", context=caller, kind=SpanKind.SERVER)
        try:
            yield span
        finally:
            inside = set_span_in_context(span)
            for name, start, end, busy in _in_nanoseconds(trail):
                stage = self._tracer.start_span(name, context=inside, start_time=start)
                stage.set_attribute("cleancut.busy_seconds", busy)
                stage.end(end)
            span.set_attribute("cleancut.request_id", trail.request_id)
            span.set_attribute("cleancut.model", trail.model)
            span.set_attribute("cleancut.key", trail.key)
            span.set_attribute("cleancut.cached", trail.cached)
            span.end()

    def answered(self, span: Any, method: str, route: str, status: int) -> None:
        """Name the span by its route, and mark what failed on our side."""
        from opentelemetry.trace import StatusCode  # noqa: PLC0415

        span.update_name(f"{method} {route}")
        span.set_attributes({"http.request.method": method, "http.route": route, "http.response.status_code": status})
        if status >= 500:
            span.set_status(StatusCode.ERROR)

    def stop(self) -> None:
        """Send what was not sent yet, and end the thread that sends."""
        self._provider.shutdown()


def _installed(package: str) -> bool:
    try:
        return importlib.util.find_spec(package) is not None
    except ModuleNotFoundError:  # a package above it is absent
        return False


def _in_nanoseconds(trail: Trail) -> Iterable[tuple[str, int, int, float]]:
    """Give a trail's stages in nanoseconds of the epoch, as spans count."""
    zero = time.time_ns() - time.perf_counter_ns()
    for lap in trail.laps:
        yield lap.name, zero + int(lap.start * 1e9), zero + int(lap.end * 1e9), lap.busy
