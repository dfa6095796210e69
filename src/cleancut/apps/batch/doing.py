"""What `cleancut batch` does: a plan of its flags, a run, and an exit code that says whether all is done."""

from __future__ import annotations

import json
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import FrameType
from typing import Any

import click

from cleancut.apps.batch.around import Written, network, notes, reading, reviewing
from cleancut.apps.batch.shown import Tally, display
from cleancut.apps.clustering import Cluster
from cleancut.apps.cut import chosen_model
from cleancut.apps.files import assets
from cleancut.apps.options import stated
from cleancut.apps.server import memory
from cleancut.errors import BadRecipe, BadSetting, CleancutError
from cleancut.jobs.batch import journal as journals
from cleancut.jobs.batch.crew import Crew
from cleancut.jobs.batch.naming import Names
from cleancut.jobs.batch.nouns import PLAIN, Plan, Sink, Source
from cleancut.jobs.batch.run import Batch, networks
from cleancut.jobs.batch.ways import sink_of, source_of
from cleancut.limits import Limits, SourceLimits
from cleancut.matting import recipe as recipes
from cleancut.models.runtime import Engine
from cleancut.pictures.files import load, shown
from cleancut.types import Recipe

_LONGEST_RECIPE = Limits(max_bytes=1_000_000)


@dataclass(frozen=True, slots=True)
class Doing:
    """A batch that is about to be done.

    Attributes:
        plan: what is wanted.
        engine: gives networks.
        source: lists the pictures.
        sink: takes the results.
        journal: where the journal lies.
        written: what is written of it once it has ended.
    """

    plan: Plan
    engine: Engine
    source: Source
    sink: Sink
    journal: Path
    written: Written


def run(*, sources: tuple[str, ...], output: str, as_json: bool, dry_run: bool, **given: Any) -> int:
    """Do the batch, or tell what it would do; give the exit code."""
    doing = _doing(sources, output, given)
    if dry_run:
        return _dry_run(doing)
    memory.few_arenas()
    for name in networks(doing.plan):
        doing.engine.load(name)  # what is missing is told before anything is written
    with journals.opened(doing.journal) as journal, Cluster.of(given).cutting(doing.plan) as (cut, workers):
        doing = replace(doing, plan=replace(doing.plan, workers=workers))
        batch = Batch(doing.plan, doing.sink, journal, doing.engine.load, cut)
        with _ended_by_signals(batch) as ended:
            tally = _done(batch, doing, as_json=as_json)
        if tally.failure is not None and not tally.counts:
            raise tally.failure
        tally.show(batch, shown(doing.journal), as_json=as_json)
    return ended[0] if ended and not doing.source.endless else tally.code


def _done(batch: Batch, doing: Doing, *, as_json: bool) -> Tally:
    """Do the batch, and close what was opened; what ends it early is a part of what is told."""
    tally = Tally()
    try:
        with display(batch, as_json=as_json) as screen:
            for outcome in batch.run(doing.source):
                tally.add(outcome)
                doing.written.add(outcome)
                screen.tell(outcome)
    except CleancutError as error:
        tally.end(error, batch)
    finally:
        doing.source.close()
    try:
        # To be told to end is how watching ends.
        doing.sink.close(whole=not batch.reason or (doing.source.endless and tally.failure is None))
        doing.written.write(doing.source, doing.sink)
    except CleancutError as error:
        tally.end(error, batch)
    return tally


def _doing(sources: tuple[str, ...], output: str, given: dict[str, Any]) -> Doing:
    """Work out what is wanted of the flags."""
    bounds = {name: given[name] for name in ("max_bytes", "max_pixels") if given[name] is not None}
    limits = replace(SourceLimits.from_env(), **bounds)
    plan = Plan(
        {}, pattern=given["pattern"], force=given["force"], retry_failed=given["retry_failed"],
        overwrite=given["overwrite"], max_errors=given["max_errors"], precision=given["precision"],
        workers=given["workers"] or 0, ahead=given["ahead"] or 0, limits=limits, review=reviewing(given),
    )  # fmt: skip
    engine = Cluster.of(given).engine(Crew.of(plan).threads)
    fields = stated(given)
    fields["model"] = chosen_model(engine, fields.get("model"), given["like"])
    made = _variants(given["variants"], fields)
    handed = {name: picture for recipe in made.values() for name, picture in assets(recipe, limits).items()}
    asked = network(given, limits)
    sink = sink_of(output, asked)
    journal = Path(given["journal"]) if given["journal"] else sink.journal
    if journal is None:
        raise BadSetting("Say where the journal shall lie on this machine: --journal FILE.")
    apart = (Path(output), journal)
    source = source_of(sources, reading(given, asked, apart))
    for note in notes(source):
        click.echo(note, err=True)
    written = Written.of(given, source, plan.review, limits)
    return Doing(replace(plan, variants=made, assets=handed), engine, source, sink, journal, written)


def _variants(given: tuple[str, ...], base: dict[str, Any]) -> dict[str, Recipe]:
    """Make a recipe for each variant, of the other flags and what it states itself."""
    if not given:
        return {PLAIN: recipes.make(**base)}
    found: dict[str, Recipe] = {}
    for text in given:
        name, _, recipe = text.partition("=")
        if not name.replace("-", "").replace("_", "").isalnum() or name in found:
            raise BadSetting(f"A variant has a name of its own, of letters, digits, - and _, not {shown(name)!r}.")
        found[name] = recipes.make(**base | _stated_by(name, recipe))
    return found


def _stated_by(name: str, text: str) -> dict[str, Any]:
    """Read the fields that a variant states, from JSON or from a file of it."""
    try:
        data: Any = json.loads(text if text.lstrip().startswith("{") else load(Path(text), _LONGEST_RECIPE))
    except (ValueError, RecursionError):
        data = None
    if not isinstance(data, dict):
        raise BadRecipe(f'The variant {name} needs a recipe in JSON, such as {name}={{"effects": ["color:white"]}}.')
    return data


def _dry_run(doing: Doing) -> int:
    """Say how each result would be named."""
    past = journals.read(doing.journal) if doing.journal.exists() else {}
    before = {(told.name, told.variant): planned for planned, told in past.items()}
    formats = {variant: recipe.format for variant, recipe in doing.plan.variants.items()}
    names = Names(doing.plan.pattern, formats, before, endless=doing.source.endless)
    if doing.source.endless:
        raise BadSetting("What is watched is not known beforehand; leave --dry-run or --watch out.")
    code = 0
    for named in names.claim(doing.source):
        if named.failure is not None:
            code = code or named.failure.exit_code
            click.echo(f"cleancut: {named.failure}", err=True)
        for planned in named.outputs.values():
            known = past.get(planned)
            note = f"  ({known.state} earlier)" if known else ""
            click.echo(f"{shown(named.entry.shown)} -> {doing.sink.shown(planned)}{note}")
    return code


@contextmanager
def _ended_by_signals(batch: Batch) -> Iterator[list[int]]:
    """Let Ctrl-C and a request to end stop the batch in good order, the second time at once; give the exit code."""
    codes: list[int] = []

    def end(number: int, frame: FrameType | None) -> None:
        if codes:
            raise KeyboardInterrupt
        codes.append(128 + number)
        batch.stop("It was told to end.")

    if threading.current_thread() is not threading.main_thread():
        yield codes
        return
    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield codes
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)
