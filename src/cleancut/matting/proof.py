"""A proof: a picture as it will look, worked at the size of a screen while it is corrected.

Whatever a recipe states in pixels is scaled along with the picture, and marks are understood on the very preview that
the full picture's are, so what is seen is what will be written. A picture no larger than a proof is its own.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from cleancut.errors import BadInput
from cleancut.matting import recipe as recipes
from cleancut.matting.colors.foreground import estimate
from cleancut.matting.cutout import Cutout
from cleancut.matting.edges import refinements
from cleancut.matting.effects import dressed, effects
from cleancut.matting.ensemble import Answer
from cleancut.matting.figures import box_of
from cleancut.matting.matte import Matte
from cleancut.matting.pipeline import cut
from cleancut.matting.scribbles.heed import preview_size, walk_on
from cleancut.matting.scribbles.walk import Walk
from cleancut.matting.settings import Kind, Length, Range
from cleancut.matting.steps import Catalogue
from cleancut.matting.write import TARGETS, grounded
from cleancut.models.runtime import Load
from cleancut.raster.layer import Layer
from cleancut.raster.resample import reduced, resized
from cleancut.raster.rows import Rows
from cleancut.types import Picture, Recipe, Step, Value

SIDE = 1024
"""Pixels along the longer side of a proof at the most."""

_WIDEST = 2 * SIDE
"""Pixels along the longer side of what effects make of it at the most: `fit` may ask for more than the picture has."""

Question: TypeAlias = tuple[str, str | None, str | None, int | None]
"""What decides what the models say of a picture: model, tta, layer and max_side."""


def question(recipe: Recipe) -> Question:
    """Tell what a recipe asks the models; recipes that ask the same get the same answer."""
    return recipe.model, recipe.tta, recipe.layer, recipe.max_side


def asking(recipe: Recipe) -> Recipe:
    """Give the recipe that asks the models what this one does, and does no other work."""
    return Recipe(
        model=recipe.model,
        tta=recipe.tta,
        layer=recipe.layer,
        max_side=recipe.max_side,
        refine=(),
        foreground="source",
    )


class Proof:
    """A small copy of a picture, with what the models said of the picture itself. Threads may share it.

    Attributes:
        full: (width, height) of the picture, as the recipe's max_side reduced it.
        picture: the copy.
        answer: what the models said, which `pipeline.cut` takes for the full picture.
        box: the smallest box in the full picture that holds the subject, before any refinement; None without one.
        notes: what is to be known of how the answer came about.

    >>> import cleancut
    >>> proof = Proof(cleancut.cut(cleancut.Picture(np.full((1500, 2000, 3), 200, np.uint8))))
    >>> proof.full, proof.picture.size, proof.cut(Recipe()).size
    ((2000, 1500), (1024, 768), (1024, 768))
    """

    def __init__(self, cutout: Cutout) -> None:
        """Prove what `cut` gave.

        Raises:
            BadInput: it did not come from there.
        """
        if cutout.hand is None:
            raise BadInput("Only what cleancut.cut made can be proved; cut the picture first.")
        self.full = cutout.source.size
        self.answer = cutout.hand.answer
        self.box = box_of(cutout.hand.alpha)
        self.notes = cutout.notes
        self.picture = _small(cutout.source, proof_size(self.full))
        self._near = _near(self.answer, self.picture, self.full)
        self._seen = reduced(cutout.source.rgb, *preview_size(self.full), "bicubic")
        self._walks: dict[bool, Walk] = {}
        self._lock = threading.Lock()

    @property
    def scale(self) -> float:
        """Pixels of the proof to one of the picture, at most 1."""
        return max(self.picture.size) / max(self.full)

    @property
    def nbytes(self) -> int:
        """About what is held, in bytes; strokes make it more."""
        prediction = self.answer.prediction
        planes = [self._seen, self.picture.rgb, self.picture.alpha, self.answer.plane, prediction.alpha]
        planes.append(prediction.error)
        walked = sum(_bytes_of(walk) for walk in self._walks.values())
        whole = 4 * self.full[0] * self.full[1] if isinstance(prediction, Matte) else 0  # it looks at the full picture
        return sum(plane.nbytes for plane in planes if plane is not None) + walked + whole

    def walk(self, recipe: Recipe) -> Walk | None:
        """Give what the strokes of a recipe are understood by; None without strokes."""
        if not recipe.strokes:
            return None
        blank = not self.answer.prediction.subject and recipe.no_subject == "empty"
        with self._lock:
            if blank not in self._walks:
                self._walks[blank] = walk_on(self._seen, self.answer, blank=blank)
            return self._walks[blank]

    def cut(
        self,
        recipe: Recipe,
        *,
        load: Load | None = None,
        assets: Mapping[str, Picture] | None = None,
        check: Callable[[], None] | None = None,
        check_size: Callable[[int, int], None] | None = None,
    ) -> Cutout:
        """Make what a recipe asks for, small.

        Args:
            recipe: asks the models what the proof's did.
            load: gives the networks that refine, by name; by default those of this process's engine.
            assets: the pictures that the recipe names; they need not be larger than a proof.
            check: called between steps; raise from it to end the work.
            check_size: called with the width and height the full result will have, to refuse what is too large.

        Returns:
            A cutout at most 2048 pixels wide and high, in colours as they will be written; it notes no provenance.

        Raises:
            BadInput, WeightsError, Broken: as `pipeline.cut` says.
        """
        small, handed = recipes.named_by_content(scaled(recipe, self.scale), assets or {})
        plain = cut(
            self.picture,
            replace(small, effects=()),
            load=load,
            check=check,
            answer=self._near,
            walk=self.walk(recipe),
        )
        made = dressed(replace(_held(plain), recipe=small), handed, check or (lambda: None))
        if check_size is not None:
            check_size(*(round(side / self.scale) for side in made.size))
        return _within(grounded(made, TARGETS[recipe.format or "png"]))


def proof_size(size: tuple[int, int]) -> tuple[int, int]:
    """Give (width, height) of the proof of a picture.

    >>> proof_size((6000, 4000)), proof_size((30000, 10)), proof_size((96, 120))
    ((1024, 683), (1024, 1), (96, 120))
    """
    scale = min(1.0, SIDE / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def scaled(recipe: Recipe, scale: float) -> Recipe:
    """Write a recipe for a copy of the picture that is this many times as large.

    Settings in pixels are scaled, lengths and areas in percent are not; what only matters to a file is left out.

    >>> from cleancut.matting.recipe import make
    >>> scaled(make(effects="shadow:distance=40px,blur=2%", refine="specks:area=400px"), 0.25).refine[0].settings
    (('area', '25px'),)
    """
    return replace(
        recipe,
        refine=tuple(_step(refinements, step, scale) for step in recipe.refine),
        effects=tuple(_step(effects, step, scale) for step in recipe.effects),
        max_side=None,
        quality=None,
        keep_metadata=False,
        provenance=False,
    )


def _step(catalogue: Catalogue[Any], step: Step, scale: float) -> Step:
    kinds = catalogue[step.name].settings
    return Step(step.name, tuple((name, _setting(kinds[name].kind, value, scale)) for name, value in step.settings))


def _setting(kind: Kind, value: Value, scale: float) -> Value:
    if isinstance(kind, Length) and isinstance(value, str) and value.endswith("px"):
        return f"{float(value[:-2]) * (scale * scale if kind.area else scale):.4f}".rstrip("0").rstrip(".") + "px"
    if isinstance(kind, Range) and kind.unit == "px" and isinstance(value, int | float) and value:
        small = min(max(value * scale, kind.low), kind.high)
        return max(1, round(small)) if kind.whole else small
    return value


def _small(picture: Picture, size: tuple[int, int]) -> Picture:
    """Bring a picture to another size, without what only a file of it would carry."""
    bare = replace(picture, dpi=None, exif=None)
    if picture.size == size:
        return bare
    own = None if picture.alpha is None else reduced(picture.alpha, *size, "bicubic")
    return replace(bare, rgb=reduced(picture.rgb, *size, "bicubic"), alpha=own)


def _near(answer: Answer, small: Picture, full: tuple[int, int]) -> Answer:
    """Lay an answer about a picture in its small copy."""
    if small.size == full:
        return answer
    prediction = answer.prediction
    if isinstance(prediction, Matte):
        rows = Rows.of(_reduced(prediction.rows, small.size))
        colors = Rows.of(small.rgb)
        prediction = replace(prediction, rows=rows, foreground=lambda alpha: estimate(colors, alpha))
    return replace(answer, prediction=prediction, fit=replace(answer.fit, source=small.size))


def _reduced(alpha: Rows, size: tuple[int, int]) -> NDArray[np.float32]:
    steps = alpha.map(lambda strip: np.rint(strip * 255).astype(np.uint8)).whole()
    return reduced(steps, *size, "bicubic") * np.float32(1 / 255)


def _held(cutout: Cutout) -> Cutout:
    """Work the subject out once: effects read it many times over, and of a proof it is small."""
    alpha = Rows.of(cutout.subject.alpha.whole())
    if cutout.recipe.show == "alpha":
        return replace(cutout, subject=replace(cutout.subject, alpha=alpha))
    return replace(cutout, subject=Layer(Rows.of(cutout.subject.color.whole()), alpha))


def _within(cutout: Cutout) -> Cutout:
    """Reduce a canvas that effects made larger than a screen needs."""
    width, height = cutout.size
    scale = _WIDEST / max(width, height)
    if scale >= 1:
        return cutout
    smaller = max(1, round(width * scale)), max(1, round(height * scale))
    return cutout.moved(lambda layer: resized(layer, *smaller))


def _bytes_of(walk: Walk) -> int:
    planes = (walk.rgb, walk.patches.share, walk.areas, walk.colors, walk.reach, walk.chance, walk.before)
    return sum(plane.nbytes for plane in planes)
