import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cleancut.apps.cli import run
from cleancut.apps.rembg import files as rembg_files
from cleancut.apps.rembg import folder as rembg_folder
from cleancut.apps.rembg.folder import named
from tests.apps.rembg.stub import session
from tests.stubs import disc


@pytest.fixture
def tree(tmp_path, monkeypatch):
    """A tree of pictures, two of which would share a name and one of which is none."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(rembg_files, "opened", lambda model, extras, say: session(disc()))
    for name, level in (("in/a/x.png", 10), ("in/b/x.png", 20), ("in/x.jpg", 30)):
        picture(name, level)
    return tmp_path


def picture(name, level=100):
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((30, 40, 3), level, np.uint8)).save(name, format="PNG")


def files(folder):
    return sorted(path.relative_to(folder).as_posix() for path in Path(folder).rglob("*") if path.is_file())


def opened(path):
    return Image.open(io.BytesIO(Path(path).read_bytes()))


def level(path):
    return opened(path).getpixel((20, 15))[0]


def test_r3_the_tree_is_mirrored_and_nothing_is_lost(tree, capsys):
    assert run(["rembg", "p", "in", "out"]) == 0
    assert files("out") == ["a/x.png", "b/x.png", "x.png"]
    assert [level(f"out/{name}") for name in files("out")] == [10, 20, 30]
    out, err = capsys.readouterr()
    assert sorted(out.split()) == [f"out/{name}" for name in files("out")]
    assert err == "3 written\n"


def test_r3_pictures_of_one_name_keep_their_extensions(tree):
    picture("in/x.png", 40)
    picture("in/X.webp", 50)
    assert run(["rembg", "p", "in", "out"]) == 0
    assert files("out") == ["X.webp.png", "a/x.png", "b/x.png", "x.jpg.png", "x.png.png"]
    assert [level(f"out/{name}") for name in ("X.webp.png", "x.jpg.png", "x.png.png")] == [50, 30, 40]


def test_r3_an_unreadable_picture_is_named_and_counted(tree, capsys):
    Path("in/a/broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    Path("in/empty.jpg").touch()
    assert run(["rembg", "p", "in", "out"]) == 2
    err = capsys.readouterr().err
    assert "broken.png" in err and "empty.jpg is empty" in err
    assert err.endswith("3 written, 2 failed\n") or err.endswith("2 failed, 3 written\n")
    assert files("out") == ["a/x.png", "b/x.png", "x.png"]


def test_what_is_meant_as_no_picture_is_left_alone(tree, capsys):
    for name in ("notes.txt", ".DS_Store", "._x.jpg", "x.json"):
        Path("in", name).write_text("words")
    picture("in/no-extension")
    assert run(["rembg", "p", "in", "out"]) == 0
    assert files("out") == ["a/x.png", "b/x.png", "no-extension.png", "x.png"]
    assert capsys.readouterr().err == "4 written\n"


def test_r4_results_that_exist_are_skipped_unless_told(tree, capsys):
    picture("out/x.png", 99)
    assert run(["rembg", "p", "in", "out"]) == 0
    assert "1 skipped, as their results exist" in capsys.readouterr().err
    assert opened("out/x.png").mode == "RGB"
    assert run(["rembg", "p", "in", "out", "--overwrite"]) == 0
    assert level("out/x.png") == 30
    assert "3 written" in capsys.readouterr().err


def test_a_picture_is_deleted_only_when_its_result_was_written(tree):
    Path("in/broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    picture("out/x.png", 99)
    assert run(["rembg", "p", "in", "out", "-d"]) == 2
    assert files("in") == ["broken.png", "x.jpg"]
    assert files("out") == ["a/x.png", "b/x.png", "x.png"]


def test_results_inside_the_source_are_not_cut_again(tree, capsys):
    for _ in range(2):
        assert run(["rembg", "p", "in", "in/out"]) == 0
    assert files("in/out") == ["a/x.png", "b/x.png", "x.png"]
    assert capsys.readouterr().err == "3 written\n3 skipped, as their results exist\n"


def test_folders_that_cannot_be_meant(tree, capsys):
    assert run(["rembg", "p", "in", "./in/"]) == 2
    assert "cannot go to the folder they come from" in capsys.readouterr().err
    assert run(["rembg", "p", "in/x.jpg", "out"]) == 2
    assert "in/x.jpg is not a folder; the command i" in capsys.readouterr().err
    Path("file").touch()
    assert run(["rembg", "p", "in", "file/out"]) == 2
    assert "cannot be made" in capsys.readouterr().err


def test_an_empty_folder_is_no_failure(tree, capsys):
    Path("nothing").mkdir()
    assert run(["rembg", "p", "nothing", "out", "--accept-usage-cost"]) == 0
    assert "not needed: no model here costs" in capsys.readouterr().err


def test_flags_hold_for_every_picture(tree):
    assert run(["rembg", "p", "in", "out", "-om", "-ppm"]) == 0
    assert all(set(np.unique(opened(f"out/{name}"))) == {0, 255} for name in files("out"))


def test_names_never_meet():
    paths = [Path(name) for name in ("x.jpg", "x.png", "x.jpg.webp", "X.PNG", "a/x.jpg", "x", "x.jpg-2.gif")]
    found = named(paths)
    assert set(found) == set(paths)
    assert len({name.as_posix().casefold() for name in found.values()}) == len(paths)
    assert all(name.suffix == ".png" and name.parent == path.parent for path, name in found.items())
    later = named([Path("a/x.png")], found)
    assert later[Path("a/x.jpg")] == Path("a/x.png")
    assert later[Path("a/x.png")] == Path("a/x.png.png")


class Watching:
    """Lets things happen between two looks at a folder, instead of sleeping."""

    def __init__(self, *events):
        self.events = list(events)

    def __call__(self, seconds):
        if not self.events:
            raise AssertionError("watching did not end")
        self.events.pop(0)()


@pytest.fixture
def watching(tree, monkeypatch):
    def start(*events, more=()):
        monkeypatch.setattr(rembg_folder.time, "sleep", Watching(*events))
        return run(["rembg", "p", "in", "out", "-w", *more])

    return start


def nothing():
    pass


def test_watching_takes_what_comes_and_ends_with_stop_txt(watching, capsys):
    whole = Path("in/x.jpg").read_bytes()

    def half():
        assert files("out") == ["a/x.png", "b/x.png", "x.png"]
        Path("in/new").mkdir()
        Path("in/new/y.png").write_bytes(whole[:40])

    def rest():
        assert "new/y.png" not in files("out")
        Path("in/new/y.png").write_bytes(whole)

    def stop():
        assert "new/y.png" in files("out")
        Path("in/stop.txt").touch()

    assert watching(nothing, half, rest, nothing, stop) == 0
    assert not Path("in/stop.txt").exists()
    assert capsys.readouterr().err == "4 written\n"


def test_ctrl_c_ends_watching(watching, capsys):
    def interrupt():
        raise KeyboardInterrupt

    assert watching(nothing, interrupt) == 0
    assert capsys.readouterr().err == "3 written\n"


def test_a_failure_while_watching_is_told_once_and_remembered(watching, capsys):
    Path("in/bad.png").write_text("words")
    assert watching(nothing, nothing, Path("in/stop.txt").touch) == 2
    err = capsys.readouterr().err
    assert err.count("bad.png") == 1
    assert "1 failed" in err


def test_one_name_while_watching_keeps_both_results(watching):
    def more():
        picture("in/x.png", 77)

    assert watching(nothing, more, nothing, Path("in/stop.txt").touch, nothing, more=["-d"]) == 0
    assert (level("out/x.png"), level("out/x.png.png")) == (30, 77)
    assert files("in") == []
