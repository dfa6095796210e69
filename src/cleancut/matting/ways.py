"""One picture in several ways: what they share is worked out once, the networks above all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from cleancut.limits import Limits
from cleancut.matting import recipe as recipes
from cleancut.matting.cutout import Cutout
from cleancut.matting.effects import dressed
from cleancut.matting.ensemble import Answer
from cleancut.matting.pipeline import Source, cut, read
from cleancut.matting.scribbles.heed import noted
from cleancut.matting.scribbles.strokes import Mark
from cleancut.matting.stopwatch import Stopwatch
from cleancut.models.runtime import Load
from cleancut.raster.layer import Layer
from cleancut.raster.rows import Rows
from cleancut.types import Picture, Recipe


def cut_ways(
    source: Source,
    ways: Sequence[Recipe],
    *,
    load: Load,
    assets: Mapping[str, Picture] | None = None,
    limits: Limits | None = None,
    check: Callable[[], None] | None = None,
) -> Iterator[Cutout]:
    """Cut the subject out of one picture in several ways, each as `cut` would, bit for bit.

    The models that find the subject are asked once by all ways of the same model, tta and layer. Ways that differ in
    nothing but their effects and how they are written share α and colour too, which are then held whole: 7 bytes a
    pixel.

    Args:
        source: the picture.
        ways: what to make of it.
        load: gives a network by name.
        assets: the pictures that the recipes name.
        limits: on what is read; by default those of the environment.
        check: called between steps; raise from it to end the work.

    Yields:
        A cutout a way, in order; what a way costs is spent when it is asked for.

    Raises:
        BadInput, WeightsError, Broken: as `cut_all` says.
    """
    for way in ways:
        recipes.named_by_content(recipes.checked(way), assets or {})  # told before any work
    shared = Ways(source, ways, load, limits or Limits.from_env(), check or (lambda: None))
    for way in ways:
        yield shared.cut(way, assets or {})


class Ways:
    """What several ways of one picture share, worked out when the first of them asks for it. For one thread.

    Args:
        source: the picture.
        ways: what is to be made of it; one that shares nothing with another is worked out strip by strip.
        load: gives a network by name.
        limits: on what is read.
        check: called between steps; raise from it to end the work.
        name: what to call the picture in messages.
    """

    def __init__(
        self,
        source: Source,
        ways: Iterable[Recipe],
        load: Load,
        limits: Limits,
        check: Callable[[], None],
        name: str | None = None,
    ) -> None:
        self._source, self._load, self._limits, self._check, self._name = source, load, limits, check, name
        self._sharing = Counter(_bare(recipes.checked(way)) for way in ways)
        self._pictures: dict[tuple[object, ...], Picture] = {}
        self._answers: dict[tuple[object, ...], Answer] = {}
        self._plain: dict[Recipe, Cutout] = {}

    def cut(self, way: Recipe, assets: Mapping[str, Picture]) -> Cutout:
        """Cut the picture in one way, as `cut_all` would; a failure spoils no other way.

        Raises:
            BadInput, WeightsError, Broken: as `cut_all` says.
        """
        way, handed = recipes.named_by_content(recipes.checked(way), assets)
        bare = _bare(way)
        if bare not in self._plain:
            found = self._cut(bare)
            alone = self._sharing[bare] == 1 or self._sharing.total() == 1
            self._plain[bare] = found if alone else _held(found)
        return _worn(self._plain[bare], way, handed, self._check)

    def _cut(self, bare: Recipe) -> Cutout:
        stopwatch = Stopwatch()
        read_as = (bare.max_side, bare.keep_metadata)
        asked = (bare.max_side, bare.model, bare.tta, bare.layer)
        if read_as not in self._pictures:
            with stopwatch.stage("read"):
                self._pictures[read_as] = read(self._source, bare, self._limits, self._name)
        picture, answer = self._pictures[read_as], self._answers.get(asked)
        cutout = cut(picture, bare, load=self._load, limits=self._limits, check=self._check, answer=answer)
        assert cutout.hand is not None
        self._answers[asked] = cutout.hand.answer
        for stage, ms in stopwatch.ms().items():
            cutout.stopwatch.add(stage, ms / 1000)
        return cutout


def _bare(way: Recipe) -> Recipe:
    """Give a recipe without what says nothing of the plain cutout: what is laid over it, and how it is written."""
    usual = Recipe()
    return replace(
        way, effects=(), blend=usual.blend, show=usual.show, format=None, quality=None, provenance=usual.provenance
    )


def _held(cutout: Cutout) -> Cutout:
    """Work out α and colour, for all who share them."""
    alpha = Rows.of(cutout.subject.alpha.whole())
    color = Rows.of(cutout.subject.color.whole())
    return replace(cutout, subject=Layer(color, alpha))


def _worn(plain: Cutout, way: Recipe, handed: Mapping[str, Picture], check: Callable[[], None]) -> Cutout:
    """Lay a way's effects over the plain cutout that it shares with others."""
    hand = plain.hand
    assert hand is not None  # `cut` made it

    def remake(marks: tuple[Mark, ...]) -> Cutout:
        return _worn(hand.remake(marks), way, handed, lambda: None)

    worn = replace(plain, recipe=noted(way, hand.marks), hand=replace(hand, remake=remake))
    return dressed(worn, handed, check)
