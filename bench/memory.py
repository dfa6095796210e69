"""Peak memory above that of a 64 × 64 picture, by size and recipe: python -m bench.memory.

The bound is three times the RGBA picture. Each run is a process of its own.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

from cleancut.apps.scene import scene

CODE = (
    "import resource, sys; from cleancut.apps.cli import run; code = run(sys.argv[1:]);"
    "print(code, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000)"
)
SIZES = {"1080p": (1920, 1080), "4K": (3840, 2160), "24 MP": (6000, 4000)}
RECIPES = {
    "plain": [],
    "source colours": ["--foreground", "source", "--refine", "none"],
    "feather 8": ["--refine", "feather:radius=8"],
    "shadow, white": ["-e", "shadow", "-e", "color:white"],
    "blur": ["-e", "blur:radius=20"],
    "trim": ["-e", "trim"],
    "fit 2000": ["-e", "fit:width=2000,height=2000"],
    "webp": ["-f", "webp"],
    "jpeg": ["-f", "jpeg"],
}


def peak(*args: str, cwd: str) -> float:
    done = subprocess.run([sys.executable, "-c", CODE, *args, "--overwrite"], cwd=cwd, capture_output=True, text=True)
    code, megabytes = done.stdout.split()[-2:]
    if code != "0":
        raise SystemExit(done.stderr)
    return float(megabytes)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        drawn = Image.fromarray(scene(1200, 800).photo.rgb)
        drawn.resize((64, 64)).save(Path(folder, "small.jpg"))
        base = peak("small.jpg", cwd=folder)
        print(f"64 x 64: {base:.0f} MB\n\n| MB above it | {' | '.join(SIZES)} |\n|---|{'---|' * len(SIZES)}")
        for name, (width, height) in SIZES.items():
            drawn.resize((width, height), Image.Resampling.BICUBIC).save(Path(folder, f"{name}.jpg"), quality=90)
        bounds = " | ".join(f"{3 * w * h * 4 / 1e6:.0f}" for w, h in SIZES.values())
        print(f"| bound | {bounds} |")
        for recipe, args in RECIPES.items():
            row = [peak(f"{name}.jpg", *args, "-o", f"out/{name}_{recipe}/", cwd=folder) - base for name in SIZES]
            print(f"| {recipe} | {' | '.join(f'{value:.0f}' for value in row)} |", flush=True)


main()
