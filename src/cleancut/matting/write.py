"""Cutout → bytes: every format that is written, and files that appear whole or not at all."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, TypedDict

import numpy as np
from numpy.typing import NDArray
from PIL import Image

import cleancut
from cleancut.errors import BadInput, BadSetting
from cleancut.limits import Limits, processors
from cleancut.matting.cutout import Cutout, written
from cleancut.matting.recipe import to_json
from cleancut.pictures.files import load, replacing, shown
from cleancut.pictures.metadata import with_resolution
from cleancut.pictures.png import text_of, write_png
from cleancut.pictures.tiff import write_tiff
from cleancut.raster.blend import mix
from cleancut.raster.rows import Rows

_KEYWORD = "cleancut"
_LONGEST_NOTE = 256_000
_GREY = ("alpha", "trimap")
"""What may be shown that has no colour."""

_EXTENSIONS = {
    ".png": "png",
    ".webp": "webp",
    ".avif": "avif",
    ".tif": "tiff",
    ".tiff": "tiff",
    ".jpg": "jpeg",
    ".jpeg": "jpeg",
}


class _Beside(TypedDict):
    """What goes into a file beside its pixels."""

    profile: bytes | None
    dpi: tuple[float, float] | None
    exif: bytes | None


@dataclass(frozen=True, slots=True)
class Target:
    """A format that is written.

    Attributes:
        encode: writes rows of a cutout to a stream.
        longest: pixels that a side may have.
        has_alpha: whether it can hold one; if not, a cutout is written over white.
    """

    encode: Callable[[Rows, Cutout, IO[bytes]], None]
    longest: int
    has_alpha: bool = True


def image(cutout: Cutout) -> Image.Image:
    """Show what is written as a Pillow image, with its profile and resolution.

    Returns:
        RGBA for the cutout, L for its alpha or trimap, RGB for the foreground or where the format has no alpha.
    """
    target = TARGETS[cutout.recipe.format or "png"]
    cutout = grounded(cutout, target)
    picture = Image.fromarray(_rows(cutout, target).whole())
    stated = {"icc_profile": _profile(cutout), "dpi": cutout.source.dpi}
    picture.info.update({name: value for name, value in stated.items() if value is not None})
    return picture


def encoded(cutout: Cutout) -> bytes:
    """Encode a cutout in the recipe's format, or else as PNG.

    Raises:
        BadSetting: it is larger than the format can hold.
    """
    stream = io.BytesIO()
    encode(cutout, stream)
    return stream.getvalue()


def encode(cutout: Cutout, stream: IO[bytes], format: str | None = None) -> None:
    """Encode a cutout to a stream, which need not seek.

    Args:
        cutout: what to write; its recipe says what of it.
        stream: takes the bytes.
        format: one of `TARGETS`; by default the recipe's, or else png.

    Raises:
        BadSetting: it is larger than the format can hold.
    """
    format = format or cutout.recipe.format or "png"
    target = TARGETS[format]
    if max(cutout.size) > target.longest:
        width, height = cutout.size
        raise BadSetting(
            f"{format} holds at most {target.longest} pixels a side, not {width} × {height}; choose png or tiff."
        )
    cutout = grounded(cutout, target)
    target.encode(_rows(cutout, target), cutout, stream)


def save(cutout: Cutout, path: Path, *, overwrite: bool) -> Path:
    """Write a cutout to a file, whole or not at all.

    Raises:
        BadSetting: neither the recipe nor the extension names a format, or it cannot hold the size.
        CannotWrite: the file exists and `overwrite` is off, or it cannot be written.
    """
    format = cutout.recipe.format or format_of(path)
    with replacing(path, overwrite) as stream:
        encode(cutout, stream, format)
    return path


def format_of(path: Path) -> str:
    """Tell the format that an extension names.

    Raises:
        BadSetting: it names none.

    >>> format_of(Path("cut.TIF"))
    'tiff'
    """
    try:
        return _EXTENSIONS[path.suffix.lower()]
    except KeyError:
        raise BadSetting(
            f"{shown(path)} ends in no format that can be written; use {', '.join(_EXTENSIONS)}, or name a format."
        ) from None


def provenance_of(source: bytes | Path) -> dict[str, Any]:
    """Read how a PNG of ours was made.

    Returns:
        `recipe` as `recipe.from_json` reads it, `sha256` of the model's weights and our `version`.

    Raises:
        BadInput: it is no PNG, or notes nothing.
    """
    name = shown(source) if isinstance(source, Path) else "This PNG"
    data = load(source, Limits()) if isinstance(source, Path) else source
    note = text_of(data, _KEYWORD, _LONGEST_NOTE)
    try:
        noted = json.loads(note or "null")
    except (ValueError, RecursionError):
        noted = None
    if not isinstance(noted, dict) or not isinstance(noted.get("recipe"), dict):
        raise BadInput(f"{name} does not say how it was made; it is no PNG of ours, or was made without provenance.")
    return {"recipe": noted["recipe"], "sha256": str(noted.get("sha256")), "version": str(noted.get("version"))}


def grounded(cutout: Cutout, target: Target) -> Cutout:
    """Lay white beneath a cutout that a format without alpha shall hold, unless something lies there."""
    if target.has_alpha or cutout.recipe.show != "cutout" or cutout.backdrop is not None:
        return cutout
    return cutout.over("white")


def _rows(cutout: Cutout, target: Target) -> Rows:
    """Give the rows that are written, (H, W), (H, W, 3) or (H, W, 4) uint8."""
    alpha = cutout.subject.alpha
    if cutout.recipe.show == "alpha":
        return alpha.map(written)
    if cutout.recipe.show == "trimap":
        return cutout.marked
    if cutout.recipe.show == "foreground":
        return Rows((*alpha.shape, 3), cutout.seen)
    if target.has_alpha:
        return Rows((*alpha.shape, 4), cutout.painted)
    return Rows((*alpha.shape, 3), lambda top, bottom: _over_white(cutout.painted(top, bottom)))


def _over_white(strip: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Fill what is still clear, such as beneath a backdrop that does not cover the canvas."""
    white = np.broadcast_to(np.uint8(255), (*strip.shape[:2], 3))
    return mix([(white, np.ones(strip.shape[:2], np.float32))], strip[..., :3], strip[..., 3])[..., :3]


def _profile(cutout: Cutout) -> bytes | None:
    """Give the profile of what is written; an alpha and a trimap have none."""
    return None if cutout.recipe.show in _GREY else cutout.profile


def _note(cutout: Cutout) -> dict[str, str]:
    if not cutout.recipe.provenance:
        return {}
    noted = {"recipe": to_json(cutout.recipe), "sha256": cutout.sha256, "version": cleancut.__version__}
    return {_KEYWORD: json.dumps(noted, separators=(",", ":"))}


def _encode_png(rows: Rows, cutout: Cutout, stream: IO[bytes]) -> None:
    write_png(stream, rows, **_beside(cutout), text=_note(cutout), timed=lambda: cutout.stopwatch.stage("write"))


def _encode_tiff(rows: Rows, cutout: Cutout, stream: IO[bytes]) -> None:
    write_tiff(stream, rows, **_beside(cutout), timed=lambda: cutout.stopwatch.stage("write"))


def _beside(cutout: Cutout) -> _Beside:
    return {"profile": _profile(cutout), "dpi": cutout.source.dpi, "exif": cutout.source.exif}


def _by_pillow(name: str, settings: Callable[[Cutout], dict[str, Any]]) -> Callable[[Rows, Cutout, IO[bytes]], None]:
    """Give what writes a format that Pillow encodes; it holds the picture whole."""

    def encode(rows: Rows, cutout: Cutout, stream: IO[bytes]) -> None:
        picture = Image.fromarray(rows.whole())
        held = io.BytesIO()  # some encoders seek, which a pipe cannot
        with cutout.stopwatch.stage("write"):
            picture.save(held, name, icc_profile=_profile(cutout), **settings(cutout))
        stream.write(held.getbuffer())

    return encode


def _webp(cutout: Cutout) -> dict[str, Any]:
    """Lossless at its fastest, as more effort costs four times as much for a fifth less; lossy with a quality."""
    quality = cutout.recipe.quality
    how = {"lossless": True, "exact": True, "method": 0, "quality": 20}
    if quality is not None:
        how = {"quality": quality, "method": 2}
    return {**how, "exif": with_resolution(cutout.source.exif, cutout.source.dpi) or b""}


def _avif(cutout: Cutout) -> dict[str, Any]:
    """Lossy: even at quality 100 a value may be off by 2, as AVIF turns RGB into luma and chroma."""
    return {
        "quality": cutout.recipe.quality or 90,
        "subsampling": "4:0:0" if cutout.recipe.show in _GREY else "4:4:4",
        "speed": 8,
        "max_threads": processors(),
        "exif": with_resolution(cutout.source.exif, cutout.source.dpi),
    }


def _jpeg(cutout: Cutout) -> dict[str, Any]:
    exif = cutout.source.exif
    return {
        "quality": cutout.recipe.quality or 92,
        "subsampling": "4:4:4",
        "exif": b"" if exif is None else b"Exif\0\0" + exif,
        "dpi": cutout.source.dpi or (0, 0),
    }


TARGETS: Mapping[str, Target] = {
    "png": Target(_encode_png, 2**31 - 1),
    "webp": Target(_by_pillow("WEBP", _webp), 16_383),
    "avif": Target(_by_pillow("AVIF", _avif), 65_536),
    "tiff": Target(_encode_tiff, 2**31 - 1),
    "jpeg": Target(_by_pillow("JPEG", _jpeg), 65_500, has_alpha=False),
}
"""Every format that is written, by the name a recipe gives it."""
