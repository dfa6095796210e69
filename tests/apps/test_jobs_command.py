"""`cleancut jobs`: an operator looks, sends again, drops."""

import json

import pytest
from click.testing import CliRunner

from cleancut.apps.cli import cli, main
from cleancut.apps.queue.place import Place
from cleancut.jobs.queue.orders import Handed
from cleancut.jobs.store import Failure, Stored
from cleancut.limits import ServiceLimits
from tests import redis


@pytest.fixture(scope="module")
def server():
    if redis.PROGRAM is None:
        pytest.skip("redis-server is not installed (apt-get install redis-server)")
    with redis.server("--appendfsync", "no") as it:
        yield it


@pytest.fixture
def place(server, tmp_path):
    with server.client() as client:
        client.flushall()
    place = Place(server.url, str(tmp_path), ServiceLimits())
    place.store.check()
    yield place
    place.close()


@pytest.fixture
def ask(server, tmp_path):
    def ask(*command):
        environ = {"CLEANCUT_QUEUE": server.url, "CLEANCUT_QUEUE_STORAGE": str(tmp_path)}
        return CliRunner().invoke(cli, ["jobs", *command], env=environ, standalone_mode=False)

    return ask


@pytest.fixture
def dead(place):
    """A job of two pictures: one died, one waits."""
    pictures = [Stored(f"{name}.jpg", place.depot.write(b"x"), 1) for name in ("bad", "good")]
    job, _ = place.store.put(Handed(owner="ann", recipe={}, pictures=pictures))
    place.store.failed(place.store.take("w", alone=True), Failure(500, "Broken", "It broke."))
    return job.id


def test_jobs_are_listed(ask, dead):
    told = ask("list")
    assert dead in told.stdout
    assert "1 failed, 1 queued" in told.stdout
    assert "1 are dead" in told.stderr
    (line,) = ask("list", "--json").stdout.splitlines()
    assert [picture["name"] for picture in json.loads(line)["pictures"]] == ["bad.jpg", "good.jpg"]
    assert dead not in ask("list", "--state", "done").stdout


def test_a_job_is_shown(ask, dead):
    told = json.loads(ask("show", dead).stdout)
    assert (told["state"], told["pictures"][0]["message"]) == ("running", "It broke.")


def test_the_dead_are_listed_and_sent_again(ask, dead, place):
    assert ask("dead").stdout.split() == [dead, "1", "Broken:", "It", "broke."]
    assert json.loads(ask("dead", "--json").stdout)["picture"] == 1
    assert "1 pictures are sent" in ask("retry", dead).stderr
    assert ask("dead").stdout == ""
    assert (place.store.get(dead).items[0].state, place.turns.waiting()) == ("queued", 1)


def test_all_the_dead_are_sent_again(ask, dead, place):
    ask("retry", "--all")
    assert place.store.dead() == []


def test_a_job_is_dropped(ask, dead, place):
    ask("drop", dead)
    assert place.store.get(dead).state == "cancelled"
    assert place.depot.paths("files") == {}
    ask("drop", dead)
    assert place.store.get(dead) is None


@pytest.mark.parametrize(
    ("command", "status", "says"),
    [
        (("show", "nothing"), 2, "no job nothing"),
        (("retry", "nothing"), 2, "Nothing of job"),
        (("retry",), 2, "--all"),
        (("drop", "nothing"), 2, "no job"),
    ],
)
def test_what_is_not_there_is_said(command, status, says, place, server, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("CLEANCUT_QUEUE", server.url)
    monkeypatch.setenv("CLEANCUT_QUEUE_STORAGE", str(tmp_path))
    monkeypatch.setattr("sys.argv", ["cleancut", "jobs", *command])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == status
    assert says in capsys.readouterr().err


@pytest.mark.parametrize(
    ("url", "says"), [(None, "--queue"), ("http://x", "redis://"), ("redis://127.0.0.1:1", "answer")]
)
def test_a_queue_that_cannot_be_used_is_said(url, says, tmp_path, capsys, monkeypatch):
    given = [] if url is None else ["--queue", url, "--queue-storage", str(tmp_path)]
    monkeypatch.setattr("sys.argv", ["cleancut", "jobs", "list", *given])
    with pytest.raises(SystemExit):
        main()
    assert says in capsys.readouterr().err
