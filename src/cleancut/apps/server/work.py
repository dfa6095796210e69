"""What a worker's thread does with a picture, and how its result is known again."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from numpy.typing import NDArray

import cleancut
from cleancut.apps.gate import Check
from cleancut.apps.server.cache import Kept
from cleancut.apps.server.nouns import MEDIA_TYPES, Asked, Asset
from cleancut.apps.server.settings import Settings
from cleancut.errors import TooBig
from cleancut.limits import ServiceLimits
from cleancut.matting import recipe as recipes
from cleancut.matting.cutout import Cutout
from cleancut.matting.pipeline import cut
from cleancut.matting.stopwatch import Stopwatch
from cleancut.matting.write import encoded
from cleancut.models.runtime import Engine, Load
from cleancut.pictures import images
from cleancut.types import Recipe

T = TypeVar("T")


@dataclass(frozen=True, slots=True, eq=False)
class Worked(Generic[T]):
    """What came of it.

    Attributes:
        result: what was made of the cutout.
        begun: when a worker began, in seconds of `time.perf_counter`.
        stopwatch: what each stage took.
    """

    result: T
    begun: float
    stopwatch: Stopwatch


def worked(asked: Asked, finish: Callable[[Cutout], T], load: Load, limits: ServiceLimits, check: Check) -> Worked[T]:
    """Read a picture, cut it out and make of the cutout what `finish` does.

    Raises:
        TooBig: the result would exceed the limit on pixels.
        Whatever the pipeline, `finish` and `check` raise.
    """
    begun = time.perf_counter()
    if asked.begun is not None:
        asked.begun()
    assets = {
        name: images.read(asset, limits=limits) if isinstance(asset, bytes) else asset
        for name, asset in asked.assets.items()
    }
    proof = asked.proof
    answer, walk = (None, None) if proof is None else (proof.answer, proof.walk(asked.recipe))
    made = cut(
        asked.source, asked.recipe, load=load, assets=assets, limits=limits, check=check, answer=answer, walk=walk
    )
    cutout = checked(made, check)
    check_size(limits, *cutout.size)
    result = finish(cutout)
    check()
    return Worked(result, begun, cutout.stopwatch)


def check_size(limits: ServiceLimits, width: int, height: int) -> None:
    """Refuse a result that is too large, before it is made.

    Raises:
        TooBig: it is.
    """
    if width * height > limits.max_pixels:
        raise TooBig(f"The result would have {width} × {height} pixels; ask for a smaller one.")


def checked(cutout: Cutout, check: Check) -> Cutout:
    """Ask before each strip whether the work is still wanted: much of it is done only when the result is written."""
    alpha = cutout.subject.alpha

    def read(top: int, bottom: int) -> NDArray[Any]:
        check()
        return alpha.read(top, bottom)

    return replace(cutout, subject=replace(cutout.subject, alpha=replace(alpha, read=read)))


def kept(cutout: Cutout) -> Kept:
    """Encode a cutout as it is kept: with nothing that a caller called it."""
    data = encoded(cutout)
    return Kept(data, MEDIA_TYPES[cutout.recipe.format or "png"], replace(cutout.report, name=""))


def digest_of(source: bytes, recipe: Recipe, assets: Mapping[str, Asset], runs: tuple[str, ...]) -> str:
    """Give the sha256 of a result before it is made: equal digests are equal results.

    Args:
        source: the encoded picture.
        recipe: what to do.
        assets: the pictures that the recipe names.
        runs: what runs it: device, precision, digests of the weights.
    """
    told = {
        "version": cleancut.__version__,
        "recipe": recipes.to_json(recipe),
        "source": hashlib.sha256(source).hexdigest(),
        "assets": {name: _content(asset) for name, asset in assets.items()},
        "runs": runs,
    }
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def runs_of(settings: Settings, engine: Engine, recipe: Recipe) -> tuple[str, ...]:
    """Tell what runs a recipe, as a digest needs it: device, precision, digests of the weights."""
    weights = [file for name in recipes.models(recipe) for file in engine.model(name).weights.values()]
    return (settings.device, settings.precision, *(file.sha256 or file.md5 or "" for file in weights))


def key_of(key_id: str | None, digest: str) -> str:
    """Name a result that is kept, by whose it is too: nobody learns what somebody else had cut."""
    return hashlib.sha256(f"{key_id}|{digest}".encode()).hexdigest()


def _content(asset: Asset) -> str:
    return hashlib.sha256(asset).hexdigest() if isinstance(asset, bytes) else recipes.content_name(asset)
