"""The files of jobs: whole or not at all, whatever fails on the way."""

import os
import time

import pytest
from fsspec.implementations.memory import MemoryFileSystem

from cleancut.errors import BadSetting, NoRoom, StorageFailed
from cleancut.jobs.queue.depot import Depot
from cleancut.jobs.queue.ledger import Ledger
from cleancut.jobs.queue.orders import Handed
from cleancut.jobs.store import Claim, Failure, Result, Stored


class Failing(MemoryFileSystem):
    """Fails every other call, or all."""

    cachable = False
    store, pseudo_dirs = {}, [""]
    calls = 0
    always = False

    def _fail(self):
        Failing.calls += 1
        if self.always or Failing.calls % 2:
            raise OSError("503 Slow Down")

    def pipe_file(self, path, value, **more):
        self._fail()
        return super().pipe_file(path, value, **more)

    def cat_file(self, path, **more):
        self._fail()
        return super().cat_file(path, **more)

    def rm_file(self, path):
        self._fail()
        return super().rm_file(path)

    def find(self, path, **more):
        self._fail()
        return super().find(path, **more)


@pytest.fixture
def failing():
    depot = Depot("memory://failing", pause=lambda seconds: None)
    depot._files = Failing()
    return depot


@pytest.fixture(params=["folder", "memory"])
def each(request, tmp_path):
    return Depot(str(tmp_path / "a" / "b") if request.param == "folder" else f"memory://{tmp_path.name}")


def test_what_is_written_is_read_and_removed(each):
    name = each.write(b"pixels", key="k" * 64)
    assert name.startswith("k" * 64)
    assert each.read(name) == b"pixels"
    with each.open(name) as stream:
        assert stream.read() == b"pixels"
    each.remove([name, name])
    with pytest.raises(FileNotFoundError):
        each.read(name)


def test_the_same_bytes_are_two_files(each):
    assert each.write(b"x") != each.write(b"x")


def test_only_its_owner_reads_a_folder(tmp_path):
    depot = Depot(str(tmp_path / "depot"))
    name = depot.write(b"pixels")
    assert os.stat(tmp_path / "depot").st_mode & 0o077 == 0
    assert os.stat(tmp_path / "depot" / "files" / name).st_mode & 0o077 == 0


def test_a_full_disk_leaves_nothing_half_written(tmp_path, monkeypatch):
    depot = Depot(str(tmp_path))

    def full(*given):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("cleancut.jobs.queue.depot.publish", full)
    with pytest.raises(NoRoom):
        depot.write(b"pixels")
    assert list((tmp_path / "files").iterdir()) == []


def test_a_store_that_fails_half_the_calls_is_asked_again(failing):
    names = [failing.write(bytes([number])) for number in range(8)]
    assert [failing.read(name) for name in names] == [bytes([number]) for number in range(8)]
    failing.remove(names)
    assert failing.paths("files") == {}
    assert Failing.calls > 30


def test_a_store_that_always_fails_is_said_to(failing):
    failing._files.always = True
    with pytest.raises(StorageFailed, match="7 times"):
        failing.write(b"x")


def test_what_nobody_needs_is_swept_once_it_is_old(each):
    kept, left = each.write(b"kept"), each.write(b"left")
    assert each.sweep({kept}, older=time.time() - 3600) == 0
    assert each.sweep({kept}, older=time.time() + 3600) == 1
    assert each.read(kept) == b"kept"
    with pytest.raises(FileNotFoundError):
        each.read(left)


@pytest.mark.parametrize("url", ["no-such-protocol://bucket/x", "/proc/nowhere"])
def test_what_cannot_be_a_depot_is_refused(url):
    with pytest.raises(BadSetting):
        Depot(url)


def test_a_ledger_gives_back_what_it_was_told(each):
    ledger = Ledger(each)
    pictures = [Stored("a", "f", 1)]
    order = Handed(owner="ann", recipe={"model": "m"}, pictures=pictures, assets=[], key="k", made=["x"], pixels=[9])
    ledger.keep(order, 12.5)
    claims = [Claim(order.id, number, "h", 1, "ann", {}, Stored("a", "f", 1), ()) for number in (1, 2)]
    ends = [Result("r", 3, "image/png", {"a": 1}), Failure(400, "BadInput", "No.")]
    for claim, end in zip(claims, ends, strict=True):
        ledger.settled(claim, end)
    (entry,) = ledger.entries()
    assert (entry.order, entry.created, entry.settled) == (order, 12.5, dict(enumerate(ends, 1)))
    ledger.reopened(order.id, 2)
    assert set(next(ledger.entries()).settled) == {1}
    ledger.forget(order.id, 2)
    assert list(ledger.entries()) == []
    assert each.paths("orders") == {}


def test_s3_is_a_depot(monkeypatch):
    moto = pytest.importorskip("moto.server", reason="moto is not installed")
    s3fs = pytest.importorskip("s3fs", reason="s3fs is not installed")
    s3fs.S3FileSystem.clear_instance_cache()  # of another test's server, which answers no more
    for name, value in (("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test"), ("AWS_REGION", "us-east-1")):
        monkeypatch.setenv(name, value)
    server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    try:
        host, port = server.get_host_and_port()
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        from fsspec.core import url_to_fs

        url_to_fs("s3://bucket")[0].mkdir("bucket")
        depot = Depot("s3://bucket/jobs")
        name = depot.write(b"pixels")
        assert depot.read(name) == b"pixels"
        assert set(depot.paths("files")) == {f"files/{name}"}
        assert depot.sweep(set(), older=time.time() + 3600) == 1
        with pytest.raises(FileNotFoundError):
            depot.read(name)
    finally:
        server.stop()
        s3fs.S3FileSystem.clear_instance_cache()
