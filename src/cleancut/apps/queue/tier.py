"""The tier that talks to callers: it hands work over, and a thread of the gate waits for each piece of it.

So admission, turns between keys, deadlines and leaving callers are the gate's, as in a service that works by itself.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from cleancut.apps.gate import Check
from cleancut.apps.queue import wire
from cleancut.apps.queue.measures import Backlog
from cleancut.apps.queue.place import Place
from cleancut.apps.server.cache import Kept
from cleancut.apps.server.meter import Meter
from cleancut.apps.server.nouns import Asked, Asset
from cleancut.apps.server.work import Worked, kept
from cleancut.errors import BadRecipe, CleancutError, JobsFailed, StorageFailed
from cleancut.jobs.queue.listening import ENDED, Listener
from cleancut.jobs.queue.orders import PICTURE, Handed
from cleancut.jobs.store import Job, Result, Stored
from cleancut.limits import ServiceLimits
from cleancut.matting import recipe as recipes
from cleancut.matting.stopwatch import Stopwatch
from cleancut.types import Ran, Report

if TYPE_CHECKING:
    from cleancut.apps.server.service import Service

T = TypeVar("T")

_LOG = logging.getLogger(__name__)

_CHECK, _LOOK = 0.25, 1.0
"""Seconds between two questions whether the caller is still there, and between two looks where nothing is heard."""


def tier_of(service: Service, url: str) -> Tier:
    """Make the tier of a service whose work is done by others.

    Raises:
        BadSetting: an address cannot be used, or a package is not installed.
    """
    settings, limits = service.settings, service.limits
    seconds = 0 if settings.cache == "off" else limits.cache_seconds

    def key(asked: Asked) -> str:
        return service.result_key(asked.caller.key_id, asked.source, asked.recipe, asked.assets)

    here = {"service": service, "engine": service.engine}
    return Tier(Place(url, settings.queue_storage, limits), limits, seconds, key, here)


def handing(limits: ServiceLimits) -> ServiceLimits:
    """Give the gate's limits of a tier that only waits: all who would wait for a worker are handed over."""
    everything = math.ceil(limits.waiting * limits.max_pixels / 1e6)
    return replace(limits, workers=limits.waiting, max_megapixels=everything)


class Tier:
    """Hands pictures over, and waits for what comes of them.

    Args:
        place: the queue.
        limits: of the service.
        seconds: for which results are kept for whoever asks the same again; 0 keeps none.
        key: names the result of what is asked for.
        here: what `wire` names instead of sending, by name.

    Attributes:
        place: the queue.
        limits: of a gate whose workers only wait.
    """

    def __init__(
        self,
        place: Place,
        limits: ServiceLimits,
        seconds: float,
        key: Callable[[Asked], str],
        here: Mapping[str, object],
    ) -> None:
        self.place = place
        self.limits = handing(limits)
        self._seconds, self._key, self._here = seconds, key, here
        self._waiting: dict[str, threading.Event] = {}
        self._listener: Listener | None = None

    def start(self, ending: Callable[[], bool]) -> None:
        """Listen to the queue, and wait until it can be used: it may start later than the service.

        Args:
            ending: whether the service is about to end.

        Raises:
            BadSetting: it forgets keys by itself.
            JobsFailed: it did not answer to the end.
        """
        self._listener = Listener(self.place.client, {self.place.channel(ENDED): self._heard})
        self.place.tender.start()
        while True:
            try:
                return self.place.store.check()
            except (JobsFailed, StorageFailed) as error:
                if ending():
                    raise
                _LOG.warning("queue: %s It is tried again", error)
                time.sleep(_LOOK)

    def measure(self, meter: Meter) -> None:
        """Show what the queue holds among a service's figures."""
        meter.registry.register(Backlog(self.place.store))

    def close(self) -> None:
        """Listen no more, and close the connections."""
        if self._listener:
            self._listener.close()
        self.place.close()

    def worked(self, asked: Asked, finish: Callable[..., T], check: Check) -> Worked[T]:
        """Have a picture cut out and made of it what `finish` does, by a worker.

        Raises:
            Whatever the worker and `check` raise.
            JobsFailed, StorageFailed: the queue does not answer.
        """
        begun = time.perf_counter()
        plain = finish is kept
        made = self._key(asked) if plain and self._seconds else ""
        found = self.place.store.made(made) if made else None
        data = self._read(found) if found else None
        if found is None or data is None:
            found, data = self._asked(asked, finish, made, check)
        ms: Mapping[str, float] = found.report.get("ms", {})
        result: Any = Kept(data, found.media_type, reported(found.report)) if plain else wire.unpacked(data)
        if isinstance(result, wire.Raised):
            raise result.error()
        ended = time.perf_counter()
        return Worked(result, max(begun, ended - sum(ms.values()) / 1000), _stopwatch(ms))

    def _asked(self, asked: Asked, finish: Callable[..., T], made: str, check: Check) -> tuple[Result, bytes]:
        """Hand a picture over and wait for its result."""
        order = self._order(asked, finish, made)
        event = self._waiting[order.id] = threading.Event()
        try:
            self._put(order)
            job = self._ended(order, event, check)
        except BaseException:
            self._drop(order)
            raise
        finally:
            del self._waiting[order.id]
        (item,) = job.items
        if item.failure is not None:
            from cleancut.apps.server.jobs.shown import revived  # noqa: PLC0415 - it knows the routes of jobs

            raise revived(item.failure)
        data = self._read(item.result) if item.result else None
        if item.result is None or data is None:
            raise JobsFailed("A result was wiped before it was read.")
        return item.result, data

    def _order(self, asked: Asked, finish: Callable[..., T], made: str) -> Handed:
        """Store the pictures of a request; give what is asked for."""
        here = {**self._here, "source": asked.source}
        finished = PICTURE if finish is kept else wire.written(finish, here)
        depot = self.place.depot
        source = Stored(asked.name, depot.write(asked.source, durable=False), len(asked.source))
        assets = [
            Stored(name, depot.write(_bytes(data), durable=False), len(data)) for name, data in _handed(asked.assets)
        ]
        return Handed(
            owner=asked.caller.turn,
            recipe=recipes.to_json(asked.recipe),
            pictures=[source],
            assets=assets,
            urgent=not asked.background,
            seconds=self.limits.deadline,
            kept=self._seconds if made else 0,
            pixels=[round(asked.megapixels * 1e6)],
            made=[made],
            finish=finished,
        )

    def _put(self, order: Handed) -> None:
        self.place.store.put(order)
        self.send()

    def send(self, count: int = 1) -> None:
        """Send turns; those that Redis does not take are sent again by whoever tends the queue."""
        import redis  # noqa: PLC0415 - of an extra

        try:
            self.place.turns.send(count)
        except redis.RedisError as error:
            _LOG.warning("queue: turns were not sent (%s)", type(error).__name__)

    def _ended(self, order: Handed, event: threading.Event, check: Check) -> Job:
        """Wait for a job's end; where Redis has lost it, it is written down again."""
        looked = time.monotonic()
        while True:
            heard = event.wait(_CHECK)
            check()
            if not heard and time.monotonic() - looked < _LOOK:
                continue
            event.clear()
            looked = time.monotonic()
            try:
                job = self.place.store.get(order.id)
                if job is None:
                    self._put(order)
                elif not job.live:
                    return job
            except JobsFailed as error:
                _LOG.warning("queue: %s A caller waits", error)

    def _drop(self, order: Handed) -> None:
        """See that nobody works for a caller who has left; what fails of it, the deadline will do."""
        try:
            freed = self.place.store.cancel(order.id)
            self.place.depot.remove({*freed, *(stored.file for stored in (*order.pictures, *order.assets))})
        except CleancutError as error:
            _LOG.warning("queue: work that nobody waits for was not dropped (%s)", error)

    def _read(self, result: Result) -> bytes | None:
        try:
            return self.place.depot.read(result.file)
        except FileNotFoundError:
            return None

    def _heard(self, id: str) -> None:
        """Wake who waits for a job; where calls may have been missed, all look."""
        events = [self._waiting.get(id)] if id else list(self._waiting.values())
        for event in events:
            if event is not None:
                event.set()


def reported(told: Mapping[str, Any]) -> Report:
    """Make a report again of what was told of a result."""
    given: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in told.items()}
    given["models"] = tuple(Ran(**ran) for ran in told["models"])
    return Report(**{"name": "", **given})


def _handed(assets: Mapping[str, Asset]) -> list[tuple[str, bytes]]:
    return [(name, _bytes(asset)) for name, asset in assets.items()]


def _bytes(asset: Asset) -> bytes:
    if not isinstance(asset, bytes):
        raise BadRecipe("A picture that a recipe names is handed over as a file.")
    return asset


def _stopwatch(ms: Mapping[str, float]) -> Stopwatch:
    watch = Stopwatch()
    for name, spent in ms.items():
        watch.add(name, spent / 1000)
    return watch
