import base64
import io
import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cleancut.apps.cli import run
from cleancut.apps.compare import run as runs
from cleancut.apps.compare.cases import Case, Side
from cleancut.apps.compare.drawn import CROP, closeups, overview, worst
from cleancut.apps.compare.measured import mean, measured, written
from cleancut.apps.scene import scene
from tests.stubs import disc

SCENE = scene(96, 120)
EVIL = "<script>alert('x')</script>&\".png"


def cut(alpha, color=(200, 30, 30)):
    rgba = np.zeros((*alpha.shape, 4), np.uint8)
    rgba[..., :3], rgba[..., 3] = color, np.rint(alpha * 255)
    return rgba


def saved(path, pixels):
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return str(path)


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with two cut-outs, the true mask and a photo, which is the current one."""
    monkeypatch.chdir(tmp_path)
    saved("a.png", cut(disc(80, 0.3)))
    saved("b.png", cut(disc(80, 0.2)))
    saved("true.png", np.rint(disc(80, 0.3) * 255).astype(np.uint8))
    saved("photo.png", SCENE.photo.rgb)
    return tmp_path


def told(capsys, *args):
    assert run(["compare", *args, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def images(page):
    found = re.findall(r'src="data:image/(?:png|jpeg);base64,([^"]+)"', page)
    return [np.asarray(Image.open(io.BytesIO(base64.b64decode(one))).convert("RGB")) for one in found]


def test_figures_by_hand():
    """A covers all of four pixels, B three quarters and nothing."""
    one = np.array([[1, 1], [1, 1]], np.float32)
    other = np.array([[1, 1], [1, 0]], np.float32)
    truth = np.array([[1, 1], [0, 0]], np.float32)
    found = measured(Case("x", (Side(cut(one), True), Side(cut(other), True)), Side(cut(truth), False)))
    assert found.between["difference, mean"] == 0.25
    assert found.between["difference, largest"] == 1
    assert found.between["pixels off by > 0.1 (%)"] == 25
    assert found.sides["IoU"] == (0.5, 2 / 3)
    assert found.sides["MAE"] == (0.5, 0.25)
    assert found.sides["SAD"] == (0.002, 0.001)
    assert "time (ms)" not in found.sides  # neither was cut here
    assert "halo (of 255)" not in found.sides  # a mask has no true colours


def test_equal_cut_outs_have_no_difference():
    side = Side(cut(disc(60)), colored=True)
    found = measured(Case("x", (side, side), side))
    assert found.between == {
        "SSIM": pytest.approx(1),
        "difference, mean": 0,
        "difference, largest": 0,
        "pixels off by > 0.1 (%)": 0,
    }
    assert found.sides["halo (of 255)"] == (0, 0)
    assert found.sides["colour fringe (of 255)"] == (0, 0)
    assert closeups(Case("x", (side, side)), ("A", "B")) == []


def test_means_leave_out_where_a_figure_does_not_apply():
    mask, colored = Side(cut(disc(60)), colored=False), Side(cut(disc(60)), colored=True)
    found = mean([measured(Case("x", (mask, colored))), measured(Case("y", (colored, colored)))])
    assert found.sides["colour fringe (of 255)"] == (0, 0)
    assert written(mean([measured(Case("x", (mask, colored)))]).sides["colour fringe (of 255)"][0]) == "–"


def test_two_files_are_compared_with_the_truth(here, capsys):
    found = told(capsys, "a.png", "b.png", "--truth", "true.png")
    assert (found["a"], found["b"]) == ("a.png", "b.png")
    assert found["mean"]["sides"]["IoU"]["a"] == 1
    assert found["mean"]["sides"]["IoU"]["b"] == pytest.approx(4 / 9, abs=0.03)
    assert [one["name"] for one in found["pictures"]] == ["a.png"]


def test_people_get_a_table(here, capsys):
    assert run(["compare", "a.png", "b.png", "--truth", "true.png"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["a.png", "b.png", "between", "them"]
    assert next(line.split() for line in lines if line.startswith("IoU"))[:2] == ["IoU", "1.000"]


def test_a_photo_is_cut_by_two_models(here, capsys):
    mask = saved("mask.png", np.rint(SCENE.alpha * 255).astype(np.uint8))
    found = told(capsys, "photo.png", "-m", "cleancut-small", "-m", "key:white", "--truth", mask)
    assert (found["a"], found["b"]) == ("cleancut-small", "key:white")
    assert found["mean"]["sides"]["IoU"]["a"] > 0.8 > found["mean"]["sides"]["IoU"]["b"]
    assert all(found["mean"]["sides"]["time (ms)"][side] > 0 for side in "ab")


def test_a_photo_is_cut_by_two_recipes(here, capsys):
    Path("soft.json").write_text('{"refine": ["auto", "feather:radius=6"]}')
    found = told(capsys, "photo.png", "-r", "{}", "-r", "soft.json")
    assert (found["a"], found["b"]) == ("recipe 1", "soft")
    width = found["mean"]["sides"]["width of the edge (px)"]
    assert width["b"] > 2 * width["a"]


def test_folders_are_compared_by_name(here, capsys):
    for name, radius in (("one", 0.3), ("deep/two", 0.2)):
        saved(f"x/{name}.png", cut(disc(64, 0.3)))
        saved(f"y/{name}.webp", cut(disc(64, radius)))
    found = told(capsys, "x", "y")
    assert {one["name"]: one["between"]["difference, mean"] > 0 for one in found["pictures"]} == {
        "deep/two": True,
        "one": False,
    }
    assert run(["compare", "x", "y"]) == 0
    out = capsys.readouterr().out
    assert "Means of 2 pictures" in out
    assert out.splitlines()[-2].endswith("deep/two")


def test_what_has_no_partner_or_cannot_be_read_is_said_and_spoils_nothing(here, capsys):
    for name in ("one", "two", "three"):
        saved(f"x/{name}.png", cut(disc(64)))
        saved(f"y/{name}.png", cut(disc(64)))
    saved("x/lonely.png", cut(disc(64)))
    saved("y/two.png", cut(disc(32)))
    Path("y/three.png").write_bytes(b"no picture")
    assert run(["compare", "x", "y", "--json"]) == 2
    out, err = capsys.readouterr()
    assert [one["name"] for one in json.loads(out)["pictures"]] == ["one"]
    assert "lonely.png is not in every folder" in err
    assert "two: A is 64 × 64 pixels and B 32 × 32" in err
    assert "three.png" in err


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (["photo.png", "b.png"], "photo.png has no alpha; compare takes cut-outs or masks"),
        (["a.png"], "Name two models or recipes for one photo"),
        (["a.png", "-m", "cleancut-small"], "Name two models or recipes"),
        (["a.png", "b.png", "-m", "cleancut-small"], "Compare either two cut-outs"),
        (["a.png", "."], "Compare files with files or folders with folders"),
        (["a.png", "missing.png"], "missing.png does not exist"),
        (["x", "y"], "no picture of one name"),
        (["photo.png", "-r", "{}", "-r", "[1"], "does not exist"),
        (["photo.png", "-r", "{}", "-r", "{1"], "is no recipe in JSON"),
        (["photo.png", "-r", "{}", "-r", '{"modle": "u2netp"}'], "A recipe has no 'modle'"),
        (["photo.png", "-m", "u2nett", "-m", "auto"], "There is no model 'u2nett'"),
        (["photo.png", "-m", "auto", "-m", "key", "--like", "u2netp"], "--like goes with a model file"),
        (["a.png", "b.png", "--html", "a.png"], "a.png exists; use --overwrite"),
        (["a.png", "b.png", "--max-pixels", "100"], "the limit is 0.0001"),
    ],
)
def test_what_does_not_fit_says_so(here, capsys, args, sentence):
    for folder in ("x", "y"):
        Path(folder).mkdir()
    saved("x/only.png", cut(disc(8)))
    assert run(["compare", *args]) == 2
    out, err = capsys.readouterr()
    assert sentence in err
    assert out == ""


def test_the_report_is_one_file_without_scripts_or_addresses(here, capsys):
    assert run(["compare", "photo.png", "-m", "cleancut-small", "-m", "key:white", "--html", "out/report.html"]) == 0
    page = Path("out/report.html").read_text("utf-8")
    assert "out/report.html" in capsys.readouterr().err
    assert not re.search(
        r"<script|<link|<iframe|https?:|//|@import|url\(|\son\w+=", re.sub(r'"data:[^"]*"', '""', page)
    )
    assert "default-src 'none'" in page
    assert str(here) not in page
    shots = images(page)
    assert len(shots) >= 8  # an overview of four, and at least one place
    assert shots[0].shape == shots[1].shape == (120, 96, 3)
    assert np.abs(shots[0].astype(int) - SCENE.photo.rgb).mean() < 6  # JPEG


def test_names_are_escaped(here):
    for folder in ("x", "y"):
        saved(f"{folder}/{EVIL}".replace("</", "<"), cut(disc(64, 0.3 if folder == "x" else 0.2)))
    assert run(["compare", "x", "y", "--html", "report.html"]) == 0
    page = Path("report.html").read_text("utf-8")
    assert "<script" not in page
    assert "&lt;script&gt;alert(&#x27;x&#x27;)" in page


def test_of_many_cases_those_that_differ_most_are_drawn(here, monkeypatch):
    monkeypatch.setattr(runs, "MOST", 2)
    for name, radius in (("a", 0.28), ("b", 0.2), ("c", 0.3), ("d", 0.25)):
        saved(f"x/{name}.png", cut(disc(64, 0.3)))
        saved(f"y/{name}.png", cut(disc(64, radius)))
    assert run(["compare", "x", "y", "--html", "report.html"]) == 0
    page = Path("report.html").read_text("utf-8")
    assert re.findall(r"<h2>(\w)</h2>", page) == ["b", "d", "a", "c"]
    assert re.findall(r"<h2>(\w)</h2>\s*<table.*?</table>\s*<div", page) == ["b", "d"]
    assert "The 2 pictures that differ most are shown; the figures are of all 4." in page


def test_the_worst_places_do_not_overlap():
    apart = np.zeros((1000, 1500), np.float32)
    for top, left in ((100, 200), (130, 230), (700, 1300)):
        apart[top : top + 60, left : left + 60] = 1
    places = list(worst(apart))
    assert len(places) == 2
    for top, left in places:
        assert apart[top : top + CROP, left : left + CROP].sum() >= 60 * 60
    (y, x), (v, u) = places
    assert abs(y - v) >= CROP or abs(x - u) >= CROP
    assert list(worst(np.zeros((50, 50), np.float32))) == []
    assert list(worst(np.ones((50, 3), np.float32))) == [(0, 0)]
    assert list(worst(np.ones((90, 90), np.float32))) == [(0, 0)]


def test_a_thin_difference_still_shows_in_a_small_map():
    """A line of one pixel in a picture of 2000: red where A has more, blue where B has."""
    one, other = np.zeros((2, 2000, 2000), np.float32)
    one[500], other[:, 1500] = 1, 1
    case = Case("x", (Side(cut(one), True), Side(cut(other), True)))
    shown = overview(case, ("A", "B"))[-1].pixels
    assert max(shown.shape) <= 480
    assert shown[100, 50].tolist() == [255, 0, 0]
    assert shown[100, 300].tolist() == [0, 0, 255]
    assert shown[300, 50].tolist() == [255, 255, 255]
