"""Where a command's output goes: results to stdout, words to stderr, and a bar on a terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


@dataclass(frozen=True, slots=True)
class Screen:
    """What a command prints to; lines go above the bar where there is one."""

    bar: Progress | None = None
    work: TaskID | None = None

    def result(self, line: str) -> None:
        """Print a result to stdout."""
        if self.bar is not None and sys.stdout.isatty():
            self.bar.console.out(line, highlight=False)
            return
        click.echo(line)

    def word(self, line: str) -> None:
        """Print a word to stderr."""
        if self.bar is not None:
            self.bar.console.out(line, highlight=False)
            return
        click.echo(line, err=True)

    def advance(self) -> None:
        """Move the bar on by one picture."""
        if self.bar is not None and self.work is not None:
            self.bar.advance(self.work)


@contextmanager
def screen(count: int) -> Iterator[Screen]:
    """Give a screen, with a bar for more than one picture on a terminal; none in a pipe."""
    if count < 2 or not sys.stderr.isatty():
        yield Screen()
        return
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn  # noqa: PLC0415

    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), redirect_stdout=False, transient=True) as bar:
        yield Screen(bar, bar.add_task("", total=count))
