"""Bodies of requests, counted and timed as they come in: what is too large or too slow is cut off, not stored.

It stands in front of every route, so that none can forget it. All bodies together are bounded too, which bounds the
memory that a thousand callers at once can take.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cleancut.apps.server.problems import Speaker
from cleancut.errors import BadInput, CleancutError, QueueFull, Stopped, TooBig, TooSlow, WrongType
from cleancut.limits import ServiceLimits

_LINGER_SECONDS = 2
"""How long the rest of a body is thrown away after an early answer: to close at once would lose the answer."""


@dataclass(slots=True)
class Held:
    """Bytes of all bodies whose requests are not answered yet."""

    bytes: int = 0


@dataclass(slots=True)
class _Body:
    """One request's body, as it comes."""

    receive: Receive
    limits: ServiceLimits
    held: Held
    expected: bool
    bytes: int = 0
    ended: bool = False
    begun: float = field(default_factory=time.monotonic)

    async def take(self) -> Message:
        """Receive the next part within the limits."""
        if self.ended:
            return await self.receive()  # what comes now is that the caller has left
        left = self.begun + self.limits.body_seconds + self.bytes / self.limits.body_rate - time.monotonic()
        try:
            message = await asyncio.wait_for(self.receive(), max(left, 0.001))
        except TimeoutError:
            raise TooSlow("The body came too slowly; send it faster, or a smaller picture.") from None
        if message["type"] == "http.disconnect":
            raise Stopped("The caller left before the request was complete.")
        self._count(len(message.get("body", b"")))
        self.ended = not message.get("more_body", False)
        return message

    def _count(self, size: int) -> None:
        self.bytes += size
        self.held.bytes += size
        if self.bytes > self.limits.max_body:
            raise _too_big(self.limits)
        if self.held.bytes > self.limits.max_bodies:
            raise QueueFull("The service has more to do than it can; ask again later.", retry_after=2)

    async def rest(self) -> None:
        """Throw away what is still coming: for a while, and not for ever."""
        until, thrown = time.monotonic() + _LINGER_SECONDS, 0
        while not self.ended and thrown <= self.limits.max_body and (left := until - time.monotonic()) > 0:
            try:
                message = await asyncio.wait_for(self.receive(), left)
            except TimeoutError:
                return
            thrown += len(message.get("body", b""))
            self.ended = message["type"] == "http.disconnect" or not message.get("more_body", False)


class Intake:
    """ASGI middleware that bounds bodies.

    Args:
        app: what is behind it.
        limits: of the service.
        speaker: says what went wrong in the words of the address.
        held: counts what is held.
    """

    def __init__(self, app: ASGIApp, limits: ServiceLimits, speaker: Speaker, held: Held) -> None:
        self.app = app
        self.limits = limits
        self.speaker = speaker
        self.held = held

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it before its body is read."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        coming = "transfer-encoding" in headers or headers.get("content-length", "0") != "0"
        body = _Body(receive, self.limits, self.held, coming)
        refused = refusal(scope, headers, self.limits)
        try:
            if refused is not None:
                await self.speaker.answer(scope, refused)(scope, body.take, _lingering(body, send))
            else:
                await self.app(scope, body.take, _lingering(body, send))
        finally:
            self.held.bytes -= body.bytes


def refusal(scope: Scope, headers: Headers, limits: ServiceLimits) -> CleancutError | None:
    """Say why a request is refused by its head alone; None where it is not."""
    if len(scope.get("raw_path", b"")) + len(scope["query_string"]) > limits.max_url:
        return BadInput(f"The address is longer than {limits.max_url} characters; send the recipe in the body.")
    coding = headers.get("content-encoding", "identity").strip().lower()
    if coding not in {"", "identity"}:
        return WrongType(f"Bodies are not unpacked (Content-Encoding: {coding[:40]!r}); send it as it is.")
    length = headers.get("content-length", "0")
    if length.isascii() and length.isdigit() and int(length[:20]) > limits.max_body:
        return _too_big(limits)
    return None


def _too_big(limits: ServiceLimits) -> TooBig:
    return TooBig(f"The body has more than {limits.max_body / 1e6:,.6g} MB, which is the limit.")


def _lingering(body: _Body, send: Send) -> Send:
    """Where an answer comes before the end of the body, say that the connection ends, and let the caller read it."""
    early = False

    async def sent(message: Message) -> None:
        nonlocal early
        if message["type"] == "http.response.start" and body.expected and not body.ended:
            early = True
            message = {**message, "headers": [*message.get("headers", ()), (b"connection", b"close")]}
        last = message["type"] == "http.response.body" and not message.get("more_body", False)
        if not (early and last):
            await send(message)
            return
        await send({**message, "more_body": True})
        await body.rest()
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    return sent
