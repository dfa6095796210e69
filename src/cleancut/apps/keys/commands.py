"""`cleancut keys` and `cleancut usage`: who may use a service, and what that came to."""

from __future__ import annotations

from typing import Any

import click

from cleancut.apps.keys.nouns import SCOPES

PER = ("picture", "megapixel", "second")

_file = click.option(
    "--file", "file", envvar="CLEANCUT_KEYS_FILE", metavar="FILE", help="File of the keys. [$CLEANCUT_KEYS_FILE]"
)
_as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group()
def keys() -> None:
    """Make, list and end the keys of a service."""


@keys.command()
@click.argument("name", metavar="NAME")
@click.option(
    "--scope", "scopes", multiple=True, type=click.Choice(SCOPES), help="What it is for; repeat for more. [cut, jobs]"
)
@click.option("--rate", type=click.IntRange(1), metavar="N", help="Megapixels a minute; without it, no limit.")
@click.option("--quota", type=click.IntRange(0), metavar="N", help="Pictures a month; without it, no limit.")
@click.option("--days", type=click.FloatRange(0, 36_500, min_open=True), metavar="N", help="Days until it expires.")
@_file
@_as_json
def create(**given: Any) -> int:
    """Make a key for NAME and print it: this once, as it is kept nowhere."""
    from cleancut.apps.keys.shown import create_key  # noqa: PLC0415 - each command loads only what it needs

    return create_key(**given)


@keys.command("list")
@_file
@_as_json
def list_(**given: Any) -> int:
    """List the keys, never their secrets."""
    from cleancut.apps.keys.shown import list_keys  # noqa: PLC0415

    return list_keys(**given)


@keys.command()
@click.argument("key", metavar="ID")
@_file
def revoke(**given: Any) -> int:
    """End a key, from its next request on; what it used stays known."""
    from cleancut.apps.keys.shown import revoke_key  # noqa: PLC0415

    return revoke_key(**given)


@keys.command()
@click.argument("key", metavar="ID")
@_file
def forget(**given: Any) -> int:
    """Remove a key and all that is known of its use."""
    from cleancut.apps.keys.shown import forget_key  # noqa: PLC0415

    return forget_key(**given)


@click.command()
@click.option("--since", metavar="DATE", help="First day, as 2025-01-31. [the first of this month]")
@click.option("--until", metavar="DATE", help="Last day. [today]")
@click.option("--by", type=click.Choice(("key", "day")), default="key", help="A line a key, or a key and day. [key]")
@click.option("--price", metavar="P", help="Price of one; it adds a column of costs.")
@click.option("--per", type=click.Choice(PER), default="picture", help="What the price is for. [picture]")
@_file
@_as_json
def usage(**given: Any) -> int:
    """Print what keys used, and what it cost at a price you give. Days are those of UTC."""
    from cleancut.apps.keys.shown import show_usage  # noqa: PLC0415

    return show_usage(**given)
