"""Count what the service does, for Prometheus.

Every label comes from our own tables: a route's template, a model's name, the id of a key. A stranger's text is never
one, and a label that could still grow without end is cut off.

>>> meter = Meter()
>>> meter.looked(hit=True)
>>> b'cleancut_cache_lookups_total{outcome="hit"} 1.0' in meter.page()
True
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

import cleancut
from cleancut.apps.server.trail import Lap, current
from cleancut.matting.stopwatch import Stopwatch

STAGES: Mapping[str, str] = {
    "waiting": "waiting",
    "read": "decode",
    "shrink": "network",
    "network": "network",
    "key": "network",
    "grabcut": "network",
    "tidy": "refine",
    "marks": "refine",
    "refine": "refine",
    "alpha": "refine",
    "foreground": "refine",
    "effects": "refine",
    "composite": "encode",
    "write": "encode",
}
"""The stage that is counted, by the one that is timed; each once a picture."""

NOW: Mapping[str, str] = {
    "cleancut_queue_waiting": "Requests in the waiting room.",
    "cleancut_queue_limit": "Requests that the waiting room holds.",
    "cleancut_workers_busy": "Workers at work.",
    "cleancut_workers_limit": "Workers there are.",
    "cleancut_cache_bytes": "Bytes of results in the cache.",
    "cleancut_cache_entries": "Results in the cache.",
}
"""What is read off the gate and the cache when Prometheus asks."""

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)
_MOST_LABELS = 500
_OTHERS = "others"


class Meter:
    """The service's counters, in a registry of their own. Threads may share it."""

    def __init__(self) -> None:
        self.registry = here = CollectorRegistry()
        ProcessCollector(registry=here)
        labels = ("method", "route", "status", "model", "key")
        self._requests = Counter("cleancut_requests", "Requests answered.", labels, registry=here)
        about = "From a request's head to its answer's end."
        self._seconds = Histogram("cleancut_request_seconds", about, ("route",), registry=here, buckets=_SECONDS)
        about = "Seconds of a stage of a picture, summed over threads."
        self._stages = Histogram("cleancut_stage_seconds", about, ("stage",), registry=here, buckets=_SECONDS)
        about = "Looks into the cache of results."
        self._looked = Counter("cleancut_cache_lookups", about, ("outcome",), registry=here)
        self._megapixels = Counter("cleancut_megapixels", "Megapixels cut out.", ("key",), registry=here)
        self._network = Counter("cleancut_network_seconds", "Seconds that networks ran.", ("key",), registry=here)
        running = Gauge("cleancut_build_info", "The version that runs.", ("version",), registry=here)
        running.labels(cleancut.__version__).set(1)
        self._models, self._keys = Bounded(_MOST_LABELS), Bounded(_MOST_LABELS)
        for stage in sorted(set(STAGES.values())):
            self._stages.labels(stage)
        for outcome in ("hit", "miss"):
            self._looked.labels(outcome)

    def request(
        self, route: str, status: int, model: str, key: str, *, method: str = "POST", seconds: float | None = None
    ) -> None:
        """Count a request that was answered.

        Args:
            route: the template of the route, such as "/v1/jobs/{job_id}"; never the path that was asked for.
            status: what it was answered with; 499 where the caller left before.
            model: name of the model; empty where none was asked for.
            key: id of the caller's key; empty without one.
            method: of HTTP; what is none of `METHODS` counts as "other".
            seconds: from the head of the request to the end of the answer.
        """
        method = method if method in METHODS else "other"
        self._requests.labels(method, route, str(status), self._models(model), self._keys(key)).inc()
        if seconds is not None:
            self._seconds.labels(route).observe(seconds)

    def stage(self, name: str, seconds: float, end: float | None = None) -> None:
        """Count a stage, to the metrics and to the trace of the request being answered.

        Args:
            name: of the stage.
            seconds: that it took.
            end: when it ended, in seconds of `time.perf_counter`; by default now.
        """
        self._stages.labels(counted(name)).observe(seconds)
        end = time.perf_counter() if end is None else end
        _lap(Lap(name, end - seconds, end, seconds))

    def worked(self, stopwatch: Stopwatch) -> None:
        """Count all stages of a picture that was cut and written."""
        spent = {name: ms / 1000 for name, ms in stopwatch.ms().items()}
        together: dict[str, float] = {}
        for name, seconds in spent.items():
            together[counted(name)] = together.get(counted(name), 0.0) + seconds
        for stage, seconds in together.items():
            self._stages.labels(stage).observe(seconds)
        for name, (start, end) in stopwatch.intervals().items():
            _lap(Lap(name, start, end, spent[name]))

    def work(self, key: str, megapixels: float, network_seconds: float) -> None:
        """Count the work that was done for a key.

        Args:
            key: id of the key; empty without one.
            megapixels: of the source.
            network_seconds: that networks ran for it.
        """
        label = self._keys(key)
        self._megapixels.labels(label).inc(megapixels)
        self._network.labels(label).inc(network_seconds)

    def looked(self, hit: bool) -> None:
        """Count a look into the cache of results."""
        self._looked.labels("hit" if hit else "miss").inc()

    def watch(self, read: Callable[[], Mapping[str, float]]) -> None:
        """Show what `read` gives, by names of `NOW`, whenever Prometheus asks."""
        self.registry.register(_Now(read))

    def page(self) -> bytes:
        """Write all of it in Prometheus' text format."""
        return generate_latest(self.registry)


def counted(name: str) -> str:
    """Name the stage that a timed stage counts to; one of a plug-in's is "other"."""
    return STAGES.get(name, "other")


class Bounded:
    """Lets a number of different labels through, and calls all that come later "others".

    >>> label = Bounded(2)
    >>> [label(text) for text in ("a", "b", "c", "a", "")]
    ['a', 'b', 'others', 'a', '']
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._known: set[str] = set()

    def __call__(self, text: str) -> str:
        """Give a label for a text."""
        if text in self._known or not text:
            return text
        if len(self._known) >= self._most:
            return _OTHERS
        self._known.add(text)
        return text


class _Now(Collector):
    """Reads its figures when it is asked for them."""

    def __init__(self, read: Callable[[], Mapping[str, float]]) -> None:
        self._read = read

    def describe(self) -> Iterable[Metric]:
        """Name nothing beforehand: registering must not read."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Give a gauge a figure."""
        for name, value in self._read().items():
            yield GaugeMetricFamily(name, NOW[name], value)


def _lap(lap: Lap) -> None:
    if trail := current():
        trail.laps.append(lap)
