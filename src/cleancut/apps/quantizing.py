"""`cleancut models quantize`: a network in 8 bits, measured beside the one it is made of.

Ranges are learnt on some pictures of a folder, what was lost and gained is measured on others of it.
"""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import json
import os
import re
import shlex
import statistics
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from cleancut.apps import comparing
from cleancut.apps.comparing import ALIKE, Comparison
from cleancut.apps.cut import chosen_model
from cleancut.apps.files import make_folder
from cleancut.apps.screen import Screen, screen
from cleancut.errors import BadInput, TooLossy
from cleancut.limits import Limits
from cleancut.matting.metrics import mae
from cleancut.matting.predict import fit_of, normalised, seen
from cleancut.models import quantize, sessions, weights
from cleancut.models.devices import candidates
from cleancut.models.folder import home
from cleancut.models.quantize import Quantized
from cleancut.models.registry import Input, Model
from cleancut.models.runtime import Engine, Loaded
from cleancut.pictures import images
from cleancut.pictures.files import replacing, shown
from cleancut.types import Picture

FEWEST = 8
"""Pictures at the least: fewer show neither the ranges nor the loss."""

_COMPARED = 3
"""Of so many pictures one is kept for comparing."""

_GUIDES = 4
"""Pictures that guide the choice of layers, of those that are not for comparing."""

_MARGIN = 2
"""How many times less than allowed the guides may lose, as other pictures lose more."""

_GOLDEN = (5**0.5 - 1) / 2


@dataclass(frozen=True, slots=True)
class _Looks:
    """Pictures as the network sees them, at its own size, and how many could not be read."""

    pictures: Sequence[Picture]
    skipped: int

    @property
    def others(self) -> Sequence[Picture]:
        return self.pictures[_COMPARED - 1 :: _COMPARED]

    @property
    def calibrated(self) -> Sequence[Picture]:
        return [look for number, look in enumerate(self.pictures, 1) if number % _COMPARED]


def quantize_model(
    name: str,
    *,
    like: str | None,
    folder: str,
    pictures: int,
    most_loss: float,
    output: str | None,
    overwrite: bool,
    as_json: bool,
) -> int:
    """Write a model's network in 8 bits, unless it differs too much, and print what was measured."""
    quantize.check_installed()
    running = Engine(device="cpu")
    model = running.model(chosen_model(running, name, like))
    if model.kind != "salient":
        raise BadInput(f"{model} is a {model.kind} model; only salient ones can be brought to 8 bits.")
    path = Path(output) if output else home() / "weights" / f"{_short_name(model)}.onnx"
    files = _files(Path(folder))
    original = running.load(model.name)
    if output is None:
        make_folder(path.parent)
    with replacing(path, overwrite) as stream, screen(2 * min(pictures, len(files))) as bar:
        looks = _looks(files, model.input, pictures, bar)
        made = _made(running, original, looks, most_loss, bar)
        compared = comparing.compared(original, _loaded(running, original, made.data), looks.others, bar.advance)
        _check(compared, model, most_loss)
        stream.write(made.data)
    report = _report(path, model, made, looks, compared)
    table = None if output else _table(model, made.data)
    if as_json:
        click.echo(json.dumps({**report, "table": table}, indent=2, ensure_ascii=False))
    else:
        click.echo(_text(report, table))
    return 0


def _files(folder: Path) -> list[Path]:
    """List the files of a folder and its folders in an order whose every beginning is spread over all of them."""
    if not folder.is_dir():
        raise BadInput(f"{shown(folder)} is not a folder; name one with {FEWEST} pictures or more.")
    found: list[Path] = []
    for place, folders, names in os.walk(folder, onerror=_refuse):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [Path(place, name) for name in names if not name.startswith(".")]
    if len(found) < FEWEST:
        raise BadInput(f"{shown(folder)} has {len(found)} files; at least {FEWEST} pictures are needed.")
    found.sort()
    return [found[number] for number in sorted(range(len(found)), key=lambda number: number * _GOLDEN % 1)]


def _refuse(error: OSError) -> None:
    raise BadInput(f"The folder {shown(error.filename)} cannot be read: {error.strerror}.") from None


def _looks(files: Sequence[Path], given: Input, wanted: int, bar: Screen) -> _Looks:
    """Read pictures until there are enough; what cannot be read is told and passed over."""
    limits = Limits.from_env()
    looks: list[Picture] = []
    skipped = 0
    for path in files:
        if len(looks) == wanted:
            break
        try:
            picture = images.read(path, limits=limits)
        except BadInput as error:
            skipped += 1
            bar.word(f"cleancut: {error}")
            continue
        looks.append(Picture(seen(picture, fit_of(picture, given), given.color)))
        bar.advance()
    if len(looks) < FEWEST:
        raise BadInput(f"Only {len(looks)} pictures could be read; at least {FEWEST} are needed.")
    return _Looks(looks, skipped)


def _made(running: Engine, original: Loaded, looks: _Looks, most_loss: float, bar: Screen) -> Quantized:
    """Make the network in 8 bits, guided by some of the pictures it is calibrated on."""
    model = original.model
    guides = looks.calibrated[:_GUIDES]
    answers = [comparing.answer(look, original)[0] for look in guides]
    (cpu,) = candidates("cpu", "auto", ["cpu"])

    tries = itertools.count()

    def loss(data: bytes) -> float:
        if next(tries) == 1:
            bar.word("In 8 bits some layers lose too much; looking for them.")
        network = sessions.start(model, data, cpu, running.threads)
        smaller = Loaded(model, network, original.provider, sha256="")
        return statistics.fmean(map(mae, (comparing.answer(look, smaller)[0] for look in guides), answers))

    def inputs() -> Iterator[NDArray[np.float32]]:
        for look in looks.calibrated:
            yield normalised(look.rgb, model.input)
            bar.advance()

    data, _ = weights.read(model)
    return quantize.quantized(model, data, inputs(), loss, most_loss / _MARGIN)


def _loaded(running: Engine, original: Loaded, data: bytes) -> Loaded:
    """Load the new file with the checks of any other."""
    with tempfile.TemporaryDirectory(prefix="cleancut-") as folder:
        path = Path(folder, f"{_short_name(original.model)}.onnx")
        path.write_bytes(data)
        return running.load(running.add(path, original.model.name))


def _check(compared: Comparison, model: Model, most_loss: float) -> None:
    if compared.difference > most_loss:
        raise TooLossy(
            f"In 8 bits the alpha of {model} differs by {compared.difference:.4f} on average where {most_loss:g} is "
            f"allowed, and {compared.unlike} of {compared.pictures} masks have an IoU below {ALIKE:g}; "
            "calibrate with more pictures of the kind you cut, or use the model as it is."
        )


def _short_name(model: Model) -> str:
    """Name the new model after the old one, as tables and file systems take it."""
    first = next(iter(model.weights.values()))
    old = Path(first.file).stem if first.named else model.name
    return (re.sub(r"[^A-Za-z0-9_-]+", "-", old).lstrip("_-")[:80] or "model") + "-int8"


def _report(path: Path, model: Model, made: Quantized, looks: _Looks, compared: Comparison) -> dict[str, Any]:
    first = next(iter(model.weights.values()))
    like = model.like if first.named else model.name
    return {
        "model": str(model),
        "file": shown(path),
        "bytes": len(made.data),
        "bytes_before": weights.path_of(first).stat().st_size,
        "sha256": hashlib.sha256(made.data).hexdigest(),
        "layers": made.layers,
        "in_float": made.in_float,
        "calibrated": len(looks.calibrated),
        "skipped": looks.skipped,
        **asdict(compared),
        "command": f"cleancut photo.jpg -m {shlex.quote(shown(path))} --like {like}",
    }


def _table(model: Model, data: bytes) -> str:
    """Write the table by which the new file, in the folder of weights, goes by a name."""
    name = _short_name(model)
    file = {"file": f"{name}.onnx", "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    keys = {
        "title": f"{model.title[:480]}, in 8 bits",
        **{key: getattr(model, key) for key in ("kind", "license", "paper", "source", "layers")},
        "weights": file,
        "input": _stated(model.input),
        "output": _stated(model.output),
    }
    return f"[{name}]\n" + "".join(f"{key} = {_toml(value)}\n" for key, value in keys.items() if value)


def _stated(part: Any) -> dict[str, Any]:
    """Give the keys of a part of a table that are not at their default."""
    return {f.name: getattr(part, f.name) for f in dataclasses.fields(part) if getattr(part, f.name) != f.default}


def _toml(value: Any) -> str:
    """Write a value as TOML; but for tables, that of JSON is the same."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_toml(inner)}" for key, inner in value.items()) + " }"
    return json.dumps(value, ensure_ascii=False)


def _text(report: dict[str, Any], table: str | None) -> str:
    """Write a report as people read it."""
    lines = [
        "{file}: {model} in 8 bits, {now:.1f} MB instead of {then:.1f}",
        "  loss   alpha differs by {difference:.4f} on average, {worst:.4f} at worst; IoU of masks {iou:.3f}, "
        "below {alike:g} on {unlike} of {pictures} pictures",
        "  time   {after_ms:.1f} ms instead of {before_ms:.1f}: {speedup:.2f} times as fast, network only, "
        "on this processor",
        "  made   from {calibrated} other pictures ({skipped} could not be read); {in_float} of {layers} layers "
        "stay in float",
        "",
        "To use it: {command}",
    ]
    known = {**report, "now": report["bytes"] / 1e6, "then": report["bytes_before"] / 1e6, "alike": ALIKE}
    text = "\n".join(lines).format(**known)
    return f"{text}\nOr by its name, once this is in ~/.config/cleancut/models.toml:\n\n{table}" if table else text
