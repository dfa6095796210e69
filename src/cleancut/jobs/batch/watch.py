"""A folder that is watched (extra `watch`): what is there and what comes, each file once it is complete.

No system says that a file was copied to its end. So a file is taken once it holds bytes and neither they nor its time
of change have changed for a while; one that is written elsewhere and moved in is complete after that while too.
"""

from __future__ import annotations

import importlib
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from cleancut.errors import BadInput
from cleancut.jobs.batch.folders import Folder, file_entry, stamp_of, walked
from cleancut.jobs.batch.nouns import Entry
from cleancut.pictures.files import shown

if TYPE_CHECKING:
    from watchfiles import Change

_RELIST = 300.0
"""Seconds after which the folder is listed again, in case the system lost news of it, as it may when much happens."""

_UNFINISHED = {".part", ".partial", ".crdownload", ".download", ".filepart", ".tmp"}
"""What names end in while a browser or a copying program writes; they are renamed once they are complete."""

_EMPTY = "0-"
"""How the stamp of an empty file begins: its content is still to come."""


@dataclass(slots=True)
class Watched:
    """The pictures of a folder, now and later, until it is closed.

    A file that changes is given again, with another stamp. What is deleted or moved away before it was complete is
    forgotten. What begins with a dot and what lies in `tree.apart` is never given, so results are not taken for
    pictures.

    Attributes:
        tree: the folder.
        settle: seconds for which a file must not have changed.
        poll: whether the folder is listed again and again, as network file systems need that tell nothing.
        clock: gives seconds.
    """

    tree: Folder
    settle: float = 1.0
    poll: bool = False
    clock: Callable[[], float] = time.monotonic
    _stop: threading.Event = field(default_factory=threading.Event)

    endless = True

    def __post_init__(self) -> None:
        self.tree = replace(self.tree, root=self.tree.root.resolve())  # as changes are told

    def __iter__(self) -> Iterator[Entry]:
        root = self.tree.root
        if not root.is_dir():
            raise BadInput(f"{shown(root)} is not a folder.")
        look = Look(self)
        listed = float("-inf")
        for changes in self._changes():  # the folder is listed when it is watched already, so that nothing is missed
            if self.clock() - listed >= _RELIST:
                listed = self.clock()
                look.note_all(root)
            for _, name in sorted(changes, key=lambda change: change[1]):
                look.note(Path(name))
            if not root.is_dir():
                raise BadInput(f"{shown(root)} is gone; nothing more can come.")
            yield from look.complete()

    def close(self) -> None:
        """End the watching; from any thread or signal."""
        self._stop.set()

    def _changes(self) -> Iterator[Iterable[tuple[Change, str]]]:
        """Give what has changed, or nothing from time to time so that files can settle."""
        try:
            watch = importlib.import_module("watchfiles").watch
        except ImportError:
            raise BadInput('Watching needs one more package; run: pip install "cleancut[watch]"') from None
        pause = max(1, round(self.settle * 500))
        try:
            yield from watch(
                self.tree.root,
                watch_filter=None,
                step=min(50, pause),
                debounce=max(50, pause),
                rust_timeout=pause,
                yield_on_timeout=True,
                stop_event=self._stop,
                force_polling=self.poll or None,
                poll_delay_ms=max(50, pause),
                raise_interrupt=True,
            )
        except OSError as error:
            raise BadInput(
                f"{shown(self.tree.root)} cannot be watched ({error.strerror or 'the system refuses'}); --poll lists "
                "it again and again instead."
            ) from None


class Look:
    """What is known of the files of a folder that is watched."""

    def __init__(self, watched: Watched) -> None:
        self._watched = watched
        self._apart = [path.resolve() for path in watched.tree.apart]
        self._waiting: dict[Path, tuple[str, float]] = {}
        self._given: dict[Path, str] = {}
        self._told: set[str] = set()
        self._entries: list[Entry] = []

    def note_all(self, folder: Path) -> None:
        """Note every file below a folder, such as one that was moved in with all that it holds."""
        tree = self._watched.tree
        for entry in walked(tree, folder):
            path = tree.root / entry.name
            if path.is_file():
                self.note(path)
            elif entry.name not in self._told:  # a folder that cannot be looked into is told once
                self._told.add(entry.name)
                self._entries.append(entry)

    def note(self, path: Path) -> None:
        """Note that something happened to a path."""
        if self._left_out(path):
            return
        if path.is_dir():
            if not path.is_symlink() or self._watched.tree.follow_links:
                self.note_all(path)
        elif not path.exists():
            self._forget(path)
        else:
            self._waiting.setdefault(path, ("", 0.0))

    def complete(self) -> Iterator[Entry]:
        """Give what has not changed for long enough."""
        now = self._watched.clock()
        told, self._entries = self._entries, []
        yield from told
        for path, (before, since) in sorted(self._waiting.items()):
            stamp = stamp_of(path)
            if not stamp:
                self._forget(path)
            elif stamp != before:
                self._waiting[path] = stamp, now
            elif not stamp.startswith(_EMPTY) and now - since >= self._watched.settle:
                del self._waiting[path]
                if self._given.get(path) != stamp:
                    self._given[path] = stamp
                    yield file_entry(path, self._watched.tree.name(path))

    def _forget(self, path: Path) -> None:
        """Forget a path that is gone, and all below it."""
        for known in (self._waiting, self._given):
            for other in [other for other in known if other == path or path in other.parents]:
                del known[other]

    def _left_out(self, path: Path) -> bool:
        """Tell what is never given: results, what begins with a dot, and what says that it is not finished."""
        try:
            inside = path.relative_to(self._watched.tree.root)
        except ValueError:
            return True
        if path.suffix.lower() in _UNFINISHED:
            return True
        whole = path.resolve()
        return any(part.startswith(".") for part in inside.parts) or any(whole.is_relative_to(p) for p in self._apart)
