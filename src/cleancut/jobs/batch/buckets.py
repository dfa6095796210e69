"""Buckets: every picture below an address comes in, results go out below another, each whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from cleancut.errors import BadInput, CannotWrite, FetchFailed, NoSpace, TooBig
from cleancut.jobs.batch.addresses import Address
from cleancut.jobs.batch.folders import refused
from cleancut.jobs.batch.inside import hidden, inside
from cleancut.jobs.batch.nouns import Entry
from cleancut.jobs.batch.remote import Absent, Network, from_bucket
from cleancut.pictures.files import shown
from cleancut.pictures.formats import PICTURES, sniff

_HEAD = 1024


class Bucket:
    """The pictures below an address of a bucket, or those that a pattern such as s3://shop/*.jpg means.

    Args:
        text: the address.
        network: how it is asked.

    Raises:
        BadUrl: it is no address of a bucket that may be asked.
    """

    endless = False

    def __init__(self, text: str, network: Network) -> None:
        self._network = network
        self._address = network.address(text)
        if self._address.scheme.web:
            raise BadInput("A web address is one picture; write the addresses of several into a list.")

    def __iter__(self) -> Iterator[Entry]:
        system = self._network.system(self._address)
        root = str(system._strip_protocol(self._address.url)).rstrip("/")
        pattern = any(sign in root for sign in "*?[")
        listing = system.glob if pattern else system.find
        found: Mapping[str, Mapping[str, Any]] = self._network.patiently(
            lambda: listing(root, detail=True), self._address.shown, "listed"
        )
        most = self._network.limits.max_entries
        if len(found) > most:
            raise TooBig(f"{self._address.shown} holds more than {most:,} objects; list a part of it.")
        if not found:
            raise BadInput(f"There is nothing at {self._address.shown}.")
        base = _fixed(root) if pattern else root
        for number, key in enumerate(sorted(found), 1):
            if found[key].get("type") != "directory" and not key.endswith("/"):
                yield from self._entry(number, key, base, found[key])

    def close(self) -> None:
        """Nothing is held."""

    def _entry(self, number: int, key: str, base: str, about: Mapping[str, Any]) -> Iterator[Entry]:
        """Make the entry of an object, unless it is hidden."""
        told = shown(f"{self._address.url.partition('://')[0]}://{key}")
        try:
            name = inside(key[len(base) :].lstrip("/") or PurePosixPath(key).name)
        except BadInput as error:
            yield refused(f"object-{number}", error, origin=told)
            return
        if hidden(name):
            return
        loose = PurePosixPath(name).suffix.lower() not in PICTURES
        address = Address(self._address.scheme, key, told, name)
        size = about.get("size")
        yield Entry(name, lambda: self._read(address, size, loose), _stamp(about), origin=told, loose=loose)

    def _read(self, address: Address, size: int | None, loose: bool) -> bytes:
        if loose and size != 0:
            system = self._network.system(address)
            sniff(self._network.patiently(lambda: from_bucket(system, address.url, _HEAD), address.shown, "read"),
                  address.shown)  # fmt: skip
        return self._network.get(address, size)


class BucketResults:
    """A place in a bucket that results go into; each is written by one request, whole or not at all.

    Args:
        text: the address.
        network: how it is asked.

    Raises:
        BadUrl: it is no address that can be written to.
    """

    journal: Path | None = None

    def __init__(self, text: str, network: Network) -> None:
        self._network = network
        self._address = network.address(text)
        if self._address.scheme.web:
            raise BadInput("Results cannot be written to a web address; name a folder, a ZIP or a bucket.")
        self._root = ""
        self._sizes: dict[str, int] | None = None

    def sweep(self) -> None:
        """Nothing is left: an upload that was cut short is no object."""

    def size(self, name: str) -> int | None:
        """Tell the bytes of a result, or None; the place is listed once, at the first question."""
        if self._sizes is None:
            self._sizes = self._listed()
        return self._sizes.get(name)

    def put(self, name: str, data: bytes) -> None:
        """Write a result in place of one of that name.

        Raises:
            NoSpace: there is no such bucket, or it may not be written.
            CannotWrite: it failed each time.
        """
        system, path = self._place(name)
        try:
            self._network.patiently(lambda: system.pipe_file(path, data), self.shown(name), "written")
        except Absent as error:
            raise NoSpace(str(error)) from None
        except FetchFailed as error:
            raise CannotWrite(str(error)) from None
        if self._sizes is not None:
            self._sizes[name] = len(data)

    def get(self, name: str) -> bytes:
        """Read a result back.

        Raises:
            BadInput: it is not there, or cannot be read.
        """
        _, path = self._place(name)
        return self._network.get(Address(self._address.scheme, path, self.shown(name), name))

    def shown(self, name: str) -> str:
        """Say where a result lies."""
        return f"{self._address.shown.rstrip('/')}/{shown(name)}"

    def close(self, *, whole: bool) -> None:
        """Nothing is held: every result is in its place."""

    def _place(self, name: str) -> tuple[Any, str]:
        system = self._network.system(self._address)
        return system, f"{str(system._strip_protocol(self._address.url)).rstrip('/')}/{name}"

    def _listed(self) -> dict[str, int]:
        system, root = self._place("")
        system.invalidate_cache()
        try:
            found = self._network.patiently(lambda: system.find(root, detail=True), self._address.shown, "listed")
        except Absent:
            return {}  # there is nothing yet; whether it may be written shows when it is
        return {key[len(root) :]: int(about.get("size") or 0) for key, about in found.items()}


def _stamp(about: Mapping[str, Any]) -> str:
    """Give what changes with the content: the ETag, else size and time of change."""
    tag = about.get("ETag") or about.get("etag")
    if tag:
        return str(tag).strip('"')[:100]
    changed = about.get("LastModified") or about.get("last_modified") or about.get("updated")
    return f"{about.get('size')}-{changed}" if changed else ""


def _fixed(pattern: str) -> str:
    """Give the folders of a pattern that hold no sign of one."""
    parts = pattern.split("/")
    first = next(i for i, part in enumerate(parts) if any(sign in part for sign in "*?["))
    return "/".join(parts[:first])
