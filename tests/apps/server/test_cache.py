import asyncio
import stat

import pytest

from cleancut.apps.server.cache import Disk, Flights, Kept, Memory, Off, cache
from cleancut.apps.server.settings import read_settings
from cleancut.errors import BadSetting
from cleancut.types import Ran, Report

pytestmark = pytest.mark.anyio

RAN = Ran("small", "MIT", "0" * 64, "cpu", "fp32", 0.9, 1.5)
REPORT = Report(
    name="cat", size=(4, 3), box=(1, 1, 2, 2), confidence=0.9, softness=1.0, uncertain=0.1, model="small",
    sha256="0" * 64, provider="cpu", precision="fp32", models=(RAN,), refine=("auto",), ms={"read": 1.0}, notes=(),
)  # fmt: skip


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture
def clock():
    """Seconds that a test sets."""

    class Clock:
        now = 0.0

        def __call__(self):
            return self.now

    return Clock()


@pytest.fixture(params=[Memory, Disk])
def kept_somewhere(request, tmp_path, clock):
    """A cache of 3,000 bytes for 60 seconds, of either kind."""
    if request.param is Memory:
        return Memory(3_000, 60, clock)
    return Disk(tmp_path / "cache", 3_000, 60, clock)


def kept(data):
    return Kept(data, "image/png", REPORT)


async def test_what_is_kept_comes_back_whole(kept_somewhere):
    assert await kept_somewhere.get("a") is None
    await kept_somewhere.put("a", kept(b"\n\x00data\n"))
    found = await kept_somewhere.get("a")
    assert (found.data, found.media_type, found.report) == (b"\n\x00data\n", "image/png", REPORT)
    assert kept_somewhere.entries == 1 and kept_somewhere.bytes >= 7


async def test_old_results_are_forgotten_though_nobody_asks(kept_somewhere, clock):
    await kept_somewhere.put("a", kept(b"data"))
    clock.now = 61
    await kept_somewhere.forget()
    assert (kept_somewhere.entries, kept_somewhere.bytes) == (0, 0)


async def test_the_ones_used_longest_ago_make_way(kept_somewhere):
    for name in "abcd":
        await kept_somewhere.put(name, kept(bytes(500)))
        await kept_somewhere.get("a")
    for name in "efgh":
        await kept_somewhere.put(name, kept(bytes(500)))
        await kept_somewhere.get("a")
    assert kept_somewhere.bytes <= 3_000
    assert await kept_somewhere.get("a") is not None
    assert await kept_somewhere.get("b") is None


async def test_what_is_larger_than_all_is_not_kept(kept_somewhere):
    await kept_somewhere.put("a", kept(bytes(4_000)))
    assert await kept_somewhere.get("a") is None and kept_somewhere.bytes == 0


async def test_what_is_old_is_forgotten(kept_somewhere, clock):
    await kept_somewhere.put("a", kept(b"data"))
    clock.now = 59.9
    assert await kept_somewhere.get("a") is not None
    clock.now = 60.0
    assert await kept_somewhere.get("a") is None
    assert (kept_somewhere.bytes, kept_somewhere.entries) == (0, 0)


async def test_a_file_is_private_and_leaves_with_its_result(tmp_path, clock):
    folder = tmp_path / "cache"
    disk = Disk(folder, 3_000, 60, clock)
    await disk.put("a", kept(b"data"))
    (file,) = folder.iterdir()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700 and stat.S_IMODE(file.stat().st_mode) == 0o600
    clock.now = 61
    await disk.get("a")
    assert list(folder.iterdir()) == []


async def test_what_an_earlier_run_left_is_removed(tmp_path):
    await Disk(tmp_path / "cache", 3_000, 60).put("a", kept(b"data"))
    again = Disk(tmp_path / "cache", 3_000, 60)
    assert await again.get("a") is None and list((tmp_path / "cache").iterdir()) == []


async def test_a_file_that_somebody_took_is_no_result(tmp_path):
    disk = Disk(tmp_path / "cache", 3_000, 60)
    await disk.put("a", kept(b"data"))
    next((tmp_path / "cache").iterdir()).unlink()
    assert await disk.get("a") is None


async def test_a_disk_that_takes_nothing_keeps_nothing(tmp_path):
    disk = Disk(tmp_path / "cache", 3_000, 60)
    (tmp_path / "cache").rmdir()
    await disk.put("a", kept(b"data"))
    assert await disk.get("a") is None and disk.bytes == 0


def test_a_folder_that_others_may_read_is_refused(tmp_path):
    tmp_path.chmod(0o755)
    with pytest.raises(BadSetting, match="0700"):
        Disk(tmp_path, 3_000, 60)


def test_the_settings_choose(tmp_path):
    assert isinstance(cache(read_settings(cache="off")), Off)
    assert isinstance(cache(read_settings()), Memory)
    assert isinstance(cache(read_settings(cache="disk", cache_dir=str(tmp_path / "c"))), Disk)
    with pytest.raises(BadSetting, match="CLEANCUT_CACHE_DIR"):
        cache(read_settings(cache="disk"))


async def test_nothing_is_kept_where_it_is_off():
    off = Off()
    await off.put("a", kept(b"data"))
    assert await off.get("a") is None and (off.bytes, off.entries) == (0, 0)


async def test_what_is_asked_for_again_while_it_is_made_is_made_once():
    flights, made, go = Flights(), [], asyncio.Event()

    async def make():
        made.append(1)
        await go.wait()
        return "done"

    tasks = [asyncio.create_task(flights.join("a", make)) for _ in range(3)]
    await asyncio.sleep(0)
    go.set()
    assert await asyncio.gather(*tasks) == [("done", False), ("done", True), ("done", True)]
    assert made == [1]
    assert await flights.join("a", make) == ("done", False)


async def test_work_is_dropped_when_the_last_who_waits_has_left():
    flights, dropped = Flights(), asyncio.Event()

    async def make():
        try:
            await asyncio.sleep(60)
        finally:
            dropped.set()

    tasks = [asyncio.create_task(flights.join("a", make)) for _ in range(2)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    tasks[0].cancel()
    await asyncio.wait({tasks[0]})
    assert not dropped.is_set()
    tasks[1].cancel()
    await asyncio.wait({tasks[1]})
    await asyncio.wait_for(dropped.wait(), 20)


async def test_a_failure_is_told_to_all_and_not_kept():
    flights, tries = Flights(), []

    async def fail():
        tries.append(1)
        await asyncio.sleep(0)
        raise BadSetting("no")

    found = await asyncio.gather(*(flights.join("a", fail) for _ in range(2)), return_exceptions=True)
    assert [str(error) for error in found] == ["no", "no"]
    with pytest.raises(BadSetting):
        await flights.join("a", fail)
    assert tries == [1, 1]
