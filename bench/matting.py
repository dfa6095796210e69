"""Closed-form matting beside PyMatting's: `python -m bench.matting --data SET` and `python -m bench.matting --size 4K`.

PyMatting gets an environment of its own (in .bench/, not in the repository) and runs there in a process of its own;
`--reference VENV` names one that has it. With `--data` (a folder with images/, masks/ and trimaps/) errors are those
inside the trimap's unknown part. With `--size` a head of hair is drawn by formula, its trimap made by thresholds of 240
and 10 and an erosion of 10 px; time is the processor's, which other work on the machine hardly changes, and memory the
peak of the process. The guided filter begins with the trimap itself, unknown pixels at ½.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

from bench.machine import machine
from cleancut.matting import closed_form
from cleancut.matting.metrics import connectivity_error, gradient_error, mse, sad
from cleancut.raster.guided import guided
from cleancut.raster.morphology import eroded
from cleancut.raster.rows import Rows

PYMATTING = "pymatting==1.1.16"
SIZES = {"1080p": (1920, 1080), "4K": (3840, 2160), "24 MP": (6000, 4000)}
MEASURES = {"SAD": sad, "MSE × 1000": lambda *a: 1000 * mse(*a), "Grad": gradient_error, "Conn": connectivity_error}
TITLES = {"ours": "closed-form, ours", "tiled": "closed-form, ours, tiled", "guided": "guided filter"}

THEIRS = """
import resource, sys, time
import numpy as np
from PIL import Image
from pymatting import estimate_alpha_cf
for rgb, trimap, result in zip(*[iter(sys.argv[1:])] * 3):
    image = np.asarray(Image.open(rgb).convert("RGB")) / 255
    known = np.asarray(Image.open(trimap).convert("L"))
    known = np.where(known == 0, 0.0, np.where(known == 255, 1.0, 0.5))
    start, clock = time.process_time(), time.perf_counter()
    np.save(result, estimate_alpha_cf(image, known).astype(np.float32))
    taken = time.process_time() - start, time.perf_counter() - clock
    print(*taken, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000, flush=True)
"""


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--data", type=Path, help="a set with images/, masks/ and trimaps/")
    arguments.add_argument("--size", choices=SIZES, help="draw a picture of this size instead")
    arguments.add_argument("--reference", type=Path, help="an environment that has PyMatting; made if not given")
    arguments.add_argument(
        "--alone", nargs=4, metavar=("METHOD", "PICTURE", "TRIMAP", "RESULT"), help=argparse.SUPPRESS
    )
    given = arguments.parse_args()
    if given.alone:
        return alone(*given.alone)
    print(machine(), end="\n\n")
    with tempfile.TemporaryDirectory() as folder:
        if given.data:
            quality(given.data, given.reference or environment(), Path(folder))
        if given.size:
            cost(SIZES[given.size], given.reference or environment(), Path(folder))
    return None


def environment() -> Path:
    """Give the folder of an environment that has PyMatting."""
    place = Path(".bench", "pymatting").resolve()
    if not (place / "bin" / "python").exists():
        subprocess.run([sys.executable, "-m", "venv", str(place)], check=True)
        subprocess.run([str(place / "bin" / "pip"), "install", "--quiet", PYMATTING, "pillow"], check=True)
    return place


def quality(data: Path, reference: Path, folder: Path) -> None:
    """Print the mean errors of each method, and ours beside PyMatting's for each picture."""
    pictures = sorted((data / "images").iterdir())
    files = [(path, next((data / "trimaps").glob(f"{path.stem}.*")), folder / f"{path.stem}.npy") for path in pictures]
    words = [str(word) for row in files for word in row]
    subprocess.run([str(reference / "bin" / "python"), "-c", THEIRS, *words], check=True, stdout=subprocess.DEVNULL)
    errors: dict[str, list[list[float]]] = {}
    for picture, trimap, theirs in files:
        rgb, marked = opened(picture, trimap)
        truth = np.asarray(Image.open(next((data / "masks").glob(f"{picture.stem}.*"))).convert("L"), np.float32) / 255
        unknown = (marked != 0) & (marked != 255)
        found = {TITLES[method]: work(rgb, marked)[0] for method, work in METHODS.items()}
        for name, alpha in ({"closed-form, PyMatting": np.load(theirs)} | found).items():
            errors.setdefault(name, []).append([measure(alpha, truth, unknown) for measure in MEASURES.values()])
    print(f"| mean of {len(files)} | {' | '.join(MEASURES)} |\n|---|{'---|' * len(MEASURES)}")
    for name, rows in errors.items():
        print(f"| {name} | {' | '.join(f'{value:.3f}' for value in np.mean(rows, axis=0))} |")
    ratios = [
        ours[0] / theirs[0]
        for theirs, ours in zip(errors["closed-form, PyMatting"], errors[TITLES["ours"]], strict=True)
    ]
    print(f"\nSAD of ours over PyMatting's: {min(ratios):.4f} to {max(ratios):.4f}, median {np.median(ratios):.4f}")


def cost(size: tuple[int, int], reference: Path, folder: Path) -> None:
    """Print time, memory and error of each method on one picture, each in a process of its own."""
    rgb, truth = hair(*size)
    marked = thresholds(truth)
    files = [folder / name for name in ("picture.png", "trimap.png", "result.npy")]
    Image.fromarray(rgb).save(files[0], compress_level=1)
    Image.fromarray(marked).save(files[1], compress_level=1)
    unknown = marked == 128
    print(f"{size[0]} × {size[1]}, {unknown.sum()} pixels unknown ({unknown.mean():.1%})\n")
    print("| | processor s | s | peak MB | SAD | steps |\n|---|---|---|---|---|---|")
    mine = {TITLES[name]: [sys.executable, "-m", "bench.matting", "--alone", name] for name in METHODS}
    for name, command in (mine | {"closed-form, PyMatting": [str(reference / "bin" / "python"), "-c", THEIRS]}).items():
        done = subprocess.run([*command, *map(str, files)], check=True, capture_output=True, text=True)
        busy, wall, peak, *steps = done.stdout.splitlines()[-1].split()  # PyMatting may warn before
        error = sad(np.load(files[2]), truth, unknown)
        print(
            f"| {name} | {float(busy):.1f} | {float(wall):.1f} | {float(peak):.0f} | {error:.2f} | {' '.join(steps)} |"
        )


def alone(method: str, picture: str, trimap: str, result: str) -> None:
    """Run one of our methods, and print what `THEIRS` does."""
    rgb, marked = opened(Path(picture), Path(trimap))
    start, clock = time.process_time(), time.perf_counter()
    alpha, steps = METHODS[method](rgb, marked)
    taken = time.process_time() - start, time.perf_counter() - clock
    print(*taken, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000, steps)
    np.save(result, alpha)


def ours(rgb: np.ndarray, marked: np.ndarray) -> tuple[np.ndarray, str]:
    found = closed_form.solution(rgb, marked)
    return found.alpha, str(found.steps)


def tiled(rgb: np.ndarray, marked: np.ndarray) -> tuple[np.ndarray, str]:
    steps: list[int] = []
    rows = closed_form.matted(Rows.of(rgb), Rows.of(marked), watch=lambda found: steps.append(found.steps))
    alpha = rows.whole()
    return alpha, f"{min(steps)}–{max(steps)} in {len(steps)} tiles" if steps else ""


def smoothed(rgb: np.ndarray, marked: np.ndarray) -> tuple[np.ndarray, str]:
    start = Rows.of(marked).map(lambda t: np.where(t == 0, 0, np.where(t == 255, 1, 0.5)).astype(np.float32))
    where = Rows.of(marked).map(lambda t: (t != 0) & (t != 255))
    return guided(Rows.of(rgb), start, where, radius=24).whole(), ""


METHODS = {"ours": ours, "tiled": tiled, "guided": smoothed}


def opened(picture: Path, trimap: Path) -> tuple[np.ndarray, np.ndarray]:
    return np.asarray(Image.open(picture).convert("RGB")), np.asarray(Image.open(trimap).convert("L"))


def thresholds(alpha: np.ndarray) -> np.ndarray:
    """Known where α is above 240 or below 10 of 255, and so 10 px around."""
    marked = np.full(alpha.shape, 128, np.uint8)
    for value, sure in ((255, alpha > 240 / 255), (0, alpha < 10 / 255)):
        marked[eroded(Rows.of(sure.astype(np.float32)), 10).whole() == 1] = value
    return marked


def hair(width: int, height: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw a dark head with 400 strands before a blurred background: (H, W, 3) uint8 and its α."""
    y, x = np.mgrid[:height, :width].astype(np.float32)
    y -= 0.55 * height
    x -= 0.5 * width
    angle, away = np.arctan2(y, x), np.hypot(y, x)
    edge = 0.3 * height * (1 + 0.05 * np.sin(5 * angle))
    number = angle * 400 / (2 * np.pi) + 0.9 * np.sin(away / 60)
    nearest = np.rint(number)
    along = (away - edge) / (0.06 * height * (0.6 + 0.4 * np.sin(7 * nearest)))
    strand = 1.6 * (1 - along) + 0.5 - np.abs(number - nearest) * 2 * np.pi / 400 * away
    alpha = np.maximum(np.clip(0.5 - (away - edge) / 3, 0, 1), np.clip(strand, 0, 1) * (along > 0) * (along < 1))
    front, back = textured((70, 45, 30), 10, 9, alpha.shape, 1), textured((150, 170, 200), 25, 40, alpha.shape, 2)
    grain = np.random.default_rng(3).normal(0, 2, alpha.shape).astype(np.float32)
    rgb = front * alpha[..., None] + back * (1 - alpha[..., None]) + grain[..., None]
    return np.clip(np.rint(rgb), 0, 255).astype(np.uint8), alpha


def textured(color: tuple[int, int, int], depth: float, spot: int, shape: tuple[int, ...], seed: int) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(size=(3, shape[0] // spot + 2, shape[1] // spot + 2)).astype(np.float32)
    planes = [Image.fromarray(plane).resize(shape[::-1], Image.Resampling.BICUBIC) for plane in noise]
    return np.clip(
        np.float32(color) + np.float32(depth) * np.stack([np.asarray(plane) for plane in planes], -1), 0, 255
    )


if __name__ == "__main__":
    main()
