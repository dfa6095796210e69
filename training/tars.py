"""The training files: tars of pictures, read straight into memory, so that no name in them is ever a path."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from PIL import Image

FOLDERS = ("images", "masks", "alphas")


def members(path: Path) -> dict[str, dict[str, bytes]]:
    """Give a tar's files by folder and stem; files of no folder count as images.

    Raises:
        tarfile.TarError: it is no tar.
    """
    found: dict[str, dict[str, bytes]] = {folder: {} for folder in FOLDERS}
    with tarfile.open(path) as tar:
        for member in tar:
            if not member.isfile():
                continue
            name = PurePosixPath(member.name)
            folder = name.parent.name or "images"
            stream = tar.extractfile(member)
            if folder in found and stream is not None:
                found[folder][name.stem] = stream.read()
    return found


def pictures(files: Mapping[str, bytes]) -> Iterator[tuple[str, Image.Image]]:
    """Decode files in the order of their names, so that a seed means the same on every machine."""
    for stem in sorted(files):
        yield stem, Image.open(io.BytesIO(files[stem]))


def write_pairs(path: Path, pairs: Mapping[str, tuple[bytes, bytes]]) -> None:
    """Write (image, mask) files by stem as a tar of pairs, the same bytes for the same pairs."""
    with tarfile.open(path, "w") as tar:
        for stem in sorted(pairs):
            for folder, suffix, data in zip(FOLDERS, (".webp", ".png"), pairs[stem], strict=False):
                entry = tarfile.TarInfo(f"{folder}/{stem}{suffix}")
                entry.size = len(data)
                tar.addfile(entry, io.BytesIO(data))
