"""A queue opened: its Redis, its store of pictures, and what goes with them."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from cleancut.errors import BadSetting, JobsFailed
from cleancut.jobs.queue.commands import connected
from cleancut.jobs.queue.depot import Depot
from cleancut.jobs.queue.ledger import Ledger
from cleancut.jobs.queue.shared import PREFIX, RedisStore
from cleancut.limits import ServiceLimits
from cleancut.models.folder import home

if TYPE_CHECKING:
    from cleancut.jobs.queue.tending import Tender
    from cleancut.jobs.queue.turns import Turns

_SECRET = "webhook-secret"


class Place:
    """Everything that both tiers share.

    Args:
        url: of Redis.
        storage: address of the folder of pictures; by default one in our data folder, for tiers on one machine.
        limits: of the service.

    Attributes:
        client: of Redis.
        store, depot, ledger, turns, tender: of the queue.

    Raises:
        BadSetting: an address cannot be used, or a package is not installed.
    """

    def __init__(self, url: str, storage: str | None, limits: ServiceLimits) -> None:
        self.url, self.prefix = url, PREFIX
        self.client = connected(url)
        self.depot = Depot(storage or str(home() / "queue"))
        self.ledger = Ledger(self.depot)
        self.store = RedisStore(self.client, limits, self.ledger)
        self.turns = _turns(url)
        self.tender = self._tender(limits)

    def channel(self, name: str) -> str:
        """Give the whole name of what Redis calls out."""
        return f"{self.prefix}:{name}"

    def secret(self) -> bytes:
        """Give 32 random bytes that lie with the pictures; the first who asks makes them.

        Raises:
            JobsFailed, StorageFailed, NoRoom, CannotWrite: they are not there and cannot be made.
        """
        import redis  # noqa: PLC0415 - of an extra

        try:
            with self.client.lock(self.channel("secret"), timeout=30, blocking_timeout=30):
                try:
                    return self.depot.get(_SECRET)
                except FileNotFoundError:
                    self.depot.put(_SECRET, secrets.token_bytes(32))
                    return self.depot.get(_SECRET)
        except redis.RedisError as error:
            raise JobsFailed(f"The queue's Redis does not answer: {error}.") from error

    def close(self) -> None:
        """Close the connections."""
        self.tender.stop()
        self.turns.close()
        self.store.close()

    def _tender(self, limits: ServiceLimits) -> Tender:
        from cleancut.jobs.queue.tending import Tender  # noqa: PLC0415 - of an extra

        return Tender(self.store, self.depot, self.turns, self.client, limits, self.prefix)


def stated(url: str | None) -> str:
    """Give the address of the queue.

    Raises:
        BadSetting: none was stated.
    """
    if not url:
        raise BadSetting("Name the queue: --queue redis://HOST:6379/0, or CLEANCUT_QUEUE.")
    return url


def shown(path: str | None) -> str:
    """Write where pictures lie, for people."""
    return path or str(Path(home()) / "queue")


def _turns(url: str) -> Turns:
    try:
        from cleancut.jobs.queue.turns import Turns  # noqa: PLC0415 - of an extra
    except ModuleNotFoundError:
        raise BadSetting('A queue needs packages of its own: pip install "cleancut[queue]".') from None
    return Turns(url, PREFIX)
