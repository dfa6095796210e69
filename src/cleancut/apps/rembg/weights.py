"""`cleancut rembg d` and `m`: weights from their publishers, and those that rembg has downloaded already."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

import click

from cleancut.apps.files import make_folder
from cleancut.errors import CannotWrite, NotDownloaded
from cleancut.models.registry import Weights, models
from cleancut.models.weights import path_of, state
from cleancut.pictures.files import replacing, shown

_BLOCK = 1 << 20
_SUFFIXES = {".onnx", ".bin"}


def published() -> tuple[str, ...]:
    """Name the models whose weights can be downloaded."""
    found = ((model.name, weights) for model in models() for weights in model.weights.values())
    return tuple(dict.fromkeys(name for name, weights in found if weights.url and not weights.embedded))


def migrate(*, dry_run: bool, delete_source: bool, clean_orphans: bool) -> int:
    """Copy every file whose checksum a table names to its place; what no table knows stays where it is."""
    known = {sum_: weights for model in models() for weights in model.weights.values() for sum_ in _sums(weights)}
    counts: Counter[str] = Counter()
    for path in files(os.environ):
        if _is_orphan(path):
            counts["left by interrupted downloads"] += 1
            if clean_orphans:
                click.echo(f"{shown(path)}: removed")
                _remove(path, dry_run)
        elif path.suffix in _SUFFIXES:
            weights = next((known[sum_] for sum_ in _checksums(path) if sum_ in known), None)
            counts["not known" if weights is None else "known"] += 1
            click.echo(f"{shown(path)}: not known" if weights is None else f"{shown(path)} -> {path_of(weights)}")
            if weights is not None and not dry_run:
                _copy(path, weights, delete_source)
    found = ", ".join(f"{number} {what}" for what, number in counts.items()) or "rembg has no weights here"
    click.echo(f"{found}; nothing was changed" if dry_run else found)
    return 0


def files(environ: Mapping[str, str]) -> Iterator[Path]:
    """List what rembg keeps: in its old folder, where all lies side by side, and in the present one's models."""
    data = environ.get("XDG_DATA_HOME")
    chosen = environ.get("U2NET_HOME")
    old = Path(chosen or Path(data or "~", ".u2net")).expanduser()
    present = Path(chosen or environ.get("REMBG_HOME") or (Path(data, "rembg") if data else "~/.rembg")).expanduser()
    for found in (old.glob("*"), present.glob("models/*/*")):
        yield from sorted(path for path in found if path.is_file())


def _sums(weights: Weights) -> list[str]:
    return [sum_ for sum_ in (weights.sha256, weights.md5) if sum_ and not weights.embedded]


def _checksums(path: Path) -> tuple[str, str]:
    """Give a file's sha256 and md5 in hex, read once.

    Raises:
        NotDownloaded: it cannot be read.
    """
    sha256, md5 = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
    try:
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                sha256.update(block)
                md5.update(block)
    except OSError as error:
        raise NotDownloaded(f"{shown(path)} cannot be read: {error.strerror}.") from None
    return sha256.hexdigest(), md5.hexdigest()


def _is_orphan(path: Path) -> bool:
    """Tell whether an interrupted download of rembg left a file: those are tmp… without an extension."""
    return path.name.startswith("tmp") and not path.suffix


def _copy(path: Path, weights: Weights, delete_source: bool) -> None:
    target = path_of(weights)
    if not target.exists():
        make_folder(target.parent)
        with path.open("rb") as source, replacing(target, overwrite=False) as stream:
            shutil.copyfileobj(source, stream, _BLOCK)
    if delete_source and state(weights) == "right":
        _remove(path, dry_run=False)


def _remove(path: Path, dry_run: bool) -> None:
    if dry_run:
        return
    try:
        path.unlink()
    except OSError as error:
        raise CannotWrite(f"{shown(path)} cannot be removed: {error.strerror}.") from None
