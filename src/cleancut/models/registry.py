"""Tables of models: read from TOML, checked, and looked up by name.

A model is a table and nothing else; no code names one. A mistake in a table is an error that names the file, the table
and the key.

>>> registry()["cleancut-small"].license
'MIT'
"""

from __future__ import annotations

import dataclasses
import difflib
import functools
import hashlib
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from cleancut.errors import BadTable, NotDownloaded, UnknownModel

HERE = Path(__file__).parent

COMMERCIAL = {"MIT", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "CC-BY-4.0"}
"""Licences (SPDX) that allow commercial use; whatever is not here is treated as one that does not."""

KINDS = ("salient", "recurrent", "prompted", "trimap", "keying")

Check = Callable[[Any], Any]
"""Takes a value from TOML, gives what the field holds; raises ValueError saying what it must be."""


def _one_of(*words: str) -> Check:
    def check(value: Any) -> str:
        if value not in words:
            raise ValueError(f"one of {', '.join(words)}")
        return str(value)

    return check


def _text(pattern: str = ".{1,500}", what: str = "text") -> Check:
    def check(value: Any) -> str:
        if not isinstance(value, str) or not re.fullmatch(pattern, value):
            raise ValueError(what)
        return value

    return check


def _numbers(count: int, low: float, high: float, kind: type = float) -> Check:
    def check(value: Any) -> tuple[float, ...]:
        fits = isinstance(value, list) and len(value) == count
        if not fits or not all(type(v) in {int, kind} and low <= v <= high for v in value):
            raise ValueError(f"{count} numbers from {low:g} to {high:g}")
        return tuple(map(kind, value))

    return check


def _switch(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("true or false")
    return value


def _count(value: Any) -> int:
    if type(value) is not int or value < 1:
        raise ValueError("a whole number of at least 1")
    return value


def _names(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(v, str) and v for v in value):
        raise ValueError("a list of names")
    return tuple(value)


def _key(check: Check, default: Any = dataclasses.MISSING) -> Any:
    """Declare a key of a table with its check; without a default it must be there."""
    return dataclasses.field(default=default, metadata={"check": check})


@dataclass(frozen=True, slots=True)
class Weights:
    """One file of weights.

    Attributes:
        file: its name in the folder of weights; a path for a model from disk.
        sha256, md5: its checksum; sha256 where its publisher gives one.
        url: where it is published.
        bytes: its size.
        embedded: whether it ships inside this package.
    """

    file: str = _key(_text(r"[^/\\]{1,200}", "a file name"))
    sha256: str | None = _key(_text("[0-9a-f]{64}", "64 hex digits"), None)
    md5: str | None = _key(_text("[0-9a-f]{32}", "32 hex digits"), None)
    url: str | None = _key(_text("https://.{1,2000}", "an https address"), None)
    bytes: int | None = _key(_count, None)
    embedded: bool = _key(_switch, False)


@dataclass(frozen=True, slots=True)
class Input:
    """What a network takes: an RGB picture (1, 3, h, w) float32, `(rgb / scale − mean) / std`.

    Attributes:
        size: (width, height) in pixels.
        fit: how the picture gets there; letterbox keeps its shape.
        filter: how it is resampled, and the answer likewise.
        exact: filter every pixel, as the model's own code does, where averaging boxes first would change its answer.
        scale: unit divides by 255, peak by the picture's own maximum (the habit of the U²-Net family).
        mean, std: by channel.
        name: the graph's input; its first by default.
    """

    size: tuple[int, int] = _key(_numbers(2, 16, 8192, int))
    mean: tuple[float, float, float] = _key(_numbers(3, -1000, 1000))
    std: tuple[float, float, float] = _key(_numbers(3, 1e-6, 1000))
    fit: Literal["stretch", "letterbox"] = _key(_one_of("stretch", "letterbox"), "stretch")
    filter: Literal["bilinear", "bicubic", "lanczos"] = _key(_one_of("bilinear", "bicubic", "lanczos"), "bicubic")
    exact: bool = _key(_switch, False)
    scale: Literal["unit", "peak"] = _key(_one_of("unit", "peak"), "unit")
    name: str | None = _key(_text(), None)


@dataclass(frozen=True, slots=True)
class Output:
    """What a network answers: alpha (1, K, h, w).

    Attributes:
        squash: what turns the answer into [0, 1].
        stretch: stretch each answer from its minimum to its maximum (rembg's habit).
        name: the graph's output; its first by default.
    """

    squash: Literal["none", "sigmoid"] = _key(_one_of("none", "sigmoid"), "none")
    stretch: bool = _key(_switch, False)
    name: str | None = _key(_text(), None)


@dataclass(frozen=True, slots=True)
class Model:
    """A table of models.toml."""

    name: str
    title: str
    kind: str
    license: str
    weights: Mapping[str, Weights]
    input: Input
    output: Output
    paper: str | None = None
    card: str | None = None
    layers: tuple[str, ...] = ()
    like: str | None = None

    @property
    def commercial(self) -> bool:
        """Whether its licence allows commercial use."""
        return self.license in COMMERCIAL


@dataclass(frozen=True, slots=True)
class _Table:
    """The keys of a model's table as TOML has them."""

    title: str = _key(_text())
    kind: str = _key(_one_of(*KINDS))
    license: str = _key(_text())
    weights: Any = _key(lambda value: value)
    input: Any = _key(lambda value: value)
    output: Any = dataclasses.field(default_factory=dict, metadata={"check": lambda value: value})
    paper: str | None = _key(_text(), None)
    card: str | None = _key(_text(r"[a-z0-9._-]{1,100}", "the name of a card"), None)
    layers: tuple[str, ...] = _key(_names, ())
    like: str | None = _key(_text(), None)


class Registry(Mapping[str, Model]):
    """Models by name; an unknown name is an error that suggests a known one."""

    def __init__(self, models: Mapping[str, Model]) -> None:
        self._models = dict(models)

    def __getitem__(self, name: str) -> Model:
        if name in self._models:
            return self._models[name]
        near = difflib.get_close_matches(name, self._models, 1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(self._models)}."
        raise UnknownModel(f"There is no model {name!r}; {hint}")

    def __contains__(self, name: object) -> bool:
        return name in self._models

    def __iter__(self) -> Any:
        return iter(self._models)

    def __len__(self) -> int:
        return len(self._models)


@functools.cache
def registry() -> Registry:
    """Give the models of this package."""
    return Registry(read_tables(HERE / "models.toml"))


def models() -> list[Model]:
    """List the models that `model=` and `-m` take.

    >>> [model.name for model in models()]
    ['cleancut-small', 'u2netp']
    """
    return list(registry().values())


def read_tables(path: Path) -> dict[str, Model]:
    """Read a models.toml.

    Raises:
        BadTable: it is not TOML, or a table has a mistake.
    """
    try:
        tables = tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise BadTable(f"{path.name} cannot be read as TOML: {error}.") from None
    return {name: _model(name, _inherited(name, tables, path.name), path.name) for name in tables}


def file_model(path: Path, like: Model) -> Model:
    """Make a model of an ONNX file on disk that takes and answers what `like` does.

    It goes by the first digits of its sha256, so that a recipe holds no path.

    Raises:
        NotDownloaded: the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise NotDownloaded(f"The model file {path.name} cannot be read: {error.strerror}.") from None
    weights = Weights(file=str(path.resolve()), sha256=sha256)
    name = f"file-{sha256[:12]}"
    title = f"A file on disk, like {like.name}"
    return dataclasses.replace(
        like,
        name=name,
        title=title,
        weights={"network": weights},
        license="not stated",
        card=None,
        like=like.name,
    )


def _inherited(name: str, tables: Mapping[str, Any], file: str) -> dict[str, Any]:
    table = tables[name]
    if not isinstance(table, dict):
        raise BadTable(f"{file}: {name} must be a table, [{name}].")
    if "like" not in table:
        return table
    parent = tables.get(table["like"])
    if not isinstance(parent, dict):
        raise BadTable(f"{file}: [{name}] is like {table['like']!r}, which is not there.")
    if "like" in parent:
        raise BadTable(f"{file}: [{name}] is like {table['like']}, which is itself like another; name that one.")
    return parent | table


def _model(name: str, raw: Mapping[str, Any], file: str) -> Model:
    where = f"{file}: [{name}]"
    table = _checked(_Table, raw, where)
    given = {f.name: getattr(table, f.name) for f in dataclasses.fields(table)}
    given["weights"] = _parts(table.weights, where)
    given["input"] = _checked(Input, table.input, f"{where} input")
    given["output"] = _checked(Output, table.output, f"{where} output")
    return Model(name=name, **given)


def _parts(raw: Any, where: str) -> dict[str, Weights]:
    """Read one file of weights, or several by name (encoder, decoder)."""
    named = raw if isinstance(raw, dict) and all(isinstance(v, dict) for v in raw.values()) else {"network": raw}
    parts = {part: _checked(Weights, value, f"{where} weights") for part, value in named.items()}
    for weights in parts.values():
        if not weights.sha256 and not weights.md5:
            raise BadTable(f"{where} weights need a sha256, or an md5 where that is all their publisher gives.")
    return parts


def _checked(cls: type[Any], raw: Any, where: str) -> Any:
    """Build a dataclass from a table, each key through its check."""
    if not isinstance(raw, dict):
        raise BadTable(f"{where} must be a table.")
    known = {field.name: field for field in dataclasses.fields(cls)}
    for key in raw:
        if key not in known:
            near = difflib.get_close_matches(key, known, 1)
            raise BadTable(f"{where} has an unknown key {key!r}; it may have {', '.join(near or known)}.")
    found = {}
    for key, field in known.items():
        if key in raw:
            try:
                found[key] = field.metadata["check"](raw[key])
            except ValueError as error:
                raise BadTable(f"{where}: {key} must be {error}, not {raw[key]!r}.") from None
        elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            raise BadTable(f"{where} lacks the key {key!r}.")
    return cls(**found)
