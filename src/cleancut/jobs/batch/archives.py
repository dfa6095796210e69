"""ZIP archives in: what they hold is counted before anything is unpacked, and nothing is unpacked to the disk."""

from __future__ import annotations

import os
import stat
import struct
import threading
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO

from cleancut.errors import BadInput, CleancutError, NotAPicture, TooBig
from cleancut.jobs.batch.folders import refused
from cleancut.jobs.batch.inside import hidden, inside
from cleancut.jobs.batch.nouns import Entry
from cleancut.limits import SourceLimits
from cleancut.pictures.files import check_bytes, shown
from cleancut.pictures.formats import PICTURES, sniff

_HEAD = 1024
_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
"""Others may ask for gigabytes of memory before they give a byte."""

_FREE = 1_000_000_000
_MOST_RATIO = 100
"""How many times its own bytes an archive may hold, once that is more than `_FREE`: pictures hardly shrink."""

_END = struct.Struct("<4s4H2LH")  # APPNOTE 4.3.16
_END_64 = struct.Struct("<4sQ2H2L4Q")  # 4.3.14
_LOCATOR_64 = 20  # 4.3.15
_HEADER = struct.Struct("<4s24x3H12x")  # 4.3.12: the lengths of name, extra field and comment
_LONGEST_COMMENT = 65_535
_BYTES_AN_ENTRY = 1_000
"""Of an archive's directory, at the most, on average."""


class Archive:
    """The pictures of a ZIP, in its own order; each is unpacked into memory when it is read.

    What systems add (`__MACOSX/`, names that begin with a dot) is left out. An archive in an archive is not opened.

    Args:
        path: of the archive.
        limits: on its entries and their bytes.

    Raises:
        BadInput: it cannot be read, is no ZIP, or is damaged.
        TooBig: it holds more than the limits allow.
    """

    endless = False

    def __init__(self, path: Path, limits: SourceLimits) -> None:
        self._name = shown(path)
        self._limits = limits
        self._lock = threading.Lock()
        try:
            with path.open("rb") as file:
                count_entries(file, self._name, limits)
            self._zip = zipfile.ZipFile(path)
        except OSError as error:
            raise BadInput(f"{self._name} cannot be read: {error.strerror}.") from None
        except (zipfile.BadZipFile, NotImplementedError, UnicodeDecodeError, struct.error):
            raise BadInput(f"{self._name} is no ZIP, or is damaged; make or download it again.") from None
        self._check_sizes(path.stat().st_size)

    def __iter__(self) -> Iterator[Entry]:
        seen: set[str] = set()
        for number, info in enumerate(self._zip.infolist(), 1):
            if info.is_dir():
                continue
            try:
                name = inside(info.orig_filename)
                if name in seen:
                    raise BadInput(f"{self._name} holds {shown(name)} twice; the first is taken.")
            except BadInput as error:
                yield refused(f"entry-{number}", error, origin=f"entry {number} of {self._name}")
                continue
            seen.add(name)
            if not hidden(name):
                yield self._entry(info, name)

    def close(self) -> None:
        """Close the archive."""
        with self._lock:
            self._zip.close()

    def _entry(self, info: zipfile.ZipInfo, name: str) -> Entry:
        loose = PurePosixPath(name).suffix.lower() not in PICTURES
        stamp = f"{info.CRC:08x}-{info.file_size}"
        return Entry(name, lambda: self._read(info, name, loose), stamp, origin=f"{self._name}/{name}", loose=loose)

    def _read(self, info: zipfile.ZipInfo, name: str, loose: bool) -> bytes:
        told = f"{self._name}/{shown(name)}"
        self._check_kind(info, told)
        check_bytes(info.file_size, told, self._limits)
        try:
            with self._zip.open(info) as stream:
                head = stream.read(_HEAD)
                if loose:
                    sniff(head, told)
                return head + stream.read(info.file_size - len(head))
        except CleancutError:
            raise
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError, RuntimeError):
            raise NotAPicture(f"{told} is damaged: it cannot be unpacked.") from None
        except MemoryError:
            raise TooBig(f"{told} does not fit into memory.") from None

    def _check_kind(self, info: zipfile.ZipInfo, told: str) -> None:
        if info.flag_bits & 1:
            raise NotAPicture(f"{told} is encrypted; unpack the archive with its password first.")
        if info.compress_type not in _METHODS:
            raise NotAPicture(f"{told} is packed by a method that is not read; pack the archive by Deflate.")
        if stat.S_ISLNK(info.external_attr >> 16):
            raise NotAPicture(f"{told} is a link, which may lead anywhere; pack the file itself.")

    def _check_sizes(self, packed: int) -> None:
        total = sum(info.file_size for info in self._zip.infolist())
        most = min(self._limits.max_unpacked, max(_FREE, packed * _MOST_RATIO))
        if total > most:
            self._zip.close()
            raise TooBig(f"{self._name} would unpack to {total / 1e6:,.0f} MB; {most / 1e6:,.0f} MB are the most.")


def count_entries(file: IO[bytes], name: str, limits: SourceLimits) -> int:
    """Count the entries of a ZIP by walking along its directory, before a parser makes objects of them.

    What the archive says of their number is not relied on.

    Raises:
        BadInput: it has no such directory.
        TooBig: there are more than the limits allow.
    """
    size, end = _directory(file, name)
    if size > limits.max_entries * _BYTES_AN_ENTRY:
        raise TooBig(f"{name} has a directory of {size / 1e6:,.0f} MB; split the archive.")
    file.seek(end - size)
    directory = file.read(size)
    place = count = 0
    while place + _HEADER.size <= len(directory):
        sign, *lengths = _HEADER.unpack_from(directory, place)
        if sign != b"PK\1\2":
            raise BadInput(f"{name} is damaged: its directory cannot be read.")
        place += _HEADER.size + sum(lengths)
        count += 1
        if count > limits.max_entries:
            raise TooBig(f"{name} has more than {limits.max_entries:,} entries; split it, or raise the limit.")
    return count


def _directory(file: IO[bytes], name: str) -> tuple[int, int]:
    """Find the directory of a ZIP; give its bytes and where it ends."""
    whole = file.seek(0, os.SEEK_END)
    tail_at = max(0, whole - _END.size - _LONGEST_COMMENT)
    file.seek(tail_at)
    tail = file.read()
    plain = tail[-_END.size :]
    found = len(tail) - _END.size if plain[:4] == b"PK\5\6" and plain[-2:] == b"\0\0" else tail.rfind(b"PK\5\6")
    if found < 0 or found + _END.size > len(tail):
        raise BadInput(f"{name} is no ZIP, or its end is missing; make or download it again.")
    end, size = tail_at + found, int(_END.unpack_from(tail, found)[5])
    at_64 = end - _LOCATOR_64 - _END_64.size
    if at_64 >= 0:
        file.seek(at_64)
        record = file.read(_END_64.size + _LOCATOR_64)
        if record[:4] == b"PK\6\6" and record[_END_64.size :][:4] == b"PK\6\7":
            end, size = at_64, int(_END_64.unpack_from(record)[8])
    if size > end:
        raise BadInput(f"{name} is damaged: its directory cannot be read.")
    return size, end
