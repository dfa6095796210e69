"""What a queue holds, and what a worker did, for Prometheus and for whoever scales workers by it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from cleancut.errors import CleancutError
from cleancut.jobs.queue.shared import RedisStore
from cleancut.jobs.queue.told import Gauges


class Backlog(Collector):
    """Asks the queue what it holds; one that does not answer is down, and its other figures are absent.

    Args:
        store: of the queue.
    """

    def __init__(self, store: RedisStore) -> None:
        self._store = store

    def describe(self) -> Iterable[Metric]:
        """Name nothing beforehand: registering must not ask."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Give a gauge each."""
        try:
            gauges = self._store.gauges()
        except CleancutError:
            yield GaugeMetricFamily("cleancut_backlog_up", "Whether the queue answers.", 0)
            return
        yield GaugeMetricFamily("cleancut_backlog_up", "Whether the queue answers.", 1)
        yield from _told(gauges)


class Done(Collector):
    """Tells how the turns of a worker ended, and what it does now.

    Args:
        outcomes: how often a turn ended how.
        busy: how many pictures are being made.
        threads: how many there may be.
    """

    def __init__(self, outcomes: Mapping[str, int], busy: Callable[[], int], threads: int) -> None:
        self._outcomes, self._busy, self._threads = outcomes, busy, threads

    def describe(self) -> Iterable[Metric]:
        """Name nothing beforehand."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Give them."""
        turns = CounterMetricFamily("cleancut_turns", "Pictures that were taken, by how it ended.", labels=("outcome",))
        for outcome, count in sorted(dict(self._outcomes).items()):
            turns.add_metric((outcome.replace(" ", "_"),), count)
        yield turns
        yield GaugeMetricFamily("cleancut_workers_busy", "Workers at work.", self._busy())
        yield GaugeMetricFamily("cleancut_workers_limit", "Workers there are.", self._threads)


def _told(gauges: Gauges) -> Iterator[Metric]:
    about = "Pictures in the queue; paused ones wait for another try, dead ones for a person."
    pictures = GaugeMetricFamily("cleancut_backlog_pictures", about, labels=("state",))
    for state in ("waiting", "running", "paused", "dead"):
        pictures.add_metric((state,), getattr(gauges, state))
    yield pictures
    yield GaugeMetricFamily("cleancut_backlog_oldest_seconds", "Wait of the oldest that waits.", gauges.oldest)
    yield GaugeMetricFamily("cleancut_backlog_megapixels", "Megapixels of those that wait.", gauges.megapixels)
    yield GaugeMetricFamily("cleancut_backlog_bytes", "Bytes of the files that jobs need.", gauges.bytes)
