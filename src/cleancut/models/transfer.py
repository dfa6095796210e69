"""One download over HTTP: addresses that may be asked, redirects, and what a server may do wrong.

https only; http where the address given is this machine's own (a mirror, a test). A redirect may change the host but
never leaves https. The standard library's own following of redirects is not used: it reads their bodies without end.
"""

from __future__ import annotations

import http.client
import re
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, urljoin, urlsplit

from cleancut.errors import DownloadFailed
from cleancut.version import VERSION

_LOOPBACK = {"127.0.0.1", "localhost", "::1"}
_REDIRECTS = {301, 302, 303, 307, 308}
_BLOCK = 1 << 16

_TAG = re.compile(r'"[\x21\x23-\x7e]{1,200}"')
"""A strong ETag: a weak one does not promise the same bytes."""

_REFUSALS = {
    401: "wants a password",
    403: "does not give it to you",
    404: "does not have it",
    410: "does not have it any more",
    429: "is asked too often; try again later",
}


@dataclass(frozen=True, slots=True)
class Bounds:
    """How long and how much a download may be.

    Attributes:
        wait: seconds without a byte, connecting included.
        pace: bytes a second at the least, measured over `window` seconds.
        redirects: how many are followed.
        max_bytes: of a file whose table does not state its size.
    """

    wait: float = 30.0
    pace: float = 500.0
    window: float = 60.0
    redirects: int = 5
    max_bytes: int = 4_000_000_000


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answers to a request for a file from byte `start`.

    Attributes:
        start: of the bytes that follow; 0 where it sends the whole.
        size: of the whole file, where the server states it.
        tag: its strong ETag, where it states one.
        blocks: the bytes.
    """

    start: int
    size: int | None
    tag: str | None
    blocks: Iterator[bytes]


class NoSuchRange(Exception):
    """The server has nothing from the byte on that was asked for."""


class Interrupted(DownloadFailed):
    """The connection failed on the way; the rest may come at another time."""


@contextmanager
def requested(url: str, start: int, tag: str | None, bounds: Bounds) -> Iterator[Answer]:
    """Ask for a file from a byte on.

    Raises:
        DownloadFailed: whatever went wrong, in one sentence; `Interrupted` where it may come right by itself.
        NoSuchRange: the server has another file by now, or cannot send a part of it.
    """
    headers = {"User-Agent": f"cleancut/{VERSION}"}
    if start:
        headers["Range"] = f"bytes={start}-"
        if tag and _TAG.fullmatch(tag):
            headers["If-Range"] = tag
    response = _followed(url, headers, bounds)
    with closing(response):
        if start and response.status == http.client.REQUESTED_RANGE_NOT_SATISFIABLE:
            raise NoSuchRange
        host = urlsplit(response.url).hostname or ""
        if response.status not in {http.client.OK, http.client.PARTIAL_CONTENT}:
            said = _REFUSALS.get(response.status, f"answers with the error {response.status}")
            raise DownloadFailed(f"{host} {said}.")
        yield _answer(response, start, host, bounds)


def checked(url: str, came_from: str | None = None) -> SplitResult:
    """Refuse an address that may not be asked.

    Raises:
        DownloadFailed: it is not https, nor this machine's own where that is what was given.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise DownloadFailed(f"{url!r} is not an address.") from None
    shown = f"{host or url!r}" + (f":{port}" if port else "")
    if not host or parts.username is not None or not url.isascii() or not url.isprintable() or " " in url:
        raise DownloadFailed(f"{shown} is not an address that can be downloaded from; it must begin with https://.")
    local = parts.scheme == "http" and host in _LOOPBACK
    if came_from is not None and urlsplit(came_from).scheme == "https":
        local = False
    if parts.scheme != "https" and not local:
        leads = f"{urlsplit(came_from).hostname} leads to" if came_from else "There is"
        raise DownloadFailed(f"{leads} an address by {parts.scheme or 'no scheme'}; weights come by https only.")
    return parts


def _followed(url: str, headers: Mapping[str, str], bounds: Bounds) -> Any:
    """Open an address, following redirects by the rules of `checked`."""
    came_from = None
    for _ in range(bounds.redirects + 1):
        parts = checked(url, came_from)
        with _told(parts.hostname or "", bounds):
            response = _opener(parts).open(urllib.request.Request(url, headers=dict(headers)), timeout=bounds.wait)
        location = response.headers.get("Location")
        if response.status not in _REDIRECTS or not location:
            return response
        response.close()
        came_from, url = url, _joined(url, location)
    raise DownloadFailed(f"{parts.hostname} redirects more than {bounds.redirects} times.")


def _joined(url: str, location: str) -> str:
    try:
        return urljoin(url, location)
    except ValueError:
        raise DownloadFailed(f"{urlsplit(url).hostname} leads to what is not an address.") from None


def _opener(parts: SplitResult) -> urllib.request.OpenerDirector:
    """Make what opens an address: http and https, through the proxy of the environment unless it is this machine."""
    opener = urllib.request.OpenerDirector()
    proxies: dict[str, str] | None = {} if parts.hostname in _LOOPBACK else None
    for handler in (urllib.request.ProxyHandler(proxies), urllib.request.HTTPHandler(), urllib.request.HTTPSHandler()):
        opener.add_handler(handler)
    return opener


def _answer(response: Any, start: int, host: str, bounds: Bounds) -> Answer:
    headers = response.headers
    if headers.get("Content-Encoding", "identity") != "identity":
        raise DownloadFailed(f"{host} sends the file compressed, which was not asked for.")
    length = _number(headers.get("Content-Length"))
    tag = headers.get("ETag") or ""
    blocks = _blocks(response, host, length, bounds)
    if response.status == http.client.OK:
        return Answer(0, length, tag if _TAG.fullmatch(tag) else None, blocks)
    match = re.fullmatch(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18}|\*)", headers.get("Content-Range") or "")
    if not match or int(match[1]) != start:
        raise NoSuchRange if start else DownloadFailed(f"{host} sends a part of the file that was not asked for.")
    return Answer(start, _number(match[3]), None, blocks)


def _number(text: str | None) -> int | None:
    return int(text) if text and re.fullmatch(r"\d{1,18}", text) else None


def _blocks(response: Any, host: str, length: int | None, bounds: Bounds) -> Iterator[bytes]:
    """Give a body as it comes; say so when it ends too early or only drips."""
    received = seen = 0
    since = time.monotonic()
    while True:
        with _told(host, bounds):
            block = response.read1(_BLOCK)
        if not block:
            break
        received += len(block)
        yield block
        now = time.monotonic()
        if now - since >= bounds.window:
            if received - seen < bounds.pace * (now - since):
                raise Interrupted(f"{host} sends less than {bounds.pace:g} bytes a second.")
            since, seen = now, received
    if length is not None and received < length:
        raise Interrupted(f"{host} ended the connection after {received:,} of {length:,} bytes.")


@contextmanager
def _told(host: str, bounds: Bounds) -> Iterator[None]:
    """Say in one sentence what failed on the network."""
    try:
        yield
    except (OSError, http.client.HTTPException, ValueError) as error:
        cause = error.reason if isinstance(error, urllib.error.URLError) else error
        if isinstance(cause, ssl.SSLCertVerificationError):
            said = f"has a certificate that is not trusted ({cause.verify_message})"
            raise DownloadFailed(f"{host} {said}.") from error
        raise Interrupted(f"{host} {_reason(cause, bounds)}.") from error


def _reason(cause: object, bounds: Bounds) -> str:
    if isinstance(cause, TimeoutError):
        return f"sent nothing for {bounds.wait:g} seconds"
    if isinstance(cause, ConnectionError | http.client.IncompleteRead | http.client.RemoteDisconnected):
        return "ended the connection too early" if not isinstance(cause, ConnectionRefusedError) else "does not answer"
    if isinstance(cause, http.client.HTTPException | ValueError):
        return "answers with something that is not HTTP"
    return f"cannot be reached ({getattr(cause, 'strerror', None) or cause})"
