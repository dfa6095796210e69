"""What a page is told once: what there is to choose from."""

from __future__ import annotations

from typing import Any

import cleancut
from cleancut.apps.listing import described
from cleancut.apps.notebook.nouns import StudioLimits
from cleancut.matting.recipe import schema
from cleancut.matting.write import TARGETS
from cleancut.models.registry import models
from cleancut.pictures.formats import PICTURES

_FINDING = ("salient", "keying", "grabcut", "auto")
"""Kinds of models that find a subject; the others refine what one found."""

_TOLD = ("name", "title", "kind", "license", "here")


def about(limits: StudioLimits) -> dict[str, Any]:
    """Tell of effects and refinements by their schemas, of models, and of what is taken."""
    fields = schema()["properties"]
    listed = [described(model) for model in models()]
    return {
        "version": cleancut.__version__,
        "effects": fields["effects"]["items"],
        "refine": fields["refine"]["items"],
        "models": [{name: one[name] for name in _TOLD} for one in listed if one["runs"]],
        "finding": list(_FINDING),
        "writes": list(TARGETS),
        "chunk": min(limits.max_chunk, 1_000_000),
        "accepts": ",".join(sorted(PICTURES)),
    }
