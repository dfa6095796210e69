"""What is wanted of each entry: by which recipe, under which name, and whether it is there already."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from cleancut.errors import BadRecipe, CannotWrite, CleancutError
from cleancut.jobs.batch.journal import Journal
from cleancut.jobs.batch.keys import Keys
from cleancut.jobs.batch.naming import Named
from cleancut.jobs.batch.nouns import Entry, Outcome, Plan, Review, Sink
from cleancut.jobs.batch.work import Made, Way
from cleancut.limits import Limits
from cleancut.matting import recipe as recipes
from cleancut.matting.write import format_of
from cleancut.pictures import images
from cleancut.pictures.files import check_bytes, load, shown
from cleancut.pictures.formats import sniff
from cleancut.types import Picture, Recipe

_ASSETS = 8
"""Pictures that rows name for themselves which are kept decoded."""


@dataclass(frozen=True, slots=True, eq=False)
class Wanted:
    """One result that is wanted.

    Attributes:
        outcome: what is known of it before the work: its names and digests.
        way: how it is made; `assets` are the pictures its recipe names.
        named: the recipe with those pictures named by content.
    """

    outcome: Outcome
    way: Way
    named: Recipe
    assets: Mapping[str, Picture]

    def failed(self, error: CleancutError) -> Outcome:
        """Tell that it failed."""
        return failed(self.outcome, error)


def failed(outcome: Outcome, error: CleancutError) -> Outcome:
    """Tell of a failure."""
    return replace(outcome, state="failed", error=str(error), kind=type(error).__name__, exit_code=error.exit_code)


def skipped(outcome: Outcome, error: CleancutError) -> Outcome:
    """Tell of what is no picture, and was not asked for by name."""
    return replace(failed(outcome, error), state="skipped", planned="", exit_code=0)


def done(wanted: Wanted, made: Made, output: str, seconds: float) -> Outcome:
    """Tell of a result that lies in its place."""
    put_aside = output != wanted.outcome.planned
    return replace(
        wanted.outcome, state="done", output=output, model=made.model, confidence=made.confidence, size=made.size,
        box=made.box, bytes=len(made.data), seconds=round(seconds, 4), ms=made.ms, notes=made.notes,
        reviewed=made.reviewed or put_aside,
    )  # fmt: skip


def started(named: Named, variant: str) -> Outcome:
    """Tell what is known of a result before anything else is."""
    entry, planned = named.entry, named.outputs.get(variant, "")
    return Outcome(entry.name, variant, "failed", planned=planned, stamp=entry.stamp, origin=entry.origin)


class Wishes:
    """Works out what is wanted of entries, for any thread.

    Args:
        plan: what is wanted of the batch.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._decoded = functools.lru_cache(_ASSETS)(functools.partial(_decoded, limits=plan.limits))
        self._plain = {variant: self._made(recipe, None) for variant, recipe in plan.variants.items()}

    def of(self, named: Named, variant: str) -> Wanted:
        """Work out what is wanted of an entry in one variant.

        Raises:
            BadInput: its name, its recipe or a picture that the recipe names does not fit.
        """
        if named.failure is not None:
            raise named.failure
        entry, output = named.entry, named.outputs[variant]
        recipe, by_content, digest, assets = self._plain[variant]
        if entry.overrides:
            stated = {**recipes.to_json(self._plan.variants[variant]), **entry.overrides}
            recipe, by_content, digest, assets = self._made(recipes.make(**stated), entry)
        _check_apart(output, self._plan.review)
        way = Way(recipe, recipe.format or format_of(Path(output)))
        outcome = replace(started(named, variant), recipe=digest)
        return Wanted(outcome, way, by_content, assets)

    def _made(self, recipe: Recipe, entry: Entry | None) -> tuple[Recipe, Recipe, str, Mapping[str, Picture]]:
        """Complete a recipe; give it, the same with pictures named by content, its digest, and those pictures."""
        recipe = recipes.checked(recipe)
        assets = {name: self._asset(name, entry) for name in recipes.assets(recipe)}
        by_content, _ = recipes.named_by_content(recipe, assets)
        return recipe, by_content, recipes.digest(by_content), assets

    def _asset(self, name: str, entry: Entry | None) -> Picture:
        if name in self._plan.assets:
            return self._plan.assets[name]
        if entry is None or entry.asset is None:
            raise BadRecipe(f"The recipe names the picture {shown(name)}, which was not handed over.")
        return self._decoded(fetched(entry.asset(name), shown(name), self._plan.limits), shown(name))


def _decoded(data: bytes, name: str, *, limits: Limits) -> Picture:
    return images.read(data, name=name, limits=limits)


def _check_apart(output: str, review: Review | None) -> None:
    if review and review.folder and PurePosixPath(output).is_relative_to(review.folder):
        raise CannotWrite(f"{shown(output)} lies where results for review go; name another folder for these.")


def fetched(given: bytes | Path, name: str, limits: Limits) -> bytes:
    """Give the bytes of what an entry read.

    Raises:
        NotAPicture, TooBig: as `pictures.files` says.
    """
    if isinstance(given, Path):
        return load(given, limits, name)
    check_bytes(len(given), name, limits)
    return given


def read(entry: Entry, limits: Limits) -> bytes:
    """Read an entry.

    Raises:
        NotAPicture: it cannot be read; of one that only happened to be there also: it begins as no picture does.
        TooBig: it has more bytes than allowed.
    """
    data = fetched(entry.read(), shown(entry.shown), limits)
    if entry.loose:
        sniff(data, shown(entry.shown))
    return data


class Known:
    """Tells from the journal and the sink what need not be made.

    Args:
        plan: says what is made again nevertheless.
        keys: how results are known again.
        journal: what was done.
        sink: where results are.
    """

    def __init__(self, plan: Plan, keys: Keys, journal: Journal, sink: Sink) -> None:
        self._plan, self._keys, self._journal, self._sink = plan, keys, journal, sink

    def unread(self, wanted: Wanted) -> Outcome | None:
        """Tell what became of it earlier, where its source is known not to have changed without being read."""
        before = self._journal.past.get(wanted.outcome.planned)
        if before is None or not before.stamp or before.stamp != wanted.outcome.stamp or not before.source:
            return None
        return self._settled(before, self._keys.key(wanted.named, before.source))

    def keyed(self, wanted: Wanted, data: bytes) -> Wanted:
        """Note the digest of its source and the key of its result."""
        source = hashlib.sha256(data).hexdigest()
        key = self._keys.key(wanted.named, source)
        return replace(wanted, outcome=replace(wanted.outcome, source=source, key=key))

    def read(self, wanted: Wanted) -> Outcome | None:
        """Tell what became of it earlier, once its source is known.

        Raises:
            CannotWrite: in its place lies something that this batch has not made.
        """
        outcome = wanted.outcome
        before = self._journal.past.get(outcome.planned)
        settled = None if before is None else self._settled(before, outcome.key)
        if settled is not None:
            return replace(settled, stamp=outcome.stamp, origin=outcome.origin)
        if self._plan.overwrite or outcome.planned in self._journal.ours or self._sink.size(outcome.planned) is None:
            return None
        raise CannotWrite(f"{self._sink.shown(outcome.planned)} exists, and is not of this batch; allow --overwrite.")

    def _settled(self, before: Outcome, key: str) -> Outcome | None:
        if self._plan.force or before.key != key:
            return None
        if before.state == "failed":
            return None if self._plan.retry_failed else before
        if before.state == "done" and self._sink.size(before.output) == before.bytes:
            return replace(before, state="kept", seconds=0.0, ms={})
        return None


def aside(output: str, review: Review | None, confidence: float) -> str:
    """Say where a result goes: to its name, or put aside for review.

    >>> aside("a/x.png", Review(below=0.5), 0.4)
    'review/a/x.png'
    """
    if review is None or not review.folder or confidence >= review.below:
        return output
    return f"{review.folder}/{output}"
