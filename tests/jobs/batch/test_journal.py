"""The journal: lines that survive, one writer, no guesses."""

import errno
import os
import subprocess
import sys
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cleancut.errors import BadInput, CannotWrite, InUse, NoSpace
from cleancut.jobs.batch import journal as journals
from cleancut.jobs.batch.nouns import Outcome

TOLD = Outcome(
    "a/\udcff\n.jpg", "white", "done", planned="a/x.jpg", output="a/x.jpg", key="k", stamp="9-1", source="s",
    recipe="r", model="m", confidence=0.0, size=(3, 4), box=(0, 1, 2, 3), bytes=9, seconds=0.5, ms={"read": 1.0},
    notes=("one",), reviewed=True,
)  # fmt: skip


@pytest.fixture
def path(tmp_path):
    return tmp_path / "new" / "journal.jsonl"


def test_an_outcome_comes_back_as_it_was(path):
    failed = Outcome("b.jpg", "", "failed", planned="b.png", error="No.", kind="TooBig", exit_code=2, origin="row 3")
    with journals.opened(path) as journal:
        journal.add(TOLD)
        journal.add(failed)
    assert '"ms":{"read":1.0}' in path.read_text()
    assert journals.read(path) == {"a/x.jpg": replace(TOLD, ms={}), "b.png": failed}


def test_later_lines_count(path):
    with journals.opened(path) as journal:
        journal.add(TOLD)
    with journals.opened(path) as journal:
        assert journal.past["a/x.jpg"] == replace(TOLD, ms={})
        journal.add(journals.from_json({"name": "a", "variant": "", "state": "failed", "planned": "a/x.jpg"}))
    assert journals.read(path)["a/x.jpg"].state == "failed"


@settings(max_examples=30, deadline=None)
@given(cut=st.integers(1, 2000))
def test_a_torn_end_costs_no_whole_line(tmp_path_factory, cut):
    path = tmp_path_factory.mktemp("torn") / "journal"
    with journals.opened(path) as journal:
        for number in range(3):
            journal.begin([f"{number}.png"])
            journal.add(Outcome(f"{number}.jpg", "", "done", planned=f"{number}.png", output=f"{number}.png"))
    data = path.read_bytes()
    path.write_bytes(data[: max(0, len(data) - cut)])
    left = set(journals.read(path))
    with journals.opened(path) as journal:
        assert set(journal.past) == left
        journal.add(Outcome("z.jpg", "", "done", planned="z.png", output="z.png"))
    assert set(journals.read(path)) == {*left, "z.png"}


def test_what_was_begun_and_not_ended_is_known(path):
    with journals.opened(path) as journal:
        journal.begin(["a.png", "b.png"])
        journal.add(Outcome("a.jpg", "", "done", planned="a.png", output="a.png"))
    with journals.opened(path) as journal:
        assert (journal.unfinished, journal.ours) == ({"b.png"}, {"a.png", "b.png"})


@pytest.mark.parametrize(
    "text", ["{}\n", '{"journal": 99}\n', "words\n", '{"journal":1}\n{"name": 1}\n', "[]\n", "1\n"]
)
def test_another_file_is_told_from_a_journal_and_left_alone(path, text):
    path.parent.mkdir()
    path.write_text(text)
    with pytest.raises(BadInput, match="Line [12]"), journals.opened(path):
        pass
    assert path.read_text() == text


def test_a_file_without_a_line_end_that_is_no_journal_is_left_alone(path):
    path.parent.mkdir()
    path.write_text("my only copy of a poem")
    with pytest.raises(BadInput), journals.opened(path):
        pass
    assert path.read_text() == "my only copy of a poem"


def test_two_batches_do_not_share_a_journal(path):
    code = "import sys; from pathlib import Path; from cleancut.jobs.batch import journal\n" \
           "with journal.opened(Path(sys.argv[1])): pass"  # fmt: skip
    with journals.opened(path):
        with pytest.raises(InUse), journals.opened(path):
            pass
        done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=False)
        assert "InUse" in done.stderr
    with journals.opened(path):
        pass


def test_a_full_disk_is_told_and_nothing_more_is_written(path, monkeypatch):
    write = os.write
    with journals.opened(path) as journal:
        monkeypatch.setattr(os, "write", lambda descriptor, data: write(descriptor, data[:5]))
        with pytest.raises(NoSpace):
            journal.add(TOLD)
        monkeypatch.setattr(os, "write", write)
        with pytest.raises(NoSpace):
            journal.add(TOLD)
    assert journals.read(path) == {}
    with journals.opened(path) as journal:
        journal.add(TOLD)
    assert len(journals.read(path)) == 1


def test_a_write_that_fails_is_told(path, monkeypatch):
    def full(descriptor, data):
        raise OSError(errno.ENOSPC, "No space left on device")

    with journals.opened(path) as journal:
        monkeypatch.setattr(os, "write", full)
        with pytest.raises(NoSpace, match="No space"):
            journal.begin(["a.png"])


def test_a_place_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(CannotWrite), journals.opened(tmp_path / "file" / "journal"):
        pass
