"""Results that are kept for a while, so that the same picture is not cut twice; bounded, and it may be off.

A result is found only by who has its source: its key is a digest of the source, the recipe, the weights and the key of
the caller, so that nobody learns what somebody else had cut.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

import anyio.to_thread

from cleancut.apps.server import private
from cleancut.apps.server.settings import Settings
from cleancut.errors import BadSetting
from cleancut.types import Ran, Report

T = TypeVar("T")


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """A result as it was sent.

    Attributes:
        data: the encoded picture.
        media_type: of the data.
        report: what was done, and how it went.
    """

    data: bytes
    media_type: str
    report: Report


class Cache(Protocol):
    """Keeps results by key."""

    @property
    def bytes(self) -> int:
        """What is kept, in bytes."""

    @property
    def entries(self) -> int:
        """How many results are kept."""

    async def get(self, key: str) -> Kept | None:
        """Give a result that is kept."""

    async def put(self, key: str, kept: Kept) -> None:
        """Keep a result, in place of the ones used longest ago."""

    async def forget(self) -> None:
        """Drop what was kept long enough."""


class Off:
    """Keeps nothing."""

    bytes = 0
    entries = 0

    async def get(self, key: str) -> Kept | None:
        """Give nothing."""

    async def put(self, key: str, kept: Kept) -> None:
        """Keep nothing."""

    async def forget(self) -> None:
        """Have nothing to forget."""


class Memory:
    """Keeps results in memory.

    Args:
        most: bytes of all results together.
        seconds: how long one is kept.
        clock: tells seconds.
    """

    def __init__(self, most: int, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._most, self._seconds, self._clock = most, seconds, clock
        self._kept: OrderedDict[str, tuple[Kept, float]] = OrderedDict()
        self.bytes = 0

    @property
    def entries(self) -> int:
        """How many results are kept."""
        return len(self._kept)

    async def get(self, key: str) -> Kept | None:
        """Give a result that is kept."""
        await self.forget()
        if key not in self._kept:
            return None
        self._kept.move_to_end(key)
        return self._kept[key][0]

    async def put(self, key: str, kept: Kept) -> None:
        """Keep a result, in place of the ones used longest ago."""
        self._drop(key)
        if len(kept.data) > self._most:
            return
        self._kept[key] = kept, self._clock() + self._seconds
        self.bytes += len(kept.data)
        while self.bytes > self._most:
            self._drop(next(iter(self._kept)))

    async def forget(self) -> None:
        """Drop what was kept long enough."""
        now = self._clock()
        for key in [key for key, (_, until) in self._kept.items() if until <= now]:
            self._drop(key)

    def _drop(self, key: str) -> None:
        if key in self._kept:
            self.bytes -= len(self._kept.pop(key)[0].data)


class Disk:
    """Keeps results in a folder of the service's own (0700), a file each (0600), written whole or not at all.

    What an earlier run left there is removed at the start: nothing outlives the process that made it by long.

    Raises:
        BadSetting: the folder cannot be made, or others may read it.
    """

    def __init__(self, folder: Path, most: int, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._folder, self._most, self._seconds, self._clock = folder, most, seconds, clock
        self._kept: OrderedDict[str, tuple[int, float]] = OrderedDict()
        self.bytes = 0
        _private(folder)
        for left in folder.glob("*.result*"):
            left.unlink()

    @property
    def entries(self) -> int:
        """How many results are kept."""
        return len(self._kept)

    async def get(self, key: str) -> Kept | None:
        """Give a result that is kept."""
        await self.forget()
        if key not in self._kept:
            return None
        self._kept.move_to_end(key)
        return await anyio.to_thread.run_sync(_read, self._path(key))

    async def put(self, key: str, kept: Kept) -> None:
        """Keep a result, in place of the ones used longest ago; a full disk keeps nothing."""
        data = _packed(kept)
        if key in self._kept or len(data) > self._most:
            return
        self._kept[key] = len(data), self._clock() + self._seconds
        self.bytes += len(data)
        if not await anyio.to_thread.run_sync(_written, self._path(key), data):
            await self._drop(key)
        while self.bytes > self._most:
            await self._drop(next(iter(self._kept)))

    def _path(self, key: str) -> Path:
        return self._folder / f"{key}.result"

    async def forget(self) -> None:
        """Drop what was kept long enough."""
        now = self._clock()
        for key in [key for key, (_, until) in self._kept.items() if until <= now]:
            await self._drop(key)

    async def _drop(self, key: str) -> None:
        if key not in self._kept:
            return
        self.bytes -= self._kept.pop(key)[0]
        await anyio.to_thread.run_sync(lambda: self._path(key).unlink(missing_ok=True))


def cache(settings: Settings) -> Cache:
    """Make the cache that the settings ask for.

    Raises:
        BadSetting: it is to be on disk, and no folder is named or it is not a private one.
    """
    limits = settings.limits
    if settings.cache == "off":
        return Off()
    if settings.cache == "memory":
        return Memory(limits.cache_bytes, limits.cache_seconds)
    if settings.cache_dir is None:
        raise BadSetting("A cache on disk needs a folder of its own: CLEANCUT_CACHE_DIR=/var/cache/cleancut.")
    return Disk(Path(settings.cache_dir), limits.cache_bytes, limits.cache_seconds)


class Flights(Generic[T]):
    """Does work once that is asked for again while it runs; it is dropped when nobody waits for it any more."""

    def __init__(self) -> None:
        self._tasks: dict[str, asyncio.Task[T]] = {}
        self._waiting: dict[str, int] = {}

    async def join(self, key: str, begin: Callable[[], Awaitable[T]]) -> tuple[T, bool]:
        """Wait for work; tell whether somebody else had begun it."""
        joined = key in self._tasks
        if not joined:
            self._tasks[key] = asyncio.ensure_future(_awaited(begin))
            self._waiting[key] = 0
        task = self._tasks[key]
        self._waiting[key] += 1
        try:
            return await asyncio.shield(task), joined
        finally:
            self._left(key, task)

    def _left(self, key: str, task: asyncio.Task[T]) -> None:
        if self._tasks.get(key) is not task:
            return
        self._waiting[key] -= 1
        if task.done() or not self._waiting[key]:
            del self._tasks[key], self._waiting[key]
            task.cancel()


async def _awaited(begin: Callable[[], Awaitable[T]]) -> T:
    return await begin()


def _private(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        mode = folder.stat().st_mode
    except OSError as error:
        raise BadSetting(f"The folder of the cache cannot be made: {error.strerror}.") from None
    if os.name == "posix" and mode & 0o077:
        raise BadSetting("Others may read the folder of the cache; give it the mode 0700.")


def _packed(kept: Kept) -> bytes:
    """A line of JSON, then the picture."""
    head = {"media_type": kept.media_type, "report": asdict(kept.report)}
    return json.dumps(head).encode() + b"\n" + kept.data


def _read(path: Path) -> Kept | None:
    try:
        head, _, data = path.read_bytes().partition(b"\n")
    except FileNotFoundError:
        return None  # whoever cleans up the disk may take it; then it is made again
    told = json.loads(head)
    report: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in told["report"].items()
    }
    report["models"] = tuple(Ran(**ran) for ran in report["models"])
    return Kept(data, told["media_type"], Report(**report))


def _written(path: Path, data: bytes) -> bool:
    """Write a file whole or not at all; tell whether there was room."""
    try:
        private.write(path, data)
    except OSError:
        return False
    return True
