"""/local: what the page needs to work without a server, where the distribution cleancut-browser is installed.

That package (imported as `cleancut_browser`) holds onnxruntime-web's WebAssembly, which is larger than all the rest of
us. The model is the one in our own wheel.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from cleancut.apps.server.files import File, file_of, found
from cleancut.models.registry import Model, registry
from cleancut.models.weights import path_of
from cleancut.types import Recipe

PREFIX = "/local/"
_RUNS = (".js", ".mjs", ".wasm", ".txt")
"""What is sent of the package: programs, and their licences."""


@functools.cache
def files() -> Mapping[str, File]:
    """Give the files that are sent under /local, by name; none where the package is not installed."""
    package = find_spec("cleancut_browser")
    if package is None:
        return {}
    there = {
        file.path.name: file
        for folder in package.submodule_search_locations or ()
        for name, file in found(Path(folder)).items()
        if name.endswith(_RUNS)
    }
    (weights,) = _model().weights.values()
    return there | {weights.file: file_of(path_of(weights))}


def told() -> dict[str, Any] | None:
    """Tell a page how to run the model by itself; None where it cannot."""
    if not files():
        return None
    model = _model()
    (weights,) = model.weights.values()
    return {
        "runtime": PREFIX,
        "model": f"{PREFIX}{weights.file}",
        "sha256": weights.sha256,
        "bytes": weights.bytes,
        "input": asdict(model.input),
        "output": asdict(model.output),
    }


def _model() -> Model:
    return registry()[Recipe().model]
