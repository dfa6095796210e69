"""What `cleancut keys` and `cleancut usage` do and print."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cleancut.apps.keys.nouns import Key, Use, day
from cleancut.apps.keys.store import KeyStore, default_file
from cleancut.errors import BadSetting
from cleancut.pictures.files import shown

_IN_A_PIPE = 160
_DAY_SECONDS = 86_400
_LONGEST_NAME = 200
_HIGHEST_PRICE = 1_000_000_000

_PRICED = {"picture": "pictures", "megapixel": "megapixels", "second": "network_seconds"}


def create_key(
    name: str,
    scopes: Sequence[str],
    rate: int | None,
    quota: int | None,
    days: float | None,
    file: str | None,
    as_json: bool,
) -> int:
    """Make a key; its text goes to stdout, words about it to stderr.

    Raises:
        BadSetting: the name is empty, too long, or cannot be printed.
        KeysFailed: the file of keys cannot be used.
    """
    if not name.strip() or len(name) > _LONGEST_NAME or not name.isprintable():
        raise BadSetting(f"The name of a key has 1 to {_LONGEST_NAME} characters that can be printed.")
    expires = None if days is None else time.time() + days * _DAY_SECONDS
    with _opened(file) as store:
        key, text = store.create(
            name, scopes=frozenset(scopes or ("cut", "jobs")), rate=rate, quota=quota, expires=expires
        )
    if as_json:
        click.echo(json.dumps({"key": text, **_told(key)}, indent=2))
        return 0
    click.echo(f"Key {key.id} for {shown(name)}. It is shown this once; only its hash is kept.", err=True)
    click.echo(text)
    return 0


def list_keys(file: str | None, as_json: bool) -> int:
    """Print the keys, one a line.

    Raises:
        KeysFailed: the file of keys cannot be used.
    """
    with _opened(file) as store:
        found = store.all()
    if as_json:
        click.echo(json.dumps([_told(key) for key in found], indent=2))
        return 0
    rows = [
        (key.id, key.name, ", ".join(sorted(key.scopes)), _or_none(key.rate), _or_none(key.quota), _when(key.created),
         _when(key.expires), key.state(time.time()))
        for key in found
    ]  # fmt: skip
    _print(("id", "name", "scopes", "MP/min", "pictures/month", "created", "expires", "state"), rows)
    return 0


def revoke_key(key: str, file: str | None) -> int:
    """End a key.

    Raises:
        BadSetting: there is none of that id.
        KeysFailed: the file of keys cannot be used.
    """
    with _opened(file) as store:
        if not store.revoke(key):
            raise _unknown(key)
    click.echo(f"Key {key} is revoked.", err=True)
    return 0


def forget_key(key: str, file: str | None) -> int:
    """Remove a key and its use.

    Raises:
        BadSetting: there is none of that id.
        KeysFailed: the file of keys cannot be used.
    """
    with _opened(file) as store:
        if not store.forget(key):
            raise _unknown(key)
    click.echo(f"Key {key} and its use are forgotten.", err=True)
    return 0


def show_usage(
    since: str | None,
    until: str | None,
    by: str,
    price: str | None,
    per: str,
    file: str | None,
    as_json: bool,
) -> int:
    """Print what was used.

    Raises:
        BadSetting: a date or the price is none.
        KeysFailed: the file of keys cannot be used.
    """
    today = day(time.time())
    first, last = _date(since or f"{today[:8]}01"), _date(until or today)
    each = None if price is None else _price(price)
    with _opened(file) as store:
        names = {key.id: key.name for key in store.all()}
        used = store.usage(first, last)
    if by == "key":
        used = _summed(used)
    lines = [_line(key, names.get(key, ""), on, use, each, per) for (key, on), use in used.items()]
    if as_json:
        click.echo(json.dumps(lines, indent=2))
        return 0
    total = sum(used.values(), Use())
    lines.append(_line("total", "", "", total, each, per))
    headings = [heading for heading in lines[0] if heading != "day" or by == "day"]
    _print([heading.replace("_", " ") for heading in headings], [[str(line[h]) for h in headings] for line in lines])
    return 0


def _line(key: str, name: str, on: str, use: Use, price: Decimal | None, per: str) -> dict[str, str | int | float]:
    told: dict[str, str | int | float] = {"key": key, "name": name, "day": on, "pictures": use.pictures}
    told |= {"megapixels": round(use.megapixels, 3), "network_seconds": round(use.network_seconds, 3)}
    if price is not None:
        told["cost"] = f"{price * Decimal(str(told[_PRICED[per]])):.2f}"
    return told


def _summed(used: dict[tuple[str, str], Use]) -> dict[tuple[str, str], Use]:
    """Take the days of each key together."""
    found: dict[tuple[str, str], Use] = {}
    for (key, _), use in used.items():
        found[key, ""] = found.get((key, ""), Use()) + use
    return found


@contextmanager
def _opened(file: str | None) -> Iterator[KeyStore]:
    store = KeyStore(Path(file) if file else default_file())
    try:
        yield store
    finally:
        store.close()


def _told(key: Key) -> dict[str, object]:
    return {**asdict(key), "scopes": sorted(key.scopes), "state": key.state(time.time())}


def _unknown(key: str) -> BadSetting:
    return BadSetting(f"There is no key {shown(key)!r}; cleancut keys list shows them.")


def _date(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise BadSetting(f"{shown(text)!r} is no date; write it as 2025-01-31.") from None


def _price(text: str) -> Decimal:
    try:
        price = Decimal(text)
    except InvalidOperation:
        price = Decimal("NaN")
    if not (price.is_finite() and 0 <= price <= _HIGHEST_PRICE):
        raise BadSetting(f"The price is a number from 0 to {_HIGHEST_PRICE:,}, such as 0.01.")
    return price


def _when(moment: float | None) -> str:
    return "never" if moment is None else f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%d %H:%M}"


def _or_none(limit: int | None) -> str:
    return "no limit" if limit is None else f"{limit:,}"


def _print(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    table = Table(box=None, pad_edge=False)
    for heading in headings:
        table.add_column(heading, no_wrap=heading != "name")
    for row in rows:
        table.add_row(*map(Text, row))  # a name is no markup
    Console(width=None if sys.stdout.isatty() else _IN_A_PIPE).print(table)
