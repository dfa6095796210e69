"""Jupyter's names: `from cleancut.notebook import Studio, compare`.

`Studio` needs `pip install "cleancut[notebook]"`; `compare` needs nothing more than cleancut.

>>> from cleancut.apps.scene import scene
>>> found = compare(scene(96, 120).photo, models=["cleancut-small", "key"])
>>> sorted(found.cutouts)
['cleancut-small', 'key']
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cleancut.apps.notebook.comparison import Comparison, compare
from cleancut.apps.notebook.nouns import StudioLimits
from cleancut.errors import BadInput

if TYPE_CHECKING:
    from cleancut.apps.notebook.studio import Studio

__all__ = ["Comparison", "Studio", "StudioLimits", "compare"]


def __getattr__(name: str) -> Any:
    if name != "Studio":
        raise AttributeError(f"module 'cleancut.notebook' has no attribute {name!r}")
    try:
        import anywidget  # noqa: F401, PLC0415 - only the studio needs it
    except ImportError:
        raise BadInput('The studio needs one more package; run: pip install "cleancut[notebook]"') from None
    from cleancut.apps.notebook.studio import Studio  # noqa: PLC0415

    return Studio


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
