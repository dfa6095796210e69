"""Every way in and out of a batch: what a command was given → a source, a sink."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cleancut.errors import BadInput
from cleancut.jobs.batch import tables
from cleancut.jobs.batch.addresses import is_address
from cleancut.jobs.batch.archives import Archive
from cleancut.jobs.batch.buckets import Bucket, BucketResults
from cleancut.jobs.batch.folders import Folder, Results
from cleancut.jobs.batch.lists import Joined, Listed, Matched, Single, read_list
from cleancut.jobs.batch.manifests import Manifest, Reading
from cleancut.jobs.batch.nouns import Sink, Source
from cleancut.jobs.batch.packed import Packed
from cleancut.jobs.batch.remote import Network
from cleancut.jobs.batch.watch import Watched
from cleancut.pictures.files import shown
from cleancut.pictures.formats import PICTURES

STANDARD = "-"
LISTS = (".txt", ".lst", ".list")
"""What the name of a list ends in."""


@dataclass(frozen=True, slots=True)
class Given:
    """How what a command was given is read.

    Attributes:
        network: how addresses are asked, and how much is too much.
        reading: how a manifest is read.
        root: what paths in a list are relative to; by default the list's own folder.
        apart: paths that are not looked into: the results above all.
        follow_links: whether links to folders are gone into.
        watch: whether folders are watched; `settle` and `poll` as `Watched` takes them.
    """

    network: Network = field(default_factory=Network)
    reading: Reading = field(default_factory=Reading)
    root: Path | None = None
    apart: tuple[Path, ...] = ()
    follow_links: bool = False
    watch: bool = False
    settle: float = 1.0
    poll: bool = False


def source_of(texts: Sequence[str], given: Given) -> Source:
    """Open what was named: folders, patterns, files, archives, lists, manifests, addresses, or - for a list on stdin.

    Of several, names are below the folder that they have in common; what is no file of this machine has a folder of
    its own.

    Raises:
        BadInput: something does not exist, cannot be opened, or is named twice.
        TooBig: it holds more than the limits allow.
    """
    if len(set(texts)) < len(texts):
        raise BadInput("The same source is named twice; name each once.")
    opened = [_opened(text, given) for text in texts]
    if len(opened) == 1:
        return opened[0]
    if any(source.endless for source in opened):
        raise BadInput("One folder is watched at a time; start a batch for each.")
    roots = [_root(text, source) for text, source in zip(texts, opened, strict=True)]
    local = [root for root in roots if isinstance(root, Path)]
    common = Path(os.path.commonpath(local)) if local else Path()
    below = [root if isinstance(root, str) else root.relative_to(common).as_posix() for root in roots]
    return Joined([("" if name == "." else name, source) for name, source in zip(below, opened, strict=True)])


def sink_of(text: str, network: Network) -> Sink:
    """Open what results go into: a folder, an archive that ends in .zip, or an address of a bucket.

    Raises:
        BadInput: results cannot go there.
    """
    if is_address(text):
        return BucketResults(text, network)
    path = Path(text)
    if path.suffix.lower() == ".zip" and not path.is_dir():
        return Packed(path, network.limits)
    if path.exists() and not path.is_dir():
        raise BadInput(f"{shown(path)} is a file; name a folder, a .zip or an address for the results.")
    return Results(path, network.limits)


def _opened(text: str, given: Given) -> Source:
    if is_address(text):
        return _addressed(text, given)
    path = Path(text)
    if path.is_dir():
        _check_apart(path, given)
        tree = Folder(path, given.apart, given.follow_links)
        return Watched(tree, given.settle, given.poll) if given.watch else tree
    if given.watch:
        raise BadInput(f"{shown(path)} is no folder, and nothing else can be watched.")
    if text == STANDARD:
        data = read_list(lambda: sys.stdin.buffer, "stdin", given.network.limits.max_table)
        return Listed(data, given.root or Path(), given.network)
    if not path.exists() and any(sign in text for sign in "*?["):
        return Matched(text, given.apart)
    return _KINDS.get(path.suffix.lower(), _single)(path, given)


def _addressed(text: str, given: Given) -> Source:
    """Take an address of a picture for one, and any other for a part of a bucket."""
    address = given.network.address(text)
    if address.scheme.web or Path(address.name).suffix.lower() in PICTURES:
        return Single(text, given.network) if not any(sign in text for sign in "*[") else Bucket(text, given.network)
    return Bucket(text, given.network)


def _check_apart(path: Path, given: Given) -> None:
    """Refuse results in the very folder that pictures come from: the next run would take them for pictures."""
    if path.resolve() in {out.resolve() for out in given.apart}:
        raise BadInput("Results cannot go to the folder they come from; name another one, which may lie inside it.")


def _single(path: Path, given: Given) -> Source:
    return Single(str(path), given.network)


def _archive(path: Path, given: Given) -> Source:
    return Archive(path, given.network.limits)


def _manifest(path: Path, given: Given) -> Source:
    return Manifest(path, given.reading, given.network)


def _list(path: Path, given: Given) -> Source:
    data = read_list(lambda: path.open("rb"), shown(path), given.network.limits.max_table)
    return Listed(data, given.root or path.absolute().parent, given.network)


_KINDS: dict[str, Callable[[Path, Given], Source]] = {
    ".zip": _archive,
    **dict.fromkeys(tables.KINDS, _manifest),
    **dict.fromkeys(LISTS, _list),
}
"""How a file is opened that is no picture, by how its name ends."""


def _root(text: str, source: Source) -> Path | str:
    """Give the folder that a source's names are relative to; of what has none, a word that may stand for one."""
    if isinstance(source, Folder):
        return Path(os.path.abspath(source.root))  # noqa: PTH100 - a link is named as it is
    if isinstance(source, Matched):
        return Path(os.path.abspath(source.root))  # noqa: PTH100
    if isinstance(source, Single) and not is_address(text):
        return Path(os.path.abspath(text)).parent  # noqa: PTH100
    if isinstance(source, Single | Listed):
        return "."
    return Path(text).name
