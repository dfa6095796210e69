"""Download weights: what is asked for by name, from where its table says, proved before it takes its place.

A download goes on where it was cut. Its part lies beside the place of the file as `.NAME.part`, with the server's ETag
in `.NAME.etag`, so that bytes of two versions are never joined; in the end the checksum decides.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.parse import quote

from cleancut.errors import BadSetting, DownloadFailed, NotDownloaded, Offline, WrongHash
from cleancut.models.folder import publish, writing
from cleancut.models.locks import locked
from cleancut.models.registry import Model, Weights
from cleancut.models.transfer import Answer, Bounds, Interrupted, NoSuchRange, checked, requested
from cleancut.models.weights import Digest, path_of, state

Progress = Callable[[str, int, int | None], None]
"""Told a file's name, how many of its bytes are here, and its size where it is known."""

_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class _Order:
    """One file to get, with everything that decides how."""

    model: Model
    weights: Weights
    path: Path
    url: str
    bounds: Bounds
    progress: Progress

    @property
    def part(self) -> Path:
        return self.path.with_name(f".{self.path.name}.part")

    @property
    def etag(self) -> Path:
        return self.path.with_name(f".{self.path.name}.etag")

    @property
    def limit(self) -> int:
        return self.weights.bytes or self.bounds.max_bytes


def pull(
    model: Model,
    *,
    progress: Progress = lambda *_: None,
    waiting: Callable[[str], None] = lambda _: None,
    mirror: str | None = None,
    bounds: Bounds | None = None,
) -> list[Path]:
    """Bring a model's weights to this machine; those that are here and right are left alone.

    Processes that want the same file take turns: one downloads it, the others find it there.

    Args:
        model: as the registry gives it.
        progress: called as bytes arrive.
        waiting: called with a file's name while another process downloads it.
        mirror: address of a folder of weights, asked instead of the table's own and never beside it, so that who
            wants nobody else to know is sure of it; by default `$CLEANCUT_MIRROR`.
        bounds: on time and size.

    Returns:
        the files, one a part.

    Raises:
        Offline: `CLEANCUT_OFFLINE` is set.
        NotDownloaded: the table does not say where to get them.
        DownloadFailed: the server or the connection failed; asking again goes on from there.
        WrongHash: what came is not what the table names; it is removed.
        CannotWrite: the disk is full, or the folder read-only.
    """
    mirror = mirror or os.environ.get("CLEANCUT_MIRROR")
    found = []
    for weights in model.weights.values():
        path = path_of(weights)
        if not weights.embedded and state(weights) != "right":
            if offline(os.environ):
                raise Offline(f"CLEANCUT_OFFLINE is set, so nothing is downloaded; put {path.name} into {path.parent}.")
            url = address(model, weights, mirror)
            _in_turn(_Order(model, weights, path, url, bounds or Bounds(), progress), waiting)
        found.append(path)
    return found


def address(model: Model, weights: Weights, mirror: str | None) -> str:
    """Give where a file is downloaded from.

    Raises:
        NotDownloaded: its table does not say, and there is no mirror.
        DownloadFailed: it is no address that may be asked.
    """
    path = path_of(weights)
    url = f"{mirror.rstrip('/')}/{quote(weights.file)}" if mirror else weights.url
    if url is None or weights.named:
        raise NotDownloaded(
            f"The table of {model} does not say where its weights are; put {path.name} into {path.parent}."
        )
    checked(url)
    return url


def offline(environ: Mapping[str, str]) -> bool:
    """Tell whether `CLEANCUT_OFFLINE` forbids the network.

    Raises:
        BadSetting: it is neither yes nor no; guessing could open a connection that somebody forbade.
    """
    words = {"": False, "0": False, "no": False, "false": False, "1": True, "yes": True, "true": True}
    text = environ.get("CLEANCUT_OFFLINE", "").strip().lower()
    if text not in words:
        raise BadSetting(f"CLEANCUT_OFFLINE must be 1 or 0, not {text!r}.")
    return words[text]


def _in_turn(order: _Order, waiting: Callable[[str], None]) -> None:
    lock = order.path.with_name(f".{order.path.name}.lock")
    with writing(order.path), locked(lock, lambda: waiting(order.path.name)):
        if state(order.weights) != "right":  # else another process was faster
            _download(order)


def _download(order: _Order) -> None:
    """Get a file, from where its part ends; the lock is held."""
    digest = Digest(order.weights)
    try:
        with order.part.open("a+b") as part:
            start = _hashed(part, digest, order.limit)
            if not (start and digest.right):  # a process may have died between the last byte and the renaming
                digest = _fetch(order, part, start, digest)
    except OSError:
        _forget(order)  # a full disk must not stay full
        raise
    if not digest.right:
        _forget(order)
        raise WrongHash(
            f"What came as {order.path.name} is not the file that the table of {order.model} names ({digest}); "
            "it was removed. Try again, or tell who publishes it."
        )
    publish(order.part, order.path)
    _forget(order)


def _hashed(part: IO[bytes], digest: Digest, limit: int) -> int:
    """Take the checksum of what is here already; a part that is too long is begun anew."""
    size = part.seek(0, os.SEEK_END)
    if size > limit:
        part.truncate(0)
        return 0
    part.seek(0)
    while block := part.read(_BLOCK):
        digest.update(block)
    return size


def _fetch(order: _Order, part: IO[bytes], start: int, digest: Digest) -> Digest:
    """Append to the part what is missing; give the checksum of the whole."""
    tag = order.etag.read_text("ascii", "replace") if start and order.etag.is_file() else None
    try:
        with requested(order.url, start, tag, order.bounds) as answer:
            _check_size(order, answer)
            if answer.start == 0:
                digest = _begin(order, part, answer)
            _append(order, part, answer, digest)
    except NoSuchRange:  # what is here cannot be a beginning of what is there
        part.truncate(0)
        return _fetch(order, part, 0, Digest(order.weights))
    except Interrupted as error:
        here = part.seek(0, os.SEEK_END)
        more = f" {here:,} bytes are kept, and the same command goes on from there." if here else " Try again later."
        raise DownloadFailed(f"{order.path.name} was not downloaded: {error}{more}") from error
    except DownloadFailed as error:
        raise DownloadFailed(f"{order.path.name} was not downloaded: {error}") from error
    return digest


def _begin(order: _Order, part: IO[bytes], answer: Answer) -> Digest:
    part.truncate(0)
    order.etag.write_text(answer.tag or "", "ascii")
    return Digest(order.weights)


def _check_size(order: _Order, answer: Answer) -> None:
    """Refuse before the work what would be refused after it."""
    if answer.size is None:
        return
    stated = order.weights.bytes
    if stated is not None and answer.size != stated:
        raise DownloadFailed(f"it has {answer.size:,} bytes there and {stated:,} in the table.")
    if answer.size > order.limit:
        raise DownloadFailed(f"it has {answer.size:,} bytes; the limit is {order.limit:,}.")
    missing, free = answer.size - answer.start, shutil.disk_usage(order.path.parent).free
    if missing > free:
        raise OSError(errno.ENOSPC, f"it needs {missing / 1e6:,.0f} MB and the disk has {free / 1e6:,.0f} MB left")


def _append(order: _Order, part: IO[bytes], answer: Answer, digest: Digest) -> None:
    here = answer.start
    order.progress(order.path.name, here, answer.size)
    for block in answer.blocks:
        here += len(block)
        if here > order.limit:
            part.truncate(0)
            raise DownloadFailed(f"it has more than {order.limit:,} bytes, which is the limit.")
        part.write(block)
        digest.update(block)
        order.progress(order.path.name, here, answer.size)
    part.flush()


def _forget(order: _Order) -> None:
    order.part.unlink(missing_ok=True)
    order.etag.unlink(missing_ok=True)
