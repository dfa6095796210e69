import io
import struct
import zipfile

import pytest

from cleancut.errors import BadInput, CannotWrite, NotAPicture, NotFound, TooBig
from cleancut.jobs.batch.archives import Archive, count_entries
from cleancut.jobs.batch.folders import PART
from cleancut.jobs.batch.packed import Packed
from cleancut.limits import SourceLimits
from tests.jobs.batch.places import content, encoded, named, zipped

LIMITS = SourceLimits()


@pytest.fixture
def opened():
    """Opens archives, and closes them."""
    kept = []

    def open_(path, limits=LIMITS):
        kept.append(Archive(path, limits))
        return kept[-1]

    yield open_
    for archive in kept:
        archive.close()
        archive.close()


def test_pictures_come_out_of_their_folders(tmp_path, opened):
    files = {"a/x.png": encoded(1), "b/x.png": encoded(2), "a/": b"", "__MACOSX/a/._x.png": b"", ".DS_Store": b"x"}
    entries = list(opened(zipped(tmp_path / "in.zip", files)))
    assert [entry.name for entry in entries] == ["a/x.png", "b/x.png"]
    assert [content(entry) for entry in entries] == [encoded(1), encoded(2)]
    assert len({entry.stamp for entry in entries}) == 2


def test_what_is_no_picture_is_loose(tmp_path, opened):
    archive = opened(zipped(tmp_path / "in.zip", {"notes.txt": b"words", "inner.zip": b"PK\3\4", "unnamed": encoded()}))
    found = {entry.name: entry for entry in archive}
    assert all(entry.loose for entry in found.values())
    assert isinstance(content(found["notes.txt"]), NotAPicture)
    assert isinstance(content(found["inner.zip"]), NotAPicture)
    assert content(found["unnamed"]) == encoded()


@pytest.mark.parametrize(
    "name", ["../evil.png", "a/../../evil.png", "/tmp/evil.png", "..\\evil.png", "C:/evil.png", "a\nb.png"]
)
def test_names_that_lead_out_fail_and_the_rest_is_done(tmp_path, opened, name):
    archive = opened(zipped(tmp_path / "in.zip", {name: encoded(), "good.png": encoded(1)}))
    bad, good = archive
    assert isinstance(content(bad), BadInput)
    assert "entry 1" in bad.origin
    assert content(good) == encoded(1)


def test_a_name_that_hides_its_end_is_refused(tmp_path, opened):
    path = zipped(tmp_path / "in.zip", {"x.pngZ../y": encoded()})
    path.write_bytes(path.read_bytes().replace(b"x.pngZ../y", b"x.png\0../y"))
    (entry,) = opened(path)
    assert "control character" in str(content(entry))


def test_a_name_that_comes_twice_is_told(tmp_path, opened):
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(tmp_path / "in.zip", "w") as archive:
        archive.writestr("x.png", encoded(1))
        archive.writestr("x.png", encoded(2))
    first, second = opened(tmp_path / "in.zip")
    assert content(first) == encoded(1)
    assert "twice" in str(content(second))


def _flagged(path, *, flags=None, method=None):
    """Change the flags or the method of a ZIP's only entry, in its directory and before its data."""
    data = bytearray(path.read_bytes())
    local, central = data.index(b"PK\3\4"), data.index(b"PK\1\2")
    for place, value in ((6, flags), (8, method)):
        if value is not None:
            struct.pack_into("<H", data, local + place, value)
            struct.pack_into("<H", data, central + place + 2, value)
    path.write_bytes(data)
    return path


def test_an_encrypted_entry_is_told(tmp_path, opened):
    path = _flagged(zipped(tmp_path / "in.zip", {"x.png": encoded()}), flags=1)
    (entry,) = opened(path)
    assert "encrypted" in str(content(entry))


@pytest.mark.parametrize("method", [9, 14, 93, 95])
def test_methods_that_may_ask_for_much_memory_are_not_read(tmp_path, opened, method):
    (entry,) = opened(_flagged(zipped(tmp_path / "in.zip", {"x.png": encoded()}), method=method))
    assert "method" in str(content(entry))


def test_a_link_is_told(tmp_path, opened):
    with zipfile.ZipFile(tmp_path / "in.zip", "w") as archive:
        info = zipfile.ZipInfo("x.png")
        info.external_attr = 0o120777 << 16
        archive.writestr(info, "/etc/passwd")
    (entry,) = opened(tmp_path / "in.zip")
    assert "link" in str(content(entry))


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_damaged_entry_fails_and_the_rest_is_done(tmp_path, opened, method):
    path = zipped(tmp_path / "in.zip", {"x.png": encoded(1), "y.png": encoded(2)}, method)
    data = bytearray(path.read_bytes())
    data[data.index(b"x.png") + 60] ^= 0x55
    path.write_bytes(data)
    bad, good = opened(path)
    assert "damaged" in str(content(bad))
    assert content(good) == encoded(2)


def test_an_entry_beyond_the_limit_is_not_unpacked(tmp_path, opened):
    (entry,) = opened(zipped(tmp_path / "in.zip", {"x.png": b"\0" * 5_000}), SourceLimits(max_bytes=4_999))
    assert isinstance(content(entry), TooBig)


def test_bombs_are_refused_before_anything_is_unpacked(tmp_path):
    path = zipped(tmp_path / "in.zip", {f"{n}.png": b"\0" * 100_000 for n in range(20)})
    with pytest.raises(TooBig, match="would unpack"):
        Archive(path, SourceLimits(max_unpacked=1_000_000))


def test_an_archive_that_says_it_holds_little_and_unpacks_to_much_is_cut_off(tmp_path, opened):
    path = zipped(tmp_path / "in.zip", {"x.png": b"\0" * 1_000_000})
    data = bytearray(path.read_bytes())
    for sign, place in ((b"PK\3\4", 22), (b"PK\1\2", 24)):
        struct.pack_into("<L", data, data.index(sign) + place, 100)
    path.write_bytes(data)
    (entry,) = opened(path)
    told = content(entry)
    assert isinstance(told, NotAPicture) or len(told) <= 100


def test_entries_are_counted_whatever_the_archive_says_of_them(tmp_path):
    path = zipped(tmp_path / "in.zip", {f"{n}.png": b"" for n in range(50)})
    data = bytearray(path.read_bytes())
    end = data.rindex(b"PK\5\6")
    struct.pack_into("<HH", data, end + 8, 1, 1)
    path.write_bytes(data)
    assert count_entries(io.BytesIO(data), "in.zip", LIMITS) == 50
    with pytest.raises(TooBig, match="more than 49 entries"):
        Archive(path, SourceLimits(max_entries=49))


def test_a_hundred_thousand_entries_are_listed(tmp_path, opened):
    path = tmp_path / "in.zip"
    with zipfile.ZipFile(path, "w") as archive:  # more than 65,535: a ZIP64
        for number in range(100_000):
            archive.writestr(zipfile.ZipInfo(f"{number % 100}/{number}.png"), b"")
    with path.open("rb") as file:
        assert count_entries(file, "in.zip", LIMITS) == 100_000
    assert sum(1 for _ in opened(path)) == 100_000


@pytest.mark.parametrize("data", [b"", b"PK", b"no archive at all" * 10, encoded(), b"PK\5\6" + b"\xff" * 18])
def test_what_is_no_archive_is_said(tmp_path, data):
    (tmp_path / "in.zip").write_bytes(data)
    with pytest.raises(BadInput):
        Archive(tmp_path / "in.zip", LIMITS)


def test_every_cut_of_an_archive_is_refused_or_read(tmp_path):
    whole = zipped(tmp_path / "whole.zip", {"x.png": encoded(1), "y.png": encoded(2)}).read_bytes()
    for end in range(0, len(whole), 7):
        (tmp_path / "cut.zip").write_bytes(whole[:end])
        with pytest.raises(BadInput):
            Archive(tmp_path / "cut.zip", LIMITS)


def test_an_archive_with_something_before_it_is_read(tmp_path, opened):
    path = zipped(tmp_path / "in.zip", {"x.png": encoded()})
    path.write_bytes(b"#!/bin/sh\n" + path.read_bytes())
    (entry,) = opened(path)
    assert content(entry) == encoded()


def test_no_archive_appears_before_the_end_and_a_run_that_was_cut_short_is_continued(tmp_path):
    path = tmp_path / "out.zip"
    first = Packed(path, LIMITS)
    first.put("a/x.png", b"one")
    first.close(whole=False)
    assert not path.exists()
    second = Packed(path, LIMITS)
    assert second.size("a/x.png") == 3
    second.put("b/x.png", b"three")
    second.close(whole=True)
    with zipfile.ZipFile(path) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == {"a/x.png": b"one", "b/x.png": b"three"}
    assert [found.name for found in tmp_path.iterdir()] == ["out.zip"]


def test_a_later_run_adds_to_the_archive_and_replaces_in_it(tmp_path):
    for files in ({"x.png": b"one", "y.png": b"two"}, {"y.png": b"TWO!", "z.png": b"three"}):
        packed = Packed(tmp_path / "out.zip", LIMITS)
        for name, data in files.items():
            packed.put(name, data)
        packed.close(whole=True)
    again = Packed(tmp_path / "out.zip", LIMITS)
    assert {name: again.get(name) for name in ["x.png", "y.png", "z.png"]} == {
        "x.png": b"one", "y.png": b"TWO!", "z.png": b"three"
    }  # fmt: skip
    assert (again.size("y.png"), again.size("nothing.png")) == (4, None)
    with pytest.raises(NotFound):
        again.get("nothing.png")


def test_equal_results_make_equal_archives(tmp_path):
    for name, order in (("one.zip", "ab"), ("two.zip", "ba")):
        packed = Packed(tmp_path / name, LIMITS)
        for letter in order:
            packed.put(f"{letter}.png", letter.encode())
        packed.close(whole=True)
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()


def test_a_run_without_results_makes_no_archive(tmp_path):
    Packed(tmp_path / "out.zip", LIMITS).close(whole=True)
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_run_left_is_swept_and_not_packed(tmp_path):
    packed = Packed(tmp_path / "out.zip", LIMITS)
    packed.put("x.png", b"one")
    parts = tmp_path / ".out.zip.parts"
    (parts / f"{PART}archive").write_bytes(b"half")
    (parts / f"{PART}0123456789abcdef").write_bytes(b"half")
    packed.sweep()
    assert [path.name for path in parts.iterdir()] == ["x.png"]
    packed.close(whole=True)
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        assert archive.namelist() == ["x.png"]


def test_what_is_there_and_no_archive_is_not_replaced(tmp_path):
    (tmp_path / "out.zip").write_bytes(b"my diary")
    with pytest.raises(BadInput):
        Packed(tmp_path / "out.zip", LIMITS)
    assert (tmp_path / "out.zip").read_bytes() == b"my diary"


def test_a_name_that_a_zip_cannot_hold_is_told(tmp_path):
    with pytest.raises(CannotWrite, match="UTF-8"):
        Packed(tmp_path / "out.zip", LIMITS).put("caf\udce9.png", b"data")


def test_an_archive_that_cannot_be_written_leaves_its_results(tmp_path):
    packed = Packed(tmp_path / "out.zip", LIMITS)
    packed.put("x.png", b"one")
    (tmp_path / "out.zip").mkdir()
    with pytest.raises(CannotWrite):
        packed.close(whole=True)
    assert packed.get("x.png") == b"one"
    assert named(()) == []
