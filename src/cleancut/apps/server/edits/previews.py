"""What a worker's thread does for a preview."""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import partial

from cleancut.apps.gate import Check
from cleancut.apps.server.edits.shelf import Edit
from cleancut.apps.server.native.answers import Accept, timing
from cleancut.apps.server.service import MEDIA_TYPES
from cleancut.apps.server.work import check_size, checked
from cleancut.limits import ServiceLimits
from cleancut.matting.proof import Proof
from cleancut.matting.write import encode
from cleancut.models.runtime import Load
from cleancut.types import Recipe

FORMATS = ("png", "webp")
"""What previews are written in, both without loss; PNG takes less time, WebP fewer bytes."""


@dataclass(frozen=True, slots=True, eq=False)
class Preview:
    """A preview.

    Attributes:
        data: encoded.
        timing: milliseconds by stage, as Server-Timing writes them.
    """

    data: bytes
    timing: str


def media_type(recipe: Recipe, accept: str) -> str:
    """Choose how a preview is written; an alpha alone is always a PNG of 8-bit grey."""
    return Accept(accept).best([MEDIA_TYPES[name] for name in (FORMATS[:1] if recipe.show == "alpha" else FORMATS)])


def previewed(
    edit: Edit, proof: Proof, recipe: Recipe, kind: str, load: Load, limits: ServiceLimits, check: Check
) -> Preview:
    """Make a preview.

    Raises:
        TooBig: the full result would exceed the limit on pixels.
        Whatever the pipeline and `check` raise.
    """
    cutout = proof.cut(
        recipe,
        load=load,
        assets=edit.pictures(recipe, limits),
        check=check,
        check_size=partial(check_size, limits),
    )
    stream = io.BytesIO()
    encode(checked(cutout, check), stream, next(name for name in FORMATS if MEDIA_TYPES[name] == kind))
    return Preview(stream.getvalue(), timing(cutout.stopwatch.ms()))
