"""Masks beside those of the real rembg 2.0.86, with the same weights: python -m bench.parity U2NETP.onnx [FOLDER].

rembg gets an environment of its own (in .bench/, not in the repository; `bench.speed` shares it) and runs there in a
process of its own, with its own class for a model file (u2net_custom). Pictures are drawn by formula, and those of
FOLDER are taken as they are. Prints the largest and the mean difference of `only_mask=True`, in levels of 255, and the
share of pixels that differ by more than 2. Ends with 1 where there is one.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from bench.machine import machine
from cleancut.apps.scene import scene
from cleancut.rembg import new_session, remove

REMBG = "rembg[cpu,cli]==2.0.86"
LEVELS = 2
DRAWN = {"portrait": (480, 640), "landscape": (1500, 1000), "wide": (1440, 480), "4K": (3840, 2160), "tiny": (40, 30)}

THEIRS = """
import sys
from pathlib import Path
from rembg import new_session, remove
weights, post, out, *pictures = sys.argv[1:]
session = new_session("u2net_custom", model_path=weights)
for number, path in enumerate(pictures):
    mask = remove(Path(path).read_bytes(), session=session, only_mask=True, post_process_mask=post == "post")
    Path(out, f"{number}.png").write_bytes(mask)
"""


def main() -> int:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("weights", type=Path, help="u2netp.onnx")
    arguments.add_argument("folder", type=Path, nargs="?", help="pictures of your own")
    arguments.add_argument("--first", type=int, default=12, metavar="N", help="take N of them, spread over the folder")
    arguments.add_argument("--post", action="store_true", help="compare post_process_mask=True")
    arguments.add_argument("--rembg", type=Path, help="an environment that has rembg; made if not given")
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        pictures = [*drawn(Path(folder)), *spread(given.folder, given.first)]
        theirs = masks(given.rembg or environment(), given.weights, pictures, Path(folder), given.post)
        return compared(given.weights, pictures, theirs, given.post)


def environment() -> Path:
    """Give the folder of an environment that has rembg."""
    place = Path(".bench", "rembg").resolve()
    if not (place / "bin" / "rembg").exists():
        subprocess.run([sys.executable, "-m", "venv", str(place)], check=True)
        subprocess.run([str(place / "bin" / "pip"), "install", "--quiet", REMBG], check=True)
    return place


def drawn(folder: Path) -> list[Path]:
    """Draw pictures of several sizes and kinds."""
    paths = []
    for number, (name, size) in enumerate(DRAWN.items()):
        path = folder / f"{name}.jpg"
        photo = Image.fromarray(scene(600, 400, seed=number).photo.rgb)
        photo.resize(size, Image.Resampling.BICUBIC).save(path, quality=92)
        paths.append(path)
    dark = folder / "dark.png"
    Image.fromarray(scene(500, 400, seed=9).photo.rgb // 4).save(dark)
    empty = folder / "nothing.png"
    Image.fromarray(np.rint(scene(500, 400, seed=3).background).astype(np.uint8)).save(empty)
    return [*paths, dark, empty]


def spread(folder: Path | None, count: int) -> list[Path]:
    if folder is None:
        return []
    found = sorted(path for path in folder.iterdir() if path.is_file())
    return [found[i] for i in np.linspace(0, len(found) - 1, min(count, len(found))).astype(int)]


def masks(rembg: Path, weights: Path, pictures: list[Path], folder: Path, post: bool) -> list[Path]:
    """Run rembg over the pictures; give the paths of its masks."""
    home = folder / "home"
    home.mkdir()
    mine = shutil.copy(weights, home)  # it takes files from its own folder only
    words = [str(mine), "post" if post else "plain", str(folder), *map(str, pictures)]
    command = [str(rembg / "bin" / "python"), "-c", THEIRS, *words]
    subprocess.run(command, check=True, env=os.environ | {"REMBG_HOME": str(home)})
    return [folder / f"{number}.png" for number in range(len(pictures))]


def compared(weights: Path, pictures: list[Path], theirs: list[Path], post: bool) -> int:
    session = new_session("u2net_custom", model_path=weights)
    print(f"{machine()}\n\n| picture | size | most | mean | > {LEVELS} |\n|---|---|---|---|---|")
    worst, means = 0, []
    for path, mask in zip(pictures, theirs, strict=True):
        wanted = np.asarray(Image.open(mask)).astype(int)
        image = remove(Image.open(path), session=session, only_mask=True, post_process_mask=post)
        difference = np.abs(np.asarray(image).astype(int) - wanted)
        worst, means = max(worst, int(difference.max())), [*means, difference.mean()]
        size = f"{wanted.shape[1]} × {wanted.shape[0]}"
        share = (difference > LEVELS).mean()
        print(f"| {path.name} | {size} | {difference.max()} | {difference.mean():.3f} | {share:.4%} |", flush=True)
    print(f"| **all {len(pictures)}** | | **{worst}** | **{np.mean(means):.3f}** | |")
    return int(worst > LEVELS)


if __name__ == "__main__":
    sys.exit(main())
