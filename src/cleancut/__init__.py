"""cleancut: background removal that works the moment it is installed, offline.

>>> import cleancut
>>> from cleancut.apps.scene import scene
>>> cutout = cleancut.remove(scene(96, 120).photo)
>>> cutout.size
(96, 120)
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from cleancut.version import VERSION

if TYPE_CHECKING:
    from cleancut.errors import CleancutError
    from cleancut.limits import Limits
    from cleancut.matting.cutout import Cutout
    from cleancut.matting.pipeline import cut, cut_all
    from cleancut.matting.recipe import make as recipe
    from cleancut.matting.remove import remove
    from cleancut.matting.scribbles.retouch import Retouch, refine
    from cleancut.models.registry import models
    from cleancut.models.runtime import Engine
    from cleancut.types import Picture, Recipe, Report, Stroke

__version__ = VERSION

__all__ = ["CleancutError", "Cutout", "Engine", "Limits", "Picture", "Recipe", "Report", "Retouch", "Stroke",
           "cut", "cut_all", "models", "recipe", "refine", "remove"]  # fmt: skip

# Where each public name lives: it is imported when it is first used, so that importing the package loads nothing.
_HOMES = {
    "CleancutError": "errors",
    "Cutout": "matting.cutout",
    "Engine": "models.runtime",
    "Limits": "limits",
    "Picture": "types",
    "Recipe": "types",
    "Report": "types",
    "Retouch": "matting.scribbles.retouch",
    "Stroke": "types",
    "cut": "matting.pipeline",
    "cut_all": "matting.pipeline",
    "models": "models.registry",
    "recipe": "matting.recipe",
    "refine": "matting.scribbles.retouch",
    "remove": "matting.remove",
}
_ELSEWHERE_CALLED = {"recipe": "make"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'cleancut' has no attribute {name!r}")
    home = importlib.import_module(f"cleancut.{_HOMES[name]}")
    value = getattr(home, _ELSEWHERE_CALLED.get(name, name))
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
