"""The service as a function of AWS Lambda, behind a function URL or an HTTP API (payload format 2.0).

Lambda carries at most 6 MB either way, and pictures travel in Base64: 4.7 MB of picture. A larger result is answered
with 413 and what to ask for instead.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from cleancut.apps.serverless.inprocess import Answer, Asked, start
from cleancut.errors import BadInput, TooBig

MOST_PAYLOAD = 6_291_556
"""Bytes that Lambda carries either way, the JSON around the picture included."""

MOST_BODY = (MOST_PAYLOAD - 16_384) // 4 * 3
"""Bytes of a result that fit into it in Base64, with room left for headers."""


def handle(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """Answer an event of a function URL or an HTTP API.

    Args:
        event: in payload format 2.0.
        context: Lambda's; not used.

    Raises:
        BadInput: it is no such event.
    """
    answer = start().ask(asked(event), MOST_BODY)
    return told(fitting(answer))


def asked(event: Mapping[str, Any]) -> Asked:
    """Read an event.

    Raises:
        BadInput: it is not of payload format 2.0.

    >>> http = {"method": "GET", "path": "/live", "sourceIp": "192.0.2.1"}
    >>> asked({"version": "2.0", "rawPath": "/live", "requestContext": {"http": http}}).method
    'GET'
    """
    try:
        http, headers = event["requestContext"]["http"], event.get("headers", {})
        body = event.get("body") or ""
        return Asked(
            method=http["method"],
            path=_path(event),
            query=event.get("rawQueryString", ""),
            headers=list(headers.items()),
            body=base64.b64decode(body, validate=True) if event.get("isBase64Encoded") else body.encode(),
            client=http["sourceIp"],
        )
    except (KeyError, TypeError, AttributeError, ValueError):
        raise BadInput(
            "This is no event of a function URL or an HTTP API; choose payload format 2.0 where the API is set up."
        ) from None


def fitting(answer: Answer) -> Answer:
    """Put words in the place of a result that Lambda cannot carry."""
    if answer.size <= MOST_BODY:
        return answer
    error = TooBig(
        f"The result has {answer.size / 1e6:.1f} MB, and AWS Lambda carries {MOST_BODY / 1e6:.1f} MB; "
        "ask for format=webp or a smaller max_side."
    )
    body = {"title": "Content Too Large", "status": error.http_status, "detail": error.public, "code": "too_big"}
    data = bytearray(json.dumps(body).encode())
    kept = [(name, value) for name, value in answer.headers if name.startswith("x-")]
    return Answer(error.http_status, [*kept, ("content-type", "application/problem+json")], data, len(data))


def told(answer: Answer) -> dict[str, Any]:
    """Say an answer as Lambda wants it; a header that comes twice is one with a comma, as HTTP has it."""
    headers: dict[str, str] = {}
    for name, value in answer.headers:
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return {
        "statusCode": answer.status,
        "headers": headers,
        "body": base64.b64encode(answer.body).decode(),
        "isBase64Encoded": True,
    }


def _path(event: Mapping[str, Any]) -> str:
    """Give the path, without the name of an API's stage in front of it."""
    path, stage = unquote(event["rawPath"]), event["requestContext"].get("stage", "$default")
    return path.removeprefix(f"/{stage}") or "/"
