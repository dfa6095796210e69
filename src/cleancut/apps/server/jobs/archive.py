"""Results as they are sent: a file, or a ZIP of several, read from the disk while it is written to the wire."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Iterator
from typing import IO

_CHUNK = 1 << 16


class _Wire(io.RawIOBase):
    """Takes what an archive writes, and gives it on."""

    def __init__(self) -> None:
        self._held = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        self._held += data
        return len(data)

    def taken(self) -> bytes:
        taken = bytes(self._held)
        self._held.clear()
        return taken


def chunks(stream: IO[bytes]) -> Iterator[bytes]:
    """Read a file to its end, and close it."""
    with stream:
        while chunk := stream.read(_CHUNK):
            yield chunk


def packed(files: Iterable[tuple[str, IO[bytes]]]) -> Iterator[bytes]:
    """Pack files into a ZIP piece by piece; they are pictures, compressed already, so they are only stored."""
    wire = _Wire()
    with zipfile.ZipFile(wire, "w", zipfile.ZIP_STORED) as archive:
        for title, stream in files:
            with archive.open(zipfile.ZipInfo(title), "w") as entry:
                for chunk in chunks(stream):
                    entry.write(chunk)
                    yield wire.taken()
    yield wire.taken()
