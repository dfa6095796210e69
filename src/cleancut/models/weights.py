"""Find weights on this machine and prove that they are the ones their table names.

Weights are hashed every time they are loaded, and there is no switch to turn that off: a graph is a program.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Literal

from cleancut.errors import BadRecipe, ModelFailed, NotDownloaded, WrongHash
from cleancut.models import licenses
from cleancut.models.folder import home
from cleancut.models.onefile import is_whole
from cleancut.models.registry import HERE, RUNNING, Model, Weights

__all__ = ["Digest", "home", "path_of", "read", "state"]

_BLOCK = 1 << 20


class Digest:
    """The checksum of weights, taken while they pass by."""

    def __init__(self, weights: Weights) -> None:
        self.expected = str(weights.sha256 or weights.md5)
        self._hash = hashlib.sha256() if weights.sha256 else hashlib.md5(usedforsecurity=False)

    def update(self, data: bytes) -> None:
        """Take the next bytes."""
        self._hash.update(data)

    @property
    def found(self) -> str:
        """The checksum of the bytes so far, in hex."""
        return self._hash.hexdigest()

    @property
    def right(self) -> bool:
        """Whether they are the table's."""
        return self.found == self.expected

    def __str__(self) -> str:
        return f"{self.found[:12]} instead of {self.expected[:12]}"


def path_of(weights: Weights) -> Path:
    """Give where a file of weights is, or would be; a path of its own stays as it is."""
    folder = HERE / "embedded" if weights.embedded else home() / "weights"
    return folder / weights.file


def state(weights: Weights) -> Literal["right", "wrong", "absent"]:
    """Hash a file of weights where it lies.

    Raises:
        NotDownloaded: it is there and cannot be read.
    """
    path, digest = path_of(weights), Digest(weights)
    try:
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                digest.update(block)
    except (FileNotFoundError, NotADirectoryError):
        return "absent"
    except OSError as error:
        raise NotDownloaded(f"{path} cannot be read: {error.strerror}.") from None
    return "right" if digest.right else "wrong"


def read(model: Model, part: str = "network") -> tuple[bytes, str]:
    """Read a model's weights and check them.

    Returns:
        the file's bytes, and their sha256 in hex.

    Raises:
        BadRecipe: this version cannot run models of that kind.
        NotAccepted: their licence restricts their use, and was not accepted.
        NotDownloaded: they are not on this machine.
        WrongHash: they are not what the table names.
        ModelFailed: they name other files.
    """
    check_allowed(model)
    weights = model.weights[part]
    path = path_of(weights)
    try:
        data = path.read_bytes()
    except OSError:
        raise NotDownloaded(_absent(model, path)) from None
    digest = Digest(weights)
    digest.update(data)
    if not digest.right:
        raise WrongHash(
            f"The weights of {model} in {path.name} are not the ones its table names ({digest}); {_get_again(model)}."
        )
    _check_whole(data, model)
    return data, digest.found if weights.sha256 else hashlib.sha256(data).hexdigest()


def check_allowed(model: Model) -> None:
    """Refuse a model that may not run here, wherever its weights are.

    Raises:
        BadRecipe: this version cannot run models of that kind.
        NotAccepted: their licence restricts their use, and was not accepted.
    """
    if model.kind not in RUNNING:
        raise BadRecipe(f"{model} is a {model.kind} model, which this version cannot run.")
    licenses.check(model)


def _absent(model: Model, path: Path) -> str:
    ways = [f"put {path.name} into {path.parent}"]
    if any(weights.url for weights in model.weights.values()):
        ways.insert(0, f"get them with cleancut models pull {model.name}")
    if model.kind != "trimap":  # a file takes the place of what finds a subject, not of what refines one
        ways.append(f"use a file of yours with -m FILE.onnx --like {model.name}")
    *first, last = ways
    told = f"{', '.join(first)}, or {last}" if first else last
    return f"The weights of {model} are not on this machine; {told}."


def _get_again(model: Model) -> str:
    files = model.weights.values()
    if any(weights.named for weights in files):
        return "name the file again if it was replaced"
    pull = any(weights.url for weights in files)
    return f"get them again with cleancut models pull {model.name}" if pull else "remove the file and get it again"


def _check_whole(data: bytes, model: Model) -> None:
    try:
        whole = is_whole(data)
    except ValueError:
        raise ModelFailed(f"The weights of {model} are not a graph in ONNX: the file is damaged.") from None
    if not whole:
        raise ModelFailed(f"The weights of {model} lie in other files too; save the graph as one file.")
