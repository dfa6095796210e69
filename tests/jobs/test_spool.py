"""The spool: private, whole files only, and nothing left of the dead."""

import errno
import os
import shutil
import signal
import stat
import subprocess
import sys

import pytest

from cleancut.errors import CannotWrite, NoRoom
from cleancut.jobs.spool import Spool
from cleancut.jobs.sqlite import SqliteStore
from cleancut.limits import ServiceLimits


@pytest.fixture
def spool(tmp_path):
    spool = Spool(tmp_path / "spool")
    yield spool
    spool.close()


def files(spool):
    return sorted(path.name for path in (spool.root / "files").iterdir())


def test_what_is_written_is_read(spool):
    name = spool.write(b"pixels")
    assert spool.read(name) == b"pixels"
    with spool.open(name) as stream:
        spool.remove([name])
        assert stream.read() == b"pixels"  # whoever has begun to read it may read it to its end
    assert files(spool) == []
    spool.remove([name])
    with pytest.raises(FileNotFoundError):
        spool.read(name)


@pytest.mark.skipif(os.name != "posix", reason="permissions are POSIX's")
def test_nobody_else_can_look_in(spool):
    name = spool.write(b"pixels")
    assert len(spool.secret("secret")) == 32
    SqliteStore(spool.root / "jobs.sqlite3", ServiceLimits()).close()
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (spool.root, spool.root / "files")]
    assert modes == [0o700, 0o700]
    files = [spool.root / "files" / name, *(path for path in spool.root.iterdir() if path.is_file())]
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    assert {path.name for path in files} >= {"secret", "jobs.sqlite3"}


def test_a_secret_is_made_once(spool):
    first = spool.secret("secret")
    other = Spool(spool.root)
    assert other.secret("secret") == first
    other.close()
    assert not list(spool.root.glob("*.part"))


@pytest.mark.skipif(os.name != "posix", reason="permissions are POSIX's")
def test_a_folder_that_others_can_look_into_is_refused(tmp_path):
    (tmp_path / "open").mkdir(mode=0o755)
    with pytest.raises(CannotWrite, match="chmod 700"):
        Spool(tmp_path / "open")


def test_a_file_in_the_way_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(CannotWrite, match="cannot be made"):
        Spool(tmp_path / "file")


def test_a_full_disk_leaves_nothing(spool, monkeypatch):
    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(NoRoom) as refused:
        spool.write(b"pixels")
    assert (refused.value.http_status, files(spool)) == (507, [])


def test_some_of_the_disk_stays_free(tmp_path):
    spool = Spool(tmp_path / "spool", spare=shutil.disk_usage(tmp_path).free)
    with pytest.raises(NoRoom):
        spool.write(b"pixels")
    assert files(spool) == []
    spool.close()


def test_a_broken_disk_is_told_without_a_path(spool):
    shutil.rmtree(spool.root / "files")
    with pytest.raises(CannotWrite) as refused:
        spool.write(b"pixels")
    assert str(spool.root) not in refused.value.public


def test_what_a_dead_writer_left_is_swept(tmp_path, spool):
    code = (
        "import os, sys; from pathlib import Path; from cleancut.jobs.spool import Spool;"
        "it = Spool(Path(sys.argv[1])); print(it.writer, it.write(b'kept'), it.write(b'left'), flush=True);"
        "(it.root / 'files' / f'{it.writer}-half.part').write_bytes(b'ha'); print(flush=True); sys.stdin.read()"
    )
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, "-c", code, spool.root], **pipes) as other:
        writer, kept, left = other.stdout.readline().split()
        other.stdout.readline()
        assert not spool.is_gone(writer)
        assert spool.sweep({kept}) == 0  # it lives: it may be about to name them
        other.send_signal(signal.SIGKILL)
        other.wait()
    assert spool.is_gone(writer)
    own = spool.write(b"own")
    assert spool.sweep({kept}) == 2
    assert files(spool) == sorted([kept, own])
    assert left not in files(spool)
    assert [path.name for path in spool.root.glob("*.lock")] == [f"{spool.writer}.lock"]


def test_whoever_leaves_is_gone(tmp_path, spool):
    other = Spool(spool.root)
    assert not spool.is_gone(other.writer)
    other.close()
    assert spool.is_gone(other.writer)
