"""Which pictures a command line means, and where each result goes."""

from __future__ import annotations

import glob
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cleancut.errors import BadInput, CannotWrite, NotAPicture, TooBig
from cleancut.limits import Limits
from cleancut.matting import recipe as recipes
from cleancut.pictures import images
from cleancut.pictures.files import shown
from cleancut.types import Picture, Recipe

STANDARD = "-"
"""Stdin or stdout, where a file is asked for."""

_EXTENSIONS = {"jpeg": "jpg", "tiff": "tif"}


@dataclass(frozen=True, slots=True)
class Task:
    """One picture and where its result goes; None is stdin and stdout."""

    source: Path | None
    result: Path | None

    @property
    def name(self) -> str:
        """What to call it in messages."""
        return "stdin" if self.source is None else shown(self.source)


def tasks(files: Sequence[str], output: str | None, format: str | None) -> list[Task]:
    """Pair each picture with its result.

    Raises:
        BadInput: a pattern matches nothing, or several pictures share one output.
    """
    sources = [source for given in files for source in _expanded(given)]
    if output == STANDARD or (output is None and sources == [None]):
        _only_one(sources, "stdout")
        return [Task(sources[0], None)]
    folder = None if output is None else _folder(output, len(sources))
    if output is not None and folder is None:
        _only_one(sources, output)
        return [Task(sources[0], Path(output))]
    return [Task(source, beside(source, folder, format)) for source in sources]


def _expanded(given: str) -> list[Path | None]:
    """Give the paths of one argument; a pattern that no shell has expanded is expanded here."""
    if given == STANDARD:
        return [None]
    path = Path(given)
    if not any(sign in given for sign in "*?[") or path.exists():
        return [path]
    found = sorted(glob.glob(given, recursive=True))  # noqa: PTH207 - a pattern may be absolute
    if not found:
        raise BadInput(f"No file matches {given!r}.")
    return [Path(name) for name in found if not Path(name).is_dir()]


def _folder(output: str, count: int) -> Path | None:
    """Tell whether an output is a folder: it is one, ends like one, or several results go there."""
    path = Path(output)
    if path.is_dir() or output.endswith(("/", "\\")):
        return path
    if count > 1 and not path.suffix:
        return path
    return None


def _only_one(sources: Sequence[Path | None], output: str) -> None:
    if len(sources) != 1:
        raise BadInput(f"{len(sources)} pictures cannot all go to {output!r}; name a folder, such as -o out/.")


def beside(source: Path | None, folder: Path | None, format: str | None) -> Path:
    """Name the result of a picture: beside it, or in a folder."""
    name = Path("stdin") if source is None else source
    extension = _EXTENSIONS.get(format or "png", format or "png")
    return (folder or name.parent) / f"{name.stem}_no_bg.{extension}"


def make_folder(folder: Path) -> None:
    """Make a folder for results, where it is not there yet.

    Raises:
        CannotWrite: it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CannotWrite(f"The folder {shown(folder)} cannot be made: {error.strerror}.") from None


def read_stdin(limits: Limits) -> bytes:
    """Read stdin up to the limit.

    Raises:
        TooBig: there is more.
        NotAPicture: there is nothing.
    """
    data = sys.stdin.buffer.read(limits.max_bytes + 1)
    if len(data) > limits.max_bytes:
        raise TooBig(f"stdin has more than {limits.max_bytes:,} bytes; raise --max-bytes.")
    if not data:
        raise NotAPicture("stdin is empty; send a picture, as in cleancut - < photo.jpg > cut.png.")
    return data


def write_stdout(data: bytes) -> None:
    """Write a result to stdout, but never to a terminal.

    Raises:
        CannotWrite: stdout is a terminal, or takes no more.
    """
    if sys.stdout.isatty():
        raise CannotWrite("A picture is not for a terminal; write to a file with -o FILE or > FILE.")
    try:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise CannotWrite(f"stdout cannot be written: {error.strerror}.") from None


def assets(recipe: Recipe, limits: Limits) -> dict[str, Picture]:
    """Read the picture files that a recipe's effects name.

    Raises:
        BadInput: a file cannot be read as a picture.
    """
    return {given: images.read(Path(given), limits=limits) for given in recipes.assets(recipe)}
