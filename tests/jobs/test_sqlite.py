"""What is SQLite's own of a job store: files that are none of ours, full disks, names that must not stay behind."""

import os
import sqlite3
import subprocess
import sys
from dataclasses import replace

import pytest

from cleancut.errors import JobsFailed, NoRoom
from cleancut.jobs.sqlite import SqliteStore
from cleancut.jobs.store import Failure
from cleancut.limits import ServiceLimits
from tests.jobs.orders import LIMITS, Clock, order

BAD = Failure(400, "NotAPicture", "It is no picture.")


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def make(tmp_path, clock):
    """Opens the same store as often as it is called, as several processes would."""
    opened = []

    def make(**limits):
        opened.append(SqliteStore(tmp_path / "jobs.sqlite3", replace(LIMITS, **limits), clock))
        return opened[-1]

    yield make
    for store in opened:
        store.close()


@pytest.fixture
def store(make):
    return make()


def test_names_are_overwritten_when_a_job_goes(store, clock, tmp_path):
    store.put(order("Tante-Emma"))
    store.failed(store.take("a", alone=True), BAD)
    clock.now += 900
    store.expired()
    kept = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"Tante-Emma" not in kept


def test_a_store_survives_the_death_of_its_process(tmp_path, clock, make):
    """kill -9 between any two transactions leaves the last one whole."""
    code = (
        "import os, signal, sys; from pathlib import Path;"
        "from tests.jobs.orders import order, store;"
        "it = store(Path(sys.argv[1])); job, _ = it.put(order('one', 'two'));"
        "it.take('dead', alone=True); print(job.id, flush=True); os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", code, tmp_path], capture_output=True, text=True, cwd=os.getcwd())
    assert done.returncode == -9, done.stderr
    store = make()
    assert [item.state for item in store.get(done.stdout.strip()).items] == ["running", "queued"]
    store.leave("dead")
    assert store.take("alive", alone=True).attempt == 2


@pytest.mark.parametrize("content", [b"no database at all, but a text of some length\n" * 20, None])
def test_a_file_that_is_none_of_ours_is_refused(tmp_path, content):
    path = tmp_path / "jobs.sqlite3"
    if content is None:
        with sqlite3.connect(path) as other:
            other.execute("CREATE TABLE jobs (x)")
        other.close()
    else:
        path.write_bytes(content)
    with pytest.raises(JobsFailed):
        SqliteStore(path, ServiceLimits())


def test_a_full_disk_refuses_and_leaves_nothing_half_written(store):
    job, _ = store.put(order())
    pages = store._db.execute("PRAGMA page_count").fetchone()[0]
    store._db.execute(f"PRAGMA max_page_count = {pages}")  # SQLite's own way to be full
    with pytest.raises(NoRoom):
        for number in range(2000):
            store.put(order(f"{number}", "b" * 3000))
    store._db.execute("PRAGMA max_page_count = 1000000")
    for found in store.owned("ann"):
        assert len(found.items) == (1 if found.id == job.id else 2)
    assert store.put(order("after"))[1]
