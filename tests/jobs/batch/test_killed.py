"""`kill -9` at any moment: nothing half-written, nothing lost but what was in flight, and the same bytes in the end."""

import json
import os
import random
import signal
import subprocess
import sys
import time

import pytest

from cleancut.jobs.batch import journal as journals
from tests.jobs.batch.parts import picture

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")

PICTURES = 14
KILLS = 6


def command(source, out):
    return [sys.executable, "-m", "cleancut", "batch", str(source), "-o", str(out), "--workers", "2", "--json",
            "--variant", 'white={"effects": ["color:white"]}', "--variant", 'clear={}']  # fmt: skip


def tree(folder):
    """Every file but our own, by its path; what is being written begins with .cleancut- too."""
    found = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    return {name: path.read_bytes() for name, path in found.items() if not path.name.startswith(".cleancut")}


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    folder = tmp_path_factory.mktemp("source")
    for number in range(PICTURES):
        path = folder / f"{number % 3}" / f"{number}.png"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(picture(number, (90, 70)))
    return folder


@pytest.fixture(scope="module")
def undisturbed(source, tmp_path_factory):
    out = tmp_path_factory.mktemp("undisturbed")
    subprocess.run(command(source, out), check=True, capture_output=True)
    return tree(out)


def killed(source, out, journal, chance):
    """Start a batch and kill it when it has written a few more lines, or some time before the next one."""
    before = journal.stat().st_size if journal.exists() else 0
    more = chance.randrange(0, 1500)
    process = subprocess.Popen(command(source, out), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        while process.poll() is None and not (journal.exists() and journal.stat().st_size > before + more):
            time.sleep(0.002)
        time.sleep(chance.random() * 0.05)
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate()
    return process.returncode


def test_killed_again_and_again_it_ends_with_the_same_bytes(source, undisturbed, tmp_path):
    chance, journal, codes = random.Random(8), tmp_path / ".cleancut.jsonl", []
    for _ in range(KILLS):
        codes.append(killed(source, tmp_path, journal, chance))
        found = tree(tmp_path)
        assert {name: undisturbed.get(name) for name in found} == found  # nothing is half-written
        done = (
            {name for name, told in journals.read(journal).items() if told.state == "done"}
            if journal.exists()
            else set()
        )
        assert done <= set(found)
        assert len(set(found) - done) <= 12  # what was in flight
    assert -signal.SIGKILL in codes
    ended = subprocess.run(command(source, tmp_path), check=True, capture_output=True, text=True)
    assert tree(tmp_path) == undisturbed
    assert [name for name in os.listdir(tmp_path) if name.startswith(".cleancut-")] == []
    end = json.loads(ended.stdout.splitlines()[-1])
    assert end["done"] + end["kept"] == 2 * PICTURES
    assert end["kept"] >= len(done)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_told_to_end_it_ends_in_good_order(source, undisturbed, tmp_path, number):
    process = subprocess.Popen(command(source, tmp_path), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    process.stdout.readline()
    process.send_signal(number)
    out, err = process.communicate()
    assert process.returncode in {128 + number, 0}  # 0: it was done already
    assert "Traceback" not in err
    found = tree(tmp_path)
    assert {name: undisturbed[name] for name in found} == found
    told = journals.read(tmp_path / ".cleancut.jsonl")
    assert {name for name, one in told.items() if one.state == "done"} == set(found)
    assert json.loads(out.splitlines()[-1])["event"] == "end"
    assert not [name for name in os.listdir(tmp_path) if name.startswith(".cleancut-")]
