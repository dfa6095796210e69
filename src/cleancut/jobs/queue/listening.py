"""What Redis calls out, heard in a thread: that there is something to do, or that a job has ended."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from redis import Redis

_LOG = logging.getLogger(__name__)

_LOOK, _PAUSE = 0.25, 0.5
"""Seconds between two looks whether to end, and between two tries to hear again."""

ENDED, BELL = "ended", "bell"
"""What is called out: the id of a job that has ended, and that there are turns."""


class Listener:
    """Calls functions with what is called out, and with "" after it heard nothing for a while and may have missed it.

    Args:
        client: of Redis.
        heard: what to call, by channel.
    """

    def __init__(self, client: Redis, heard: Mapping[str, Callable[[str], None]]) -> None:
        self._client, self._heard = client, heard
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="cleancut-listener", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Hear no more."""
        self._ending.set()
        self._thread.join(10)

    def _run(self) -> None:
        import redis  # noqa: PLC0415 - of an extra

        while not self._ending.is_set():
            try:
                with self._client.pubsub(ignore_subscribe_messages=True) as calls:  # type: ignore[no-untyped-call]
                    calls.subscribe(*self._heard)
                    for call in self._heard.values():
                        call("")
                    self._listen(calls)
            except (redis.RedisError, OSError) as error:
                _LOG.warning("queue: Redis is not heard (%s); it is tried again", type(error).__name__)
                self._ending.wait(_PAUSE)

    def _listen(self, calls: Any) -> None:
        while not self._ending.is_set():
            if message := calls.get_message(timeout=_LOOK):
                self._heard[message["channel"]](message["data"])
