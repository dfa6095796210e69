"""Tables of models: one models.toml → `Model`s, every key checked.

A model is a table and nothing else; no code names one. A mistake in a table is an error that names the file, the table
and the key.
"""

from __future__ import annotations

import dataclasses
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from cleancut.errors import BadTable
from cleancut.models.keys import anything, checked, count, curve, key, names, number, numbers, one_of, switch, text

COMMERCIAL = {
    "MIT", "MIT-0", "ISC", "0BSD", "BSD-2-Clause", "BSD-3-Clause", "Apache-2.0", "Zlib", "Unlicense", "CC0-1.0",
    "CC-BY-4.0", "CC-BY-SA-4.0", "MPL-2.0", "LGPL-3.0-only", "LGPL-3.0-or-later", "GPL-3.0-only", "GPL-3.0-or-later",
    "AGPL-3.0-only", "AGPL-3.0-or-later",
}  # fmt: skip
"""Licences (SPDX) that allow commercial use; whatever is not here is treated as one that does not."""

NOT_STATED = "not stated"
"""The licence of a file from disk: only who brought it knows."""

KINDS = ("salient", "recurrent", "prompted", "trimap", "closeup", "keying", "grabcut", "auto")

RUNNING = {"salient", "trimap", "closeup", "keying", "grabcut", "auto"}
"""Kinds that this version runs; the others are listed, pulled and verified."""

COMPUTED = {"keying"}
"""Kinds that are computed without a network, so their tables have no weights."""

_NAME = text(r"(?!file-)(?!.*\.onnx$)[A-Za-z0-9][A-Za-z0-9._-]{0,99}", "a name of letters, digits and . _ -")
_FILE = text(r"(?!\.)(?!.*\.(part|etag|lock)$)[^/\\:]{1,200}", "a file name")
_HTTPS = text(r"https://[^\s@]{1,2000}", "an https address")

_MOST_BYTES = 1_000_000
"""Size of a models.toml at the most: it is read whole, and takes part in every start."""

_OWN = {"aliases", "card", "measured"}
"""Keys that say something of one model alone, so that none takes them from another."""


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

    file: str = key(_FILE)
    sha256: str | None = key(text("[0-9a-f]{64}", "64 hex digits"), None)
    md5: str | None = key(text("[0-9a-f]{32}", "32 hex digits"), None)
    url: str | None = key(_HTTPS, None)
    bytes: int | None = key(count, None)
    embedded: bool = key(switch, False)

    @property
    def named(self) -> bool:
        """Whether it is a file of the caller's own, anywhere on the disk."""
        return Path(self.file).is_absolute()


@dataclass(frozen=True, slots=True)
class Input:
    """What a network takes: an RGB picture (1, 3, h, w) float32, `(rgb / scale − mean) / std`.

    Attributes:
        size: (width, height) in pixels.
        fit: how the picture gets there; letterbox keeps its shape.
        filter: how it is resampled, and the answer likewise.
        exact: filter every pixel, as the model's own code does, where averaging boxes first would change its answer.
        color: srgb brings the picture there by its profile, stored shows its values as they are (rembg's habit).
        scale: unit divides by 255, peak by the picture's own maximum (the habit of the U²-Net family).
        mean, std: by channel.
        name: the graph's input; its first by default.
    """

    size: tuple[int, int] = key(numbers(2, 16, 8192, int))
    mean: tuple[float, float, float] = key(numbers(3, -1000, 1000))
    std: tuple[float, float, float] = key(numbers(3, 1e-6, 1000))
    fit: Literal["stretch", "letterbox"] = key(one_of("stretch", "letterbox"), "stretch")
    filter: Literal["bilinear", "bicubic", "lanczos"] = key(one_of("bilinear", "bicubic", "lanczos"), "bicubic")
    exact: bool = key(switch, False)
    color: Literal["srgb", "stored"] = key(one_of("srgb", "stored"), "srgb")
    scale: Literal["unit", "peak"] = key(one_of("unit", "peak"), "unit")
    name: str | None = key(text(), None)


@dataclass(frozen=True, slots=True)
class Output:
    """What a network answers: (1, K, h, w), one plane a layer or, for softmax, a class; and what it says of its answer.

    Attributes:
        squash: what turns the answer into [0, 1]; softmax for scores of classes, of which the first is the background.
        stretch: stretch each answer from its minimum to its maximum (rembg's habit).
        name: the graph's output; its first by default.
        error: the output (1, 1, h', w') with the expected error of alpha, in [0, 1].
        subject: the output (1, 1) with the probability that there is a subject.
        calibration: points [raw, confidence] that turn what the network says of its answer into the IoU to expect.
    """

    squash: Literal["none", "sigmoid", "softmax"] = key(one_of("none", "sigmoid", "softmax"), "none")
    stretch: bool = key(switch, False)
    name: str | None = key(text(), None)
    error: str | None = key(text(), None)
    subject: str | None = key(text(), None)
    calibration: tuple[tuple[float, float], ...] = key(curve, ())

    def outputs(self, first: str) -> dict[str, str]:
        """Give the graph's outputs by what they are for, where `first` is the graph's first one."""
        more = {"error": self.error, "subject": self.subject}
        return {"alpha": self.name or first} | {role: name for role, name in more.items() if name}


@dataclass(frozen=True, slots=True)
class Measured:
    """How good and how slow a model was found to be; docs/benchmarks.md has the sets and the machine.

    Attributes:
        iou: mean IoU over the evaluation sets.
        time: of the network on a processor, as a multiple of cleancut-small's.
    """

    iou: float = key(number(0, 1))
    time: float = key(number(0.001, 100_000))


@dataclass(frozen=True, slots=True)
class Model:
    """A table of models.toml.

    Attributes:
        name: what it is asked for by; `aliases` are other names of the same.
        title: what it is for.
        kind: what it must be shown; see `matting.predict`.
        license: SPDX name, or the licence's own.
        weights: its files by part; most have one, "network", and what is computed without a network has none.
        input, output: what the network takes and answers.
        paper: where it is described (arXiv, or doi).
        source: its publisher's page, where the licence stands.
        card: name of its page in cards/.
        layers: names of the planes of a model that has several; for softmax of the classes other than the background.
        measured: how good and how slow it is, where that was measured.
        like: the model it took from what it does not state itself.
        settings: what follows the name and a colon where it is asked for ("#00ff00" in "key:#00ff00").
    """

    name: str
    title: str
    kind: str
    license: str
    weights: Mapping[str, Weights]
    input: Input
    output: Output
    aliases: tuple[str, ...] = ()
    paper: str | None = None
    source: str | None = None
    card: str | None = None
    layers: tuple[str, ...] = ()
    measured: Measured | None = None
    like: str | None = None
    settings: str = ""

    @property
    def commercial(self) -> bool:
        """Whether its licence allows commercial use."""
        return self.license in COMMERCIAL

    def __str__(self) -> str:
        """What to call it in messages: its name, or that of the file it was made of."""
        first = next(iter(self.weights.values()), None)
        return _printable(Path(first.file).name) if first and first.named else _printable(self.name)


@dataclass(frozen=True, slots=True)
class _Table:
    """The keys of a model's table as TOML has them."""

    title: str = key(text())
    kind: str = key(one_of(*KINDS))
    license: str = key(text())
    input: Any = key(anything)
    weights: Any = key(anything, None)
    output: Any = dataclasses.field(default_factory=dict, metadata={"check": anything})
    aliases: tuple[str, ...] = key(names(_NAME), ())
    paper: str | None = key(text(), None)
    source: str | None = key(_HTTPS, None)
    card: str | None = key(text(r"[a-z0-9._-]{1,100}", "the name of a card"), None)
    layers: tuple[str, ...] = key(names(text()), ())
    measured: Any = key(anything, None)
    like: str | None = key(text(), None)


def read_tables(path: Path, source: str | None = None, base: Mapping[str, Any] | None = None) -> dict[str, Model]:
    """Read a models.toml.

    Args:
        path: of the file.
        source: what to call it in messages; by default its name.
        base: whole tables as `whole_tables` gives them, which a table may be like besides those of the file.

    Raises:
        BadTable: it is not TOML, or a table has a mistake.
    """
    source = source or path.name
    return {name: _model(name, table, source) for name, table in whole_tables(path, source, base or {}).items()}


def whole_tables(path: Path, source: str, base: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Read a models.toml as TOML has it, each table with what it takes from another.

    Raises:
        BadTable: it is not TOML, or a table is like one that is not there.
    """
    tables = _toml(path, source)
    return {name: _inherited(name, tables, base, source) for name in tables}


def _toml(path: Path, source: str) -> dict[str, Any]:
    try:
        if not path.is_file():  # a pipe would be waited for
            raise BadTable(f"{source} is not a file.")
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
        if len(data) > _MOST_BYTES:
            raise BadTable(f"{source} is larger than {_MOST_BYTES / 1e6:g} MB, so it is no table of models.")
        return tomllib.loads(data.decode("utf-8"))
    except RecursionError:
        raise BadTable(f"{source} cannot be read as TOML: it is nested too deeply.") from None
    except (OSError, ValueError) as error:
        raise BadTable(f"{source} cannot be read as TOML: {error}.") from None


def _inherited(name: str, tables: Mapping[str, Any], base: Mapping[str, Any], source: str) -> dict[str, Any]:
    table = tables[name]
    where = f"{source}: [{_printable(name)}]"
    if not isinstance(table, dict):
        raise BadTable(f"{source}: {_printable(name)} must be a table, [{_printable(name)}].")
    if "like" not in table:
        return table
    like = table["like"]
    parent = (tables.get(like) or base.get(like)) if isinstance(like, str) else None
    if not isinstance(parent, dict):
        raise BadTable(f"{where} is like {like!r}, which is not there.")
    if like in tables and "like" in parent:
        raise BadTable(f"{where} is like {like}, which is itself like another; name that one.")
    # A licence is one of weights, and so is their publisher: who states other weights states theirs.
    left_out = _OWN | ({"license", "source"} if "weights" in table else set())
    return {key: value for key, value in parent.items() if key not in left_out} | table


def _model(name: str, raw: Mapping[str, Any], source: str) -> Model:
    where = f"{source}: [{_printable(name)}]"
    try:
        _NAME(name)
    except ValueError as error:
        raise BadTable(f"{where} must have {error}, not end in .onnx and not begin with file-.") from None
    table = checked(_Table, raw, where)
    given = {field.name: getattr(table, field.name) for field in dataclasses.fields(table)}
    given["weights"] = _weights(table, where)
    given["input"] = checked(Input, table.input, f"{where} input")
    if table.measured is not None:
        given["measured"] = checked(Measured, table.measured, f"{where} measured")
    given["output"] = checked(Output, table.output, f"{where} output")
    if given["output"].squash == "softmax" and not table.layers:
        raise BadTable(f"{where} has scores of classes (softmax); name them in layers, all but the background.")
    return Model(name=name, **given)


def _weights(table: _Table, where: str) -> dict[str, Weights]:
    """Read a table's files: none for a kind that is computed, one or more for the others."""
    if table.kind in COMPUTED and table.weights is not None:
        raise BadTable(f"{where} is of the kind {table.kind}, which is computed; leave out its weights.")
    if table.kind in COMPUTED:
        return {}
    if table.weights is None:
        raise BadTable(f"{where} lacks the key 'weights'.")
    return _parts(table.weights, where)


def _parts(raw: Any, where: str) -> dict[str, Weights]:
    """Read one file of weights, or several by name (encoder, decoder)."""
    several = isinstance(raw, dict) and raw and all(isinstance(value, dict) for value in raw.values())
    named = raw if several else {"network": raw}
    parts = {part: checked(Weights, value, f"{where} weights") for part, value in named.items()}
    for weights in parts.values():
        if not weights.sha256 and not weights.md5:
            raise BadTable(f"{where} weights need a sha256, or an md5 where that is all their publisher gives.")
    return parts


def _printable(name: str) -> str:
    return "".join(character if character.isprintable() else "�" for character in name[:200])
