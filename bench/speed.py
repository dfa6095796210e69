"""Time and memory beside rembg 2.0.86, on the same pictures: python -m bench.speed U2NETP.onnx.

Each gets an environment of its own (in .bench/, not in the repository), installed by pip as a user would. Cold is one
command from start to finished file; warm is bytes to PNG bytes in a process that has run once. Both run in turn, so
that a busy moment hits both, and a ratio is the median of the pairs' ratios. Prints the tables of docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import shutil
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from bench.machine import machine
from cleancut.apps.scene import scene

HOME = Path(".bench")
REMBG = "rembg[cpu,cli]==2.0.86"
SIZES = {"1024×768": (1024, 768), "1080p": (1920, 1080), "4K": (3840, 2160), "24 MP": (6000, 4000)}

WARM_REMBG = """
import sys, time, json
from pathlib import Path
from rembg import new_session, remove
session = new_session("u2netp")
run = lambda data: remove(data, session=session)
"""
WARM_OURS = """
import sys, time, json
from pathlib import Path
import cleancut
engine = cleancut.Engine()
model = engine.add({weights!r}, "u2netp") if {weights!r} else "cleancut-small"
run = lambda data: cleancut.remove(data, load=engine.load, model=model, **{recipe!r})
"""
LOOP = """
for line in sys.stdin:
    data = Path(line.strip()).read_bytes()
    start = time.perf_counter()
    run(data)
    print(json.dumps(time.perf_counter() - start), flush=True)
"""


@dataclass(frozen=True)
class Ran:
    """One cold run."""

    seconds: float
    megabytes: float


@dataclass(frozen=True)
class Contest:
    """What is compared: flags for a cold run of ours, and weights and recipe for a warm one."""

    title: str
    flags: list[str]
    weights: str
    recipe: dict[str, str]


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("weights", type=Path, help="u2netp.onnx")
    arguments.add_argument("--runs", type=int, default=9)
    arguments.add_argument("--rembg", type=Path, help="an environment that has rembg; made if not given")
    given = arguments.parse_args()
    weights = given.weights.resolve()
    rembg = rembg_environment(given.rembg, weights)
    ours = installed((HOME / "cleancut").resolve(), ".")
    photos = pictures()
    same = Contest(
        "same weights (u2netp), same settings",
        ["-m", str(weights), "--like", "u2netp", "--refine", "none", "--foreground", "source"],
        str(weights),
        {"refine": "none", "foreground": "source"},
    )
    defaults = Contest("each one's small default (u2netp; cleancut-small with all our defaults)", [], "", {})
    print(machine())
    for contest in (same, defaults):
        cold(contest, rembg, ours, photos, given.runs)
        warm(contest, rembg, ours, photos, given.runs)


def installed(place: Path, what: str) -> Path:
    """Install into an environment of its own; give its folder."""
    if not (place / "bin" / "pip").exists():
        subprocess.run([sys.executable, "-m", "venv", str(place)], check=True)
    subprocess.run([str(place / "bin" / "pip"), "install", "--quiet", "--upgrade", what], check=True)
    return place


def rembg_environment(given: Path | None, weights: Path) -> Path:
    """Give the folder of an environment that has rembg and, where rembg looks for them, the weights."""
    place = given or installed((HOME / "rembg").resolve(), REMBG)
    model = place / "home" / "models" / "u2netp" / "u2netp.onnx"
    model.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(weights, model)
    return place


def pictures() -> dict[str, Path]:
    """Draw the pictures in a process of their own: a child's peak memory counts what its parent held when it forked."""
    folder = (HOME / "pictures").resolve()
    folder.mkdir(parents=True, exist_ok=True)
    drawing = multiprocessing.get_context("spawn").Process(target=draw, args=(folder,))
    drawing.start()
    drawing.join()
    return {name: folder / f"{width}x{height}.jpg" for name, (width, height) in SIZES.items()}


def draw(folder: Path) -> None:
    for width, height in SIZES.values():
        photo(width, height).save(folder / f"{width}x{height}.jpg", quality=92)


def photo(width: int, height: int) -> Image.Image:
    # At its own size, with detail in every pixel and a subject as large as subjects are: a smooth drawing would
    # make PNG encoders look faster than photos let them be.
    rgb = scene(width, height, seed=7, zoom=2).photo.rgb
    grain = np.random.default_rng(0).normal(0, 5, (height, width, 1))
    return Image.fromarray(np.rint((rgb + grain).clip(0, 255)).astype(np.uint8))


def surroundings(rembg: Path) -> dict[str, str]:
    """Environment of rembg's processes: its own home, so that it finds the weights and downloads nothing."""
    return os.environ | {"REMBG_HOME": str(rembg / "home"), "MODEL_CHECKSUM_DISABLED": "1"}


def timed(command: list[str], environ: dict[str, str]) -> Ran:
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environ)
    assert process.stderr is not None
    words = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    if status:
        raise SystemExit(f"{command}: {words.decode()}")
    return Ran(seconds, usage.ru_maxrss / 1000)


def cold(contest: Contest, rembg: Path, ours: Path, photos: dict[str, Path], runs: int) -> None:
    print(f"\n### Cold, {contest.title}\n")
    print("| | rembg s | ours s | ratio | spread | rembg MB | ours MB | share |")
    print("|---|---|---|---|---|---|---|---|")
    out = (HOME / "out.png").resolve()
    for name, photo in photos.items():
        theirs = [str(rembg / "bin" / "rembg"), "i", "-m", "u2netp", str(photo), str(out)]
        mine = [str(ours / "bin" / "cleancut"), str(photo), "-o", str(out), "--overwrite", *contest.flags]
        timed(theirs, surroundings(rembg)), timed(mine, dict(os.environ))
        pairs = [(timed(theirs, surroundings(rembg)), timed(mine, dict(os.environ))) for _ in range(runs)]
        ratios = [a.seconds / b.seconds for a, b in pairs]
        a, b = (statistics.median(pair[i].seconds for pair in pairs) for i in (0, 1))
        ma, mb = (statistics.median(pair[i].megabytes for pair in pairs) for i in (0, 1))
        print(
            f"| {name} | {a:.2f} | {b:.2f} | **{statistics.median(ratios):.1f}×** "
            f"| {min(ratios):.1f}–{max(ratios):.1f} | {ma:.0f} | {mb:.0f} | {mb / ma:.2f} |",
            flush=True,
        )


def worker(command: list[str], environ: dict[str, str]) -> subprocess.Popen[str]:
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environ)


def asked(process: subprocess.Popen[str], photo: Path) -> float:
    assert process.stdin is not None and process.stdout is not None
    process.stdin.write(f"{photo}\n")
    process.stdin.flush()
    return float(json.loads(process.stdout.readline()))


def warm(contest: Contest, rembg: Path, ours: Path, photos: dict[str, Path], runs: int) -> None:
    print(f"\n### Warm, bytes to PNG bytes, {contest.title}\n")
    print("| | rembg ms | ours ms | ratio | spread |\n|---|---|---|---|---|")
    code = WARM_OURS.format(weights=contest.weights, recipe=contest.recipe) + LOOP
    theirs = worker([str(rembg / "bin" / "python"), "-c", WARM_REMBG + LOOP], surroundings(rembg))
    mine = worker([str(ours / "bin" / "python"), "-c", code], dict(os.environ))
    for name, photo in photos.items():
        asked(theirs, photo), asked(mine, photo)
        pairs = [(asked(theirs, photo), asked(mine, photo)) for _ in range(runs)]
        ratios = [a / b for a, b in pairs]
        a, b = (statistics.median(pair[i] for pair in pairs) * 1000 for i in (0, 1))
        spread = f"{min(ratios):.1f}–{max(ratios):.1f}"
        print(f"| {name} | {a:.0f} | {b:.0f} | **{statistics.median(ratios):.1f}×** | {spread} |", flush=True)
    for process in (theirs, mine):
        process.communicate()


if __name__ == "__main__":
    main()
