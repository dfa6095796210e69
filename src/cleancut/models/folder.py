"""The folder of what this package keeps, and how a file gets into it: whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from cleancut.errors import CannotWrite


def home(environ: Mapping[str, str] | None = None) -> Path:
    """Give the folder of everything this package keeps: `$CLEANCUT_HOME`, else the user's data folder.

    >>> str(home({"CLEANCUT_HOME": "/data/cleancut"}))
    '/data/cleancut'
    """
    environ = os.environ if environ is None else environ
    if chosen := environ.get("CLEANCUT_HOME"):
        return Path(chosen)
    if data := environ.get("XDG_DATA_HOME") or environ.get("LOCALAPPDATA"):
        return Path(data) / "cleancut"
    return Path("~/.local/share/cleancut").expanduser()


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Make the folder of a file that is about to be written; say why where it cannot be.

    Raises:
        CannotWrite: the disk is full, the folder read-only, …
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise CannotWrite(f"{path.name} cannot be written into {path.parent}: {reason}.") from error


def publish(finished: Path, path: Path) -> None:
    """Let a finished file take its place, so that whoever looks sees the old one or the new one.

    Its bytes reach the disk before its name does, so that a power cut leaves no half of it.
    """
    with finished.open("rb+") as file:
        os.fsync(file.fileno())
    finished.replace(path)
    if os.name == "posix":
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
