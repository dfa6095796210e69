"""The flags of `cleancut batch` that say how pictures come in, and what is written of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from cleancut.jobs.batch.addresses import SCHEMES

_OPTIONS = (
    click.option("--column", metavar="NAME", help="Column of a table that names pictures. [path, file, url, …]"),
    click.option("--separator", metavar="SIGN", help="What parts several pictures in a cell, such as a comma."),
    click.option("--plain-table", is_flag=True, help="The table is a shop's: no other column says what is done."),
    click.option("--root", metavar="DIR", help="Folder that a list's or table's paths are relative to. [its own]"),
    click.option("--follow-links", is_flag=True, help="Go into links to folders too."),
    click.option("--scheme", "schemes", multiple=True, type=click.Choice(tuple(SCHEMES)),
                 help="What addresses may begin with; repeat. [all of these]"),
    click.option("--anonymous", is_flag=True, help="Use no credentials for buckets, as for public ones."),
    click.option("--watch", is_flag=True, help="Go on with what comes into the folder, until Ctrl-C."),
    click.option("--settle", type=click.FloatRange(0.1, 3600), default=1.0, metavar="SECONDS",
                 help="A file that is watched is complete once it has not changed for so long. [1]"),
    click.option("--poll", is_flag=True, help="Watch by listing again and again, as network drives need."),
    click.option("--review", type=click.FloatRange(0, 1), metavar="N",
                 help="Put results of a confidence below N into review/."),
    click.option("--review-model", metavar="NAME", help="With --review: ask this model too, and take the better."),
    click.option("--review-folder", metavar="DIR", help="With --review: the folder, beside a model too. [review]"),
    click.option("--report", metavar="FILE", help="Write a report with a contact sheet, in one HTML file."),
    click.option("--table", metavar="FILE", help="Write the table that came in, with what became of each row."),
    click.option("--in-place", is_flag=True, help="With --table: results take the place of pictures; no new columns."),
    click.option("--base-url", metavar="URL", help="With --table: what goes before the names of results."),
)  # fmt: skip


def source_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the flags that say how pictures come in, and what is written of them."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command
