import io
import json
import sys
import zipfile

import pytest
from PIL import Image

from cleancut.apps.cli import run
from cleancut.errors import BadInput
from cleancut.jobs.batch.archives import Archive
from cleancut.jobs.batch.buckets import Bucket, BucketResults
from cleancut.jobs.batch.folders import Folder, Results
from cleancut.jobs.batch.lists import Listed, Matched, Single
from cleancut.jobs.batch.manifests import Manifest
from cleancut.jobs.batch.packed import Packed
from cleancut.jobs.batch.remote import Network
from cleancut.jobs.batch.watch import Watched
from cleancut.jobs.batch.ways import Given, sink_of, source_of
from tests.jobs.batch.places import content, encoded, named, rows_of, tree, zipped


@pytest.fixture
def here(tmp_path, monkeypatch):
    """The current folder, with one of every kind in it."""
    monkeypatch.chdir(tmp_path)
    tree(tmp_path, "photos/a/x.png", "photos/b/x.png", "single.png", "more/y.png")
    zipped(tmp_path / "in.zip", {"z.png": encoded(4)})
    (tmp_path / "in.csv").write_text("path\nsingle.png\n")
    (tmp_path / "list.txt").write_text("photos/a/x.png\nmore/y.png\n")
    return tmp_path


@pytest.mark.parametrize(
    ("text", "kind", "names"),
    [
        ("photos", Folder, ["a/x.png", "b/x.png"]),
        ("photos/*/x.png", Matched, ["a/x.png", "b/x.png"]),
        ("single.png", Single, ["single.png"]),
        ("in.zip", Archive, ["z.png"]),
        ("in.csv", Manifest, ["single.png"]),
        ("list.txt", Listed, ["photos/a/x.png", "more/y.png"]),
    ],
)
def test_what_is_named_is_opened(here, text, kind, names):
    source = source_of([text], Given())
    assert isinstance(source, kind)
    assert named(source) == names
    assert not any(isinstance(content(entry), Exception) for entry in source)
    source.close()


def test_addresses_are_opened_without_being_asked():
    assert isinstance(source_of(["s3://shop/in"], Given()), Bucket)
    assert isinstance(source_of(["s3://shop/in/*.jpg"], Given()), Bucket)
    assert isinstance(source_of(["s3://shop/x.jpg"], Given()), Single)
    assert isinstance(source_of(["https://shop.example/img?id=1"], Given()), Single)


def test_several_sources_are_named_from_what_they_share(here):
    source = source_of(["photos/a", "photos/b", "more/y.png", "in.zip"], Given())
    assert named(source) == ["photos/a/x.png", "photos/b/x.png", "more/y.png", "in.zip/z.png"]
    source.close()
    assert named(source_of(["single.png", "more/y.png"], Given())) == ["single.png", "more/y.png"]


def test_a_list_comes_on_stdin(here, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"photos/a/x.png\0single.png\0")))
    assert named(source_of(["-"], Given())) == ["photos/a/x.png", "single.png"]


@pytest.mark.parametrize(
    ("texts", "given", "message"),
    [
        (["gone.png"], Given(), "does not exist"),
        (["gone.zip"], Given(), "cannot be read"),
        (["gone.csv"], Given(), "cannot be read"),
        (["photos", "photos"], Given(), "named twice"),
        (["single.png"], Given(watch=True), "nothing else can be watched"),
        (["photos", "more"], Given(watch=True), "One folder is watched at a time"),
        (["file:///etc"], Given(), "must begin with"),
    ],
)
def test_what_cannot_be_opened_is_said(here, texts, given, message):
    with pytest.raises(BadInput, match=message):
        list(source_of(texts, given))


def test_results_do_not_go_where_pictures_come_from(here):
    with pytest.raises(BadInput, match="Results cannot go to the folder"):
        source_of(["photos"], Given(apart=(here / "photos",)))
    assert named(source_of(["photos"], Given(apart=(here / "photos/b",)))) == ["a/x.png"]


def test_a_folder_is_watched_on_demand(here):
    source = source_of(["photos"], Given(watch=True, settle=7, poll=True))
    assert isinstance(source, Watched)
    assert (source.settle, source.poll, source.endless) == (7, True, True)


def test_sinks(here):
    network = Network()
    assert isinstance(sink_of("out", network), Results)
    assert isinstance(sink_of("out.zip", network), Packed)
    assert isinstance(sink_of("s3://shop/out", network), BucketResults)
    with pytest.raises(BadInput, match="is a file"):
        sink_of("single.png", network)
    with pytest.raises(BadInput, match="cannot be written"):
        sink_of("https://shop.example/out", network)


def test_from_an_archive_into_an_archive_with_a_report(here, capsys):
    zipped(here / "shop.zip", {"a/x.png": encoded(1), "../evil.png": encoded(2), "notes.txt": b"words"})
    flags = ["-o", "cut.zip", "--report", "report.html", "-f", "jpeg", "--json"]
    assert run(["batch", "shop.zip", *flags]) == 2
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert events[-1]["failed"] == events[-1]["skipped"] == events[-1]["done"] == 1
    with zipfile.ZipFile("cut.zip") as archive:
        assert archive.namelist() == ["a/x.jpg"]
        assert Image.open(io.BytesIO(archive.read("a/x.jpg"))).size == (24, 30)
    report = (here / "report.html").read_text()
    assert "leads out of the tree" in report
    assert "a/x.jpg" in report
    assert not (here / "evil.png").exists()
    again = ["batch", "shop.zip", *flags]
    assert run(again) == 2  # the report exists
    assert run([*again, "--overwrite"]) == 2
    last = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (last["kept"], last["done"]) == (1, 0)


def test_a_table_comes_back_from_the_command(here, capsys):
    (here / "in.csv").write_text("path,format,sku\nsingle.png,webp,1\nphotos/a/x.png,bmp,2\n")
    assert run(["batch", "in.csv", "-o", "out", "--table", "out.jsonl"]) == 2
    assert "columns that say nothing of what is done: sku" in capsys.readouterr().err
    assert (here / "out/single.webp").exists()
    first, second = (here / "out.jsonl").read_text().splitlines()[1:]
    assert "single.webp" in first
    assert "Row 3" in second


def test_flags_that_do_not_go_together_are_said(here, capsys):
    assert run(["batch", "photos", "-o", "out", "--table", "t.csv"]) == 2
    assert "--table gives a table back" in capsys.readouterr().err
    assert run(["batch", "photos", "-o", "out", "--in-place"]) == 2
    assert "go with --table" in capsys.readouterr().err
    assert not (here / "out").exists()


def test_what_is_watched_is_cut_until_it_is_told_to_end(here):
    import os
    import signal
    import subprocess
    import time

    command = [sys.executable, "-m", "cleancut", "batch", "photos", "-o", "photos/out", "--watch", "--settle", "0.1"]
    watching = subprocess.Popen(command, cwd=here, stderr=subprocess.PIPE, text=True)
    try:
        for name in ("a/x.png", "b/x.png", "new/y.png"):
            if name.startswith("new"):
                tree(here / "photos", "new/y.png")
            until = time.monotonic() + 120
            while not (here / "photos/out" / name).exists() and watching.poll() is None and time.monotonic() < until:
                time.sleep(0.05)
            assert (here / "photos/out" / name).exists()
        os.kill(watching.pid, signal.SIGTERM)
        _, told = watching.communicate(timeout=120)
    finally:
        watching.kill()
        watching.wait()
    assert watching.returncode == 0, told
    assert "3 done" in told
    made = [line["name"] for line in rows_of(here / "photos/out/.cleancut.jsonl") if line.get("state") == "done"]
    assert sorted(made) == ["a/x.png", "b/x.png", "new/y.png"]
