import asyncio
import errno
import hashlib
import json
import os
import stat
from contextlib import closing

import pytest

from cleancut.apps.keys.store import KeyStore
from cleancut.apps.server.audit import Audit
from cleancut.errors import AuditFailed, NotAPicture
from cleancut.matting import recipe as recipes

pytestmark = pytest.mark.anyio
RECIPE = recipes.make(effects=["blur:radius=3"])


@pytest.fixture
def path(tmp_path):
    return tmp_path / "audit.log"


def lines(path):
    return [json.loads(line) for line in path.read_text("ascii").splitlines()]


async def worked(audit, outcome="done", source=b"pixels", name="holiday.jpg"):
    async with audit.line("k1", "r1", source, RECIPE, name) as line:
        line.size = (96, 120)
        await audit.done(line, outcome)


async def test_a_picture_is_a_line(path):
    with closing(Audit(path)) as audit:
        await worked(audit)
        await worked(audit, "known")
    first, second = lines(path)
    assert list(first) == ["time", "who", "request", "source", "bytes", "size", "recipe", "outcome", "ms"]
    assert (first["who"], first["request"], first["bytes"], first["size"]) == ("k1", "r1", 6, [96, 120])
    assert first["source"] == hashlib.sha256(b"pixels").hexdigest()
    assert recipes.from_json(first["recipe"]) == RECIPE
    assert first["time"].endswith("+00:00")
    assert [first["outcome"], second["outcome"]] == ["done", "known"]


async def test_names_are_written_only_if_asked_for(path):
    with closing(Audit(path)) as audit:
        await worked(audit)
    assert "holiday" not in path.read_text()
    with closing(Audit(path, names=True)) as audit:
        await worked(audit, name='a"\n{"who": "forged"}\u2028é.jpg')
    assert [line.get("name") for line in lines(path)] == [None, 'a"\n{"who": "forged"}\u2028é.jpg']


async def test_what_fails_is_written_down_with_its_name(path):
    with closing(Audit(path)) as audit, pytest.raises(NotAPicture):
        async with audit.line("public", "r1", b"x", RECIPE, ""):
            raise NotAPicture("It is none.")
    (line,) = lines(path)
    assert (line["outcome"], line["size"]) == ("NotAPicture", None)


async def test_who_leaves_is_written_down(path):
    begun = asyncio.Event()

    async def work(audit):
        async with audit.line("k1", "r1", b"x", RECIPE, ""):
            begun.set()
            await asyncio.sleep(60)

    with closing(Audit(path)) as audit:
        task = asyncio.ensure_future(work(audit))
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert [line["outcome"] for line in lines(path)] == ["CancelledError"]


async def test_without_a_path_nothing_is_written(tmp_path):
    with closing(Audit()) as audit:
        await worked(audit)
        with pytest.raises(NotAPicture):
            async with audit.line("k1", "r1", b"x", RECIPE, ""):
                raise NotAPicture("It is none.")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name != "posix", reason="modes are those of POSIX")
async def test_nobody_else_may_read_it(path):
    old = os.umask(0)
    try:
        with closing(Audit(path)) as audit:
            await worked(audit)
    finally:
        os.umask(old)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_what_is_there_is_added_to(path):
    for _ in range(2):
        with closing(Audit(path)) as audit:
            await worked(audit)
    assert len(lines(path)) == 2


async def test_a_log_that_was_moved_away_is_begun_anew(path):
    with closing(Audit(path)) as audit:
        await worked(audit)
        path.rename(path.with_suffix(".1"))
        await worked(audit)
        await worked(audit)
    assert (len(lines(path.with_suffix(".1"))), len(lines(path))) == (1, 2)


async def test_many_at_once_are_whole_lines(path):
    with closing(Audit(path)) as audit, closing(Audit(path)) as other:
        await asyncio.gather(*[worked(one, source=bytes(n)) for n in range(40) for one in (audit, other)])
    assert sorted(line["bytes"] for line in lines(path)) == sorted([*range(40), *range(40)])


async def test_a_place_that_cannot_be_written_is_told_at_the_start(tmp_path):
    with pytest.raises(AuditFailed, match="cannot be written") as failed:
        Audit(tmp_path / "nowhere" / "audit.log")
    assert "nowhere" not in failed.value.public


@pytest.fixture
def disk(monkeypatch, path):
    """A disk that has room for so many bytes more; None is without end."""

    class Disk:
        room = None

    write = os.write

    def limited(file, data):
        if Disk.room is None or not os.path.samestat(os.fstat(file), path.stat()):
            return write(file, data)
        if Disk.room == 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        done = write(file, data[: Disk.room])
        Disk.room -= done
        return done

    monkeypatch.setattr(os, "write", limited)
    return Disk


async def test_on_a_full_disk_the_result_is_withheld_and_nothing_is_begun_until_it_is_written(path, disk):
    with closing(Audit(path)) as audit:
        await worked(audit)
        disk.room = 50
        with pytest.raises(AuditFailed, match="No space left"):
            await worked(audit, source=b"owed")
        with pytest.raises(AuditFailed):
            async with audit.line("k1", "r2", b"", RECIPE, ""):
                raise AssertionError("work was begun")
        disk.room = None
        await worked(audit, source=b"after")
    assert [line["bytes"] for line in lines(path)] == [6, 4, 5], "nothing is lost, and no line is half"


async def test_a_failure_on_a_full_disk_is_owed_too(path, disk):
    with closing(Audit(path)) as audit:
        disk.room = 0
        with pytest.raises(AuditFailed):
            async with audit.line("k1", "r1", b"x", RECIPE, ""):
                raise NotAPicture("It is none.")
        disk.room = None
        await worked(audit)
    assert [line["outcome"] for line in lines(path)] == ["NotAPicture", "done"]


def post(client, photo, **headers):
    return client.post("/v1/cut", content=photo, headers={"Content-Type": "image/jpeg", **headers})


def test_the_service_writes_down_what_is_asked_of_it(serve, path, photo, tmp_path):
    with closing(KeyStore(tmp_path / "keys.sqlite")) as store:
        key, text = store.create("shop")
        client = serve(audit_log=str(path), require_keys=True, keys_file=str(store.path))
        for headers in ({"X-Request-ID": "one"}, {"X-Request-ID": "two"}):
            assert post(client, photo, **headers, **{"X-API-Key": text}).status_code == 200
        assert post(client, b"no picture", **{"X-API-Key": text}).status_code == 400
    first, second, third = lines(path)
    assert {line["who"] for line in (first, second, third)} == {key.id}
    assert (first["request"], first["outcome"], first["size"]) == ("one", "done", [96, 120])
    assert first["source"] == hashlib.sha256(photo).hexdigest()
    assert (second["request"], second["outcome"]) == ("two", "known")
    assert third["outcome"] == "NotAPicture"
    assert text not in path.read_text()


def test_the_service_gives_no_result_that_it_cannot_write_down(serve, path, photo, disk):
    client = serve(audit_log=str(path))
    disk.room = 0
    for _ in range(2):
        answer = post(client, photo)
        assert (answer.status_code, answer.json()["code"]) == (503, "audit_failed")
        assert str(path) not in answer.text
    disk.room = None
    assert post(client, photo).status_code == 200
    assert [line["outcome"] for line in lines(path)] == ["done", "known"]
