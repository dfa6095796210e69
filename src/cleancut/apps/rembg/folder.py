"""`cleancut rembg p`: a folder in, the same tree of results out.

A result is named as rembg names it, `x.jpg` → `x.png`, but in its own folder; where two pictures of a folder would
share that name, each keeps its extension, `x.jpg.png`. So nothing is lost, whatever the order of work.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain, count
from pathlib import Path
from typing import Any

import click

from cleancut.apps.files import make_folder
from cleancut.apps.rembg.api import Plan
from cleancut.apps.rembg.files import cut_to_png, plan_of, write
from cleancut.apps.screen import Screen, screen
from cleancut.errors import BadInput, CleancutError, NotAPicture
from cleancut.limits import Limits
from cleancut.pictures import images
from cleancut.pictures.files import shown
from cleancut.pictures.formats import PICTURES, sniff

STOP = "stop.txt"
"""A file that ends watching when it is put into the folder, as with rembg."""

_HEAD = 1024
_PAUSE = 1.0
"""Seconds between two looks at a folder that is watched."""

Signature = tuple[int, int]
"""Bytes and time of change: a file is complete when two looks in a row find the same."""


@dataclass(slots=True)
class Work:
    """A folder that is being worked through.

    Attributes:
        source, result: the folders.
        plan: how each picture is cut.
        overwrite: whether results that exist are made anew.
        delete: whether a picture goes once its result is written.
        code: exit code of the first failure; 0 so far without one.
        counts: how many were written, exist already, failed.
        names: where each picture of this run goes, relative to the folders.
        unlisted: folders that could not be looked into.
    """

    source: Path
    result: Path
    plan: Plan
    overwrite: bool
    delete: bool
    code: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    names: dict[Path, Path] = field(default_factory=dict)
    unlisted: set[str] = field(default_factory=set)

    def do(self, path: Path, screen: Screen) -> None:
        """Cut one picture; a failure is told and counted, and spoils no other."""
        try:
            self.counts[self._cut(path, screen)] += 1
        except CleancutError as error:
            self.fail(error, screen)

    def fail(self, error: CleancutError, screen: Screen) -> None:
        """Tell and count a failure."""
        self.code = self.code or error.exit_code
        self.counts["failed"] += 1
        screen.word(f"cleancut: {error}")

    def _cut(self, path: Path, screen: Screen) -> str:
        target = self.result / self.names[path]
        if target.exists() and not self.overwrite:
            return "skipped, as their results exist"
        picture = images.read(self.source / path, limits=Limits.from_env())
        png = cut_to_png(self.plan, picture, screen.word)
        make_folder(target.parent)
        write(png, target, overwrite=self.overwrite)
        screen.result(shown(target))
        if self.delete:
            _delete(self.source / path)
        return "written"


def cut_folder(
    *,
    source: Path,
    result: Path,
    watch: bool,
    delete_input: bool,
    accept_usage_cost: bool,
    overwrite: bool,
    **given: Any,
) -> int:
    """Cut every picture of a tree; give the exit code of the first that could not be cut."""
    if not source.is_dir():
        raise BadInput(f"{shown(source)} is not a folder; the command i takes a single picture.")
    if source.resolve() == result.resolve():
        raise BadInput("Results cannot go to the folder they come from; name another one, which may lie inside it.")
    if accept_usage_cost:
        click.echo("--accept-usage-cost is not needed: no model here costs anything by the picture.", err=True)
    work = Work(source, result, plan_of(**given), overwrite, delete_input)
    if watch:
        _watch(work)
    else:
        _once(work)
    click.echo(", ".join(f"{number} {what}" for what, number in work.counts.items()) or "no pictures", err=True)
    return work.code


def _once(work: Work) -> None:
    found = pictures(work, Screen())
    work.names = named(found)
    with screen(len(found)) as words:
        for path in found:
            work.do(path, words)
            words.advance()


def _watch(work: Work) -> None:
    """Cut what is there and what comes, each file once it is complete; one that changes is looked at again."""
    before: dict[Path, Signature] = {}
    done: dict[Path, Signature] = {}
    words = Screen()
    try:
        while True:
            signatures = {path: _signature(work.source / path) for path in pictures(work, words)}
            now = {path: signature for path, signature in signatures.items() if signature is not None}
            work.names = named(now, work.names)
            for path, signature in now.items():
                if before.get(path) == signature != done.get(path):
                    work.do(path, words)
                    done[path] = signature
            if (work.source / STOP).exists() and before == now:
                _delete(work.source / STOP)
                return
            before = now
            time.sleep(_PAUSE)
    except KeyboardInterrupt:
        return  # that is how watching ends


def pictures(work: Work, screen: Screen) -> list[Path]:
    """List the pictures of the source, in order, relative to it, but for results that lie inside."""
    found: list[Path] = []
    failed: list[OSError] = []
    inside = work.result.resolve()
    for folder, folders, names in os.walk(work.source, onerror=failed.append):
        here = Path(folder)
        folders[:] = sorted(name for name in folders if (here / name).resolve() != inside)
        found += [(here / name).relative_to(work.source) for name in sorted(names) if _is_picture(here / name)]
    for error in failed:
        name = shown(str(error.filename))
        if name not in work.unlisted:
            work.unlisted.add(name)
            work.fail(NotAPicture(f"{name} cannot be looked into: {error.strerror}."), screen)
    return found


def _is_picture(path: Path) -> bool:
    """Tell whether a file is meant as a picture by its name, or is one."""
    if path.suffix.lower() in PICTURES and not path.name.startswith("."):
        return True
    try:
        if not path.is_file():
            return False
        with path.open("rb") as file:
            sniff(file.read(_HEAD), path.name)
    except (OSError, NotAPicture):
        return False
    return True


def named(paths: Iterable[Path], before: Mapping[Path, Path] | None = None) -> dict[Path, Path]:
    """Name the result of each file so that no two share one, case aside.

    Args:
        paths: of the files, relative to their folder.
        before: names that are taken already.

    >>> for source, result in named([Path("a/x.png"), Path("x.gif"), Path("x.jpg")]).items():
    ...     print(source.as_posix(), "->", result.as_posix())
    a/x.png -> a/x.png
    x.gif -> x.gif.png
    x.jpg -> x.jpg.png
    """
    found = dict(before or {})
    taken = {_folded(name) for name in found.values()}
    fresh = sorted(path for path in paths if path not in found)
    sharing = Counter(_folded(path.with_suffix(".png")) for path in fresh)
    for path in sorted(fresh, key=lambda path: sharing[_folded(path.with_suffix(".png"))] > 1):
        found[path] = next(name for name in _candidates(path, sharing) if _folded(name) not in taken)
        taken.add(_folded(found[path]))
    return found


def _candidates(path: Path, sharing: Counter[str]) -> Iterator[Path]:
    plain = path.with_suffix(".png")
    first = [plain] if sharing[_folded(plain)] == 1 else []
    more = (path.with_name(f"{path.name}-{number}.png") for number in count(2))
    return chain(first, [path.with_name(f"{path.name}.png")], more)


def _folded(path: Path) -> str:
    return path.as_posix().casefold()


def _signature(path: Path) -> Signature | None:
    """Give what changes while a file is written; None where it has gone."""
    try:
        about = path.stat()
    except OSError:
        return None
    return about.st_size, about.st_mtime_ns


def _delete(path: Path) -> None:
    try:
        path.unlink()
    except OSError as error:
        raise BadInput(f"{shown(path)} cannot be deleted: {error.strerror}.") from None
