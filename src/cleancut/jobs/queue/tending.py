"""What somebody must see to, whoever it is: every API process and every worker tries, and one of them does it."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING

from cleancut.errors import CleancutError, JobsFailed
from cleancut.jobs.queue.depot import Depot
from cleancut.jobs.queue.shared import RedisStore
from cleancut.jobs.queue.turns import Turns
from cleancut.limits import ServiceLimits

if TYPE_CHECKING:
    from redis import Redis

_LOG = logging.getLogger(__name__)

_EVERY, _FULL, _SWEEP = 1.0, 5, 3600
"""Seconds between two looks whether Redis lost its data; between two rounds; between two sweeps of the depot."""

_SPARE_SECONDS = 3600.0


class Tender:
    """Sees that deadlines and retention are kept, that no turn is missing, and that Redis knows what was promised.

    Args:
        store, depot, turns: of the queue.
        client: of Redis.
        limits: `job_deadline` and `job_retention` count.
        prefix: of every key.
    """

    def __init__(
        self, store: RedisStore, depot: Depot, turns: Turns, client: Redis, limits: ServiceLimits, prefix: str
    ) -> None:
        self._store, self._depot, self._turns = store, depot, turns
        self._client, self._limits, self._prefix = client, limits, prefix
        self._ending = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Tend from now on, in a thread."""
        self._thread = threading.Thread(target=self._run, name="cleancut-tender", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Tend no more."""
        self._ending.set()
        if self._thread:
            self._thread.join(10)

    def tend(self) -> None:
        """Do a round now.

        Raises:
            JobsFailed, StorageFailed: Redis or the store of pictures does not answer.
        """
        recovered = self._store.recover()
        if recovered:
            _LOG.warning("queue: Redis had lost its data; %d jobs were written down again", recovered)
        if recovered or self._is_ours("round", _FULL):
            self._depot.remove(self._store.expired())
            self.replenish(old=_FULL if not recovered else 0)
        if self._is_ours("sweep", _SWEEP):
            self._sweep()

    def replenish(self, old: float = 0) -> int:
        """Send the turns that are missing; those of pictures that waited less than `old` seconds may be on the way.

        Raises:
            JobsFailed: Redis does not answer.
        """
        import redis  # noqa: PLC0415 - of an extra

        gauges = self._store.gauges()
        if not gauges.waiting or gauges.oldest < old:
            return 0
        try:
            missing = gauges.waiting - self._turns.waiting()
            self._turns.send(max(0, missing))
        except redis.RedisError as error:
            raise JobsFailed(f"The queue's Redis takes no turns: {error}.") from error
        return max(0, missing)

    def _sweep(self) -> None:
        """Remove what processes left that died between writing a file and naming it."""
        older = time.time() - self._limits.job_deadline - self._limits.job_retention - _SPARE_SECONDS
        count = self._depot.sweep(self._store.files(), older)
        if count:
            _LOG.info("queue: %d files that nothing named were removed", count)

    def _is_ours(self, what: str, seconds: int) -> bool:
        """Tell whether this process is to do it this time."""
        import redis  # noqa: PLC0415 - of an extra

        try:
            return bool(self._client.set(f"{self._prefix}:tending:{what}", 1, nx=True, ex=seconds))
        except redis.RedisError as error:
            raise JobsFailed(f"The queue's Redis does not answer: {error}.") from error

    def _run(self) -> None:
        while not self._ending.wait(_EVERY):
            try:
                self.tend()
            except CleancutError as error:
                _LOG.warning("queue: it is not tended (%s); it is tried again", error)
            except Exception:  # noqa: BLE001 - whatever it is, the next round must come
                _LOG.exception("queue: a round failed; it is repeated")
