"""A result or a failure → an answer of remove.bg's, with its headers."""

from __future__ import annotations

import base64
from collections.abc import Mapping

from starlette.responses import Response
from starlette.types import Scope

from cleancut.apps.server.problems import JSON, headers_of
from cleancut.apps.server.removebg.errors import told
from cleancut.apps.server.removebg.parameters import SIZES, Asked
from cleancut.apps.server.removebg.render import Rendered
from cleancut.errors import CleancutError

DETECTED = "other"
"""What every subject is said to be: nothing here tells persons from products."""

_PREVIEW_PIXELS = round(SIZES["preview"] * 1e6)
_SMALL = frozenset(name for name, megapixels in SIZES.items() if megapixels == SIZES["preview"]) | {"auto"}


def wants_json(accept: str) -> bool:
    """Tell whether a caller wants JSON: only if it is the one type it accepts.

    Clients that accept JSON among others (axios does, by default) mean the picture.

    >>> wants_json("application/json"), wants_json("application/json, text/plain, */*"), wants_json("")
    (True, False, False)
    """
    return accept.partition(";")[0].strip().lower() == "application/json"


def success(result: Rendered, asked: Asked, *, as_json: bool, emulate_credits: bool) -> Response:
    """Answer with a result: its bytes, or JSON with them in base64."""
    headers = headers_for(result, asked, emulate_credits=emulate_credits)
    if not as_json:
        return Response(result.data, media_type=result.media_type, headers=headers)
    places = {f"foreground_{name}": value for name, value in _place(result).items()}
    return JSON({"data": {"result_b64": base64.b64encode(result.data).decode(), **places}}, headers=headers)


def headers_for(result: Rendered, asked: Asked, *, emulate_credits: bool) -> dict[str, str]:
    """Give the headers that go with a result."""
    width, height = result.size
    most_width, most_height = result.most
    stated: dict[str, object] = {
        "X-Credits-Charged": charged(asked, result.size) if emulate_credits else 0,
        "X-Width": width,
        "X-Height": height,
        "X-Max-Width": most_width,
        "X-Max-Height": most_height,
        **{f"X-Foreground-{name.capitalize()}": value for name, value in _place(result).items()},
    }
    if asked.type_level != "none":
        stated["X-Type"] = DETECTED
    return {name: str(value) for name, value in stated.items()} | {"Cache-Control": "no-store"}


def charged(asked: Asked, size: tuple[int, int]) -> float:
    """Give the credits that remove.bg would charge: a quarter for a preview, else one."""
    return 0.25 if asked.size in _SMALL and size[0] * size[1] <= _PREVIEW_PIXELS else 1


def failure(scope: Scope, error: CleancutError) -> Response:
    """Answer a failure in remove.bg's words."""
    words = told(error)
    return JSON(words.body, words.status, headers=headers_of(error))


def _place(result: Rendered) -> Mapping[str, int]:
    left, top, right, bottom = result.subject
    return {"top": top, "left": left, "width": right - left, "height": bottom - top}
