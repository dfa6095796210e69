"""What routes and the service hand to each other."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from cleancut.apps.keys.keyring import Charge
from cleancut.apps.server.audit import Line
from cleancut.matting.proof import Proof
from cleancut.types import Picture, Recipe, Report

Gone = Callable[[], Awaitable[bool]]
"""Tells whether the caller has left."""

Asset = Picture | bytes
"""A picture that a recipe names, or the bytes of one."""

MEDIA_TYPES: Mapping[str, str] = {
    "png": "image/png",
    "webp": "image/webp",
    "avif": "image/avif",
    "tiff": "image/tiff",
    "jpeg": "image/jpeg",
}
"""Media type of each format that is written."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks.

    Attributes:
        key_id: the id of the key; None without one.
        name: what whoever made the key called it.
        scopes: what the key may do.
        request_id: of the request.
        network: where it calls from, if it has no key and strangers may call.
    """

    key_id: str | None = None
    name: str = ""
    scopes: frozenset[str] = frozenset()
    request_id: str = ""
    network: str = ""

    @property
    def turn(self) -> str:
        """Whose turn its work takes at the gate."""
        return self.key_id or self.network


@dataclass(frozen=True, slots=True, eq=False)
class Done:
    """A picture that was cut.

    Attributes:
        data: the encoded result.
        media_type: of the data.
        size: (width, height) of the result in pixels.
        digest: of what was asked for: equal digests are equal results.
        report: what was done, and how it went.
        cached: whether it was known before.
    """

    data: bytes
    media_type: str
    size: tuple[int, int]
    digest: str
    report: Report
    cached: bool


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """What was asked for, within the limits.

    Attributes:
        source: the encoded picture.
        recipe: what to do.
        assets: the pictures that the recipe names.
        caller: who asks.
        name: what the caller calls the picture.
        megapixels: of everything that will be decoded.
        charge: what it costs the caller's key.
        line: what the audit log is told of it.
        background: whether others go first.
        begun: called in the worker's thread when it is its turn.
        proof: what the models said of this picture before, so that they are not asked again.
    """

    source: bytes
    recipe: Recipe
    assets: Mapping[str, Asset]
    caller: Caller
    name: str
    megapixels: float
    charge: Charge
    line: Line
    background: bool = False
    begun: Callable[[], None] | None = None
    proof: Proof | None = None
