"""Networks that are plain functions, so that a test says what the network answers."""

from dataclasses import replace

import numpy as np

from cleancut.matting.band.closeup import FIRM
from cleancut.models.registry import Output, registry
from cleancut.models.runtime import Loaded


def loading(answer, *, output=None, layers=(), asked=None):
    """A `load` whose network answers `answer` (h, w) or (K, h, w) to everything; `asked` collects what it was shown."""
    planes = np.asarray(answer, np.float32)
    planes = planes[None] if planes.ndim == 2 else planes

    def network(inputs):
        if "coarse" in inputs:  # the network that looks from close up agrees with what it is told
            return {"alpha": inputs["coarse"] * (1 - 2 * FIRM) + FIRM}
        if asked is not None:
            asked.append(inputs["image"])
        return {"alpha": planes[None]}

    def load(name):
        model = replace(registry()["cleancut-small"], name=name, output=output or Output(), layers=tuple(layers))
        return Loaded(model, network, "stub", "0" * 64)

    return load


def disc(size=64, radius=0.3):
    """A disc in the middle of a (size, size) plane, soft by about a pixel."""
    y, x = (np.indices((size, size)) + 0.5) / size - 0.5
    return np.clip((radius - np.hypot(x, y)) * size + 0.5, 0, 1).astype(np.float32)
