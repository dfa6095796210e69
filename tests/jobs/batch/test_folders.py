import errno
import os

import pytest

from cleancut.errors import BadInput, CannotWrite, NoSpace, NotAPicture
from cleancut.jobs.batch.folders import PART, Folder, Results, file_entry
from cleancut.jobs.batch.inside import hidden, inside
from tests.jobs.batch.places import content, encoded, named, tree, unprivileged


def test_a_tree_is_listed_in_the_order_of_its_names(tmp_path):
    tree(tmp_path, "b/x.png", "a/x.png", "x.jpg", "a/b/y.webp")
    assert named(Folder(tmp_path)) == ["x.jpg", "a/x.png", "a/b/y.webp", "b/x.png"]
    assert named(Folder(tmp_path)) == named(Folder(tmp_path))


def test_results_and_hidden_names_are_left_out(tmp_path):
    tree(tmp_path, "x.png", "out/x.png", ".hidden.png", ".git/y.png", f"{PART}00", ".cleancut.jsonl", "cut.zip")
    assert named(Folder(tmp_path, apart=(tmp_path / "out", tmp_path / "cut.zip"))) == ["x.png"]


def test_what_is_no_picture_is_loose_and_says_so(tmp_path):
    tree(tmp_path, "notes.md", data=b"# notes")
    tree(tmp_path, "unnamed", "x.png")
    found = {entry.name: entry for entry in Folder(tmp_path)}
    assert {name for name, entry in found.items() if entry.loose} == {"notes.md", "unnamed"}
    assert isinstance(content(found["notes.md"]), NotAPicture)
    assert content(found["unnamed"]) == encoded()


def test_a_stamp_changes_with_the_content(tmp_path):
    path = tree(tmp_path, "x.png") / "x.png"
    before = file_entry(path, "x.png").stamp
    assert before == file_entry(path, "x.png").stamp
    os.utime(path, ns=(0, 1))
    assert before != file_entry(path, "x.png").stamp


def test_links_to_folders_are_told_and_followed_on_demand_but_never_in_a_circle(tmp_path):
    tree(tmp_path / "in", "a/x.png")
    tree(tmp_path / "far", "y.png")
    (tmp_path / "in/far").symlink_to(tmp_path / "far")
    (tmp_path / "in/a/again").symlink_to(tmp_path / "in")
    told = {entry.name: entry for entry in Folder(tmp_path / "in")}
    assert set(told) == {"a/x.png", "a/again", "far"}
    assert told["far"].loose
    assert "--follow-links" in str(content(told["far"]))
    assert named(Folder(tmp_path / "in", follow_links=True)) == ["a/x.png", "far/y.png"]


@pytest.mark.skipif(not unprivileged(), reason="root may look into every folder")
def test_a_folder_that_cannot_be_looked_into_is_an_entry_that_fails(tmp_path):
    closed = tree(tmp_path, "closed/x.png", "y.png") / "closed"
    closed.chmod(0)
    try:
        found = {entry.name: content(entry) for entry in Folder(tmp_path)}
    finally:
        closed.chmod(0o700)
    assert isinstance(found["closed"], NotAPicture)
    assert found["y.png"] == encoded(1)


def test_a_folder_that_vanishes_is_an_entry_that_fails(tmp_path, monkeypatch):
    tree(tmp_path, "gone/x.png", "y.png")
    real = os.scandir

    def scandir(path):
        if str(path).endswith("gone"):
            raise OSError(errno.EIO, "Input/output error", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    found = {entry.name: content(entry) for entry in Folder(tmp_path)}
    assert "Input/output error" in str(found["gone"])
    assert found["y.png"] == encoded(1)


def test_names_that_are_no_utf_8_come_through(tmp_path):
    (tmp_path / os.fsdecode(b"caf\xe9.png")).write_bytes(encoded())
    (entry,) = Folder(tmp_path)
    assert os.fsencode(entry.name) == b"caf\xe9.png"
    assert content(entry) == encoded()


def test_no_folder_is_said(tmp_path):
    with pytest.raises(BadInput, match="is not a folder"):
        list(Folder(tmp_path / "nothing"))


def test_results_are_written_whole_and_read_back(tmp_path):
    results = Results(tmp_path / "out")
    assert results.size("a/x.png") is None
    results.put("a/x.png", b"one")
    results.put("a/x.png", b"longer")
    assert results.size("a/x.png") == 6
    assert results.get("a/x.png") == b"longer"
    assert [path.name for path in (tmp_path / "out/a").iterdir()] == ["x.png"]
    assert results.shown("a/x.png").endswith("out/a/x.png")


def test_a_file_where_a_folder_should_be_fails_that_result_alone(tmp_path):
    results = Results(tmp_path)
    results.put("a", b"file")
    with pytest.raises(CannotWrite, match="cannot be made") as told:
        results.put("a/x.png", b"data")
    assert not isinstance(told.value, NoSpace)


def test_a_full_disk_is_told_from_one_bad_name(tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("pathlib.Path.mkdir", full)
    with pytest.raises(NoSpace, match="No space left"):
        Results(tmp_path).put("a/x.png", b"data")


def test_sweeping_removes_what_was_half_written_and_nothing_else(tmp_path):
    tree(tmp_path, "a/x.png", f"a/{PART}0123456789abcdef")
    Results(tmp_path).sweep()
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["x.png"]
    Results(tmp_path / "nowhere").sweep()


@pytest.mark.parametrize(
    "name",
    [
        "../x.png",
        "a/../../x",
        "/etc/passwd",
        "C:\\x.png",
        "a\0b",
        "a\nb",
        "",
        ".",
        "a" * 2_000,
        "\\\\host\\b",
        "a/\x7f",
    ],
)
def test_no_name_leads_out_of_the_tree(name):
    with pytest.raises(BadInput):
        inside(name)


def test_names_are_made_plain():
    assert inside("./a\\b//c.png") == "a/b/c.png"
    assert [hidden(name) for name in ("a/.b/c", "__MACOSX/x.png", "a/b.c")] == [True, True, False]
