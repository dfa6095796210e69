"""The nouns of keys: what one may do, how its text is made and proved, and what was used."""

from __future__ import annotations

import hashlib
import hmac
import math
import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime

SCOPES = ("cut", "jobs", "metrics")
"""What a key may be good for: cutting pictures, /v1/jobs, /metrics."""

_TEXT = re.compile(r"cc_([0-9a-f]{12})_([0-9a-f]{48})")
_COST = 12
"""log2 of scrypt's N. A secret has 192 random bits, so nobody guesses it however fast he hashes; what a hash costs, a
stranger with a wrong key makes us pay."""


@dataclass(frozen=True, slots=True)
class Key:
    """A key, as whoever runs the service sees it; never its secret.

    Attributes:
        id: what names it in lists, logs and metrics.
        name: what whoever made it called it.
        scopes: what it is good for, of `SCOPES`.
        rate: megapixels a minute; None is without limit.
        quota: pictures a month (of UTC); None is without limit.
        created, expires, revoked: seconds since the epoch.
    """

    id: str
    name: str
    scopes: frozenset[str]
    rate: int | None
    quota: int | None
    created: float
    expires: float | None = None
    revoked: float | None = None

    def state(self, now: float) -> str:
        """Tell whether it is "good", "expired" or "revoked"."""
        if self.revoked is not None:
            return "revoked"
        return "expired" if self.expires is not None and self.expires <= now else "good"


@dataclass(frozen=True, slots=True)
class Proof:
    """What is kept of a secret: enough to know it again, and not enough to use it (scrypt, RFC 7914).

    Attributes:
        cost: log2 of N; r is 8 and p is 1, so a proof takes 2**(10 + cost) bytes of memory.
    """

    salt: bytes
    hash: bytes
    cost: int

    @classmethod
    def of(cls, secret: str) -> Proof:
        """Make the proof of a new secret."""
        salt = secrets.token_bytes(16)
        return cls(salt, _hashed(secret, salt, _COST), _COST)

    def holds(self, secret: str) -> bool:
        """Tell whether it is of this secret, in a time that does not say how much of it is right."""
        return hmac.compare_digest(_hashed(secret, self.salt, self.cost), self.hash)


NOBODY = Proof(bytes(16), bytes(32), _COST)
"""What an unknown id is checked against, so that it takes as long as a known one; it holds for no secret."""


def _hashed(secret: str, salt: bytes, cost: int) -> bytes:
    return hashlib.scrypt(secret.encode(), salt=salt, n=1 << cost, r=8, p=1, maxmem=1 << (cost + 11), dklen=32)


def new_text() -> tuple[str, str, str]:
    """Make the text of a key, and give it with its id and its secret."""
    key, secret = secrets.token_hex(6), secrets.token_hex(24)
    return f"cc_{key}_{secret}", key, secret


def parts(text: str) -> tuple[str, str] | None:
    """Take id and secret out of a key's text; None where it is not the text of one of ours.

    >>> parts("cc_" + 12 * "a" + "_" + 48 * "b")[0]
    'aaaaaaaaaaaa'
    >>> parts("another service's key") is None
    True
    """
    found = _TEXT.fullmatch(text)
    return (found[1], found[2]) if found else None


@dataclass(frozen=True, slots=True)
class Use:
    """What was used: pictures that came back, megapixels of their sources, seconds that networks ran for them.

    >>> Use(1, 2.0, 0.1) + Use(1, 0.5)
    Use(pictures=2, megapixels=2.5, network_seconds=0.1)
    """

    pictures: int = 0
    megapixels: float = 0.0
    network_seconds: float = 0.0

    def __add__(self, other: Use) -> Use:
        return Use(
            self.pictures + other.pictures,
            self.megapixels + other.megapixels,
            self.network_seconds + other.network_seconds,
        )


def cost(megapixels: float) -> int:
    """Give what a picture takes of its key's rate: its megapixels rounded up, remove.bg's rule.

    >>> cost(0.2), cost(1.0), cost(1.01), cost(24)
    (1, 1, 2, 24)
    """
    return max(1, math.ceil(megapixels))


def day(now: float) -> str:
    """Name a day of UTC.

    >>> day(0)
    '1970-01-01'
    """
    return datetime.fromtimestamp(now, UTC).date().isoformat()
