"""What is done beside the kernel's own threads: functions of what they are given."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from PIL import Image

from cleancut.apps.notebook.hand import Check
from cleancut.apps.notebook.nouns import Encoded
from cleancut.limits import Limits
from cleancut.matting.cutout import Cutout
from cleancut.matting.ensemble import Answer
from cleancut.matting.matte import Matte
from cleancut.matting.pipeline import cut, read
from cleancut.matting.proof import Proof, asking
from cleancut.matting.write import encoded
from cleancut.models.runtime import Load
from cleancut.pictures.page import thumbnail
from cleancut.types import Picture, Recipe

THUMB = 96
"""Pixels along the longer side of a thumbnail."""

_SQUARE = 6


def looked_at(
    source: Encoded, name: str, recipe: Recipe, load: Load, limits: Limits, check: Check, answer: Answer | None = None
) -> Proof:
    """Read a picture and ask the models about it, unless their answer is known; give it in small.

    Raises:
        BadInput, WeightsError, Broken: as `cut` says.
    """
    picture = read(source, recipe, limits, name)
    return Proof(cut(picture, asking(recipe), load=load, limits=limits, check=check, answer=answer))


def keepable(answer: Answer) -> int | None:
    """Tell the bytes of an answer; None of one that looks at the whole picture and is cheap to have again."""
    if isinstance(answer.prediction, Matte):
        return None
    planes = (answer.plane, answer.prediction.alpha, answer.prediction.error)
    return sum(plane.nbytes for plane in planes if plane is not None)


def previewed(proof: Proof, recipe: Recipe, load: Load, assets: Mapping[str, Picture], check: Check) -> bytes:
    """Make a PNG, as large as a screen needs, of what a recipe makes of a picture."""
    made = proof.cut(recipe, load=load, assets=assets, check=check)
    return encoded(replace(made, recipe=replace(made.recipe, format="png")))


def original(proof: Proof) -> bytes:
    """Make a PNG of the picture itself, of the previews' size."""
    stream = io.BytesIO()
    picture = proof.picture
    planes = picture.rgb if picture.alpha is None else np.dstack((picture.rgb, picture.alpha))
    Image.fromarray(planes).save(stream, "PNG", compress_level=1, icc_profile=picture.profile)
    return stream.getvalue()


def thumb(proof: Proof) -> bytes:
    """Make a thumbnail: what the models take for the subject, over a checkerboard."""
    plain = proof.cut(Recipe(refine=(), foreground="source", no_subject="keep"))
    stream = io.BytesIO()
    Image.fromarray(thumbnail(plain.rgba(), THUMB, _SQUARE)).save(stream, "WEBP", quality=70, method=2)
    return stream.getvalue()


def cutout_of(
    source: Encoded,
    name: str,
    recipe: Recipe,
    load: Load,
    assets: Mapping[str, Picture],
    limits: Limits,
    answer: Answer | None,
    check: Check | None = None,
) -> Cutout:
    """Cut a picture at full size; the very result that `cleancut.cut` gives for it.

    Raises:
        BadInput, WeightsError, Broken: as `cut` says.
    """
    picture = read(source, recipe, limits, name)
    return cut(picture, recipe, load=load, assets=assets, limits=limits, answer=answer, check=check)
