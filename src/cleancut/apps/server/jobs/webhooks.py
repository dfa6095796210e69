"""Tell an address that a job has ended, signed so that the receiver knows who says it.

Requests are those of Standard Webhooks 1.0 (standardwebhooks.com): the headers `webhook-id`, the same for every attempt
to tell one thing, `webhook-timestamp` in seconds, and `webhook-signature`, which is `v1,` and the base64 of the
HMAC-SHA256 of id, timestamp and body with dots between them. A key's secret is made from the service's own, so that
nobody who knows one can sign for another.

>>> signed(b"s" * 32, "job_1", 1_700_000_000, b"{}")["webhook-signature"][:9]
'v1,dQdKtw'
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time

from cleancut.apps.fetch.get import Fetcher
from cleancut.apps.server.jobs.shown import address, counts, moment
from cleancut.errors import FetchFailed
from cleancut.jobs.store import Job, Notice


class Webhooks:
    """Signs and posts what is told of jobs.

    Args:
        secret: of the service; what every key's own is made from.
        fetcher: posts to addresses that may be asked.
    """

    def __init__(self, secret: bytes, fetcher: Fetcher) -> None:
        self._secret = secret
        self._fetcher = fetcher

    def check(self, url: str) -> None:
        """Refuse an address that would not be told.

        Raises:
            UrlsOff, BadUrl: as `Fetcher.check` says.
        """
        self._fetcher.check(url)

    def secret(self, job: Job) -> bytes:
        """Give the 32 bytes that a job's webhook is signed with: its key's, or its own where there is no key."""
        whose = f"key:{job.owner}" if job.owner else f"job:{job.id}"
        return hmac.digest(self._secret, whose.encode(), "sha256")

    async def post(self, notice: Notice) -> None:
        """Tell an address that a job has ended.

        Raises:
            FetchFailed: it did not answer, or not with a status of success.
            UrlsOff, BadUrl, QueueFull: as `Fetcher.post` says.
        """
        job = notice.job
        body = json.dumps(told(job), separators=(",", ":")).encode()
        headers = signed(self.secret(job), f"job_{job.id}", int(time.time()), body)
        status = await self._fetcher.post(notice.url, body, {"Content-Type": "application/json", **headers})
        if not 200 <= status < 300:
            raise FetchFailed(f"The webhook was answered with {status}.")


def told(job: Job) -> dict[str, object]:
    """Say of a job that it has ended: where its result is, and nothing of its pictures."""
    data = {"id": job.id, "state": job.state, "pictures": counts(job), "job": address(job)}
    return {"type": f"job.{job.state}", "timestamp": moment(job.ended), "data": data}


def signed(secret: bytes, id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """Give the headers that say who sends a body, and when."""
    mac = hmac.digest(secret, f"{id}.{timestamp}.".encode() + body, hashlib.sha256)
    signature = f"v1,{base64.b64encode(mac).decode('ascii')}"
    return {"webhook-id": id, "webhook-timestamp": str(timestamp), "webhook-signature": signature}


def shown_secret(secret: bytes) -> str:
    """Write a secret as Standard Webhooks does."""
    return f"whsec_{base64.b64encode(secret).decode('ascii')}"
