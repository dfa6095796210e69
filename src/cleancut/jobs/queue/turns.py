"""Turns: the messages that Dramatiq delivers. A turn names no picture; whose it is the store says when it is taken.

So Dramatiq does what it does well (it delivers at least once, notices that a worker died and delivers again, keeps what
is to come later), and the store what it alone can (who is next, what was done). A turn that comes for nothing is
dropped; one that is lost is sent again by `tending.py`.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import dramatiq
from dramatiq.brokers.redis import RedisBroker
from dramatiq.errors import Retry
from dramatiq.middleware import CurrentMessage, Retries

from cleancut.jobs.queue.commands import connected
from cleancut.jobs.queue.listening import BELL

if TYPE_CHECKING:
    from dramatiq import Consumer, MessageProxy

QUEUE = "turns"
HEARTBEAT_MS = 8_000
"""A worker that says nothing for so long is dead, and its turns are delivered again; a live one speaks every second."""

_ALWAYS = 1_000_000
"""Of a million commands, those that look for dead workers: all, as few are sent while there is little to do."""

_IDLE = 1.0
"""Seconds between two looks where no bell rings: also a worker's heartbeat."""

_BRIEF = 0.05
_LATER_QUEUE = 10_000

logging.getLogger("dramatiq").setLevel(logging.WARNING)


class Turns:
    """Sends turns.

    Args:
        url: of Redis.
        prefix: of every key.
    """

    def __init__(self, url: str, prefix: str) -> None:
        self._calls = connected(url)
        self._namespace, self._bell = f"{prefix}:dramatiq", f"{prefix}:{BELL}"
        self._broker = _Broker(url, self._namespace, 0)
        self._actor = dramatiq.Actor(
            _nothing, broker=self._broker, actor_name=QUEUE, queue_name=QUEUE, priority=0, options={}
        )

    def send(self, count: int = 1) -> None:
        """Send so many turns, and wake who waits for one.

        Raises:
            redis.RedisError: Redis does not take them.
        """
        for _ in range(count):
            self._actor.send()
        self._calls.publish(self._bell, count)

    def waiting(self) -> int:
        """Count the turns that no worker has fetched."""
        found: Any = self._calls.llen(f"{self._namespace}:{QUEUE}")
        return int(found)

    def close(self) -> None:
        """Close the connections."""
        self._broker.close()
        self._broker.client.close()
        self._calls.close()


class Takers:
    """Threads that take turns, as long as they are not stopped.

    Args:
        url: of Redis.
        prefix: of every key.
        take: does what a turn is for, told the id of the turn; gives the seconds after which it must come again, or
            None where it is used up.
        threads: how many.
    """

    def __init__(self, url: str, prefix: str, take: Callable[[str], float | None], threads: int) -> None:
        self._broker = _Broker(url, f"{prefix}:dramatiq", threads)

        def turn() -> None:
            message: Any = CurrentMessage.get_current_message()
            pause = take(message.message_id)
            if pause is not None:
                raise Retry(delay=round(pause * 1000))

        dramatiq.Actor(turn, broker=self._broker, actor_name=QUEUE, queue_name=QUEUE, priority=0, options={})
        self._worker = dramatiq.Worker(self._broker, worker_threads=threads, worker_timeout=100)

    def start(self) -> None:
        """Begin to take turns."""
        self._worker.start()

    def ring(self, _: str = "") -> None:
        """Look for turns at once."""
        self._broker.bell.ring()

    def rest(self) -> None:
        """Take no more turns; those that were taken go on."""
        self._broker.resting.set()
        self._broker.bell.ring()

    def stop(self, seconds: float) -> None:
        """Take no more turns, wait so long for those that were taken, and give the others back."""
        self.rest()
        self._worker.stop(timeout=round(seconds * 1000))
        self._broker.close()
        self._broker.client.close()


class _Bell:
    """Wakes all who wait for turns."""

    def __init__(self) -> None:
        self._waiting: list[threading.Event] = []

    def added(self) -> threading.Event:
        self._waiting.append(threading.Event())
        return self._waiting[-1]

    def ring(self) -> None:
        for event in self._waiting:
            event.set()


class _Broker(RedisBroker):
    """Dramatiq's broker, whose consumers are woken by a bell instead of looking many times a second."""

    def __init__(self, url: str, namespace: str, threads: int) -> None:
        super().__init__(  # type: ignore[no-untyped-call]  # Dramatiq types half of itself
            client=connected(url, text=False),
            namespace=namespace,
            middleware=[CurrentMessage(), Retries(retry_when=lambda retries, error: True, min_backoff=500)],
            heartbeat_timeout=HEARTBEAT_MS,
            maintenance_chance=_ALWAYS,
        )
        self.bell, self.resting = _Bell(), threading.Event()
        self._threads = threads

    def consume(self, queue_name: str, prefetch: int = 1, timeout: int = 5000) -> Consumer:
        """Fetch no more turns than there are threads: another worker may have a free one."""
        is_later = queue_name != QUEUE
        inner = super().consume(queue_name, _LATER_QUEUE if is_later else self._threads, timeout=1)
        return _Belled(inner, self.bell.added(), self.resting, is_later)


class _Belled(dramatiq.Consumer):
    """A consumer that waits for the bell where there is nothing to fetch."""

    def __init__(self, inner: Consumer, bell: threading.Event, resting: threading.Event, is_later: bool) -> None:
        self._inner, self._bell, self._resting, self._is_later = inner, bell, resting, is_later

    def __next__(self) -> MessageProxy | None:
        self._bell.clear()
        is_resting = self._resting.is_set()
        # What is to come later is fetched to the end: to fetch is also to say that this worker is alive.
        found: MessageProxy | None = None if is_resting and not self._is_later else next(self._inner)
        if found is None:
            self._bell.wait(_BRIEF if is_resting else _IDLE)
        return found

    def ack(self, message: MessageProxy) -> None:
        self._inner.ack(message)
        self._bell.set()

    def nack(self, message: MessageProxy) -> None:
        self._inner.nack(message)
        self._bell.set()

    def requeue(self, messages: Iterable[MessageProxy]) -> None:
        self._inner.requeue(messages)

    def close(self) -> None:
        self._inner.close()


def _nothing() -> None:
    """Stand for what workers do, where turns are only sent."""
