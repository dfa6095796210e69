"""Plug-ins: installed packages that offer something through an entry point.

A package that brings models states, in its pyproject.toml::

    [project.entry-points."cleancut.models"]
    mine = "my_package:TABLES"        # the path of a models.toml, or a function that gives it

and one that brings effects names a module, which enters them when it is imported::

    [project.entry-points."cleancut.effects"]
    mine = "my_package.effects"
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cleancut.errors import BadTable, CleancutError


def offered(group: str) -> Iterator[tuple[str, Any]]:
    """Load what installed packages offer under an entry point, always in the same order.

    Yields:
        what to call the plug-in in messages, and the object it names.

    Raises:
        BadTable: a plug-in cannot be imported.
    """
    from importlib import metadata  # noqa: PLC0415 - it takes longer to import than a picture to read

    found = [(point.dist.name if point.dist else "", point.name, point) for point in metadata.entry_points(group=group)]
    for package, name, point in sorted(found, key=lambda entry: entry[:2]):
        source = f"the plug-in {name} of {package or 'an unknown package'}"
        try:
            thing = point.load()
        except CleancutError:
            raise
        except Exception as error:  # a stranger's module may fail in any way
            raise BadTable(f"{_said(source)} cannot be loaded: {_reason(error)}.") from error
        yield source, thing


def tables(group: str) -> Iterator[tuple[str, Path]]:
    """List the files of tables that plug-ins offer.

    Raises:
        BadTable: a plug-in cannot be loaded, or offers something else.
    """
    for source, thing in offered(group):
        try:
            path = thing() if callable(thing) else thing
        except Exception as error:
            raise BadTable(f"{_said(source)} cannot be asked: {_reason(error)}.") from error
        if not isinstance(path, str | os.PathLike):
            raise BadTable(f"{_said(source)} must give the path of a models.toml, not {type(path).__name__}.")
        yield source, Path(path)


def _said(source: str) -> str:
    return source[0].upper() + source[1:]


def _reason(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:300]
