"""`cleancut feedback`: what callers of a service think of its results."""

from __future__ import annotations

from typing import Any

import click

_folder = click.option(
    "--folder",
    "folder",
    envvar="CLEANCUT_FEEDBACK_DIR",
    metavar="DIR",
    help="Folder of the service's feedback. [$CLEANCUT_FEEDBACK_DIR]",
)
_since = click.option("--since", metavar="DATE", help="First day (UTC), as 2025-01-31. [the first there is]")
_until = click.option("--until", metavar="DATE", help="Last day. [today]")


@click.group(invoke_without_command=True)
@_folder
@_since
@_until
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def feedback(context: click.Context, /, **given: Any) -> int:
    """Show how results were rated: averages by model, reasons counted.

    A service keeps ratings only where CLEANCUT_FEEDBACK_DIR (--feedback-dir) names a folder for them.
    """
    if context.invoked_subcommand is not None:
        return 0
    from cleancut.apps.feedback.shown import show  # noqa: PLC0415 - each command loads only what it needs

    return show(**given)


@feedback.command()
@click.argument("file", metavar="FILE.zip", type=click.Path(dir_okay=False))
@_folder
@_since
@_until
@click.option("--overwrite", is_flag=True, help="Replace a file that exists.")
def export(**given: Any) -> int:
    """Write all that was said into FILE.zip: feedback.jsonl, a line each, and the pictures."""
    from cleancut.apps.feedback.shown import export_all  # noqa: PLC0415

    return export_all(**given)


@feedback.command()
@click.argument("ids", nargs=-1, metavar="[ID…]")
@click.option("--before", metavar="DATE", help="All that came before this day (UTC).")
@click.option("--all", "everything", is_flag=True, help="All there is.")
@_folder
def delete(**given: Any) -> int:
    """Delete what was said, with its pictures: by id, by age, or all of it."""
    from cleancut.apps.feedback.shown import delete_some  # noqa: PLC0415

    return delete_some(**given)
