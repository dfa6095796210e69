"""Licences that do not allow every use: their weights run only after somebody has accepted them.

What was accepted is kept in `licenses.json` in the folder of this package: names of models with the licence as it was
then. A licence that changes must be accepted anew.
"""

from __future__ import annotations

import json
import secrets
from pathlib import Path

from cleancut.errors import BadTable, NotAccepted
from cleancut.models.folder import home, publish, writing
from cleancut.models.locks import locked
from cleancut.models.registry import NOT_STATED, Model, known

_MOST_BYTES = 1_000_000

_for_now: set[tuple[str, str]] = set()
"""Names and licences that were accepted for this process only."""


def restricted(model: Model) -> bool:
    """Tell whether a model's licence must be accepted before it runs.

    That of a file from disk which no table knows is its owner's affair.
    """
    return not model.commercial and model.license != NOT_STATED


def accept(model: Model, *, keep: bool = True) -> None:
    """Accept a model's licence.

    Args:
        model: any; where its licence restricts nothing, nothing is done.
        keep: write it down for later; else it holds in this process.

    Raises:
        CannotWrite: it cannot be written down.
    """
    if not restricted(model):
        return
    name = _owner(model).name
    if not keep:
        _for_now.add((name, model.license))
        return
    path = _path()
    with writing(path), locked(path.with_suffix(".lock")):
        _write(path, {**_kept(path), name: model.license})


def accepted(model: Model) -> bool:
    """Tell whether a model may run: its licence restricts nothing, or was accepted.

    Raises:
        BadTable: the file of what was accepted is damaged.
    """
    name = _owner(model).name
    return not restricted(model) or (name, model.license) in _for_now or _kept(_path()).get(name) == model.license


def check(model: Model) -> None:
    """Refuse a model whose licence restricts its use and was not accepted.

    Raises:
        NotAccepted: with the licence, and the command that accepts it.
    """
    if accepted(model):
        return
    owner = _owner(model)
    where = f" (see {owner.source})" if owner.source else ""
    raise NotAccepted(
        f"{model} is under the licence {model.license}{where}, which does not allow commercial use; "
        f"if that suits you, run: cleancut models accept {owner.name}"
    )


def _owner(model: Model) -> Model:
    """Give the model to accept: of a file from disk the one whose table knows its weights."""
    weights = next(iter(model.weights.values()), None)
    return (known(weights.sha256) if weights and weights.named else None) or model


def _path() -> Path:
    return home() / "licenses.json"


def _kept(path: Path) -> dict[str, str]:
    try:
        with path.open("rb") as file:
            found = json.loads(file.read(_MOST_BYTES))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise BadTable(f"{path} cannot be read: {error.strerror}.") from None
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise BadTable(f"{path} is damaged; remove it and accept the licences again.")
    return found


def _write(path: Path, accepted: dict[str, str]) -> None:
    temporary = path.with_name(f".{path.name}-{secrets.token_hex(8)}")
    try:
        with temporary.open("x", encoding="utf-8") as file:
            json.dump(accepted, file, indent=2, sort_keys=True)
        publish(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
