"""Bytes → Picture: told by content, bounded before it is decoded, upright, 8 bits a channel."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cleancut.errors import CleancutError, NotAPicture, TooBig
from cleancut.limits import Limits
from cleancut.pictures import metadata, pixels
from cleancut.pictures.files import check_bytes, load, shown
from cleancut.pictures.formats import MOST_FRAMES, Format, sniff
from cleancut.raster.layer import Layer
from cleancut.raster.resample import reduced, resized
from cleancut.raster.rows import Rows
from cleancut.types import Picture

_GAP = 2
"""A JPEG is decoded to no less than this many times the size wanted; the rest is done by a better filter."""

_MUCH_SMALLER = 4
"""From this factor on, boxes of pixels are averaged first; below it, whole strips are filtered."""


def read(
    source: bytes | Path,
    *,
    name: str | None = None,
    limits: Limits | None = None,
    max_side: int | None = None,
    keep_metadata: bool = False,
) -> Picture:
    """Read a picture from its bytes or its file.

    Args:
        source: the encoded picture, or the path of its file. The extension does not matter.
        name: what to call it in messages; by default its path.
        limits: on bytes and pixels, checked before anything is decoded.
        max_side: reduce it so that its longer side has this many pixels at most.
        keep_metadata: keep the EXIF that is not personal.

    Returns:
        The picture: upright, its own alpha beside it, in the colour space of its RGB profile or else in sRGB.

    Raises:
        NotAPicture: it is none, is damaged or ends too early.
        TooBig: it exceeds a limit.
    """
    limits = limits or Limits()
    if isinstance(source, Path):
        name = name or shown(source)
        data = load(source, limits, name)
    else:
        name, data = name or "The picture", source
    check_bytes(len(data), name, limits)
    format = sniff(data, name)
    with _told(name, format.name), _quiet:
        image = _opened(format, data, name, limits)
        wanted = _within(image.size, max_side)
        image.draft(None, (wanted[0] * _GAP, wanted[1] * _GAP))
        picture = _taken(_decoded(image), name)
        exif = data if format.name == "TIFF" else image.info.get("exif")
        notes = (*_frames_note(format, data, image), *picture.notes)
        del image  # four bytes a pixel, not to be held while the picture is reduced
    kept = metadata.kept(metadata.parsed(exif)) if keep_metadata else None
    return within(replace(picture, exif=kept, notes=notes), max_side)


@dataclass(frozen=True, slots=True)
class Header:
    """What a file says of itself before anything is decoded.

    Attributes:
        format: name of the format, such as "JPEG".
        size: (width, height) in pixels, as stored: not yet upright.
        upright: (width, height) in pixels, as it is read.
        opaque: whether it has no transparency of its own.
        frames: frames or pages, counted to a little more than `MOST_FRAMES`.
    """

    format: str
    size: tuple[int, int]
    upright: tuple[int, int]
    opaque: bool
    frames: int


def header(data: bytes, *, name: str = "The picture", limits: Limits | None = None) -> Header:
    """Read what an encoded picture says of itself; nothing is decoded.

    Raises:
        NotAPicture: it is none, or its header is damaged.
        TooBig: it exceeds a limit.
    """
    limits = limits or Limits()
    check_bytes(len(data), name, limits)
    format = sniff(data, name)
    with _told(name, format.name), _quiet:
        image = _opened(format, data, name, limits)
        exif = image.info.get("exif")
        turned = metadata.orientation(metadata.parsed(exif if isinstance(exif, bytes) else None)) > 4
        upright = image.size[::-1] if turned else image.size
        return Header(
            format.name, image.size, upright, not image.has_transparency_data, format.frame_count(data, image)
        )


def _opened(format: Format, data: bytes, name: str, limits: Limits) -> Image.Image:
    """Parse the header within the limits."""
    if format.size is not None:
        _check_pixels(format.size(data), name, limits)
    image = format.open(data, name)
    _check_pixels(image.size, name, limits)
    return image


def from_image(image: Image.Image, *, name: str = "The picture", limits: Limits | None = None) -> Picture:
    """Take a Pillow image of any mode, with its profile, resolution and EXIF orientation.

    Raises:
        NotAPicture: it cannot be decoded, or its values have no known white.
        TooBig: it exceeds a limit.
    """
    with _told(name, "image"), _quiet:
        _check_pixels(image.size, name, limits or Limits())
        return _taken(_decoded(image), name)


def from_array(array: NDArray[Any], *, name: str = "The picture", limits: Limits | None = None) -> Picture:
    """Take an array as a picture in sRGB.

    Args:
        array: (H, W), (H, W, 1) grey, (H, W, 2) grey and alpha, (H, W, 3) RGB or (H, W, 4) RGB and alpha;
            uint8, uint16 or floats in [0, 1]. A (H, W, 3) uint8 that lies in one piece is shared, not copied.
        name: what to call it in messages.
        limits: on pixels.

    Raises:
        NotAPicture: its shape, type or range is another.
        TooBig: it exceeds a limit.

    >>> from_array(np.array([[0, 0.5, 1]])).rgb[0, :, 0].tolist()
    [0, 128, 255]
    """
    if array.ndim not in {2, 3} or (array.ndim == 3 and array.shape[2] not in {1, 2, 3, 4}) or 0 in array.shape:
        raise NotAPicture(f"{name} is an array of shape {array.shape}; give (H, W), (H, W, 3) or (H, W, 4).")
    _check_pixels((array.shape[1], array.shape[0]), name, limits or Limits())
    values = _eight_bit(array.reshape(*array.shape[:2], -1), name)
    has_alpha = values.shape[2] in {2, 4}
    color, alpha = (values[..., :-1], values[..., -1]) if has_alpha else (values, None)
    rgb = np.ascontiguousarray(np.broadcast_to(color, (*array.shape[:2], 3)))
    opaque = alpha is None or bool((alpha == 255).all())
    return Picture(rgb, None if opaque or alpha is None else np.ascontiguousarray(alpha), name=name)


def within(picture: Picture, max_side: int | None) -> Picture:
    """Reduce a picture so that its longer side has `max_side` pixels at most; None leaves it as it is."""
    width, height = _within(picture.size, max_side)
    if (width, height) == picture.size:
        return picture
    if picture.alpha is None and width * _MUCH_SMALLER <= picture.size[0]:
        return replace(picture, rgb=reduced(picture.rgb, width, height, "lanczos"))
    layer = resized(Layer(Rows.of(picture.rgb), _coverage(picture)), width, height)
    if picture.alpha is None:
        return replace(picture, rgb=layer.color.whole())
    opacity = layer.alpha.map(lambda strip: np.rint(strip * 255).astype(np.uint8))
    return replace(picture, rgb=layer.color.whole(), alpha=opacity.whole())


def _coverage(picture: Picture) -> Rows:
    if picture.alpha is None:
        width, height = picture.size
        return Rows.constant(height, width, np.array(1, np.float32))
    return Rows.of(picture.alpha).map(lambda strip: strip.astype(np.float32) / 255)


def _within(size: tuple[int, int], max_side: int | None) -> tuple[int, int]:
    scale = 1.0 if max_side is None else min(1.0, max_side / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _check_pixels(size: tuple[int, int], name: str, limits: Limits) -> None:
    width, height = size
    if width * height <= limits.max_pixels:
        return
    have, may = (f"{round(count / 1e6, 4):,g}" for count in (width * height, limits.max_pixels))
    raise TooBig(f"{name} has {width} × {height} pixels, {have} megapixels; the limit is {may}.")


def _decoded(image: Image.Image) -> Image.Image:
    size = getattr(image, "_tile_size", None)
    if size is not None and getattr(image, "tile", None):
        # Pillow's TIFF parser allocates within its own, global limit; so it is given the memory.
        image.im = Image.new(image.mode, size).im
    image.load()
    return image


def _taken(image: Image.Image, name: str) -> Picture:
    """Take a decoded image over as a picture."""
    pixels.check_range(image, name)
    exif = image.info.get("exif")
    told = metadata.parsed(exif if isinstance(exif, bytes) else None)
    colors = pixels.colors(image.mode, image.info.get("icc_profile", b""))
    rgb, alpha = pixels.planes(image, metadata.orientation(told), colors.transform)
    dpi = metadata.sane_dpi(image.info.get("dpi")) or metadata.resolution(told)
    if dpi and metadata.orientation(told) > 4:
        dpi = dpi[::-1]
    return Picture(rgb, alpha, colors.profile, name, dpi, notes=colors.notes)


def _frames_note(format: Format, data: bytes, image: Image.Image) -> tuple[str, ...]:
    """Note that a picture is only the first of several."""
    count = format.frame_count(data, image)
    if count == 1:
        return ()
    many = f"{count}" if count <= MOST_FRAMES else f"more than {MOST_FRAMES}"
    return (f"The first of {many} {'pages' if format.name == 'TIFF' else 'frames'}.",)


def _eight_bit(values: NDArray[Any], name: str) -> NDArray[np.uint8]:
    if values.dtype == np.uint8:
        return values
    if values.dtype == np.uint16:
        return np.asarray(np.rint(values * np.float32(1 / 257)), np.uint8)
    if not np.issubdtype(values.dtype, np.floating):
        raise NotAPicture(f"{name} is an array of {values.dtype}; give uint8, uint16 or floats from 0 to 1.")
    if not (values.min() >= 0 and values.max() <= 1):  # NaN is neither
        raise NotAPicture(f"{name} is an array with values outside 0 to 1; scale them first.")
    return np.asarray(np.rint(values * 255), np.uint8)


@contextmanager
def _told(name: str, format: str) -> Iterator[None]:
    """Turn whatever a parser raises into one error of ours."""
    try:
        yield
    except CleancutError:
        raise
    except (MemoryError, Image.DecompressionBombError) as error:
        raise TooBig(f"{name} is too large to be read as {format}; reduce it first.") from error
    except Exception as error:  # parsers raise whatever a damaged file makes them stumble over
        why = "is damaged, ends too early or is of a kind that cannot be read"
        raise NotAPicture(f"{name} cannot be read: its {format} data {why}.") from error


class _Quiet:
    """Keeps Pillow's warnings to itself while a picture is read, by any number of threads at once.

    `warnings.catch_warnings` alone is not safe for threads: the first to come enters it, the last to go leaves.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._reading = 0
        self._caught: warnings.catch_warnings[None] | None = None

    def __enter__(self) -> None:
        with self._lock:
            self._reading += 1
            if self._caught is None:
                self._caught = warnings.catch_warnings()
                self._caught.__enter__()
                warnings.filterwarnings("ignore", module=r"PIL\b|pi_heif\b")

    def __exit__(self, *error: object) -> None:
        with self._lock:
            self._reading -= 1
            if not self._reading and self._caught is not None:
                self._caught.__exit__(None, None, None)
                self._caught = None


_quiet = _Quiet()
