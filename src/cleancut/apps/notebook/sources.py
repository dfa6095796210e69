"""What a person may hand over in a notebook: paths, bytes, pictures, arrays, Pillow images."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from cleancut.apps.notebook.nouns import Encoded
from cleancut.errors import NotAPicture
from cleancut.limits import Limits
from cleancut.matting.pipeline import Source
from cleancut.pictures import images
from cleancut.pictures.files import check_bytes, load
from cleancut.types import Picture

Given: TypeAlias = "Source | NDArray[Any] | Any"
"""What `cleancut.cut` takes, an array (H, W), (H, W, 3) or (H, W, 4), or a Pillow image."""

_UNNAMED = "picture"


def kept(given: Given, limits: Limits) -> tuple[Encoded, str]:
    """Take a picture as it is kept, encoded wherever it came so; tell what to call it.

    Raises:
        NotAPicture: it is nothing that could be one.
        TooBig: a limit is exceeded.
    """
    if isinstance(given, Picture):
        return given, given.name
    if isinstance(given, str | Path):
        path = Path(given)
        return load(path, limits), path.name
    if isinstance(given, bytes | bytearray | memoryview):
        data = bytes(given)
        check_bytes(len(data), "The picture", limits)
        return data, _UNNAMED
    if isinstance(given, np.ndarray):
        return images.from_array(given, limits=limits), _UNNAMED
    if not hasattr(given, "convert"):  # Pillow's images have it
        raise NotAPicture(f"Give a path, bytes, an array or an image, not {type(given).__name__}.")
    return images.from_image(given, limits=limits), _UNNAMED


def picture_of(given: Given, limits: Limits | None = None) -> Picture:
    """Read a picture at once.

    Raises:
        NotAPicture, TooBig: as `kept` and `images.read` say.
    """
    bounds = limits or Limits.from_env()
    source, name = kept(given, bounds)
    if isinstance(source, bytes):
        return images.read(source, name=name, limits=bounds)
    return source if source.name == name else replace(source, name=name)
