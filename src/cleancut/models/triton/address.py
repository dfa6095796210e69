"""Where a Triton server is: `triton://host:port` for gRPC, `tritons://` for gRPC over TLS.

>>> parsed("triton://gpu.example?timeout=5")
Address(host='gpu.example', port=8001, secure=False, timeout=5.0, tries=3)
>>> str(parsed("tritons://[::1]:9000"))
'tritons://[::1]:9000'
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

from cleancut.errors import BadSetting

PORT = 8001
"""Triton's port for gRPC."""

_SCHEMES = {"triton": False, "tritons": True}

_TIMEOUT, _TRIES = 30.0, 3

_RANGES = {"timeout": (0.05, 600.0), "tries": (1, 10)}
"""Settings that an address may end in, and from where to where they go."""

_HOST = r"[A-Za-z0-9]([A-Za-z0-9._-]{0,252}[A-Za-z0-9])?|[0-9a-f:.]{2,45}"


@dataclass(frozen=True, slots=True)
class Address:
    """A server, and how patient to be with it.

    Attributes:
        host: name or address; an IPv6 address without brackets.
        port: of gRPC.
        secure: whether the connection is encrypted, and the server's certificate checked.
        timeout: seconds that one run of a network may take, tries included.
        tries: how often it is asked at the most, where it is away.
    """

    host: str
    port: int = PORT
    secure: bool = False
    timeout: float = _TIMEOUT
    tries: int = _TRIES

    @property
    def place(self) -> str:
        """The host and port as gRPC takes them."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def __str__(self) -> str:
        return f"{'tritons' if self.secure else 'triton'}://{self.place}"


def is_one(device: str) -> bool:
    """Tell whether a device is named by such an address."""
    return device.partition("://")[0] in _SCHEMES and "://" in device


def parsed(text: str) -> Address:
    """Read an address.

    Raises:
        BadSetting: it is none; the sentence shows what one looks like, and repeats nothing that may be secret.
    """
    if not re.fullmatch("[!-~]{1,1000}", text):  # urlsplit leaves out line ends and tabs
        raise _wrong()
    try:
        url = urlsplit(text)
        host, port = url.hostname or "", url.port
        pairs = parse_qsl(url.query, keep_blank_values=True, strict_parsing=bool(url.query), max_num_fields=10)
    except ValueError:
        raise _wrong() from None
    named = re.fullmatch(_HOST, host) is not None
    if url.scheme not in _SCHEMES or not named or port == 0 or "@" in url.netloc or url.path or url.fragment:
        raise _wrong()
    given = {name: _number(name, value) for name, value in pairs}
    timeout, tries = given.get("timeout", _TIMEOUT), int(given.get("tries", _TRIES))
    return Address(host, PORT if port is None else port, _SCHEMES[url.scheme], timeout, tries)


def _number(name: str, value: str) -> float:
    if name not in _RANGES:
        raise BadSetting(f"The address of a Triton server takes {' and '.join(_RANGES)}, not {name[:40]!r}.")
    low, high = _RANGES[name]
    kind = type(high)
    try:
        number = kind(value)
    except ValueError:
        number = kind(-1)
    if not low <= number <= high:  # NaN is not either
        raise BadSetting(f"The {name} of a Triton server must be from {low:g} to {high:g}.")
    return number


def _wrong() -> BadSetting:
    return BadSetting(
        "That is no address of a Triton server; one is triton://host:8001, or tritons://host:8001?timeout=10&tries=2."
    )
