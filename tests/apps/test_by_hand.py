"""The flags --stroke, --opaque and --show trimap, from the command line to the file."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cleancut.apps.cli import run
from cleancut.apps.scene import scene

PHOTO = scene(96, 120).photo.rgb


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Image.fromarray(PHOTO).save("photo.png")
    return tmp_path


def opened(name):
    with Image.open(name) as image:
        return np.asarray(image)


def test_a_stroke_is_certain_in_the_file(here):
    assert run(["photo.png", "--stroke", "keep:0.02:0.05,0.05", "--stroke", "remove:0.02:0.5,0.6"]) == 0
    alpha = opened("photo_no_bg.png")[..., 3]
    assert alpha[6, 4] == 255 and alpha[72, 48] == 0


def test_a_result_with_strokes_replays(here):
    assert run(["photo.png", "--stroke", "keep:0.02:0.05,0.05"]) == 0
    assert run(["replay", "photo_no_bg.png", "photo.png"]) == 0
    assert Path("photo_no_bg_replayed.png").read_bytes() == Path("photo_no_bg.png").read_bytes()


def test_a_bad_stroke_is_told_before_any_work(here, capsys):
    assert run(["photo.png", "--stroke", "keep:9:0.5,0.5"]) == 2
    assert "radius of a stroke must be a number from 0 to 0.5" in capsys.readouterr().err
    assert not Path("photo_no_bg.png").exists()


def test_a_trimap_is_shown(here):
    assert run(["photo.png", "--show", "trimap", "-o", "trimap.png"]) == 0
    marked = opened("trimap.png")
    assert marked.ndim == 2 and set(np.unique(marked)) == {0, 128, 255}


def test_opaque_leaves_less_partial_alpha(here):
    for flags in ([], ["--opaque"]):
        assert run(["photo.png", "--refine", "none", "-o", f"cut{len(flags)}.png", *flags]) == 0
    partial = [((a > 25) & (a < 230)).sum() for a in (opened(f"cut{n}.png")[..., 3] for n in (0, 1))]
    assert partial[1] < 0.9 * partial[0]
