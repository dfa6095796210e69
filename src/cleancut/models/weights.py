"""Find weights on this machine and prove that they are the ones their table names.

Weights are hashed every time they are loaded, and there is no switch to turn that off: a graph is a program.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

from cleancut.errors import NotDownloaded, WrongHash
from cleancut.models.registry import HERE, Model, Weights


def home(environ: Mapping[str, str] | None = None) -> Path:
    """Give the folder of everything this package keeps: `$CLEANCUT_HOME`, else the user's data folder.

    >>> str(home({"CLEANCUT_HOME": "/data/cleancut"}))
    '/data/cleancut'
    """
    environ = os.environ if environ is None else environ
    if chosen := environ.get("CLEANCUT_HOME"):
        return Path(chosen)
    if data := environ.get("XDG_DATA_HOME") or environ.get("LOCALAPPDATA"):
        return Path(data) / "cleancut"
    return Path("~/.local/share/cleancut").expanduser()


def path_of(weights: Weights) -> Path:
    """Give where a file of weights is, or would be; a path of its own stays as it is."""
    folder = HERE / "embedded" if weights.embedded else home() / "weights"
    return folder / weights.file


def read(model: Model, part: str = "network") -> tuple[bytes, str]:
    """Read a model's weights and check them.

    Returns:
        the file's bytes, and their sha256 in hex.

    Raises:
        NotDownloaded: they are not on this machine.
        WrongHash: they are not what the table names.
    """
    weights = model.weights[part]
    path = path_of(weights)
    try:
        data = path.read_bytes()
    except OSError:
        raise NotDownloaded(
            f"The weights of {model.name} are not on this machine; put {path.name} into {path.parent}, "
            f"or use a file of yours with -m FILE.onnx --like {model.name}."
        ) from None
    sha256 = hashlib.sha256(data).hexdigest()
    expected, found = (
        (weights.sha256, sha256)
        if weights.sha256
        else (weights.md5, hashlib.md5(data, usedforsecurity=False).hexdigest())
    )
    if expected != found:
        raise WrongHash(
            f"The weights of {model.name} in {path.name} are not the ones its table names "
            f"({found[:12]} instead of {str(expected)[:12]}); remove the file and get it again."
        )
    return data, sha256
