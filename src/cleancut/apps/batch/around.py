"""What stands around a batch: how its sources are read, who reviews its results, and what is written of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from cleancut.errors import BadSetting, CannotWrite
from cleancut.jobs.batch.addresses import SCHEMES
from cleancut.jobs.batch.manifests import Manifest, Reading
from cleancut.jobs.batch.nouns import Outcome, Review, Sink, Source
from cleancut.jobs.batch.remote import Network
from cleancut.jobs.batch.report import Readable, Told, write_report
from cleancut.jobs.batch.returned import Returned, give_back
from cleancut.jobs.batch.review import review
from cleancut.jobs.batch.ways import Given
from cleancut.limits import SourceLimits
from cleancut.pictures.files import shown


def network(given: dict[str, Any], limits: SourceLimits) -> Network:
    """Tell how addresses are asked."""
    return Network(limits, given["schemes"] or tuple(SCHEMES), given["anonymous"])


def reading(given: dict[str, Any], asked: Network, apart: tuple[Path, ...]) -> Given:
    """Tell how sources are read."""
    root = None if given["root"] is None else Path(given["root"])
    table = Reading(given["column"] or "", given["separator"] or "", root, given["plain_table"])
    return Given(asked, table, root, apart, given["follow_links"], given["watch"], given["settle"], given["poll"])


def reviewing(given: dict[str, Any]) -> Review | None:
    """Tell what is done with results that are not to be trusted.

    Raises:
        BadSetting: a model or a folder for review is named, and no confidence.
    """
    if given["review"] is None:
        if given["review_model"] or given["review_folder"] is not None:
            raise BadSetting("Say below which confidence results are reviewed: --review 0.8.")
        return None
    return review(given["review"], given["review_model"], given["review_folder"])


@dataclass(slots=True)
class Written:
    """What is written of a batch once it has ended: a report, and the table it came from.

    Attributes:
        report: the HTML file, if one is asked for.
        table: the table, if one is asked for.
        overwrite: whether they may exist.
        told: what the report says besides outcomes.
        outcomes: so far, the last of each picture and variant; none are kept where nothing is written.
    """

    report: Path | None
    table: Returned | None
    overwrite: bool
    told: Told
    outcomes: dict[tuple[str, str], Outcome] = field(default_factory=dict)

    @classmethod
    def of(cls, given: dict[str, Any], source: Source, wanted: Review | None, limits: SourceLimits) -> Written:
        """Work out what is asked for, and refuse before the work what would be refused after it.

        Raises:
            BadSetting: a table is asked for of what is none.
            CannotWrite: a file exists.
        """
        report = None if given["report"] is None else Path(given["report"])
        path = None if given["table"] is None else Path(given["table"])
        if path is not None and not isinstance(source, Manifest):
            raise BadSetting("--table gives a table back; it goes with one table as the source.")
        if path is None and (given["in_place"] or given["base_url"]):
            raise BadSetting("--in-place and --base-url go with --table FILE.")
        for file in (report, path):
            if file is not None and file.exists() and not given["overwrite"]:
                raise CannotWrite(f"{shown(file)} exists; use --overwrite to replace it.")
        table = None if path is None else Returned(path, given["in_place"], given["base_url"] or "")
        return cls(report, table, given["overwrite"], Told(review=wanted, limits=limits))

    def add(self, outcome: Outcome) -> None:
        """Keep what became of a picture."""
        if self.report is not None or self.table is not None:
            self.outcomes[outcome.name, outcome.variant] = outcome

    def write(self, source: Source, sink: Sink) -> None:
        """Write what is asked for.

        Raises:
            CannotWrite: it cannot be written.
        """
        found = list(self.outcomes.values())
        if self.table is not None and isinstance(source, Manifest):
            give_back(source, found, self.table, sink.shown, overwrite=self.overwrite)
            click.echo(f"the table is {shown(self.table.path)}", err=True)
        if self.report is not None and isinstance(sink, Readable):
            write_report(self.report, found, sink, self.told, overwrite=self.overwrite)
            click.echo(f"the report is {shown(self.report)}", err=True)


def notes(source: Source) -> Iterable[str]:
    """Tell what a source does not say by its pictures."""
    if isinstance(source, Manifest) and source.unknown:
        listed = ", ".join(map(shown, source.unknown[:20])) + (", …" if len(source.unknown) > 20 else "")
        yield f"columns that say nothing of what is done: {listed}"
