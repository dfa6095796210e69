import os

import pytest

from cleancut.errors import BadInput, BadUrl, NotAPicture, TooBig
from cleancut.jobs.batch.folders import Folder
from cleancut.jobs.batch.lists import Joined, Listed, Matched, Single, located, read_list
from cleancut.jobs.batch.remote import Network
from cleancut.limits import SourceLimits
from tests.jobs.batch.places import content, encoded, named, tree

NETWORK = Network()


def test_a_pattern_names_from_its_first_folder_that_is_one(tmp_path):
    tree(tmp_path, "in/a/x.jpg", "in/b/c/x.jpg", "in/b/y.png", "in/out/z.jpg", "in/.h/z.jpg")
    found = Matched(f"{tmp_path}/in/**/*.jpg", apart=(tmp_path / "in/out",))
    assert named(found) == ["a/x.jpg", "b/c/x.jpg"]
    assert [content(entry) for entry in found] == [encoded(0), encoded(1)]


def test_a_pattern_without_folders(tmp_path, monkeypatch):
    tree(tmp_path, "x.jpg", "y.jpg")
    monkeypatch.chdir(tmp_path)
    assert named(Matched("*.jpg")) == ["x.jpg", "y.jpg"]


def test_a_pattern_that_matches_nothing_is_said(tmp_path):
    with pytest.raises(BadInput, match="No file matches"):
        list(Matched(f"{tmp_path}/*.jpg"))


def test_one_file_is_asked_for_by_name(tmp_path):
    tree(tmp_path, "notes.txt", data=b"words")
    (entry,) = Single(str(tmp_path / "notes.txt"), NETWORK)
    assert (entry.name, entry.loose) == ("notes.txt", False)
    with pytest.raises(NotAPicture, match="does not exist"):
        list(Single(str(tmp_path / "gone.png"), NETWORK))


@pytest.mark.parametrize("sign", [b"\n", b"\0", b"\r\n"])
def test_a_list_of_lines_or_nul(tmp_path, sign):
    tree(tmp_path, "a/x.png", "y z.png")
    lines = [b"a/x.png", b"y z.png", os.fsencode(tmp_path / "y z.png"), b"a/x.png", b"gone.png", b""]
    entries = list(Listed(sign.join(lines), tmp_path, NETWORK))
    assert [entry.name for entry in entries] == ["a/x.png", "y z.png", "y z.png", "gone.png"]
    assert content(entries[0]) == encoded(0)


def test_a_list_may_name_files_anywhere(tmp_path):
    tree(tmp_path, "far/x.png", "lists/y.png")
    entries = list(Listed(b"../far/x.png\ny.png", tmp_path / "lists", NETWORK))
    assert entries[0].name == str(tmp_path / "far/x.png").lstrip("/")
    assert [content(entry) for entry in entries] == [encoded(0), encoded(1)]


def test_a_nul_list_may_hold_line_ends_in_names_and_says_that_they_cannot_stay(tmp_path):
    tree(tmp_path, "a\nb.png", "y.png")
    bad, good = Listed(b"a\nb.png\0y.png\0", tmp_path, NETWORK)
    assert "control character" in str(content(bad))
    assert bad.origin == "line 1"
    assert content(good) == encoded(1)


def test_addresses_in_a_list_are_entries_and_bad_ones_fail_alone(tmp_path):
    lines = b"s3://shop/x.png\nfile:///etc/passwd\nhttps://shop.example/y.png"
    bucket, bad, web = Listed(lines, tmp_path, NETWORK)
    assert (bucket.name, web.name) == ("shop/x.png", "shop.example/y.png")
    assert isinstance(content(bad), BadUrl)


def test_lists_are_limited_and_never_empty(tmp_path):
    with pytest.raises(TooBig, match="more than 2 lines"):
        Listed(b"a\nb\nc\nd", tmp_path, Network(SourceLimits(max_entries=2)))
    with pytest.raises(BadInput, match="empty"):
        Listed(b"\n\n", tmp_path, NETWORK)
    (tmp_path / "list").write_bytes(b"x" * 11)
    with pytest.raises(TooBig):
        read_list(lambda: (tmp_path / "list").open("rb"), "list", 10)
    with pytest.raises(BadInput, match="cannot be read"):
        read_list(lambda: (tmp_path / "gone").open("rb"), "gone", 10)


def test_what_is_confined_cannot_leave_its_folder_by_words_or_links(tmp_path):
    tree(tmp_path, "far/x.png", "in/y.png")
    (tmp_path / "in/link.png").symlink_to(tmp_path / "far/x.png")
    for text in ("../far/x.png", str(tmp_path / "far/x.png"), "link.png", "a/../../far/x.png"):
        with pytest.raises(BadInput, match="lies outside"):
            located(text, tmp_path / "in", NETWORK, confined=True)
    assert content(located("y.png", tmp_path / "in", NETWORK, confined=True)) == encoded(1)


def test_joined_sources_are_told_apart(tmp_path):
    tree(tmp_path, "a/x.png", "b/x.png")
    both = Joined([("a", Folder(tmp_path / "a")), ("b", Folder(tmp_path / "b"))])
    assert named(both) == ["a/x.png", "b/x.png"]
    assert not both.endless
    both.close()
