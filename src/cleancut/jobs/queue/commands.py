"""The store's commands sent to Redis, and what fails on the way told in our words."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cleancut.errors import BadSetting, CleancutError, JobsFailed, KeyReused, NoRoom, TooManyJobs
from cleancut.limits import ServiceLimits

if TYPE_CHECKING:
    from redis import Redis

_SECONDS = 5.0
"""How long an answer is waited for."""

_TRIES, _PAUSE = 3, 0.2

_SETTLING = frozenset(
    {"take", "stage", "back", "put_off", "done", "reuse", "failed", "cancel", "expired", "leave", "delivered", "beat"}
)
"""What brings work to its end may be done though Redis is full: it makes room."""


def connected(url: str, *, text: bool = True) -> Redis:
    """Prepare connections to Redis; nothing is tried again unknown to whoever asked.

    Raises:
        BadSetting: it is no address of a Redis, or the package for it is not installed.
    """
    if not url.startswith(("redis://", "rediss://")):
        raise BadSetting("The address of a queue begins with redis:// or rediss://.")
    try:
        import redis  # noqa: PLC0415 - of an extra
        from redis.backoff import NoBackoff  # noqa: PLC0415
        from redis.retry import Retry  # noqa: PLC0415
    except ModuleNotFoundError:
        raise BadSetting('A queue needs packages of its own: pip install "cleancut[queue]".') from None
    try:
        return redis.Redis.from_url(
            url,
            decode_responses=text,
            socket_timeout=_SECONDS,
            socket_connect_timeout=_SECONDS,
            retry=Retry(NoBackoff(), 0),
        )
    except ValueError as error:
        raise BadSetting(f"The address of the queue cannot be used: {error}.") from error


class Commands:
    """Runs the store's scripts.

    Args:
        client: of Redis, whose answers are text.
        prefix: of every key.
        limits: whose words refusals need.
        clock: seconds since the epoch; by default Redis' own, the same for every machine.
    """

    def __init__(
        self, client: Redis, prefix: str, limits: ServiceLimits, clock: Callable[[], float] | None = None
    ) -> None:
        source = "".join(path.read_text("utf-8") for path in sorted(Path(__file__).with_name("lua").glob("*.lua")))
        self._script = client.register_script(source)
        self._settling = client.register_script(f"#!lua flags=allow-oom\n{source}")
        self._prefix, self._limits, self._clock = prefix, limits, clock

    def __call__(self, command: str, **given: Any) -> list[Any]:
        """Run a command once.

        Raises:
            JobsFailed: Redis does not answer, or has lost what it knew.
            NoRoom: it is full.
            KeyReused, TooManyJobs: as `JobStore` says.
        """
        import redis  # noqa: PLC0415 - of an extra; it is there since there is a client

        now = "" if self._clock is None else repr(self._clock())
        script = self._settling if command in _SETTLING else self._script
        try:
            found = script(keys=[self._prefix], args=[command, now, json.dumps(given)])
        except redis.exceptions.OutOfMemoryError as error:
            raise NoRoom("The service has no room for more jobs; try again later.", 60) from error
        except redis.RedisError as error:
            raise JobsFailed(f"The queue's Redis failed: {error}.") from error
        answer: list[Any] = found or []
        if answer and answer[0] == "!":
            raise self._refusal(answer[1], given, *answer[2:])
        return answer

    def insist(self, command: str, **given: Any) -> list[Any]:
        """Run a command that may be done twice, some times while Redis does not answer.

        Raises:
            JobsFailed, NoRoom, KeyReused, TooManyJobs: as a single try says.
        """
        for attempt in range(1, _TRIES):
            try:
                return self(command, **given)
            except JobsFailed:
                time.sleep(_PAUSE * attempt)
        return self(command, **given)

    def _refusal(self, why: str, given: dict[str, Any], *more: str) -> CleancutError:
        if why == "reused":
            return KeyReused("This Idempotency-Key came before with another request; use a new one.")
        if why == "many":
            return TooManyJobs(
                f"You have {more[0]} jobs, which is the most; delete some, or wait until they expire.", 60
            )
        if why == "much":
            allowed = self._limits.spool_bytes_per_key / 1e6
            return TooManyJobs(f"Your jobs would keep more than {allowed:,.6g} MB; delete some, or wait.", 60)
        if why == "full":
            return NoRoom("The service has no room for more pictures; try again later.", 60)
        return JobsFailed("The queue's Redis has lost its data; jobs are being written down again.")


def check_policy(client: Redis) -> None:
    """See that Redis answers and forgets nothing by itself.

    Raises:
        BadSetting: it may throw keys away when it is full.
        JobsFailed: it does not answer.
    """
    import redis  # noqa: PLC0415 - of an extra

    try:
        memory: Any = client.info("memory")
    except redis.RedisError as error:
        raise JobsFailed(f"The queue's Redis does not answer: {error}.") from error
    policy = memory.get("maxmemory_policy", "noeviction")
    if memory.get("maxmemory") and policy != "noeviction":
        raise BadSetting(f"The queue's Redis forgets keys when it is full ({policy}); set it to noeviction.")
