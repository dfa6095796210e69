"""Measure what a picture costs on this machine, each size in a process of its own, whose memory is then its own.

The child is this module run as a program: python -m cleancut.apps.plan.measure MODEL REFINE RUNS WIDTHxHEIGHT|FILE.
"""

from __future__ import annotations

import dataclasses
import io
import json
import math
import platform
import re
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from PIL import Image

from cleancut.apps.plan.units import Cost
from cleancut.errors import BadInput, CleancutError, ModelFailed
from cleancut.limits import Limits, processors
from cleancut.matting.pipeline import cut
from cleancut.matting.recipe import make
from cleancut.matting.write import encoded
from cleancut.models.runtime import Engine
from cleancut.pictures import images
from cleancut.pictures.files import load
from cleancut.types import Picture

_SECONDS = 600
"""For one size at the most."""

_FAILED = 3
"""Exit code of a child whose last line says what went wrong."""


def measured(model: str, refine: str, picture: str, runs: int) -> Cost:
    """Measure one size in a fresh process.

    Args:
        model: its name.
        refine: "auto", or "detail" for edges looked at from close up.
        picture: (width)x(height) of one that is drawn, or the path of a file.
        runs: how often, after one that is not counted.

    Raises:
        BadInput: this system does not tell a process's memory, or what the picture and the model say.
        ModelFailed: the process died or took too long.
    """
    command = [sys.executable, "-m", "cleancut.apps.plan.measure", model, refine, str(runs), picture]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise ModelFailed(f"Measuring {picture} with {model} took longer than {_SECONDS} s.") from None
    if done.returncode == _FAILED:
        raise BadInput(done.stderr.strip().splitlines()[-1])
    if done.returncode:
        raise ModelFailed(f"Measuring {picture} with {model} ended its process; it may be out of memory.")
    return Cost(**json.loads(done.stdout))


def size_of(megapixels: float) -> str:
    """Give width and height of a picture of 4:3.

    >>> size_of(12)
    '4000x3000'
    """
    height = max(16, round(math.sqrt(megapixels * 1e6 * 3 / 4)))
    return f"{max(16, round(megapixels * 1e6 / height))}x{height}"


def this_machine() -> str:
    """Name this machine's processor and what of it may be used."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    name = names[0] if names else platform.processor() or platform.machine()
    return f"{name}, {processors()} processors, Python {platform.python_version()}"


def _child(model: str, refine: str, runs: int, picture: str) -> Cost:
    engine = Engine("cpu", threads=1)
    recipe = make(model=model, refine=["auto", "detail"] if refine == "detail" else [refine])
    encoded(cut(Picture(np.zeros((64, 64, 3), np.uint8)), recipe, load=engine.load))
    idle = _peak()
    data, megapixels = _drawn(picture) if re.fullmatch("[0-9]+x[0-9]+", picture) else _file(picture)
    walls: list[float] = []
    for turn in range(-1, runs):
        if turn == 0:
            busy = time.process_time()
        start = time.perf_counter()
        result = encoded(cut(data, recipe, load=engine.load))
        walls.append(time.perf_counter() - start)
    cpu = (time.process_time() - busy) / runs
    wall = statistics.median(walls[1:])
    return Cost(megapixels, round(cpu, 4), round(wall, 4), len(data), len(result), idle, _peak())


def _drawn(size: str) -> tuple[bytes, float]:
    """Draw a scene as a JPEG, in a process that has ended before memory counts."""
    code = "import sys; from cleancut.apps.plan.measure import draw; draw(*map(int, sys.argv[1].split('x')))"
    done = subprocess.run([sys.executable, "-c", code, size], capture_output=True, check=True)
    width, height = map(int, size.split("x"))
    return done.stdout, width * height / 1e6


def draw(width: int, height: int) -> None:
    """Write a drawn scene to stdout, as a JPEG of quality 90."""
    from cleancut.apps.scene import scene  # noqa: PLC0415 - the child that is measured does not need it

    stream = io.BytesIO()
    Image.fromarray(scene(width, height).photo.rgb).save(stream, "JPEG", quality=90)
    sys.stdout.buffer.write(stream.getvalue())


def _file(path: str) -> tuple[bytes, float]:
    data = load(Path(path), Limits.from_env())
    width, height = images.read(data, limits=Limits.from_env()).size
    return data, width * height / 1e6


def _peak() -> int:
    """Give the most memory that this process has had, in bytes."""
    try:
        import resource  # noqa: PLC0415 - Windows has none
    except ImportError:
        raise BadInput("This system does not tell how much memory a process took; measure on Linux or a Mac.") from None
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


if __name__ == "__main__":
    try:
        print(json.dumps(dataclasses.asdict(_child(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]))))
    except CleancutError as error:
        print(error, file=sys.stderr)
        sys.exit(_FAILED)
