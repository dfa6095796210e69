"""`cleancut batch` as a user meets it: trees, second runs, failures by name, events and exit codes."""

import io
import json
import os
import sys
from pathlib import Path

import pytest
from PIL import Image

from cleancut.apps.batch import shown as screens
from cleancut.apps.cli import run
from cleancut.apps.scene import scene
from cleancut.errors import NoSpace
from cleancut.jobs.batch.folders import Results

PHOTO = scene(96, 120).photo.rgb


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with a tree of photos, which is the current one."""
    monkeypatch.chdir(tmp_path)
    for name in ("in/a/x.jpg", "in/b/x.jpg", "in/x.png"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(PHOTO).save(name)
    return tmp_path


def results(folder="out"):
    return sorted(path.relative_to(folder).as_posix() for path in Path(folder).rglob("*.*")
                  if path.is_file() and not path.name.startswith("."))  # fmt: skip


def opened(path):
    return Image.open(io.BytesIO(Path(path).read_bytes()))


def events(text):
    return [json.loads(line) for line in text.splitlines()]


def test_a_tree_becomes_the_same_tree(here, capsys):
    assert run(["batch", "in", "-o", "out"]) == 0
    assert results() == ["a/x.png", "b/x.png", "x.png"]
    assert opened("out/a/x.png").mode == "RGBA"
    out, err = capsys.readouterr()
    assert out == ""
    assert "3 done" in err


def test_the_bytes_are_those_of_a_single_cut(here):
    assert run(["batch", "in", "-o", "out", "-e", "color:white", "--refine", "feather"]) == 0
    assert run(["in/a/x.jpg", "-o", "alone.png", "-e", "color:white", "--refine", "feather"]) == 0
    assert Path("out/a/x.png").read_bytes() == Path("alone.png").read_bytes()


def test_the_second_run_does_what_is_left(here, capsys):
    assert run(["batch", "in", "-o", "out"]) == 0
    before = Path("out/x.png").stat().st_mtime_ns
    Image.fromarray(PHOTO[::-1].copy()).save("in/a/x.jpg")
    Image.fromarray(PHOTO).save("in/new.jpg")
    capsys.readouterr()
    assert run(["batch", "in", "-o", "out", "--json"]) == 0
    told = events(capsys.readouterr().out)
    assert {one["planned"]: one["state"] for one in told if one["event"] == "result"} == {
        "a/x.png": "done", "b/x.png": "kept", "x.png": "kept", "new.png": "done",
    }  # fmt: skip
    assert (told[-1]["event"], told[-1]["done"], told[-1]["kept"], told[-1]["left"]) == ("end", 2, 2, 0)
    assert Path("out/x.png").stat().st_mtime_ns == before


def test_what_fails_is_named_counted_and_in_the_exit_code(here, capsys):
    Path("in/broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 no picture")
    Path("in/notes.txt").write_text("words")
    Path("in/.hidden").write_text("words")
    assert run(["batch", "in", "-o", "out"]) == 2
    err = capsys.readouterr().err
    assert results() == ["a/x.png", "b/x.png", "x.png"]
    assert "broken.jpg" in err
    assert "1 failed" in err
    assert "1 skipped" in err
    assert "notes.txt" in err
    assert "hidden" not in err
    assert run(["batch", "in", "-o", "out"]) == 2  # it is not done yet, and says so again
    assert "failed: broken.jpg" in capsys.readouterr().err
    Path("in/broken.jpg").unlink()
    assert run(["batch", "in", "-o", "out"]) == 0


def test_results_inside_the_sources_are_not_taken_for_pictures(here, capsys):
    for _ in range(2):
        assert run(["batch", "in", "-o", "in/out"]) == 0
    assert results("in/out") == ["a/x.png", "b/x.png", "x.png"]
    assert run(["batch", "in", "-o", "in"]) == 2
    assert "another one" in capsys.readouterr().err


def test_variants_make_several_results(here):
    Path("white.json").write_text('{"effects": [{"name": "color", "color": "white"}], "format": "jpeg"}')
    assert run(["batch", "in", "-o", "out", "--variant", "white=white.json", "--variant", "clear={}"]) == 0
    assert results()[:2] == ["a/x_clear.png", "a/x_white.jpg"]
    assert len(results()) == 6
    assert opened("out/a/x_white.jpg").mode == "RGB"


@pytest.mark.parametrize("text", ["white", "white=[]", "white={", "wh/ite={}", "={}", 'white={"model": "nothing"}'])
def test_a_variant_that_is_none_is_told(here, text, capsys):
    assert run(["batch", "in", "-o", "out", "--variant", text]) == 2
    assert capsys.readouterr().err.startswith("cleancut: ")
    assert not Path("out").exists()


def test_names_by_pattern(here):
    assert run(["batch", "in", "-o", "out", "--name", "{stem}_no_bg.{ext}", "-f", "webp"]) == 0
    assert results() == ["a/x_no_bg.webp", "b/x_no_bg.webp", "x_no_bg.webp"]


def test_a_dry_run_writes_nothing(here, capsys):
    Image.fromarray(PHOTO).save("in/x.webp")
    assert run(["batch", "in", "-o", "out", "--dry-run"]) == 0
    named = {"x.png": "x.png.png", "x.webp": "x.webp.png", "a/x.jpg": "a/x.png", "b/x.jpg": "b/x.png"}
    assert capsys.readouterr().out.splitlines() == [f"{name} -> out/{result}" for name, result in named.items()]
    assert not Path("out").exists()


def test_a_result_of_somebody_else_is_left_alone(here, capsys):
    Path("out").mkdir()
    Path("out/x.png").write_text("mine")
    assert run(["batch", "in", "-o", "out"]) == 2
    assert "--overwrite" in capsys.readouterr().err
    assert Path("out/x.png").read_text() == "mine"
    assert run(["batch", "in", "-o", "out", "--overwrite", "--retry-failed"]) == 0
    assert opened("out/x.png").mode == "RGBA"


def test_a_full_disk_is_told_once(here, capsys, monkeypatch):
    put = Results.put

    def full(self, name, data):
        if len(results()) >= 1:
            raise NoSpace(f"{name} cannot be written: the disk is full.")
        put(self, name, data)

    with monkeypatch.context() as broken:
        broken.setattr(Results, "put", full)
        assert run(["batch", "in", "-o", "out", "--workers", "1", "--ahead", "1"]) == 2
        err = capsys.readouterr().err
        assert err.count("the disk is full") == 1
        assert "goes on from here" in err
        assert "1 not begun" in err or "2 not begun" in err
    assert run(["batch", "in", "-o", "out"]) == 0


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has names in Unicode only")
def test_names_that_are_no_utf8_and_links_in_a_circle(here, capsys):
    Image.fromarray(PHOTO).save("photo.jpg")
    try:
        os.rename(b"photo.jpg", b"in/caf\xe9.jpg")
    except OSError:
        pytest.skip("this file system takes UTF-8 only")
    Path("in/circle").symlink_to(here / "in")
    Path("in/gone.jpg").symlink_to(here / "nothing")
    assert run(["batch", "in", "-o", "out", "--json"]) == 2
    assert os.path.exists(b"out/caf\xe9.png")
    told = {one["name"]: one["state"] for one in events(capsys.readouterr().out) if one["event"] == "result"}
    assert told == {"a/x.jpg": "done", "b/x.jpg": "done", "x.png": "done", "caf\udce9.jpg": "done",
                    "circle": "skipped", "gone.jpg": "failed"}  # fmt: skip
    assert run(["batch", "in", "-o", "out", "--json"]) == 2
    again = {one["name"]: one["state"] for one in events(capsys.readouterr().out) if one["event"] == "result"}
    assert again["caf\udce9.jpg"] == "kept"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root looks into every folder")
def test_a_folder_that_may_not_be_looked_into_is_named(here, capsys):
    Path("in/closed").mkdir(mode=0)
    try:
        assert run(["batch", "in", "-o", "out"]) == 2
    finally:
        Path("in/closed").chmod(0o700)
    assert "closed" in capsys.readouterr().err
    assert len(results()) == 3


def test_another_batch_at_the_same_journal_is_refused(here, capsys):
    from cleancut.jobs.batch import journal as journals

    with journals.opened(Path("journal")):
        assert run(["batch", "in", "-o", "out", "--journal", "journal"]) == 75
    assert "Another batch" in capsys.readouterr().err


def test_an_empty_folder_is_no_failure(here, capsys):
    Path("empty").mkdir()
    assert run(["batch", "empty", "-o", "out"]) == 0
    assert "0 pictures" in capsys.readouterr().err


def test_weights_that_are_missing_leave_no_trace(here, capsys):
    assert run(["batch", "in", "-o", "out", "-m", "u2net"]) == 3
    assert "not on this machine" in capsys.readouterr().err
    assert not Path("out").exists()


def test_too_many_failures_stop_it(here, capsys):
    for number in range(30):
        Path(f"in/{number:02}.jpg").write_bytes(b"\xff\xd8\xff\xe0 no picture")
    assert run(["batch", "in", "-o", "out", "--max-errors", "2", "--workers", "1", "--ahead", "1"]) == 2
    err = capsys.readouterr().err
    assert "More than 2 failed" in err
    assert "not begun" in err


def test_a_bar_shows_on_a_terminal(here, monkeypatch, capsys):
    monkeypatch.setattr(screens.sys.stderr, "isatty", lambda: True, raising=False)
    Path("in/broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 no picture")
    assert run(["batch", "in", "-o", "out"]) == 2
    err = capsys.readouterr().err
    assert "4/4" in err
    assert "broken.jpg" in err
