"""The models there are: our tables, the user's and those of plug-ins, looked up by name.

>>> registry()["cleancut-small"].license
'MIT'
"""

from __future__ import annotations

import dataclasses
import difflib
import functools
import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cleancut.errors import BadSetting, BadTable, NotDownloaded, UnknownModel
from cleancut.models import plugins
from cleancut.models.tables import (
    COMMERCIAL,
    KINDS,
    NOT_STATED,
    RUNNING,
    Input,
    Model,
    Output,
    Weights,
    read_tables,
    whole_tables,
)

__all__ = ["COMMERCIAL", "HERE", "KINDS", "NOT_STATED", "RUNNING", "Input", "Model", "Output", "Registry",
           "Weights", "file_model", "known", "models", "read_tables", "registry"]  # fmt: skip

HERE = Path(__file__).parent
OURS = HERE / "models.toml"

_GROUP = "cleancut.models"


class Registry(Mapping[str, Model]):
    """Models by name or alias; iterating gives names. An unknown name is an error that suggests a known one.

    What follows a colon in a name are settings, kept as they are written: what runs the model reads them.

    Plug-ins are asked where a name is neither ours nor the user's, and where all names are wanted: to look for them
    takes longer than to read a picture.
    """

    def __init__(self, shelf: _Shelf) -> None:
        self._near = shelf

    @functools.cached_property
    def _all(self) -> _Shelf:
        shelf = self._near.copy()
        for name, path in plugins.tables(_GROUP):
            shelf.add(name, path)
        return shelf

    @functools.cached_property
    def by_sha256(self) -> Mapping[str, Model]:
        """The models of ours and the user's by the sha256 of each of their files."""
        # Several tables may run one file; the first is the one that brought it.
        listed = reversed(list(self._near.models.values()))
        return {w.sha256: model for model in listed for w in model.weights.values() if w.sha256}

    def __getitem__(self, name: str) -> Model:
        table, colon, settings = str(name).partition(":")
        found = self._near.models.get(table) or self._all.models.get(table)
        if found is not None:
            return dataclasses.replace(found, name=name, settings=settings) if colon else found
        near = difflib.get_close_matches(table, self._all.models, 1)
        hint = f"did you mean {near[0]}?" if near else "cleancut models lists those there are."
        raise UnknownModel(f"There is no model {table!r}; {hint}")

    def __contains__(self, name: object) -> bool:
        table = str(name).partition(":")[0]
        return table in self._near.models or table in self._all.models

    def __iter__(self) -> Iterator[str]:
        return (name for name, model in self._all.models.items() if name == model.name)

    def __len__(self) -> int:
        return sum(1 for _ in self)


@dataclass(slots=True)
class _Shelf:
    """Models by name and alias, each file of tables in its turn; two of one name are an error."""

    base: Mapping[str, Any]
    models: dict[str, Model] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)  # of each name
    files: dict[str, tuple[Weights, str]] = field(default_factory=dict)  # by name in small letters; and their table

    def copy(self) -> _Shelf:
        return _Shelf(self.base, dict(self.models), dict(self.sources), dict(self.files))

    def add(self, source: str, path: Path) -> None:
        """Add the models of a file.

        Raises:
            BadTable: a table has a mistake, or the name or the file of one that is there already.
        """
        for model in read_tables(path, source, self.base).values():
            for name in (model.name, *model.aliases):
                if name in self.models:
                    raise BadTable(f"There are two models {name}, in {self.sources[name]} and in {source}; rename one.")
                self.models[name], self.sources[name] = model, source
            for weights in model.weights.values():
                self._claim(weights, f"{source}: [{model.name}]")

    def _claim(self, weights: Weights, table: str) -> None:
        other, owner = self.files.setdefault(weights.file.lower(), (weights, table))
        if (other.sha256, other.md5) != (weights.sha256, weights.md5):
            raise BadTable(f"{table} and {owner} have different files of the name {weights.file}; rename one.")


@functools.cache
def registry() -> Registry:
    """Give the models of this package, of the user and of plug-ins.

    Raises:
        BadTable: a models.toml has a mistake, or two models have one name.
    """
    ours = "cleancut's models.toml"
    shelf = _Shelf(base=whole_tables(OURS, ours, {}))
    for source, path in ((ours, OURS), *user_tables(os.environ)):
        shelf.add(source, path)
    return Registry(shelf)


def user_tables(
    environ: Mapping[str, str], file: str = "models.toml", variable: str = "CLEANCUT_MODELS"
) -> Iterable[tuple[str, Path]]:
    """List the user's files of tables: that in the folder of settings, where there is one, and `$CLEANCUT_MODELS`."""
    named = [Path(path) for path in environ.get(variable, "").split(os.pathsep) if path]
    return [(str(path), path) for path in (*_settings(environ, file), *named)]


def _settings(environ: Mapping[str, str], file: str) -> list[Path]:
    """Give cleancut/FILE of the user's settings in a list, or none; a service may have no home it can read."""
    folder = environ.get("XDG_CONFIG_HOME") or environ.get("APPDATA") or "~/.config"
    try:
        path = Path(folder).expanduser() / "cleancut" / file
        return [path] if path.exists() else []
    except (OSError, RuntimeError):
        return []


def models() -> list[Model]:
    """List the models that `model=` and `-m` take.

    >>> [model.name for model in models()][:3]
    ['cleancut-small', 'cleancut-closeup', 'u2net']
    """
    return list(registry().values())


def known(sha256: str | None) -> Model | None:
    """Give the model whose table names weights of this sha256, if there is one among ours and the user's."""
    return registry().by_sha256.get(sha256 or "")


def file_model(path: Path, like: Model) -> Model:
    """Make a model of an ONNX file on disk that takes and answers what `like` does.

    It goes by the first digits of its sha256, so that a recipe holds no path. Weights that a table knows keep that
    table's licence.

    Raises:
        BadSetting: `like` has no network.
        NotDownloaded: the file cannot be read.
    """
    if not like.weights:
        raise BadSetting(f"{like} has no network, so no file is like it; name another model with --like.")
    try:
        with path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise NotDownloaded(f"The model file {path.name} cannot be read: {error.strerror}.") from None
    owner = known(sha256)
    return dataclasses.replace(
        like,
        name=f"file-{sha256[:12]}",
        title=f"A file on disk, like {like.name}",
        weights={"network": Weights(file=str(path.resolve()), sha256=sha256)},
        license=owner.license if owner else NOT_STATED,
        aliases=(),
        card=None,
        source=None,
        like=like.name,
    )
