"""What a key of a model's table may hold: checks that say what it must be where it does not fit."""

from __future__ import annotations

import dataclasses
import difflib
import itertools
import re
from collections.abc import Callable, Mapping
from typing import Any

from cleancut.errors import BadTable

Check = Callable[[Any], Any]
"""Takes a value from TOML, gives what the field holds; raises ValueError saying what it must be."""


def key(check: Check, default: Any = dataclasses.MISSING) -> Any:
    """Declare a key of a table with its check; without a default it must be there."""
    return dataclasses.field(default=default, metadata={"check": check})


def one_of(*words: str) -> Check:
    """Make a check for one of a few words."""

    def check(value: Any) -> str:
        if value not in words:
            raise ValueError(f"one of {', '.join(words)}")
        return str(value)

    return check


def text(pattern: str = ".{1,500}", what: str = "a line of text") -> Check:
    """Make a check for text; no control characters, as it is shown on terminals."""

    def check(value: Any) -> str:
        if not isinstance(value, str) or not value.isprintable() or not re.fullmatch(pattern, value):
            raise ValueError(what)
        return value

    return check


def numbers(count: int, low: float, high: float, kind: type = float) -> Check:
    """Make a check for a list of numbers."""

    def check(value: Any) -> tuple[float, ...]:
        fits = isinstance(value, list) and len(value) == count
        if not fits or not all(type(v) in {int, kind} and low <= v <= high for v in value):
            raise ValueError(f"{count} numbers from {low:g} to {high:g}")
        return tuple(map(kind, value))

    return check


def number(low: float, high: float) -> Check:
    """Make a check for a number."""

    def check(value: Any) -> float:
        if type(value) not in {int, float} or not low <= value <= high:
            raise ValueError(f"a number from {low:g} to {high:g}")
        return float(value)

    return check


def curve(value: Any) -> tuple[tuple[float, float], ...]:
    """Check for points [x, y] between 0 and 1 of a line that never falls."""
    what = "points [x, y] from 0 to 1, at least two, x rising and y never falling"
    if not isinstance(value, list) or len(value) < 2:
        raise ValueError(what)
    try:
        points = [numbers(2, 0, 1)(point) for point in value]
    except ValueError:
        raise ValueError(what) from None
    if any(one[0] >= two[0] or one[1] > two[1] for one, two in itertools.pairwise(points)):
        raise ValueError(what)
    return tuple((x, y) for x, y in points)


def switch(value: Any) -> bool:
    """Check for true or false."""
    if not isinstance(value, bool):
        raise ValueError("true or false")
    return value


def count(value: Any) -> int:
    """Check for a whole number of at least 1."""
    if type(value) is not int or value < 1:
        raise ValueError("a whole number of at least 1")
    return value


def names(check: Check) -> Check:
    """Make a check for a list of different names, each through `check`."""

    def checked(value: Any) -> tuple[str, ...]:
        if not isinstance(value, list) or len(set(map(str, value))) != len(value):
            raise ValueError("a list of different names")
        return tuple(map(check, value))

    return checked


def anything(value: Any) -> Any:
    """Take a value as it is; what reads the table checks it."""
    return value


def checked(cls: type[Any], raw: Any, where: str) -> Any:
    """Build a dataclass from a table of TOML, each key through its check.

    Raises:
        BadTable: a key is unknown, missing, or does not fit.
    """
    if not isinstance(raw, dict):
        raise BadTable(f"{where} must be a table.")
    known = {field.name: field for field in dataclasses.fields(cls)}
    for name in raw:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            raise BadTable(f"{where} has an unknown key {name!r}; it may have {', '.join(near or known)}.")
    return cls(**{name: _value(field, raw, where) for name, field in known.items() if name in raw or _needed(field)})


def _needed(field: dataclasses.Field[Any]) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _value(field: dataclasses.Field[Any], raw: Mapping[str, Any], where: str) -> Any:
    if field.name not in raw:
        raise BadTable(f"{where} lacks the key {field.name!r}.")
    try:
        return field.metadata["check"](raw[field.name])
    except ValueError as error:
        raise BadTable(f"{where}: {field.name} must be {error}, not {raw[field.name]!r}.") from None
