"""What went wrong → an answer. Routes raise errors of `errors.py`; here they become words, by address.

The native API answers with RFC 9457's application/problem+json. Another wire format brings its own words for the
addresses it speaks at: a module's `words`, a mapping of a path's beginning to a function.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cleancut.errors import BadInput, BadRecipe, Broken, CleancutError, NotFound, WrongMethod

Words = Callable[[Scope, CleancutError], Response]
"""Answers a failure in the words of one wire format."""

_log = logging.getLogger("cleancut.server")


class JSON(Response):
    """JSON in ASCII, so that no text of a stranger's, half a character included, can fail to be written."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """Write the content."""
        return json.dumps(content, ensure_ascii=True, separators=(",", ":"), allow_nan=False).encode()


class Problem(JSON):
    """A failure as RFC 9457 writes it."""

    media_type = "application/problem+json"


def code(error: CleancutError) -> str:
    """Name a failure for programs.

    >>> code(BadRecipe("x"))
    'bad_recipe'
    """
    return re.sub("(?<!^)(?=[A-Z])", "_", type(error).__name__).lower()


def told(error: CleancutError) -> dict[str, Any]:
    """Tell of a failure what a stranger may know."""
    return {
        "title": HTTPStatus(error.http_status).phrase,
        "status": error.http_status,
        "detail": error.public,
        "code": code(error),
    }


def problem(scope: Scope, error: CleancutError) -> Response:
    """Answer in the words of the native API."""
    return Problem(told(error), error.http_status, headers=headers_of(error))


def headers_of(error: CleancutError) -> dict[str, str]:
    """The headers that go with a failure, in every wire format."""
    found = {"Cache-Control": "no-store"}
    retry_after = getattr(error, "retry_after", None)
    return found if retry_after is None else found | {"Retry-After": str(retry_after)}


class Speaker:
    """Answers failures in the words that are spoken at an address.

    Args:
        words: by the beginning of a path; the longest that fits counts, else the native API's.
    """

    def __init__(self, words: Mapping[str, Words]) -> None:
        self._words = sorted(words.items(), key=lambda pair: -len(pair[0]))

    def answer(self, scope: Scope, error: CleancutError) -> Response:
        """Answer a failure."""
        if isinstance(error, Broken):
            _log.error("%s", type(error).__name__, exc_info=error)
        path = scope["path"]
        words = next((words for begin, words in self._words if f"{path}/".startswith(f"{begin}/")), problem)
        return words(scope, error)

    def install(self, app: FastAPI) -> None:
        """Answer what routes raise, and what the framework does."""

        async def ours(request: Request, error: Exception) -> Response:
            return self.answer(request.scope, _ours(error))

        for kind in (CleancutError, HTTPException, RequestValidationError):
            app.add_exception_handler(kind, ours)


def _ours(error: Exception) -> CleancutError:
    """Turn what the framework raises into an error of ours."""
    if isinstance(error, CleancutError):
        return error
    if isinstance(error, RequestValidationError):
        first = error.errors()[0]
        return BadRecipe(f"{'.'.join(map(str, first['loc']))}: {first['msg']}.")
    status = error.status_code if isinstance(error, HTTPException) else 500
    known = {404: NotFound("There is nothing at this address."), 405: WrongMethod("This address takes other methods.")}
    return known.get(status, BadInput("The request cannot be read."))


class Net:
    """ASGI middleware under everything: what nobody expected is logged, and answered without a word of it."""

    def __init__(self, app: ASGIApp, speaker: Speaker) -> None:
        self.app = app
        self.speaker = speaker

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        begun = False

        async def sent(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self.app(scope, receive, sent)
        except Exception as error:
            if scope["type"] != "http" or begun:
                raise
            known = error if isinstance(error, CleancutError) else _unknown(error)
            await self.speaker.answer(scope, known)(scope, receive, send)


def _unknown(error: Exception) -> Broken:
    broken = Broken(type(error).__name__)
    broken.__cause__ = error
    return broken
