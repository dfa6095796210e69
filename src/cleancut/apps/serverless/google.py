"""The service as a function of Google Cloud, over its functions framework.

Google carries at most 32 MB either way, as bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cleancut.apps.serverless.inprocess import Asked, settings, start

if TYPE_CHECKING:
    from flask import Request

MOST_BODY = 32 * 2**20
"""Bytes of a body that Google carries."""


def handle(request: Request) -> tuple[bytes, int, list[tuple[str, str]]]:
    """Answer a request of the functions framework: body, status and headers, as Flask takes them."""
    answer = start().ask(asked(request), MOST_BODY)
    return bytes(answer.body), answer.status, answer.headers


def asked(request: Request) -> Asked:
    """Read a request; of a body that is too long only as much as shows that it is."""
    return Asked(
        method=request.method,
        path=request.path,
        query=request.query_string.decode("latin-1"),
        headers=list(request.headers.items()),
        body=request.stream.read(settings().limits.max_body + 1),
        client=request.remote_addr or "",
    )
