import json
import re
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from cleancut.apps import cli
from cleancut.apps.keys.nouns import Use, parts
from cleancut.apps.keys.store import KeyStore


@pytest.fixture
def file(tmp_path, monkeypatch):
    path = tmp_path / "keys.sqlite"
    monkeypatch.setenv("CLEANCUT_KEYS_FILE", str(path))
    return path


@pytest.fixture
def run(file, capsys):
    """Run a command; give its exit code, what it printed and what it said."""

    def running(*args):
        code = cli.run(list(args))
        return code, *capsys.readouterr()

    return running


def read(file):
    with closing(KeyStore(file)) as store:
        return store.all()


def test_a_key_is_made_and_its_text_is_all_that_is_printed(run, file):
    code, out, err = run("keys", "create", "shop", "--rate", "500", "--quota", "1000", "--days", "30")
    (key,) = read(file)
    assert code == 0
    assert parts(out.removesuffix("\n"))[0] == key.id
    assert key.id in err
    assert parts(out.strip())[1] not in err
    assert (key.name, key.rate, key.quota, key.scopes) == ("shop", 500, 1000, {"cut", "jobs"})
    assert key.expires == pytest.approx(key.created + 30 * 86400, abs=10)


def test_a_key_has_the_scopes_it_is_given_and_no_others(run, file):
    _, out, _ = run("keys", "create", "prometheus", "--scope", "metrics", "--json")
    told = json.loads(out)
    assert (told["scopes"], told["rate"], told["quota"], told["expires"]) == (["metrics"], None, None, None)
    assert parts(told["key"])[0] == told["id"]
    assert read(file)[0].scopes == {"metrics"}


@pytest.mark.parametrize(
    "args",
    [[], ["x", "--scope", "root"], ["x", "--rate", "0"], ["x", "--quota", "-1"], ["x", "--days", "0"], [""], ["  "],
     ["a\nb"], ["\x1b[31m"], ["x" * 201]],
)  # fmt: skip
def test_a_key_that_cannot_be_is_not_made(run, file, args):
    code, out, err = run("keys", "create", *args)
    assert (code, out) == (2, "")
    assert err
    assert not file.exists()


def test_keys_are_listed_without_their_secrets(run):
    text = run("keys", "create", "[bold]a name[/]", "--quota", "1000")[1].strip()
    _, out, _ = run("keys", "list")
    assert "[bold]a name[/]" in out
    assert re.search(r"cut, jobs +no limit +1,000 ", out)
    assert parts(text)[0] in out
    assert parts(text)[1] not in out
    _, out, _ = run("keys", "list", "--json")
    assert [(key["id"], key["state"]) for key in json.loads(out)] == [(parts(text)[0], "good")]


def test_a_key_is_revoked_and_forgotten(run, file):
    key = parts(run("keys", "create", "x")[1].strip())[0]
    assert run("keys", "revoke", key)[0] == 0
    assert json.loads(run("keys", "list", "--json")[1])[0]["state"] == "revoked"
    assert run("keys", "forget", key)[0] == 0
    assert read(file) == []
    for command in ("revoke", "forget"):
        code, _, err = run("keys", command, key)
        assert (code, err) == (2, f"cleancut: There is no key '{key}'; cleancut keys list shows them.\n")


def used(file):
    with closing(KeyStore(file)) as store:
        shop, studio = (store.create(name)[0] for name in ("shop", "studio"))
        store.add({
            (shop.id, "2025-01-01"): Use(10, 25.5, 1.5),
            (shop.id, "2025-01-02"): Use(5, 4.5, 0.5),
            (studio.id, "2025-01-02"): Use(1, 50.0, 2.0),
            (studio.id, "2025-02-01"): Use(7, 7.0, 7.0),
            ("0123456789ab", "2025-01-31"): Use(1, 1.0, 0.1),
        })  # fmt: skip
    return shop.id, studio.id


JANUARY = ("--since", "2025-01-01", "--until", "2025-01-31")


@pytest.mark.parametrize(
    ("price", "costs"),
    [(["--price", "0.01"], ["0.15", "0.01", "0.01"]),
     (["--price", "0.02", "--per", "megapixel"], ["0.60", "1.00", "0.02"]),
     (["--price", "3", "--per", "second"], ["6.00", "6.00", "0.30"])],
)  # fmt: skip
def test_use_is_summed_by_key_and_priced(run, file, price, costs):
    shop, studio = used(file)
    lines = json.loads(run("usage", *JANUARY, *price, "--json")[1])
    told = {line["key"]: (line["name"], line["pictures"], line["megapixels"], line["cost"]) for line in lines}
    assert told == {
        shop: ("shop", 15, 30.0, costs[0]),
        studio: ("studio", 1, 50.0, costs[1]),
        "0123456789ab": ("", 1, 1.0, costs[2]),
    }


def test_use_is_shown_as_a_table_with_its_total(run, file):
    shop, _ = used(file)
    _, out, _ = run("usage", *JANUARY, "--price", "0.01")
    assert re.search(rf"{shop} +shop +15 +30.0 +2.0 +0.15", out)
    assert re.search(r"total +17 +81.0 +4.1 +0.17", out)
    _, out, _ = run("usage", *JANUARY, "--by", "day")
    assert re.search(rf"{shop} +shop +2025-01-02 +5 +4.5 +0.5", out)
    assert "cost" not in out


def test_no_use_is_a_total_of_nothing(run):
    code, out, _ = run("usage", "--price", "1")
    assert code == 0
    assert re.search(r"total +0 +0.0 +0.0 +0.00", out)
    assert json.loads(run("usage", "--json")[1]) == []


@pytest.mark.parametrize(
    "args",
    [["--since", "yesterday"], ["--until", "2025-02-30"], ["--price", "much"], ["--price", "nan"], ["--price", "-1"],
     ["--price", "inf"], ["--price", "1e999999"], ["--per", "cent"], ["--by", "year"]],
)  # fmt: skip
def test_what_cannot_be_summed_is_refused(run, args):
    code, out, err = run("usage", *args)
    assert (code, out) == (2, "")
    assert err


def test_a_file_that_is_no_store_is_told_in_a_sentence(run, file):
    file.write_bytes(b"no database" * 1000)
    code, out, err = run("keys", "list")
    assert (code, out) == (1, "")
    assert err.startswith(f"cleancut: The file of keys {file} cannot be used")


def test_help_needs_nothing_of_the_service():
    code = (
        "import sys; from cleancut.apps.cli import run; run(['keys', '--help']); run(['usage', '--help']);"
        "print([name for name in ('sqlite3', 'fastapi', 'limits', 'rich.table') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("[]\n")


def test_keys_are_kept_in_our_folder_unless_it_is_said_otherwise(tmp_path, monkeypatch, run, file):
    monkeypatch.delenv("CLEANCUT_KEYS_FILE")
    monkeypatch.setenv("CLEANCUT_HOME", str(tmp_path / "home"))
    run("keys", "create", "x")
    assert (tmp_path / "home" / "keys" / "keys.sqlite").is_file()
    assert not file.exists()
    run("keys", "create", "x", "--file", str(tmp_path / "other.sqlite"))
    assert Path(tmp_path / "other.sqlite").is_file()
