"""What was cut → an answer: bytes, JSON, a ZIP or parts, as the caller accepts it."""

from __future__ import annotations

import base64
import io
import re
import secrets
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote

from starlette.responses import Response

from cleancut.apps.server.problems import JSON, told
from cleancut.apps.server.service import MEDIA_TYPES, Done
from cleancut.errors import CleancutError
from cleancut.types import Recipe

_FORMATS: Mapping[str, str] = {media: format for format, media in MEDIA_TYPES.items()}
_JSON, _ZIP, _MIXED = "application/json", "application/zip", "multipart/mixed"
_LONGEST_STEM = 80


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What came of one picture: a result or a failure."""

    name: str
    done: Done | None = None
    error: CleancutError | None = None


class Accept:
    """What a caller accepts (RFC 9110, section 12.5.1).

    >>> Accept("application/json;q=0.5, image/webp").best(["image/png", "image/webp", "application/json"])
    'image/webp'
    >>> Accept("text/html").best(["image/png"])
    'image/png'
    """

    def __init__(self, header: str) -> None:
        self._weights = dict(_weight(part) for part in header.lower().split(",")[:50] if part.strip())

    def best(self, offers: Sequence[str]) -> str:
        """Choose the offer that is liked most, the first of equals; where none is, the first."""
        return max(offers, key=self._liked)

    def _liked(self, offer: str) -> float:
        kind = offer.partition("/")[0]
        patterns = (offer, f"{kind}/*", "*/*")
        return next((self._weights[pattern] for pattern in patterns if pattern in self._weights), 0.0)

    def form(self, recipe: Recipe, count: int) -> str:
        """Choose the form of the answer for so many pictures."""
        images = [MEDIA_TYPES[recipe.format]] if recipe.format else list(_FORMATS)
        return self.best([*images, _JSON] if count == 1 else [_ZIP, _MIXED, _JSON])

    def completed(self, recipe: Recipe, count: int) -> Recipe:
        """State the format in a recipe that leaves it open."""
        if recipe.format is not None:
            return recipe
        chosen = self.form(recipe, count) if count == 1 else self.best(list(_FORMATS))
        stated: dict[str, Any] = {"format": _FORMATS.get(chosen, "png")}
        return replace(recipe, **stated)


def _weight(part: str) -> tuple[str, float]:
    kind, *parameters = (piece.strip() for piece in part.split(";"))
    stated = next((text[2:] for text in parameters if text.startswith("q=")), "1")
    return kind, float(stated) if re.fullmatch(r"[01](\.[0-9]{0,3})?", stated) else 0.0


def etag(digest: str, form: str) -> str:
    """Name an answer: the bytes of a result are always the same, what is told of it has times in it."""
    return f'W/"{digest}.json"' if form == _JSON else f'"{digest}"'


def matches(header: str, tag: str) -> bool:
    """Whether If-None-Match names an answer; compared weakly (RFC 9110, section 13.1.2)."""
    return tag.removeprefix("W/") in {text.strip().removeprefix("W/") for text in header.split(",")}


def one(done: Done, form: str, seconds: int) -> Response:
    """Answer with one result."""
    headers = {**kept(done.digest, form, seconds), "Server-Timing": timing(done.report.ms)}
    if form == _JSON:
        return JSON(described(done), headers=headers)
    about = {
        "Content-Disposition": disposition(done.report.name, done.media_type),
        "X-Cleancut-Model": done.report.model,
        "X-Cleancut-Confidence": f"{done.report.confidence:g}",
        "X-Cleancut-Cached": str(done.cached).lower(),
    }
    if done.report.box is not None:
        about["X-Cleancut-Box"] = ",".join(map(str, done.report.box))
    return Response(done.data, media_type=done.media_type, headers=headers | about)


def kept(digest: str, form: str, seconds: int) -> dict[str, str]:
    """Say how long, and under which name, an answer may be kept by who asked for it."""
    return {"ETag": etag(digest, form), "Cache-Control": f"private, max-age={seconds}", "Vary": "Accept"}


def many(outcomes: Sequence[Outcome], form: str) -> Response:
    """Answer with several results, in the order their pictures came."""
    return _MANY[form](outcomes)


def described(done: Done) -> dict[str, Any]:
    """Tell of a result, the result itself in base64."""
    return {
        **asdict(done.report),
        "media_type": done.media_type,
        "digest": done.digest,
        "cached": done.cached,
        "image": base64.b64encode(done.data).decode("ascii"),
    }


def disposition(name: str, media_type: str) -> str:
    """Name a download (RFC 6266): plain ASCII for all, the rest as RFC 8187 writes it.

    >>> print(disposition('../été";.jpg', "image/png"))
    inline; filename="_t__no_bg.png"; filename*=UTF-8''%C3%A9t%C3%A9_no_bg.png
    """
    stem = _stem(name)
    plain = re.sub(r"[^A-Za-z0-9._-]", "_", stem)
    ending = f"_no_bg.{_FORMATS[media_type]}"
    return f"inline; filename=\"{plain}{ending}\"; filename*=UTF-8''{quote(stem + ending, safe='')}"


def _stem(name: str) -> str:
    """Take of a name that a stranger gave what can do no harm in a header or an archive."""
    last = PurePosixPath(name.replace("\\", "/")).name
    return re.sub(r"[^\w .-]", "", PurePosixPath(last).stem).strip(" .")[:_LONGEST_STEM] or "picture"


def timing(spent: Mapping[str, float]) -> str:
    """Write milliseconds by stage as browsers show them (Server-Timing)."""
    return ", ".join(f"{name};dur={ms:g}" for name, ms in spent.items())


def _titles(outcomes: Sequence[Outcome]) -> Iterator[tuple[str, Outcome, Done]]:
    """Name each result within an archive; the number in front keeps equal names apart."""
    for number, outcome in enumerate(outcomes, 1):
        if outcome.done is not None:
            yield title(number, len(outcomes), outcome.name, outcome.done.media_type), outcome, outcome.done


def title(number: int, count: int, name: str, media_type: str) -> str:
    """Name the result of one picture of several.

    >>> title(3, 12, "../cat.jpg", "image/webp")
    '03_cat_no_bg.webp'
    """
    return f"{number:0{len(str(count))}}_{_stem(name)}_no_bg.{_FORMATS[media_type]}"


def _told(outcome: Outcome) -> dict[str, Any]:
    if outcome.error is not None:
        return {"name": outcome.name, "error": told(outcome.error)}
    return described(outcome.done) if outcome.done else {}


def _as_json(outcomes: Sequence[Outcome]) -> Response:
    return JSON({"results": [_told(outcome) for outcome in outcomes]}, headers={"Cache-Control": "no-store"})


def _as_zip(outcomes: Sequence[Outcome]) -> Response:
    """Pack results and a report.json; they are compressed already, so they are only stored."""
    stream = io.BytesIO()
    files = {id(outcome): title for title, outcome, _ in _titles(outcomes)}
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        for title, _, done in _titles(outcomes):
            archive.writestr(zipfile.ZipInfo(title), done.data)
        told = [{key: value for key, value in _told(each).items() if key != "image"} for each in outcomes]
        report = [about | {"file": files.get(id(each))} for about, each in zip(told, outcomes, strict=True)]
        archive.writestr(zipfile.ZipInfo("report.json"), JSON(report).body)
    headers = {"Content-Disposition": 'attachment; filename="cleancut.zip"', "Cache-Control": "no-store"}
    return Response(stream.getvalue(), media_type=_ZIP, headers=headers)


def _as_parts(outcomes: Sequence[Outcome]) -> Response:
    """Write a part a picture (RFC 2046, section 5.1.3); one that failed is a problem."""
    boundary = secrets.token_hex(16)
    parts = []
    for outcome in outcomes:
        if outcome.done is not None:
            kind, body = outcome.done.media_type, outcome.done.data
            about = f"Content-Disposition: {disposition(outcome.name, kind)}\r\n"
        else:
            kind, about, body = "application/problem+json", "", bytes(JSON(_told(outcome)["error"]).body)
        parts.append(f"--{boundary}\r\nContent-Type: {kind}\r\n{about}\r\n".encode() + body + b"\r\n")
    headers = {"Cache-Control": "no-store"}
    body = b"".join([*parts, f"--{boundary}--\r\n".encode()])
    return Response(body, media_type=f"{_MIXED}; boundary={boundary}", headers=headers)


_MANY: Mapping[str, Callable[[Sequence[Outcome]], Response]] = {_ZIP: _as_zip, _MIXED: _as_parts, _JSON: _as_json}
