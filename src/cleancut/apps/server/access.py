"""Who calls, and whether they may: keys, scopes, and what stands in front of every route.

Three manners of access, chosen by the settings:

* local, on a loopback address: no keys. A browser carries other people's pages, so nobody but this machine, by one of
  its own names, from no page but our own, is answered.
* keys, on any other address: every request carries a key.
* public, where it is asked for by name: anyone may cut pictures; a key of ours still brings its own scopes and limits.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

from fastapi import FastAPI, Request, Security
from fastapi.security import APIKeyHeader, HTTPBearer
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cleancut.apps.keys.keyring import Keyring
from cleancut.apps.keys.nouns import SCOPES, Key, parts
from cleancut.apps.keys.rates import Rates
from cleancut.apps.keys.store import KeyStore, default_file
from cleancut.apps.server.problems import Speaker
from cleancut.apps.server.service import Caller, Service
from cleancut.apps.server.settings import Settings
from cleancut.apps.server.trail import note
from cleancut.errors import BadSetting, KeysFailed, NoKey, NotAllowed, WrongKey

Manner: TypeAlias = Literal["local", "keys", "public"]

EVERYTHING = frozenset(SCOPES)
_ANYONE = frozenset({"cut"})

HEADERS: Mapping[str, str] = {
    "content-security-policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
"""On every answer. A page that needs more than nothing brings a policy of its own, which is left as it is."""

PAGE_POLICY = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
"""The policy of a page with a style and a form of our own, and nothing else."""

_SENT_BY_PAGES = ("Accept", "Authorization", "Content-Type", "Idempotency-Key", "If-None-Match", "Last-Event-ID",
                  "X-API-Key", "X-Request-ID")  # fmt: skip
_SHOWN_TO_PAGES = ("Content-Disposition", "ETag", "Location", "Retry-After", "X-Credits-Charged", "X-Foreground-Height",
                   "X-Foreground-Left", "X-Foreground-Top", "X-Foreground-Width", "X-Height", "X-Max-Height",
                   "X-Max-Width", "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset", "X-Request-ID",
                   "X-Type", "X-Width")  # fmt: skip

_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[^:\[\]]+)(:[0-9]{1,5})?", re.IGNORECASE)
_TOLD_BY_PROXIES = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip")

_KEY = APIKeyHeader(name="X-API-Key", auto_error=False, description="A key of this service.")
_BEARER = HTTPBearer(auto_error=False, description="A key of this service, as a bearer token.")


def manner(settings: Settings) -> Manner:
    """Tell in which manner a service gives access."""
    if settings.public:
        return "public"
    return "local" if is_loopback(settings.host) and not settings.require_keys else "keys"


def is_loopback(host: str) -> bool:
    """Tell whether an address to listen on is reached from this machine only.

    >>> is_loopback("127.0.0.1"), is_loopback("::1"), is_loopback("localhost"), is_loopback("0.0.0.0")
    (True, True, True, False)
    """
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def scoped(scope: str) -> Callable[..., Awaitable[Caller]]:
    """Make a dependency of routes: it gives the caller, and refuses one who may not do this.

    Raises:
        NoKey: there is no key, and one is needed.
        WrongKey: it is unknown, revoked or expired.
        NotAllowed: it has no such scope.
    """

    async def known(
        request: Request,
        _key: Annotated[object, Security(_KEY)] = None,
        _bearer: Annotated[object, Security(_BEARER)] = None,
    ) -> Caller:
        found = await _caller(request)
        note(key=found.key_id or "")
        if scope not in found.scopes:
            raise NotAllowed(
                f"This needs a key with the scope {scope}: cleancut keys create --scope {scope} makes one."
            )
        return found

    return known


caller = scoped("cut")
"""The dependency of every route that cuts pictures."""


async def _caller(request: Request) -> Caller:
    """Tell who calls, by the key that is shown."""
    service: Service = request.app.state.service
    way = manner(service.settings)
    request_id = getattr(request.state, "request_id", "")
    if way == "local":
        return Caller(None, "local", EVERYTHING, request_id)
    text = shown(request.headers)
    if way == "public" and (text is None or parts(text) is None):
        return Caller(None, "public", _ANYONE, request_id, network_of(request))
    if text is None:
        raise NoKey("A key is needed: send it as the header X-API-Key, or as Authorization: Bearer.")
    key = await _verified(service, text)
    return Caller(key.id, key.name, key.scopes, request_id)


def network_of(request: Request) -> str:
    """Tell strangers apart by where they call from, as far as an address does: of IPv6 one has 2**64 at home."""
    try:
        address = ipaddress.ip_address(request.client.host if request.client else "")
    except ValueError:  # a socket in the file system has no address
        return ""
    return str(ipaddress.ip_network((address, 64), strict=False) if address.version == 6 else address)


async def _verified(service: Service, text: str) -> Key:
    if service.keys is None:
        raise KeysFailed("The service has not started yet, so no key can be checked.")
    return await service.keys.verified(text)


def shown(headers: Headers) -> str | None:
    """Take the key out of a request's headers; None where there is none.

    Raises:
        WrongKey: there are several, and they differ.
    """
    bearers = (value.partition(" ") for value in headers.getlist("authorization"))
    found = {value.strip() for value in headers.getlist("x-api-key")}
    found |= {token.strip() for kind, _, token in bearers if kind.lower() == "bearer"}
    found.discard("")
    if len(found) > 1:
        raise WrongKey("The request shows several keys; show one.")
    return found.pop() if found else None


class Door:
    """ASGI middleware of a local service: nobody but this machine and our own pages comes in.

    A name that an attacker's resolver leads here (DNS rebinding) is told by the Host header, a page of another
    origin by Origin or Sec-Fetch-Site, a proxy that brings others here by what it adds, and a service that was bound
    to another address than it was told by who is at the other end.
    """

    def __init__(self, app: ASGIApp, settings: Settings, speaker: Speaker) -> None:
        self._app = app
        self._names = {"localhost", "127.0.0.1", "[::1]", _bracketed(settings.host).lower()}
        self._origins = set(settings.cors_origins)
        self._speaker = speaker

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request in, or answer why not."""
        refusal = self._refusal(scope) if scope["type"] == "http" else None
        if refusal is None:
            await self._app(scope, receive, send)
        else:
            await self._speaker.answer(scope, NotAllowed(refusal))(scope, receive, send)

    def _refusal(self, scope: Scope) -> str | None:
        """Say why a request is not let in; None where it is."""
        headers, peer = Headers(scope=scope), scope.get("client")
        if peer is None or not is_loopback(peer[0]) or any(name in headers for name in _TOLD_BY_PROXIES):
            return (
                "This service answers its own machine only; start it with --require-keys or --public to serve others."
            )
        hosts = headers.getlist("host")
        named = _HOST.fullmatch(hosts[0]) if len(hosts) == 1 else None
        if named is None or named[1].lower() not in self._names:
            return "This service answers to localhost only; use that name in the address."
        if not self._is_ours(headers, hosts[0]):
            return "A page of another site may not use this service; list its origin with --cors-origins to let it."
        return None

    def _is_ours(self, headers: Headers, host: str) -> bool:
        """Tell whether what sent the request is no page, or one of ours, or one that is listed."""
        origins = headers.getlist("origin")
        if origins:
            return len(origins) == 1 and (origins[0] in self._origins or origins[0].lower() == f"http://{host.lower()}")
        return headers.get("sec-fetch-site", "none") in {"none", "same-origin"}


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


class Sealed:
    """ASGI middleware that puts the headers of safety on every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""

        async def sealed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, sealed if scope["type"] == "http" else send)


def install(app: FastAPI) -> None:
    """Put the door, CORS and the headers in front of the routes, the last outermost.

    Raises:
        BadSetting: every origin is listed where there are no keys.
    """
    settings: Settings = app.state.service.settings
    local = manner(settings) == "local"
    if local:
        app.add_middleware(Door, settings=settings, speaker=app.state.speaker)
    if origins := _origins(settings, local):
        app.add_middleware(
            CORSMiddleware,
            allow_origins=origins,
            allow_methods=("DELETE", "GET", "HEAD", "POST"),
            allow_headers=_SENT_BY_PAGES,
            expose_headers=_SHOWN_TO_PAGES,
            allow_private_network=local,
        )
    app.add_middleware(Sealed)


def _origins(settings: Settings, local: bool) -> tuple[str, ...]:
    origins = settings.cors_origins
    if local and "*" in origins:
        raise BadSetting("CLEANCUT_CORS_ORIGINS: name the origins; * would let every page use a service without keys.")
    wrong = [origin for origin in origins if not re.fullmatch(r"\*|https?://[^/\s]+", origin)]
    if wrong:
        raise BadSetting(f"CLEANCUT_CORS_ORIGINS: {wrong[0]!r} is no origin; write it as https://www.example.com.")
    return origins


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Open the keys where there are any, and write down what was used as long as the service runs."""
    service: Service = app.state.service
    if manner(service.settings) == "local":
        yield
        return
    service.keys = keyring(service.settings)
    keeping = asyncio.create_task(service.keys.keep())
    try:
        yield
    finally:
        keeping.cancel()
        await service.keys.close()


def keyring(settings: Settings) -> Keyring:
    """Open the keys of a service.

    Raises:
        KeysFailed: the file of keys cannot be used.
        BadSetting: the address of Redis is none.
    """
    rates = Rates(settings.redis_url.get_secret_value() if settings.redis_url else None)
    return Keyring(KeyStore(keys_file(settings)), rates)


def keys_file(settings: Settings) -> Path:
    """Tell where a service keeps its keys."""
    return Path(settings.keys_file) if settings.keys_file else default_file()
