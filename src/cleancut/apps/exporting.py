"""`cleancut models export-triton`: a model repository that NVIDIA Triton loads."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import click

from cleancut.apps.cut import chosen_model
from cleancut.apps.files import make_folder
from cleancut.errors import BadInput, BadSetting, CannotWrite
from cleancut.models import weights
from cleancut.models.registry import Model
from cleancut.models.runtime import Engine
from cleancut.models.triton import repository
from cleancut.models.triton.graph import Graph, examined
from cleancut.models.triton.repository import Serving
from cleancut.pictures.files import replacing, shown


def export_triton(
    name: str, folder: str, *, like: str | None, version: int, overwrite: bool, as_json: bool, **given: Any
) -> int:
    """Write a model's folder into a model repository; print what it is and how it is asked."""
    serving = Serving(**given)
    running = Engine(device="cpu")
    model = running.model(chosen_model(running, name, like))
    if not model.weights:
        raise BadInput(f"{model} is computed without a network, so there is nothing for a server to run.")
    if model.settings:
        raise BadSetting(f"Export {model.name.partition(':')[0]} without settings; they stay with whoever asks.")
    data, sha256 = weights.read(model)
    graph = examined(model, data, running.threads)
    place = Path(folder) / model.name
    _check_version(place, version, overwrite)
    for file, content in repository.files(data, serving).items():
        _write(place / str(version) / file, content, overwrite)
    # The configuration comes last: a server that watches the folder finds the version it speaks of.
    config = repository.config(model, graph, sha256, serving, version)
    _write(place / "config.pbtxt", config.encode(), overwrite=True)
    report = _report(model, graph, serving, place, version, sha256)
    click.echo(json.dumps(report, indent=2, ensure_ascii=False) if as_json else _text(report, graph, serving))
    return 0


def _check_version(place: Path, version: int, overwrite: bool) -> None:
    """Refuse a version that is there, and one that would be served in place of a newer one."""
    there = [int(path.name) for path in place.glob("[0-9]*") if path.name.isdigit() and len(path.name) < 19]
    if version in there and not overwrite:
        raise CannotWrite(
            f"{shown(place)} has a version {version} already; name --version {max(there) + 1}, or use --overwrite."
        )
    if any(other > version for other in there):
        raise BadSetting(
            f"{shown(place)} has version {max(there)}, which Triton would serve; name a later one with --version."
        )


def _write(path: Path, content: bytes, overwrite: bool) -> None:
    make_folder(path.parent)
    with replacing(path, overwrite) as stream:
        stream.write(content)


def _report(model: Model, graph: Graph, serving: Serving, place: Path, version: int, sha256: str) -> dict[str, Any]:
    first = next(iter(model.weights.values()))
    asked = f"{shlex.quote(shown(first.file))} --like {model.like}" if first.named else model.name
    return {
        "model": model.name,
        "folder": shown(place),
        "version": version,
        "sha256": sha256,
        "backend": serving.backend,
        "batch": serving.batch if graph.batches else 0,
        "inputs": {port.name: list(port.shape) for port in graph.inputs},
        "outputs": {port.name: list(port.shape) for port in graph.outputs},
        "serve": f"tritonserver --model-repository={shlex.quote(shown(place.parent))}",
        "ask": f"cleancut photo.jpg -m {asked} --device triton://localhost:8001",
    }


def _text(report: dict[str, Any], graph: Graph, serving: Serving) -> str:
    batch = f"up to {serving.batch} pictures a run" if graph.batches else "one picture a run: the graph takes no more"
    return (
        f"{report['folder']}: version {report['version']} for the backend {report['backend']}, {batch}\n"
        f"  serve  {report['serve']}\n  ask    {report['ask']}"
    )
