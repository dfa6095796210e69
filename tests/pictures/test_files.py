"""Files are written whole or not at all, whatever happens meanwhile."""

import errno
import os
import stat

import pytest

from cleancut.errors import CannotWrite
from cleancut.pictures.files import replacing, shown


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_file_appears_only_when_it_is_whole(tmp_path):
    with replacing(tmp_path / "cut.png", False) as stream:
        stream.write(b"half")
        assert not (tmp_path / "cut.png").exists()
        assert len(names(tmp_path)) == 1
        assert names(tmp_path)[0].startswith(".")
        stream.write(b" and half")
    assert names(tmp_path) == ["cut.png"]
    assert (tmp_path / "cut.png").read_bytes() == b"half and half"


def test_an_existing_file_is_left_alone_unless_it_may_be_overwritten(tmp_path):
    path = tmp_path / "cut.png"
    path.write_bytes(b"mine")
    with pytest.raises(CannotWrite, match=r"cut\.png cannot be written: it exists already"), replacing(path, False):
        pytest.fail("refused before the work, not after it")
    assert path.read_bytes() == b"mine"
    with replacing(path, True) as stream:
        stream.write(b"new")
    assert path.read_bytes() == b"new"
    assert names(tmp_path) == ["cut.png"]


@pytest.mark.parametrize("links", [True, False])
def test_a_file_that_appears_meanwhile_is_left_alone(tmp_path, monkeypatch, links):
    def no_links(*_):
        raise OSError(errno.EPERM, "Operation not permitted")

    if not links:  # as on FAT
        monkeypatch.setattr(os, "link", no_links)
    path = tmp_path / "cut.png"
    with pytest.raises(CannotWrite, match="it exists already"), replacing(path, False) as stream:
        stream.write(b"new")
        path.write_bytes(b"theirs")
    assert path.read_bytes() == b"theirs"
    assert names(tmp_path) == ["cut.png"]
    with replacing(tmp_path / "other.png", False) as stream:
        stream.write(b"new")
    assert (tmp_path / "other.png").read_bytes() == b"new"


@pytest.mark.parametrize("failure", [KeyboardInterrupt, SystemExit, MemoryError, RuntimeError("mid-way")])
def test_whatever_fails_leaves_nothing_behind(tmp_path, failure):
    (tmp_path / "old.png").write_bytes(b"old")
    for name, overwrite in (("new.png", False), ("old.png", True)):
        with pytest.raises(BaseException) as caught, replacing(tmp_path / name, overwrite) as stream:
            stream.write(b"half")
            raise failure
        assert caught.type in {failure, type(failure)}
    assert names(tmp_path) == ["old.png"]
    assert (tmp_path / "old.png").read_bytes() == b"old"


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (errno.ENOSPC, "the disk is full."),
        (errno.EDQUOT, "your share of the disk is full."),
        (errno.EIO, "Input/output error."),
        (None, "the encoder failed."),
    ],
)
def test_a_disk_that_takes_no_more_is_one_sentence(tmp_path, number, reason):
    with pytest.raises(CannotWrite) as caught, replacing(tmp_path / "cut.png", False) as stream:
        stream.write(b"half")
        raise OSError(number, os.strerror(number)) if number else OSError("encoder error -2")
    assert str(caught.value) == f"{tmp_path}/cut.png cannot be written: {reason}"
    assert caught.value.exit_code == 2
    assert names(tmp_path) == []


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_disk_that_is_really_full(tmp_path, monkeypatch):
    opened = os.open
    monkeypatch.setattr("pathlib.io.open", lambda path, mode, *_: open("/dev/full", "wb"))  # noqa: SIM115
    with pytest.raises(CannotWrite, match="the disk is full"), replacing(tmp_path / "cut.png", False) as stream:
        stream.write(bytes(100_000))
    assert opened is os.open


@pytest.mark.parametrize(("number", "name"), [(errno.EACCES, "denied"), (errno.EROFS, "mounted so")])
def test_a_read_only_folder(tmp_path, monkeypatch, number, name):
    def refuse(*_, **__):
        raise OSError(number, name)

    monkeypatch.setattr("pathlib.io.open", refuse)  # root may write to every folder
    message = r"cut\.png cannot be written: its folder is read-only\."
    with pytest.raises(CannotWrite, match=message), replacing(tmp_path / "cut.png", False):
        pytest.fail("nothing was opened")


def test_what_cannot_be_a_file_is_called_what_it_is(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_bytes(b"")
    os.mkfifo(tmp_path / "pipe")
    reasons = {
        "folder": "there is a folder of that name",
        "absent/cut.png": "its folder does not exist",
        "file/cut.png": "what should be its folder is a file",
        "pipe": "it is a device or a pipe; write to stdout instead",
        "x" * 300: "the name is too long",
    }
    for name, reason in reasons.items():
        path = tmp_path / name
        with pytest.raises(CannotWrite) as caught, replacing(path, True):
            pytest.fail(name)
        assert str(caught.value) == f"{shown(path)} cannot be written: {reason}."
    with pytest.raises(CannotWrite, match="not the name of a file"), replacing(tmp_path / "a\0b", True):
        pytest.fail("null")
    assert names(tmp_path) == ["file", "folder", "pipe"]


def test_a_symbolic_link_stays_one(tmp_path):
    (tmp_path / "real.png").write_bytes(b"old")
    (tmp_path / "link.png").symlink_to("real.png")
    with replacing(tmp_path / "link.png", True) as stream:
        stream.write(b"new")
    assert (tmp_path / "link.png").is_symlink()
    assert (tmp_path / "real.png").read_bytes() == b"new"


def test_the_umask_decides_who_may_read(tmp_path):
    before = os.umask(0o027)
    try:
        with replacing(tmp_path / "cut.png", False) as stream:
            stream.write(b"x")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "cut.png").stat().st_mode) == 0o640
