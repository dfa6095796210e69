"""What a batch shows: a bar with its rate, a line for what fails, events as JSON, and a table at the end."""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import click

from cleancut.errors import CleancutError
from cleancut.jobs.batch.journal import to_json
from cleancut.jobs.batch.nouns import Outcome
from cleancut.jobs.batch.run import Batch
from cleancut.pictures.files import shown

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

_NAMED = 20
"""Failures that are named again at the end."""

_WORDS = {
    "done": "done",
    "kept": "done earlier",
    "failed": "failed",
    "skipped": "skipped, no pictures",
}


@dataclass(slots=True)
class Tally:
    """What became of all results so far.

    Attributes:
        counts: results by state.
        failed: the first failures, by what they are called.
        code: exit code of the first failure, or of what ended the batch.
        failure: what ended it.
    """

    counts: Counter[str] = field(default_factory=Counter)
    failed: list[str] = field(default_factory=list)
    code: int = 0
    failure: CleancutError | None = None
    _begun: float = field(default_factory=time.monotonic)

    def add(self, outcome: Outcome) -> None:
        """Count an outcome."""
        self.counts[outcome.state] += 1
        if outcome.state == "failed":
            self.code = self.code or outcome.exit_code
            if len(self.failed) < _NAMED:
                self.failed.append(shown(outcome.shown))

    def end(self, error: CleancutError, batch: Batch) -> None:
        """Note what ended the batch before its end."""
        batch.stop(str(error))
        self.failure, self.code = error, error.exit_code

    def show(self, batch: Batch, journal: str, *, as_json: bool) -> None:
        """Print the table, or the last event."""
        seconds = time.monotonic() - self._begun
        rate = self.counts["done"] / seconds if seconds else 0.0
        left = 0 if batch.total is None else batch.total - self.counts.total()
        if as_json:
            counted = {state: self.counts[state] for state in _WORDS}
            _event("end", **counted, left=left, seconds=round(seconds, 3), reason=batch.reason, journal=journal)
            return
        lines = [(str(self.counts[state]), words) for state, words in _WORDS.items() if self.counts[state]]
        lines += [(str(left), "not begun")] if left else []
        width = max((len(number) for number, _ in lines), default=1)
        for number, words in lines or [("0", "pictures")]:
            click.echo(f"{number:>{width}} {words}", err=True)
        click.echo(f"{seconds:.1f} s, {rate:.2f} results a second; the journal is {journal}", err=True)
        if self.failed:
            more = self.counts["failed"] - len(self.failed)
            click.echo(f"failed: {', '.join(self.failed)}{f' and {more} more' if more else ''}", err=True)
        if batch.reason:
            click.echo(f"cleancut: {batch.reason} The same command goes on from here.", err=True)


@dataclass(slots=True)
class Screen:
    """Where outcomes are shown as they come.

    Attributes:
        batch: says how many there will be.
        as_json: whether each is a line of JSON on stdout.
        bar: on a terminal.
    """

    batch: Batch
    as_json: bool
    bar: Progress | None = None
    work: TaskID | None = None

    def tell(self, outcome: Outcome) -> None:
        """Show an outcome: events in full, otherwise what fails, is skipped or should be known."""
        if self.as_json:
            _event("result", **to_json(outcome))
        else:
            for line in _lines(outcome):
                self._word(line)
        if self.bar is not None and self.work is not None:
            self.bar.update(self.work, advance=1, total=self.batch.total)

    def _word(self, line: str) -> None:
        if self.bar is not None:
            self.bar.console.out(line, highlight=False)
        else:
            click.echo(line, err=True)


def _lines(outcome: Outcome) -> Iterator[str]:
    name = shown(outcome.shown)
    if outcome.state == "failed":
        yield f"cleancut: {outcome.error if name in outcome.error else f'{name}: {outcome.error}'}"
    elif outcome.state == "skipped":
        yield f"skipped: {outcome.error if name in outcome.error else f'{name}: {outcome.error}'}"
    elif outcome.state == "done":
        yield from (f"{name}: {note}" for note in outcome.notes)


def _event(event: str, **told: Any) -> None:
    click.echo(json.dumps({"event": event, **told}, ensure_ascii=True))


@contextmanager
def display(batch: Batch, *, as_json: bool) -> Iterator[Screen]:
    """Give a screen, with a bar where stderr is a terminal."""
    if as_json or not sys.stderr.isatty():
        yield Screen(batch, as_json)
        return
    from rich.console import Console  # noqa: PLC0415 - nothing else of the command needs it
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, TimeRemainingColumn  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    class Rate(ProgressColumn):
        """Results a second, lately."""

        def render(self, task: Any) -> Text:
            return Text(f"{task.speed:.1f}/s" if task.speed else "")

    columns = (BarColumn(), MofNCompleteColumn(), Rate(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), redirect_stdout=False, transient=True) as bar:
        yield Screen(batch, as_json, bar, bar.add_task("", total=batch.total))
