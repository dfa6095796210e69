"""`cleancut doctor`: what this installation is and whether it works."""

from __future__ import annotations

import json
import os
import platform
import time
from dataclasses import asdict
from importlib import metadata
from typing import Any

import click

import cleancut
from cleancut.apps.scene import scene
from cleancut.errors import CleancutError
from cleancut.limits import Limits, ServiceLimits, processors
from cleancut.matting.metrics import iou
from cleancut.matting.pipeline import cut
from cleancut.matting.recipe import make
from cleancut.models.runtime import available, engine
from cleancut.models.weights import home

_PACKAGES = ("numpy", "pillow", "onnxruntime", "onnxruntime-gpu", "openvino", "isal", "click", "rich", "pi-heif")


def run(device: str, as_json: bool) -> int:
    """Print what was found; give 0 where the model runs, else its failure's exit code."""
    found: dict[str, Any] = {
        "cleancut": cleancut.__version__,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "packages": {name: _version(name) for name in _PACKAGES},
        "devices": available(),
        "processors": processors(),
        "limits": asdict(Limits.from_env()),
        "service_limits": asdict(ServiceLimits.from_env()),
        "folder": str(home()),
        "folder_writable": _writable(),
    }
    code = 0
    try:
        found["model"] = _try_model(device)
    except CleancutError as error:
        found["model"] = {"error": str(error)}
        code = error.exit_code
    _show(found, as_json)
    return code


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"


def _writable() -> bool:
    """Tell whether the folder can be written or made."""
    folder = home()
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return os.access(folder, os.W_OK)


def _try_model(device: str) -> dict[str, Any]:
    """Cut a drawn scene twice: the first run loads, the second is what a warm process takes."""
    drawn = scene(480, 600)
    running = engine(device)
    seconds = []
    for _ in range(2):
        start = time.perf_counter()
        cutout = cut(drawn.photo, make(), load=running.load)
        alpha = cutout.alpha
        seconds.append(time.perf_counter() - start)
    return {
        "name": cutout.model,
        "provider": cutout.provider,
        "sha256": cutout.sha256,
        "iou_on_a_drawn_scene": round(iou(alpha, drawn.alpha), 3),
        "first_ms": round(seconds[0] * 1000),
        "then_ms": round(seconds[1] * 1000),
    }


def _show(found: dict[str, Any], as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    for name, value in found.items():
        if isinstance(value, dict):
            click.echo(f"{name}")
            for key, inner in value.items():
                click.echo(f"  {key:22} {inner}")
        else:
            click.echo(f"{name:24} {', '.join(value) if isinstance(value, list) else value}")
