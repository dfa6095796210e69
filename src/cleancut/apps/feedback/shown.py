"""What `cleancut feedback` does and prints."""

from __future__ import annotations

import json
import sys
import zipfile
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cleancut.apps.feedback.store import Entry, delete, entries
from cleancut.errors import BadSetting
from cleancut.pictures.files import replacing, shown

_IN_A_PIPE = 160
UNNAMED = "(not stated)"


@dataclass(slots=True)
class Rated:
    """How one model was rated."""

    up: int = 0
    down: int = 0
    reasons: Counter[str] = field(default_factory=Counter)

    @property
    def average(self) -> float:
        """Share of the ratings that are good, in [0, 1]."""
        return round(self.up / (self.up + self.down), 4)


@dataclass(slots=True)
class Summary:
    """All that was said, counted.

    Attributes:
        models: by name, those with most ratings first.
        reasons: by how often each was given.
        tags: the same of what came through /v1.0/improve.
        texts: how many said something in words.
        pictures: how many sent one.
    """

    models: dict[str, Rated]
    reasons: Counter[str]
    tags: Counter[str]
    texts: int
    pictures: int


def counted(said: Iterable[Entry]) -> Summary:
    """Count what was said."""
    models: dict[str, Rated] = {}
    summary = Summary({}, Counter(), Counter(), 0, 0)
    for entry in said:
        summary.pictures += entry.picture is not None
        summary.texts += bool(entry.said.get("text"))
        if "rating" not in entry.said:
            summary.tags[str(entry.said.get("tag") or UNNAMED)] += 1
            continue
        rated = models.setdefault(str(entry.said.get("model") or UNNAMED), Rated())
        rated.up += entry.said["rating"] == "up"
        rated.down += entry.said["rating"] != "up"
        given = [str(reason) for reason in entry.said.get("reasons", ())]
        rated.reasons.update(given)
        summary.reasons.update(given)
    summary.models = dict(sorted(models.items(), key=lambda pair: (-pair[1].up - pair[1].down, pair[0])))
    return summary


def show(folder: str | None, since: str | None, until: str | None, as_json: bool) -> int:
    """Print averages by model and how often each reason was given.

    Raises:
        BadSetting: no folder is named, or a date is none.
        BadInput: there is no such folder, or a file in it is damaged.
    """
    summary = counted(entries(_folder(folder), _date(since, "--since"), _date(until, "--until")))
    if as_json:
        click.echo(json.dumps(_told(summary), indent=2))
        return 0
    rows = [
        (
            name,
            str(rated.up + rated.down),
            str(rated.up),
            str(rated.down),
            f"{rated.average:.0%}",
            _listed(rated.reasons),
        )
        for name, rated in summary.models.items()
    ]
    _print(("model", "ratings", "up", "down", "good", "reasons"), rows)
    words = [f"{summary.texts} with words", f"{summary.pictures} with a picture"]
    if summary.tags:
        words.append(f"{summary.tags.total()} through /v1.0/improve: {_listed(summary.tags)}")
    click.echo("; ".join(words), err=True)
    return 0


def export_all(file: str, folder: str | None, since: str | None, until: str | None, overwrite: bool) -> int:
    """Write what was said and its pictures into a ZIP.

    Raises:
        BadSetting: no folder is named, or a date is none.
        BadInput: there is no such folder, or a file in it is damaged.
        CannotWrite: the ZIP exists and `overwrite` is off, or cannot be written.
    """
    said = list(entries(_folder(folder), _date(since, "--since"), _date(until, "--until")))
    with replacing(Path(file), overwrite) as stream, zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("feedback.jsonl", "".join(f"{json.dumps(_line(entry))}\n" for entry in said))
        for entry in said:
            if entry.picture is not None:
                archive.write(entry.picture, f"pictures/{entry.picture.name}")
    click.echo(f"{len(said)} written to {shown(Path(file))}.", err=True)
    return 0


def delete_some(ids: Sequence[str], before: str | None, everything: bool, folder: str | None) -> int:
    """Delete what is named, what is older, or all.

    Raises:
        BadSetting: nothing is named, or several ways at once, or there is nothing of an id.
        BadInput: there is no such folder.
        CannotWrite: something cannot be deleted.
    """
    if bool(ids) + (before is not None) + everything != 1:
        raise BadSetting("Say what to delete: ids, --before DATE, or --all.")
    where, day = _folder(folder), _date(before, "--before")
    there = {entry.id: entry for entry in entries(where)}
    if unknown := set(ids) - set(there):
        raise BadSetting(f"There is no {min(unknown)!r}; cleancut feedback export lists the ids.")
    going = [entry for id, entry in there.items() if everything or id in ids or (day is not None and entry.day < day)]
    for entry in going:
        delete(where, entry)
    click.echo(f"{len(going)} deleted.", err=True)
    return 0


def _folder(folder: str | None) -> Path:
    if not folder:
        raise BadSetting("Name the folder of the feedback: --folder DIR, or CLEANCUT_FEEDBACK_DIR.")
    return Path(folder)


def _date(text: str | None, name: str) -> date | None:
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError:
        raise BadSetting(f"{name} is a date such as 2025-01-31, not {text!r}.") from None


def _told(summary: Summary) -> dict[str, Any]:
    models = {
        name: {
            "up": rated.up,
            "down": rated.down,
            "average": rated.average,
            "reasons": dict(rated.reasons.most_common()),
        }
        for name, rated in summary.models.items()
    }
    return {
        "ratings": sum(rated.up + rated.down for rated in summary.models.values()),
        "models": models,
        "reasons": dict(summary.reasons.most_common()),
        "tags": dict(summary.tags.most_common()),
        "texts": summary.texts,
        "pictures": summary.pictures,
    }


def _line(entry: Entry) -> dict[str, Any]:
    picture = None if entry.picture is None else f"pictures/{entry.picture.name}"
    return {"id": entry.id, "day": entry.day.isoformat(), **entry.said, "picture": picture}


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.most_common())


def _print(head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table; what strangers wrote is shown as text, whatever it holds."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in head:
        table.add_column(name)
    for row in rows:
        table.add_row(*(Text("".join(sign if sign.isprintable() else "�" for sign in cell)) for cell in row))
    Console(width=None if sys.stdout.isatty() else _IN_A_PIPE).print(table)
