"""The shortest way in: what comes in goes out, without its background."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

import numpy as np
from numpy.typing import NDArray

from cleancut.limits import Limits
from cleancut.matting import recipe as recipes
from cleancut.matting.cutout import Cutout
from cleancut.matting.pipeline import Source, cut, read
from cleancut.matting.write import encoded
from cleancut.models import licenses
from cleancut.models.registry import registry
from cleancut.models.runtime import Load
from cleancut.pictures import images
from cleancut.types import Picture, Recipe

if TYPE_CHECKING:
    from PIL import Image


@overload
def remove(data: bytes, **more: Any) -> bytes: ...
@overload
def remove(data: NDArray[Any], **more: Any) -> NDArray[np.uint8]: ...
@overload
def remove(data: Image.Image, **more: Any) -> Image.Image: ...
@overload
def remove(data: str | Path | Picture, **more: Any) -> Cutout: ...


def remove(
    data: Any,
    *,
    load: Load | None = None,
    assets: Mapping[str, Source] | None = None,
    accept_license: bool = False,
    **recipe: Any,
) -> bytes | NDArray[np.uint8] | Image.Image | Cutout:
    """Remove the background of a picture.

    Args:
        data: the bytes of a picture file, a Pillow image, an array (H, W), (H, W, 3) or (H, W, 4) of uint8, uint16 or
            floats in [0, 1], or a path or `Picture`.
        load: what gives a network by name; by default this process's engine.
        assets: the pictures that the recipe names.
        accept_license: accept the model's licence for this process, where it restricts use.
        recipe: fields of `Recipe`: `model="u2netp"`, `refine="none"`, `effects=["color:white"]`, `format="webp"`.

    Returns:
        bytes for bytes (PNG unless `format` says otherwise), a Pillow image for one, an array (H, W, 4) uint8 for
        one, or (H, W) with `show="alpha"`; a `Cutout` for a path or a `Picture`. Colour is straight.

    Raises:
        BadInput: the picture cannot be read, or the recipe does not fit.
        WeightsError, Broken: as `cut_all` says.

    >>> photo = np.zeros((30, 40, 3), np.uint8)
    >>> remove(photo, refine="none").shape
    (30, 40, 4)
    """
    asked = recipes.make(**recipe)
    if accept_license:
        licenses.accept(registry()[asked.model], keep=False)
    handed = {name: read(_picture(source), Recipe(), Limits.from_env()) for name, source in (assets or {}).items()}
    cutout = cut(_picture(data), asked, load=load, assets=handed)
    if isinstance(data, bytes | bytearray | memoryview):
        return encoded(cutout)
    if isinstance(data, str | Path | Picture):
        return cutout
    image = cutout.image()
    return np.asarray(image) if isinstance(data, np.ndarray) else image


def _picture(data: Any) -> Source:
    """Take whatever `remove` takes to what `cut` takes."""
    if isinstance(data, Picture | bytes | bytearray | memoryview | str | Path):
        return data
    return images.from_array(data) if isinstance(data, np.ndarray) else images.from_image(data)
