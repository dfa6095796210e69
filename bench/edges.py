"""What each refinement does to an edge: `python -m bench.edges --composites` and `python -m bench.edges --data SET`.

`--composites` draws pictures by formula (bench/composites.py). The coarse alpha is the truth as a network of 320 × 320
would see it at its best: shrunk, a little soft, and enlarged again; so the refinement is measured, not the network.
α and colour errors are means where the truth or the coarse alpha is soft. The halo is the mean difference of colour
over a new background where 0.05 < α < 0.95. With `--reference PYTHON`, an interpreter that has rembg, its cut-outs from
the same coarse alpha stand beside ours. `--draw FOLDER` writes crops.

`--data` (a set with masks/ and trimaps/) measures each refinement inside the trimaps' unknown part, from the picture
alone, on pictures whose IoU without refinement exceeds 0.85.
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bench.composites import KINDS, Composite, composite
from bench.machine import machine
from bench.sets import Asked, cases
from cleancut import Engine
from cleancut.matting import metrics
from cleancut.matting.look import Look
from cleancut.matting.pipeline import foreground, refine, tidy
from cleancut.matting.recipe import make
from cleancut.pictures.images import read
from cleancut.raster.gaussian import blurred
from cleancut.raster.resample import Fit
from cleancut.raster.rows import Rows
from cleancut.types import Picture, Prediction

Plane = NDArray[np.float32]

SIDE = 320
BLUR = 0.8
"""Standard deviation of the coarse alpha's softness, in pixels of the network."""

METHODS = ("none", "auto", "guided", "detail", "matting")
SIZES = {"1 MP": (1200, 840), "8 MP": (3840, 2160), "24 MP": (6000, 4000)}
OVER = np.array([40, 200, 90], np.float32)
"""A new background that no composite resembles."""

ERRORS = {"SAD": metrics.sad, "Grad": metrics.gradient_error, "Conn": metrics.connectivity_error}

THEIRS = """
import sys
from PIL import Image
from rembg.bg import decontaminate_cutout, naive_cutout
rgb, mask, plain, better = sys.argv[1:]
image = Image.open(rgb).convert("RGB")
mask = Image.open(mask).resize(image.size, Image.Resampling.LANCZOS)
naive_cutout(image, mask).save(plain, compress_level=1)
decontaminate_cutout(image, mask).save(better, compress_level=1)
"""


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--composites", action="store_true", help="measure on pictures drawn by formula")
    arguments.add_argument("--size", choices=SIZES, default="1 MP", help="of what is drawn")
    arguments.add_argument("--reference", type=Path, help="a Python that has rembg")
    arguments.add_argument("--draw", type=Path, help="folder for crops")
    arguments.add_argument("--data", type=Path, help="a set with masks/ and trimaps/")
    arguments.add_argument("--model", default="cleancut-small", help="a name, or FILE.onnx:LIKE")
    arguments.add_argument("--methods", nargs="+", default=METHODS, metavar="STEP")
    given = arguments.parse_args()
    print(f"Measured on {machine()}.\n")
    if given.composites:
        drawn(given.size, given.methods, given.reference, given.draw)
    if given.data:
        measured(given.data, given.model, given.methods)


def drawn(size: str, methods: list[str], reference: Path | None, draw: Path | None) -> None:
    """Print a table for the composites of one size."""
    print(f"{size}\n\n| | method | α | Grad | colour | halo | s | ran |\n|---|---|---:|---:|---:|---:|---:|---|")
    for kind in KINDS:
        made = composite(kind, *SIZES[size])
        plane, fit = coarse(made)
        first = fit.enlarge(plane).whole()
        where = ((made.alpha > 0.02) & (made.alpha < 0.98)) | (np.abs(first - made.alpha) > 0.02)
        rows = [(method, *ours(made, plane, fit, method)) for method in methods]
        if reference:
            rows += [(name, alpha, color, float("nan"), "") for name, alpha, color in theirs(made, plane, reference)]
        for name, alpha, color, seconds, ran in rows:
            print(f"| {kind} | {name} | {row(made, alpha, color, where)} | {seconds:.2f} | {ran} |")
            if draw:
                crop(made, alpha, color, draw / f"{kind}-{name.replace(' ', '-')}.png")


def coarse(made: Composite) -> tuple[Plane, Fit]:
    """Give the truth as a network at its best would see it."""
    height, width = made.alpha.shape
    small = Image.fromarray(made.alpha).resize((SIDE, SIDE), Image.Resampling.BOX)
    soft = blurred(Rows.of(np.asarray(small, np.float32)), BLUR).whole()
    return soft, Fit.stretch((width, height), (SIDE, SIDE), "bicubic")


def ours(made: Composite, plane: Plane, fit: Fit, method: str) -> tuple[Plane, Plane, float, str]:
    """Refine a coarse alpha and estimate the colours, as the road does after its network."""
    recipe = make(refine=method)
    picture = Picture(made.rgb)
    start = time.perf_counter()
    tidied = tidy(plane, recipe.refine)
    rows, ran = refine(Look(picture, fit, tidied, fit.enlarge(tidied), Engine().load), recipe.refine)
    rows = rows.remembered()
    color = foreground(picture, rows, recipe, Prediction(tidied[None], 1.0, True)).whole()
    alpha = rows.whole()
    return alpha, np.asarray(color, np.float32), time.perf_counter() - start, ", ".join(ran)


def theirs(made: Composite, plane: Plane, reference: Path) -> list[tuple[str, Plane, Plane]]:
    """Give what rembg makes of the same coarse alpha, plain and with -dc."""
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder, name) for name in ("rgb.png", "mask.png", "plain.png", "better.png")]
        Image.fromarray(made.rgb).save(files[0], compress_level=1)
        Image.fromarray(np.rint(plane * 255).clip(0, 255).astype(np.uint8)).save(files[1])
        subprocess.run([str(reference), "-c", THEIRS, *map(str, files)], check=True, capture_output=True)
        found = [np.asarray(Image.open(path).convert("RGBA"), np.float32) for path in files[2:]]
    names = ("rembg", "rembg -dc")
    return [(name, rgba[..., 3] / 255, rgba[..., :3]) for name, rgba in zip(names, found, strict=True)]


def row(made: Composite, alpha: Plane, color: Plane, where: NDArray[np.bool_]) -> str:
    """Give errors of α, its slope, colour and the halo."""
    off = np.abs(alpha - made.alpha)[where].mean()
    slope = metrics.gradient_error(alpha, made.alpha, where)
    seen = where & (alpha > 0.02) & (made.alpha > 0.05)
    tint = np.abs(color - made.front)[seen].mean()
    soft = (made.alpha > 0.05) & (made.alpha < 0.95)
    halo = np.abs(over(alpha, color) - over(made.alpha, made.front))[soft].mean()
    return f"{off:.4f} | {slope:.2f} | {tint:.1f} | {halo:.1f}"


def over(alpha: Plane, color: Plane) -> Plane:
    """Lay a cut-out over the new background."""
    return np.asarray(color * alpha[..., None] + OVER * (1 - alpha[..., None]))


def crop(made: Composite, alpha: Plane, color: Plane, path: Path) -> None:
    """Write a part of the photo, α, and the cut-out over the new background, side by side."""
    height, width = alpha.shape
    side = min(480, height // 2)
    there = np.argwhere((made.alpha > 0.05) & (made.alpha < 0.95))
    top, left = (there[len(there) // 6] - side // 2).clip(0, (height - side, width - side))
    part = np.s_[top : top + side, left : left + side]
    grey = np.repeat(alpha[part][..., None] * 255, 3, 2)
    shown = np.concatenate([made.rgb[part], grey, over(alpha, color)[part]], 1)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(shown.clip(0, 255).astype(np.uint8)).save(path)


def measured(data: Path, model: str, methods: list[str]) -> None:
    """Print each method's mean errors inside the unknown part, and beside those without refinement."""
    asked = {method: Asked(model, method) for method in dict.fromkeys(["none", *methods])}
    errors: dict[str, list[list[float]]] = {method: [] for method in asked}
    names = []
    for case in cases(data):
        picture = read(case.path)
        first = asked["none"].alpha(picture)
        if metrics.iou(first, case.truth) <= 0.85:
            continue
        names.append(case.path.stem)
        for method, model_ in asked.items():
            alpha = first if method == "none" else model_.alpha(picture)
            errors[method].append([error(alpha, case.truth, case.unknown) for error in ERRORS.values()])
    print(f"{len(names)} pictures: {', '.join(names)}\n")
    print(f"| | {' | '.join(ERRORS)} | beside none |\n|---|---:|---:|---:|---|")
    base = np.mean(errors["none"], axis=0)
    for method, rows in errors.items():
        mean = np.mean(rows, axis=0)
        ratios = " ".join(f"{value:.2f}" for value in mean / base)
        print(f"| {method} | {' | '.join(f'{value:.2f}' for value in mean)} | {ratios} |")


if __name__ == "__main__":
    main()
