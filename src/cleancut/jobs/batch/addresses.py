"""Addresses of pictures outside this machine: read, checked, and shown without what is secret in them.

>>> read("s3://shop/shoes/left.jpg").name
'shop/shoes/left.jpg'
>>> read("https://anna:secret@shop.example/left.jpg?X-Amz-Signature=abc").shown
'https://shop.example/left.jpg'
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from cleancut.errors import BadUrl
from cleancut.jobs.batch.inside import inside
from cleancut.pictures.files import shown


@dataclass(frozen=True, slots=True)
class Scheme:
    """A kind of address.

    Attributes:
        protocol: what fsspec calls it.
        anonymous: what fsspec is told where no credentials are to be used.
        web: whether it is HTTP: an address is one picture, and nothing can be listed or written.
    """

    protocol: str
    anonymous: Mapping[str, Any]
    web: bool = False


SCHEMES: Mapping[str, Scheme] = {
    "s3": Scheme("s3", {"anon": True}),
    "gs": Scheme("gs", {"token": "anon"}),
    "gcs": Scheme("gs", {"token": "anon"}),
    "az": Scheme("abfs", {"anon": True}),
    "abfs": Scheme("abfs", {"anon": True}),
    "abfss": Scheme("abfs", {"anon": True}),
    "http": Scheme("http", {}, web=True),
    "https": Scheme("https", {}, web=True),
}
"""What an address may begin with. fsspec knows many more, some of which run commands or read this machine's files."""

_LONGEST = 2_000
_ADDRESS = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_SIGNING = re.compile(
    r"(x-amz-|x-goog-|x-ms-).*|awsaccesskeyid|signature|expires|key-pair-id|policy|token|access_token|api_?key|hdnts"
    r"|s[vtepirsk]|srt?|ss|sig|sip|spr|skoid|sktid|skt|ske|sks|skv",
    re.IGNORECASE,
)
"""Names of what signs an address: different each time for one picture, and secret."""


@dataclass(frozen=True, slots=True)
class Address:
    """An address that may be asked.

    Attributes:
        scheme: its kind.
        url: as fsspec takes it; it may hold credentials, so it is never shown or written down.
        shown: as people may read it.
        name: in the tree: host or bucket, and path.
    """

    scheme: Scheme
    url: str
    shown: str
    name: str

    def __repr__(self) -> str:
        return f"Address({self.shown!r})"


def is_address(text: str) -> bool:
    r"""Tell an address from the path of a file; C:\pictures is a path.

    >>> is_address("s3://shop/a.jpg"), is_address("C:\\a.jpg"), is_address("a://b")
    (True, False, True)
    """
    return _ADDRESS.match(text) is not None


def read(text: str, schemes: Collection[str] = tuple(SCHEMES)) -> Address:
    """Read an address.

    Args:
        text: as it was given.
        schemes: what it may begin with; at the most those of `SCHEMES`.

    Raises:
        BadUrl: it begins with something else, is no address, or its path leads out of the tree.
    """
    if len(text) > _LONGEST:
        raise BadUrl(f"An address has {len(text):,} characters; the limit is {_LONGEST:,}.")
    begin = _ADDRESS.match(text)
    word = begin[1].lower() if begin else ""
    if word not in SCHEMES or word not in schemes:
        raise BadUrl(f"An address must begin with {', '.join(f'{name}://' for name in schemes)}, not {word[:20]!r}.")
    if "::" in text or not text.isprintable():
        raise BadUrl("An address may hold no :: and no control characters.")
    scheme = SCHEMES[word]
    try:
        host, path, query = _parts(text, scheme)
    except ValueError:
        raise BadUrl(f"An address that begins with {word}:// cannot be read; write {word}://host/path.") from None
    if not host:
        raise BadUrl(f"The address lacks a host or bucket; write it as {word}://host/path.")
    name = f"{host.replace(':', '_')}{unquote(path)}" if scheme.web else f"{host}{path}"
    return Address(scheme, text, shown(f"{word}://{host}{path}"), _apart(inside(name), query))


def _parts(text: str, scheme: Scheme) -> tuple[str, str, str]:
    """Split an address into its host without credentials, its path and its query; a bucket's key may hold ? and #."""
    if scheme.web:
        split = urlsplit(text)
        port = f":{split.port}" if split.port else ""
        return f"{split.hostname or ''}{port}", split.path, split.query
    bucket, slash, key = text.partition("://")[2].partition("/")
    user, at, host = bucket.rpartition("@")
    return (host if ":" in user else f"{user}{at}{host}"), slash + key, ""


def _apart(name: str, query: str) -> str:
    """Tell apart addresses that differ in their query alone, without what signs them, and without repeating it."""
    kept = [(key, value) for key, value in parse_qsl(query, keep_blank_values=True) if not _SIGNING.fullmatch(key)]
    if not kept:
        return name
    path = PurePosixPath(name)
    return str(path.with_name(f"{path.stem}-{hashlib.sha256(urlencode(kept).encode()).hexdigest()[:8]}{path.suffix}"))
