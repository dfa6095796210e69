"""Files of a folder as they are sent: found beforehand, so that no address can name another; compressed beforehand."""

from __future__ import annotations

import functools
import hashlib
import mimetypes
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import anyio.to_thread
from fastapi import Request
from starlette.responses import FileResponse, Response

from cleancut.apps.server.native.answers import matches

_CODINGS: Mapping[str, str] = {"br": ".br", "gzip": ".gz"}
"""What a file may lie there in too, the smaller first."""

_TYPES: Mapping[str, str] = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".mjs": "text/javascript; charset=utf-8",
    ".onnx": "application/octet-stream",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
}
"""Types that must be right whatever the machine's own table says: a browser runs no script of another type."""


@dataclass(frozen=True, slots=True)
class File:
    """A file that is sent.

    Attributes:
        path: where it lies.
        media_type: of its content.
        coded: the same in other codings (RFC 9110, section 8.4).
    """

    path: Path
    media_type: str
    coded: Mapping[str, Path] = field(default_factory=dict, hash=False)


def found(folder: Path) -> dict[str, File]:
    """Find the files of a folder by their address in it, such as assets/page.js; what is hidden or leads out is left.

    An absent folder has none.
    """
    return {path.relative_to(folder).as_posix(): file_of(path) for path in _within(folder)}


def file_of(path: Path) -> File:
    """Take a file that is there, with its codings."""
    beside = {coding: path.with_name(path.name + ending) for coding, ending in _CODINGS.items()}
    coded = {coding: other for coding, other in beside.items() if other.is_file() and not other.is_symlink()}
    known = _TYPES.get(path.suffix.lower()) or mimetypes.guess_type(path.name)[0]
    return File(path, known or "application/octet-stream", coded)


async def sent(request: Request, file: File, headers: Mapping[str, str]) -> Response:
    """Answer with a file, as the caller accepts it and unless it has it already.

    Args:
        request: a GET or HEAD.
        file: what to send.
        headers: that go with it.
    """
    coding = _accepted(request.headers.get("accept-encoding", ""), file)
    path = file.coded.get(coding, file.path)
    stated = path.stat()
    tag = await anyio.to_thread.run_sync(_tag, path, stated.st_mtime_ns, stated.st_size)
    about = {**headers, "ETag": tag, "Vary": "Accept-Encoding"}
    if matches(request.headers.get("if-none-match", ""), tag):
        return Response(status_code=304, headers=about)
    if coding:
        about["Content-Encoding"] = coding
    return FileResponse(path, headers=about, media_type=file.media_type, stat_result=stated)


def _within(folder: Path) -> Iterator[Path]:
    inside = folder.resolve()
    for path in sorted(folder.rglob("*")):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        twin = path.suffix in _CODINGS.values() and path.with_suffix("").is_file()
        if not hidden and not twin and path.is_file() and path.resolve().is_relative_to(inside):
            yield path


def _accepted(header: str, file: File) -> str:
    """Choose a coding that is there and that the caller takes (RFC 9110, section 12.5.3); "" is none."""
    taken: dict[str, bool] = {}
    for part in header.lower().split(",")[:20]:
        name, *parameters = (piece.strip() for piece in part.split(";"))
        taken[name] = not any(text.replace(" ", "").rstrip("0.") in {"q=", "q"} for text in parameters)
    return next((coding for coding in _CODINGS if coding in file.coded and taken.get(coding, False)), "")


@functools.lru_cache(maxsize=256)
def _tag(path: Path, changed: int, size: int) -> str:
    """Name the content of a file; it is read again only where the file has changed."""
    with path.open("rb") as stream:
        return f'"{hashlib.file_digest(stream, "sha256").hexdigest()[:32]}"'
