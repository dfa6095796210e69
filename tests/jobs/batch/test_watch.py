"""Watching: what decides is tested with a clock of our own, what the system tells with real folders."""

import queue
import shutil
import threading

import pytest

from cleancut.errors import BadInput
from cleancut.jobs.batch.folders import PART, Folder
from cleancut.jobs.batch.watch import Look, Watched
from tests.jobs.batch.places import content, encoded, tree

pytest.importorskip("watchfiles")

PATIENCE = 60
"""Seconds that a slow machine may take; nothing is measured by it."""


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def look(tmp_path):
    """A look at a folder; `look.pass_(seconds)` gives the names that are complete after so long."""
    clock = Clock()
    made = Look(Watched(Folder(tmp_path, apart=(tmp_path / "out",)), settle=1.0, clock=clock))

    class Passing:
        note, note_all = made.note, made.note_all

        @staticmethod
        def pass_(seconds):
            clock.now += seconds
            return [entry.name for entry in made.complete()]

    return Passing


def test_a_file_is_complete_once_it_has_not_changed_for_a_while(tmp_path, look):
    path = tmp_path / "x.png"
    path.write_bytes(b"half")
    look.note(path)
    assert look.pass_(0) == []
    path.write_bytes(encoded())
    assert look.pass_(2) == []
    assert look.pass_(0.9) == []
    assert look.pass_(0.2) == ["x.png"]
    assert look.pass_(5) == []


def test_an_empty_file_is_waited_for(tmp_path, look):
    path = tmp_path / "x.png"
    path.touch()
    look.note(path)
    assert [look.pass_(5) for _ in range(3)] == [[], [], []]
    path.write_bytes(encoded())
    look.pass_(5)
    assert look.pass_(2) == ["x.png"]


def test_a_file_that_goes_before_it_is_complete_is_forgotten(tmp_path, look):
    path = tmp_path / "x.png"
    path.write_bytes(encoded())
    look.note(path)
    look.pass_(0)
    path.rename(tmp_path / "y.png")
    look.note(path)
    look.note(tmp_path / "y.png")
    look.pass_(0)
    assert look.pass_(5) == ["y.png"]


def test_a_download_is_taken_once_it_has_its_name(tmp_path, look):
    path = tmp_path / "x.png.crdownload"
    path.write_bytes(encoded())
    look.note(path)
    look.pass_(0)
    assert look.pass_(60) == []
    path.rename(tmp_path / "x.png")
    look.note(tmp_path / "x.png")
    look.pass_(0)
    assert look.pass_(2) == ["x.png"]


def test_a_file_that_is_noted_again_unchanged_is_not_given_again_and_a_changed_one_is(tmp_path, look):
    path = tmp_path / "x.png"
    path.write_bytes(encoded(1))
    look.note(path)
    look.pass_(0)
    assert look.pass_(2) == ["x.png"]
    look.note_all(tmp_path)
    look.pass_(0)
    assert look.pass_(2) == []
    path.write_bytes(encoded(2, size=(30, 30)))
    look.note(path)
    look.pass_(0)
    assert look.pass_(2) == ["x.png"]


def test_results_hidden_files_and_what_lies_elsewhere_are_never_given(tmp_path, look):
    for path in tree(tmp_path, "out/x.png", f"{PART}00", ".h/x.png", "out/deep/y.png").rglob("*"):
        look.note(path)
    look.note(tmp_path.parent / "elsewhere.png")
    look.note_all(tmp_path)
    look.pass_(0)
    assert look.pass_(5) == []


def test_a_folder_that_moves_in_brings_what_it_holds_and_one_that_goes_takes_it_along(tmp_path, look):
    tree(tmp_path / "new", "a/x.png", "a/b/y.png")
    look.note(tmp_path / "new")
    look.pass_(0)
    assert look.pass_(2) == ["new/a/b/y.png", "new/a/x.png"]
    shutil.rmtree(tmp_path / "new")
    look.note(tmp_path / "new")
    tree(tmp_path / "new", "a/x.png")
    look.note(tmp_path / "new/a/x.png")
    look.pass_(0)
    assert look.pass_(2) == ["new/a/x.png"]


class Seen:
    """A folder that is watched in a thread of its own; what it gives, and how it ends, comes in turn."""

    def __init__(self, watched):
        self.watched = watched
        self._given = queue.Queue()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        try:
            for entry in self.watched:
                self._given.put((entry.name, content(entry)))
            self._given.put("end")
        except BadInput as error:
            self._given.put(error)

    def next(self):
        return self._given.get(timeout=PATIENCE)


@pytest.fixture(params=[False, True], ids=["told", "polled"])
def seen(tmp_path, request):
    watched = Watched(Folder(tmp_path / "in", apart=(tmp_path / "in/out",)), settle=0.1, poll=request.param)
    tree(tmp_path / "in", "first.png")
    made = Seen(watched)
    yield made
    watched.close()
    made.thread.join(PATIENCE)
    assert not made.thread.is_alive()


def test_a_real_folder_is_watched(tmp_path, seen):
    root = tmp_path / "in"
    assert seen.next() == ("first.png", encoded(0))
    tree(root, "out/first.png")
    (tmp_path / "moved.png").write_bytes(encoded(5))
    (tmp_path / "moved.png").rename(root / "moved.png")
    assert seen.next() == ("moved.png", encoded(5))
    (root / "first.png").unlink()
    tree(root, "deep/er/x.png")
    assert seen.next() == ("deep/er/x.png", encoded(0))
    shutil.rmtree(root / "deep")
    (root / "moved.png").rename(root / "renamed.png")
    assert seen.next() == ("renamed.png", encoded(5))
    seen.watched.close()
    assert seen.next() == "end"


def test_a_folder_that_goes_ends_the_watching(tmp_path, seen):
    seen.next()
    shutil.rmtree(tmp_path / "in")
    assert "is gone" in str(seen.next())


def test_closing_before_anything_came_ends_it(tmp_path):
    watched = Watched(Folder(tmp_path), settle=0.1)
    watched.close()
    watched.close()
    assert list(watched) == []
    assert watched.endless


def test_no_folder_and_an_absent_extra_are_said(tmp_path, monkeypatch):
    with pytest.raises(BadInput, match="is not a folder"):
        list(Watched(Folder(tmp_path / "nothing")))
    monkeypatch.setitem(__import__("sys").modules, "watchfiles", None)
    with pytest.raises(BadInput, match=r"cleancut\[watch\]"):
        list(Watched(Folder(tmp_path)))
