"""A worker's life: load, take turns, and at the end finish what was begun."""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import FrameType

import numpy as np

from cleancut.apps.queue.hands import Hands
from cleancut.apps.queue.measures import Backlog, Done
from cleancut.apps.queue.place import Place
from cleancut.apps.queue.serving import Health
from cleancut.apps.server.meter import Meter
from cleancut.errors import CleancutError, JobsFailed
from cleancut.jobs.queue.listening import BELL, Listener
from cleancut.jobs.queue.turns import Takers
from cleancut.jobs.queue.worker import Crew
from cleancut.limits import ServiceLimits
from cleancut.matting import recipe as recipes
from cleancut.matting.pipeline import cut
from cleancut.matting.write import encoded
from cleancut.models.runtime import Engine, Load
from cleancut.types import Picture

_LOG = logging.getLogger(__name__)

_AGAIN = 1.0
"""Seconds between two tries to reach a queue that is away when a worker starts."""


@dataclass(slots=True)
class Ending:
    """Whether a worker is to end: after the first signal in good order, after the second at once."""

    asked: threading.Event = field(default_factory=threading.Event)
    now: threading.Event = field(default_factory=threading.Event)

    def signalled(self, number: int, frame: FrameType | None) -> None:
        """Take a signal."""
        if self.asked.is_set():
            self.now.set()
        self.asked.set()


class Worker:
    """Everything of a worker.

    Args:
        place: the queue.
        engine, load: what loads networks, and gives one by name.
        models: that it makes pictures by; empty is all that are on this machine.
        limits: of the service.
        threads: pictures that it makes at once.
        host, port: where health and figures are told.
    """

    def __init__(
        self,
        place: Place,
        engine: Engine,
        load: Load,
        models: Sequence[str],
        limits: ServiceLimits,
        threads: int,
        host: str,
        port: int,
    ) -> None:
        self.place, self.limits, self.ending = place, limits, Ending()
        self._state = "starting"
        self._meter = Meter()
        self._hands = Hands(engine, load, limits, models, self._meter)
        self.crew = Crew(place.store, place.depot, place.ledger, self._hands.make, self._hands.able, limits)
        self._takers = Takers(place.url, place.prefix, self.crew.turn, threads)
        self._meter.registry.register(Backlog(place.store))
        self._meter.registry.register(Done(self.crew.outcomes, lambda: self.crew.busy, threads))
        self.health = Health(host, port, lambda: self._state, self._meter.page)

    def run(self, warm: Sequence[str]) -> None:
        """Load networks, take turns until it is told to end, and end well.

        Raises:
            WeightsError, Broken: a network that it is for cannot be used.
        """
        for name in warm:
            self._answer_once(name)
        if not self._reached():
            return self._close()
        self.crew.start()
        self.place.tender.start()
        self._takers.start()
        listener = Listener(self.place.client, {self.place.channel(BELL): self._takers.ring})
        self._state = "ready"
        self.ending.asked.wait()
        self._state = "closing"
        self._drain()
        listener.close()
        return self._close()

    def catch_signals(self) -> None:
        """End at SIGTERM and SIGINT."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self.ending.signalled)

    def _reached(self) -> bool:
        """Wait for the queue, which may start later than its workers; tell whether it came before the end."""
        while not self.ending.asked.is_set():
            try:
                self.place.store.check()
            except JobsFailed as error:
                self._state = "waiting for the queue"
                _LOG.warning("queue: %s It is tried again", error)
                self.ending.asked.wait(_AGAIN)
            else:
                return True
        return False

    def _drain(self) -> None:
        """Finish what was begun; what takes too long goes back into the queue."""
        self._takers.rest()
        waited = 0.0
        while self.crew.busy and waited < self.limits.drain_seconds and not self.ending.now.wait(0.1):
            waited += 0.1
        left = self.crew.give_back()
        if left:
            _LOG.warning("queue: %d pictures were given back", left)
        self._takers.stop(0.5)
        try:
            self.place.tender.replenish()
        except CleancutError as error:
            _LOG.warning("queue: its turns come back when their time is up (%s)", error)

    def _close(self) -> None:
        self.place.close()
        self.health.close()

    def _answer_once(self, name: str) -> None:
        """Load a network and let it answer: the first caller would wait for it otherwise."""
        blank = Picture(np.full((64, 64, 3), 128, np.uint8), name="blank")
        encoded(cut(blank, recipes.make(model=name), load=self._hands.load, limits=self.limits))
