"""Rows, not planes: what a large picture costs in memory, measured in processes of their own."""

import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("resource")

WIDTH, HEIGHT = 6000, 4000
BOUND = 3 * WIDTH * HEIGHT * 4 / 1e6

CODE = """
import resource, sys
from cleancut.apps.cli import run
code = run(sys.argv[1:])
assert code == 0
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def peak(*args, cwd):
    """Peak RSS in MB of one run of the command line."""
    done = subprocess.run([sys.executable, "-c", CODE, *args], cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    kilobytes = int(done.stdout.split()[-1])
    return kilobytes / (1e6 if sys.platform == "darwin" else 1e3)


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """A 64 × 64 picture and one of 24 megapixels with a subject, the worst orientation, and detail to deflate."""
    from cleancut.apps.scene import scene

    folder = tmp_path_factory.mktemp("memory")
    drawn = Image.fromarray(scene(600, 400).photo.rgb)
    drawn.resize((64, 64)).save(folder / "small.jpg")
    large = np.array(drawn.resize((WIDTH, HEIGHT), Image.Resampling.BILINEAR))
    large += np.random.default_rng(0).integers(0, 12, (HEIGHT, WIDTH, 1), dtype=np.uint8)
    turned = Image.Exif()
    turned[0x0112] = 6
    Image.fromarray(large).save(folder / "large.jpg", quality=90, exif=turned)
    return folder


@pytest.fixture(scope="module")
def base(photos):
    return peak("small.jpg", "-o", "small.png", cwd=photos)


@pytest.mark.parametrize(
    "more",
    [[], ["--refine", "feather:radius=8"], ["-e", "shadow", "-e", "color:white"]],
    ids=["plain", "feather", "effects"],
)
def test_24_megapixels_cost_at_most_three_pictures(photos, base, more):
    assert peak("large.jpg", "-o", "large.png", "--overwrite", *more, cwd=photos) - base <= BOUND
