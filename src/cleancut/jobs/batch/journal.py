"""What a batch has done, in a file that a second run continues from.

JSON lines: one names the format, one says that work on a picture has begun, one tells what became of it in one
variant. A result is put in its place before its line is written, so what a line says is there; a process that is killed
in between makes the same result again. A line that was torn by the end of its process is cut off.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, fields, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import cleancut
from cleancut.errors import BadInput, CannotWrite, InUse, NoSpace
from cleancut.jobs.batch.nouns import Outcome
from cleancut.models.locks import try_lock
from cleancut.pictures.files import shown

FORMAT = 1
_HEAD = b'{"journal":'
_NOTHING: Mapping[str, float] = MappingProxyType({})
_FIELDS = {field.name for field in fields(Outcome)}
_TUPLES = ("size", "box", "notes")


class Journal:
    """The journal of one batch, held by one process at a time.

    Attributes:
        past: what became of each result in earlier runs and so far in this one, by its planned name; without
            the milliseconds of its stages, which would be half of what is held.
        ours: names of results that this batch has begun to make, in any run.
        unfinished: names of those that an earlier run had begun when it ended.
    """

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self.past: dict[str, Outcome] = {}
        self.ours: set[str] = set()
        self.unfinished: set[str] = set()
        self._descriptor = descriptor
        self._lock = threading.Lock()
        self._torn = False

    def begin(self, outputs: Iterable[str]) -> None:
        """Note that work on these results begins; from any thread.

        Raises:
            NoSpace, CannotWrite: it cannot be written.
        """
        listed = list(outputs)
        self._write({"begun": listed})
        self.ours.update(listed)

    def add(self, outcome: Outcome) -> None:
        """Note what became of a picture; from any thread.

        Raises:
            NoSpace, CannotWrite: it cannot be written.
        """
        self._write(to_json(outcome))
        self._know(outcome)

    def _know(self, outcome: Outcome) -> None:
        if outcome.planned:
            self.past[outcome.planned] = replace(outcome, ms=_NOTHING)
            self.unfinished.discard(outcome.planned)

    def _write(self, told: Mapping[str, Any]) -> None:
        line = f"{json.dumps(told, separators=(',', ':'))}\n".encode()
        with self._lock:
            if self._torn:
                raise NoSpace(f"The journal {shown(self.path)} takes no more lines.")
            try:
                written = os.write(self._descriptor, line)
            except OSError as error:
                self._torn = True
                raise NoSpace(f"The journal {shown(self.path)} cannot be written: {error.strerror}.") from error
            if written < len(line):
                self._torn = True  # the next run cuts the half line off
                raise NoSpace(f"The journal {shown(self.path)} cannot be written: the disk is full.")


@contextmanager
def opened(path: Path) -> Iterator[Journal]:
    """Open a journal, or begin one.

    Raises:
        InUse: another process is at work on this batch.
        BadInput: the file is no journal, or is damaged.
        CannotWrite: it cannot be made.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0), 0o666)
    except OSError as error:
        raise CannotWrite(f"The journal {shown(path)} cannot be written: {error.strerror}.") from None
    try:
        if not try_lock(descriptor):
            raise InUse(
                f"Another batch is writing {shown(path)}; wait for it, or give this one a --journal of its own."
            )
        journal = Journal(path, descriptor)
        _read(journal, descriptor)
        yield journal
    finally:
        os.close(descriptor)


def read(path: Path) -> dict[str, Outcome]:
    """Read what a journal says of each result, without holding it.

    Raises:
        BadInput: it cannot be read, or is none.
    """
    try:
        with path.open("rb") as file:
            journal = Journal(path, -1)
            _replay(journal, file)
    except OSError as error:
        raise BadInput(f"The journal {shown(path)} cannot be read: {error.strerror}.") from None
    return journal.past


def to_json(outcome: Outcome) -> dict[str, Any]:
    """Give an outcome as plain data; what is empty is left out, but for the name and the variant."""
    told = asdict(replace(outcome, ms=dict(outcome.ms)))  # it may be one that cannot be copied
    return {name: value for name, value in told.items() if value or name in ("name", "variant", "confidence")}


def from_json(data: Mapping[str, Any]) -> Outcome:
    """Read an outcome from plain data.

    Raises:
        TypeError, ValueError: it is none.
    """
    given = {name: value for name, value in data.items() if name in _FIELDS}
    given.update({name: tuple(given[name]) for name in _TUPLES if given.get(name) is not None})
    return Outcome(**given)


def _read(journal: Journal, descriptor: int) -> None:
    with os.fdopen(os.dup(descriptor), "rb") as file:
        whole = _replay(journal, file)
    if os.fstat(descriptor).st_size > whole:
        os.ftruncate(descriptor, whole)
    if whole == 0:
        journal._write({"journal": FORMAT, "version": cleancut.__version__})


def _replay(journal: Journal, file: Iterable[bytes]) -> int:
    """Take in every whole line; give how many bytes they have."""
    size = 0
    for number, line in enumerate(file, 1):
        torn = not line.endswith(b"\n")
        if torn and (number > 1 or line.startswith(_HEAD) or _HEAD.startswith(line)):
            break
        size += len(line)
        try:
            _take(journal, json.loads(line), first=number == 1)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            raise BadInput(
                f"Line {number} of {shown(journal.path)} is not a journal's; remove it, or name another --journal."
            ) from None
    return size


def _take(journal: Journal, told: dict[str, Any], *, first: bool) -> None:
    if first:
        if told["journal"] != FORMAT:
            raise ValueError
    elif "begun" in told:
        journal.ours.update(told["begun"])
        journal.unfinished.update(told["begun"])
    else:
        journal._know(from_json(told))
