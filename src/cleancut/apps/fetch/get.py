"""`Fetcher`: gets pictures that a stranger names by address, and posts news to addresses that a stranger names.

Off unless it is switched on. http and https only, ports that are allowed, no credentials, public addresses only (every
hop is checked anew), few redirects; time, size and type are bounded. The environment's proxies are not used, no cookie
is kept, and nothing is asked for or taken compressed.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from functools import cached_property

import httpcore
import httpx

from cleancut.apps.fetch.addresses import Address, literal, public
from cleancut.apps.fetch.pinned import Pinned, Resolve, Resolver
from cleancut.errors import BadUrl, FetchFailed, QueueFull, TooBig, UrlsOff
from cleancut.version import VERSION

PICTURES = ("image/", "application/octet-stream", "binary/octet-stream")
"""How the types of content that may be pictures begin; what says nothing of its type may be one too."""

MOST_REDIRECTS = 3

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_DEFAULT_PORTS = {"http": 80, "https": 443}
_AGENT = f"cleancut/{VERSION}"


class Fetcher:
    """Gets and posts over HTTP on behalf of strangers.

    Args:
        on: whether it does so at all.
        ports: that may be asked.
        seconds: from the first look-up of a name to the last byte.
        at_once: how many may be under way.
        longest: characters of an address.
        resolve: a name → its addresses; the system's resolver by default.
        allowed: which addresses may be connected to; public ones by default.
        network: makes connections to addresses.
        trusted: who vouches for servers' names; the roots that httpx carries by default.
    """

    def __init__(
        self,
        *,
        on: bool,
        ports: Collection[int] = (80, 443),
        seconds: float = 15,
        at_once: int = 16,
        longest: int = 2_000,
        resolve: Resolve | None = None,
        allowed: Callable[[Address], bool] = public,
        network: httpcore.AsyncNetworkBackend | None = None,
        trusted: ssl.SSLContext | None = None,
    ) -> None:
        self._on = on
        self._ports = frozenset(ports)
        self._seconds = seconds
        self._at_once = at_once
        self._longest = longest
        self._under_way = 0
        self._resolve = resolve or Resolver(at_once)
        self._allowed = allowed
        self._network = Pinned(self._resolve, allowed, network)
        self._trusted = trusted

    def check(self, url: str) -> None:
        """Refuse, without asking anyone, an address that would not be fetched.

        Raises:
            UrlsOff: nothing is fetched here.
            BadUrl: its form, scheme, port or host is not one that is fetched.
        """
        self._check_on()
        self._read(url)

    async def get(self, url: str, *, max_bytes: int, accept: Collection[str] = PICTURES) -> bytes:
        """Get what is at an address.

        Args:
            url: http or https.
            max_bytes: of the body; a longer one is given up as soon as that is known.
            accept: how the types of content begin that are taken.

        Raises:
            UrlsOff: nothing is fetched here.
            BadUrl: the address, or one it redirects to, is not one that is fetched.
            FetchFailed: no answer in time, or not one that can be used.
            TooBig: the body is longer than `max_bytes`.
            QueueFull: too many are being fetched.
        """
        async with self._turn():
            target = self._read(url)
            for _ in range(MOST_REDIRECTS + 1):
                async with self._sent("GET", target, {"Accept": "image/*, application/octet-stream;q=0.5"}) as answer:
                    if answer.status not in _REDIRECTS:
                        return await _body(answer, _host(target), max_bytes, accept)
                    target = self._next(target, answer)
            raise FetchFailed(f"The address redirects more than {MOST_REDIRECTS} times.")

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        """Post bytes to an address; redirects are not followed, and the answer's body is not read.

        Args:
            url: http or https.
            body: what is sent.
            headers: those of ours that go with it; none of them a stranger's.

        Returns:
            the status that it was answered with.

        Raises:
            UrlsOff, BadUrl, FetchFailed, QueueFull: as `get` does.
        """
        async with self._turn(), self._sent("POST", self._read(url), headers, body) as answer:
            return answer.status

    def close(self) -> None:
        """End the threads that look up names."""
        if isinstance(self._resolve, Resolver):
            self._resolve.close()

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        return self._trusted or httpx.create_ssl_context(trust_env=False)

    def _check_on(self) -> None:
        if not self._on:
            raise UrlsOff("This service fetches no addresses; send the file itself.")

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        """Count what is under way, and bound its time as a whole: a slow trickle ends too."""
        self._check_on()
        if self._under_way >= self._at_once:
            raise QueueFull("Too many addresses are being fetched; try again in a moment.")
        self._under_way += 1
        try:
            async with asyncio.timeout(self._seconds):
                yield
        except TimeoutError:
            raise FetchFailed(f"The address did not answer to the end within {self._seconds:g} seconds.") from None
        finally:
            self._under_way -= 1

    def _read(self, text: str) -> httpx.URL:
        """Read an address and check all that can be checked without asking anyone."""
        if len(text) > self._longest:
            raise BadUrl(f"The address has {len(text):,} characters; the limit is {self._longest:,}.")
        try:
            url = httpx.URL(text)
        except (httpx.InvalidURL, UnicodeError):
            raise BadUrl("The address is not a URL; write it as https://host/path.") from None
        if url.scheme not in _DEFAULT_PORTS or not url.raw_host:
            raise BadUrl("The address is not one of http or https; write it as https://host/path.")
        if url.userinfo:
            raise BadUrl("The address holds a name or a password; leave them out.")
        if (port := _port(url)) not in self._ports:
            raise BadUrl(f"The port {port} is not one that is fetched from.")
        address = literal(_host(url))
        if address and not self._allowed(address):
            raise BadUrl(f"The host {address} has no public address, and no other is fetched.")
        return url

    def _next(self, target: httpx.URL, answer: httpcore.Response) -> httpx.URL:
        """Give where a redirect leads, checked as the first address was."""
        location = _header(answer, b"location")
        try:
            leads_to = str(target.join(location))
        except (httpx.InvalidURL, UnicodeError):
            raise FetchFailed(f"{_host(target)} redirects to what is not an address.") from None
        if not location:
            raise FetchFailed(f"{_host(target)} redirects to nowhere.")
        found = self._read(leads_to)
        if target.scheme == "https" and found.scheme == "http":
            raise FetchFailed(f"{_host(target)} redirects from https to http, which is not followed.")
        return found

    @asynccontextmanager
    async def _sent(
        self, method: str, url: httpx.URL, headers: Mapping[str, str], body: bytes | None = None
    ) -> AsyncIterator[httpcore.Response]:
        """Send one request over a connection of its own; give the answer with its body unread."""
        ours = {"User-Agent": _AGENT, "Accept-Encoding": "identity", "Connection": "close"}
        sent = [(b"Host", url.netloc), *((n.encode(), v.encode("latin-1")) for n, v in (ours | dict(headers)).items())]
        if body is not None:
            sent.append((b"Content-Length", str(len(body)).encode()))
        target = httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=_port(url), target=url.raw_path)
        tls = self._tls if url.scheme == "https" else None
        async with httpcore.AsyncConnectionPool(ssl_context=tls, network_backend=self._network) as pool:
            try:
                async with pool.stream(method, target, headers=sent, content=body) as answer:
                    yield answer
            except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException) as error:
                raise FetchFailed(f"{_host(url)} could not be asked: {_reason(error)}.") from error


def _port(url: httpx.URL) -> int:
    return _DEFAULT_PORTS[url.scheme] if url.port is None else url.port


def _host(url: httpx.URL) -> str:
    """Give the host as it goes over the wire; decoding it could fail."""
    return url.raw_host.decode("ascii")


def _header(answer: httpcore.Response, name: bytes) -> str:
    found = [value for key, value in answer.headers if key.lower() == name]
    return found[0].decode("latin-1").strip() if found else ""


async def _body(answer: httpcore.Response, host: str, max_bytes: int, accept: Collection[str]) -> bytes:
    """Read an answer's body, as long as there is no reason not to."""
    if answer.status != 200:
        raise FetchFailed(f"{host} answers with the status {answer.status}.")
    if _header(answer, b"content-encoding").lower() not in {"", "identity"}:
        raise FetchFailed(f"{host} answers in a compressed form that was not asked for.")
    kind = _header(answer, b"content-type").lower()
    if kind and not kind.startswith(tuple(accept)):
        raise FetchFailed(f"{host} answers with {kind.partition(';')[0][:60]!r}, which is not a picture.")
    too_big = TooBig(f"What {host} sends is larger than {max_bytes / 1e6:,.6g} MB, which is the limit.")
    if int(_header(answer, b"content-length") or 0) > max_bytes:
        raise too_big
    data = bytearray()
    async for chunk in answer.aiter_stream():
        if len(data) + len(chunk) > max_bytes:
            raise too_big
        data += chunk
    return bytes(data)


def _reason(error: Exception) -> str:
    """Say in our words why a connection failed; the library's own may tell of this machine."""
    if isinstance(error, httpcore.TimeoutException):
        return "it does not answer in time"
    if isinstance(error, httpcore.ProtocolError):
        return "it answers with something that is not whole HTTP"
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return "its certificate is not valid for that name"
        if isinstance(cause, ssl.SSLError):
            return "its TLS does not work"
        cause = cause.__cause__ or cause.__context__
    return "the connection failed"
