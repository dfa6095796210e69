"""The audit log: who asked for what, when, and how it ended; a line of JSON each, never a pixel.

Off unless `CLEANCUT_AUDIT_LOG` names a file. Whoever switches it on has to answer for what the service did, so a log
with holes is worth nothing: where a line cannot be written (a full disk, say), the result is withheld, and no work is
begun until the lines that are owed are in the file.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import anyio.to_thread

from cleancut.errors import AuditFailed
from cleancut.matting.recipe import to_json
from cleancut.types import Recipe


@dataclass(slots=True)
class Line:
    """What is written down of one picture; it grows while the picture is worked on.

    Attributes:
        who: id of the key; "local" or "public" without one.
        request: id of the request.
        source: what was handed over, of which the sha256 and the length are written.
        recipe: what was to be done.
        name: what the caller called the picture; written only where `CLEANCUT_AUDIT_NAMES` asks for it.
        size: (width, height) of the source in pixels; None as long as its header was not read.
        written: whether the line is in the file.
    """

    who: str
    request: str
    source: bytes
    recipe: Recipe
    name: str
    size: tuple[int, int] | None = None
    written: bool = False
    began: float = field(default_factory=time.perf_counter)


class Audit:
    """An audit log; without a path, none. Threads may share it, and processes the file.

    Args:
        path: of the file; made (0600) where it is missing, and made anew where it was moved away.
        names: whether the names that callers give their pictures are written too.

    Raises:
        AuditFailed: the file cannot be written.
    """

    def __init__(self, path: Path | None = None, *, names: bool = False) -> None:
        self.path = path
        self._names = names
        self._lock = threading.Lock()
        self._file: int | None = None
        self._owed = b""
        if path:
            self._write(b"")

    @asynccontextmanager
    async def line(self, who: str, request: str, source: bytes, recipe: Recipe, name: str) -> AsyncIterator[Line]:
        """Write a line of what happens to a picture: its end by `done`, or the failure that comes before.

        Raises:
            AuditFailed: what is owed from before cannot be written.
        """
        if self._owed:
            await anyio.to_thread.run_sync(self._write, b"")
        line = Line(who, request, source, recipe, name)
        try:
            yield line
        except BaseException as error:
            if not line.written and not isinstance(error, AuditFailed):
                with anyio.CancelScope(shield=True):  # who leaves before the end is written down too
                    await self.done(line, type(error).__name__)
            raise

    async def done(self, line: Line, outcome: str) -> None:
        """Write a line.

        Args:
            line: of the picture.
            outcome: "done", "known" (kept from before), or the name of a failure.

        Raises:
            AuditFailed: it cannot be written now, and is owed; the result must be withheld.
        """
        line.written = True
        if self.path:
            await anyio.to_thread.run_sync(lambda: self._write(self._text(line, outcome)))

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            if self._file is not None:
                os.close(self._file)
                self._file = None

    def _text(self, line: Line, outcome: str) -> bytes:
        told = {
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "who": line.who or "local",
            "request": line.request,
            "source": hashlib.sha256(line.source).hexdigest(),
            "bytes": len(line.source),
            "size": line.size,
            "recipe": to_json(line.recipe),
            "outcome": outcome,
            "ms": round((time.perf_counter() - line.began) * 1000, 1),
        }
        if self._names:
            told["name"] = line.name
        return json.dumps(told, separators=(",", ":")).encode() + b"\n"

    def _write(self, line: bytes) -> None:
        """Write what is owed and a line; what does not fit is owed from now on."""
        with self._lock:
            self._owed += line
            try:
                file = self._opened()
                while self._owed:
                    self._owed = self._owed[os.write(file, self._owed) :]
            except OSError as error:
                reason = error.strerror or type(error).__name__
                raise AuditFailed(f"The audit log {self.path} cannot be written: {reason}.") from error

    def _opened(self) -> int:
        """Open the file, again where another has taken its place since, as rotation does."""
        if self.path is None:
            raise AuditFailed("There is no audit log.")
        if self._file is not None and not _is_still(self.path, self._file):
            os.close(self._file)
            self._file = None
        if self._file is None:
            self._file = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
        return self._file


def _is_still(path: Path, file: int) -> bool:
    try:
        return os.path.samestat(os.fstat(file), path.stat())
    except FileNotFoundError:
        return False
