"""Effects that plug-ins bring; `models.plugins` says how a package offers them."""

from __future__ import annotations

import functools

from cleancut.models.plugins import offered

_GROUP = "cleancut.effects"


@functools.cache
def load_effects() -> None:
    """Import the modules that plug-ins name, once; as they are imported they enter their effects.

    Raises:
        BadTable: one cannot be imported, or brings an effect of a name that is taken.
    """
    for _source, _module in offered(_GROUP):
        pass
