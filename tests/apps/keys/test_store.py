import os
import sqlite3
import stat
import threading
import time

import pytest

from cleancut.apps.keys.nouns import NOBODY, Key, Proof, Use, cost, day, parts
from cleancut.apps.keys.store import KeyStore
from cleancut.errors import BadSetting, KeysFailed


@pytest.fixture
def path(tmp_path):
    return tmp_path / "keys" / "keys.sqlite"


@pytest.fixture
def store(path):
    opened = KeyStore(path)
    yield opened
    opened.close()


def test_a_key_is_found_by_its_text_and_its_secret_is_kept_nowhere(store, path):
    key, text = store.create("shop", rate=500, quota=10, expires=2e9)
    id_, secret = parts(text)
    found, proof = store.find(id_)
    assert found == key
    assert proof.holds(secret)
    kept = b"".join(file.read_bytes() for file in path.parent.iterdir())
    assert b"shop" in kept
    assert secret.encode() not in kept
    assert bytes.fromhex(secret) not in kept


def test_no_two_keys_are_alike(store):
    made = [store.create("same") for _ in range(3)]
    assert len({text for _, text in made}) == len({key.id for key, _ in made}) == 3
    assert [key for key, _ in made] == store.all()


@pytest.mark.parametrize("change", [lambda s: s[:-1] + "x", lambda s: "", lambda s: s + "0", lambda s: s.upper() + "!"])
def test_another_secret_proves_nothing(change):
    proof = Proof.of("ab" * 24)
    assert proof.holds("ab" * 24)
    assert not proof.holds(change("ab" * 24))


def test_nobody_has_a_secret_and_costs_what_everybody_costs():
    somebody = Proof.of("ab" * 24)
    assert not NOBODY.holds("00" * 24)
    assert NOBODY.cost == somebody.cost
    assert (len(NOBODY.salt), len(NOBODY.hash)) == (len(somebody.salt), len(somebody.hash))


@pytest.mark.parametrize(
    "text", ["", "cc_", "cc_a_b", "CC_" + "a" * 12 + "_" + "b" * 48, "cc_" + "g" * 12 + "_" + "b" * 48,
             "cc_" + "a" * 12 + "_" + "b" * 48 + "\n", "cc_" + "é" * 12 + "_" + "b" * 48, "x" * 100_000],
)  # fmt: skip
def test_what_is_not_the_text_of_a_key_has_no_parts(text):
    assert parts(text) is None


@pytest.mark.skipif(os.name != "posix", reason="modes are those of POSIX")
def test_nobody_else_may_read_the_file(path):
    old = os.umask(0)
    try:
        opened = KeyStore(path)
    finally:
        os.umask(old)
    opened.create("x")
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert set(modes.values()) == {0o600}
    assert "keys.sqlite-wal" in modes
    opened.close()


@pytest.mark.skipif(os.name != "posix", reason="modes are those of POSIX")
def test_a_file_that_others_may_read_is_taken_from_them_and_its_folder_left_alone(path):
    path.parent.mkdir(mode=0o755)
    path.touch(0o644)
    KeyStore(path).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o755


def test_a_revoked_key_stays_known_and_is_revoked_once(store):
    key, _ = store.create("x")
    assert store.revoke(key.id)
    first = store.find(key.id)[0].revoked
    assert store.revoke(key.id)
    assert store.find(key.id)[0].revoked == first
    assert not store.revoke("000000000000")


def test_a_key_is_good_until_it_expires_or_is_revoked():
    key = Key("a", "x", frozenset(), None, None, 0.0, expires=100.0)
    assert (key.state(99.9), key.state(100.0)) == ("good", "expired")
    assert Key("a", "x", frozenset(), None, None, 0.0, 100.0, revoked=50.0).state(200.0) == "revoked"
    assert Key("a", "x", frozenset(), None, None, 0.0).state(1e12) == "good"


def test_what_is_forgotten_is_gone(store, path):
    key, _ = store.create("somebody-with-a-name")
    store.add({(key.id, "2025-01-01"): Use(1, 1.0, 1.0)})
    store.spend(key, "2025-01")
    assert store.forget(key.id)
    assert not store.forget(key.id)
    assert (store.find(key.id), store.usage("0", "9"), store.spent(key.id, "2025-01")) == (None, {}, 0)
    store.close()  # which takes the journal into the file
    assert b"somebody-with-a-name" not in path.read_bytes()


def test_a_scope_that_does_not_exist_is_refused(store):
    with pytest.raises(BadSetting, match="no scope 'root'"):
        store.create("x", scopes=frozenset({"cut", "root"}))
    assert store.all() == []


def test_use_is_added_up_by_key_and_day(store):
    store.add({("a", "2025-01-01"): Use(1, 2.0, 0.5), ("a", "2025-01-02"): Use(1, 1.0, 0.5)})
    store.add({("a", "2025-01-01"): Use(2, 3.0, 0.25), ("b", "2025-02-01"): Use(1, 1.0, 1.0)})
    assert store.usage("2025-01-01", "2025-01-31") == {
        ("a", "2025-01-01"): Use(3, 5.0, 0.75),
        ("a", "2025-01-02"): Use(1, 1.0, 0.5),
    }


def test_a_quota_is_given_out_once_by_however_many_processes(path, store):
    key, _ = store.create("x", quota=10)
    others = [KeyStore(path) for _ in range(3)]
    got = []

    def take(one):
        got.extend(one.spend(key, "2025-01") for _ in range(10))

    threads = [threading.Thread(target=take, args=(one,)) for one in (store, *others)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(got), sum(got), store.spent(key.id, "2025-01")) == (40, 10, 10)
    store.give_back(key.id, "2025-01")
    assert others[0].spend(key, "2025-01")
    assert not others[1].spend(key, "2025-01")
    assert store.spend(key, "2025-02"), "the next month begins anew"
    for one in others:
        one.close()


def test_a_quota_of_none_has_no_end_and_one_of_0_no_beginning(store):
    endless, nothing = store.create("x")[0], store.create("y", quota=0)[0]
    assert all(store.spend(endless, "2025-01") for _ in range(5))
    assert store.spent(endless.id, "2025-01") == 5
    assert not store.spend(nothing, "2025-01")
    store.give_back(nothing.id, "2025-01")
    assert store.spent(nothing.id, "2025-01") == 0


def test_what_another_process_changes_is_seen_at_once(path, store):
    other = KeyStore(path)
    key, _ = other.create("x")
    assert store.find(key.id)[0] == key
    other.revoke(key.id)
    assert store.find(key.id)[0].state(time.time()) == "revoked"
    other.close()


def test_a_file_that_is_no_store_is_told_in_a_sentence(path):
    path.parent.mkdir()
    path.write_bytes(b"not a database, but long enough to be taken for one" * 100)
    with pytest.raises(KeysFailed, match="cannot be used"):
        KeyStore(path)
    assert "keys.sqlite" not in KeysFailed("keys.sqlite").public


def test_a_folder_in_place_of_the_file_is_told_in_a_sentence(path):
    path.mkdir(parents=True)
    with pytest.raises(KeysFailed, match="cannot be used"):
        KeyStore(path)


def test_a_file_of_a_newer_version_is_left_alone(path):
    KeyStore(path).close()
    base = sqlite3.connect(path)
    base.execute("PRAGMA user_version = 99")
    base.close()
    with pytest.raises(KeysFailed, match="newer version"):
        KeyStore(path)


def test_half_a_batch_is_not_written(store):
    with pytest.raises(KeysFailed):
        store.add({("a", "2025-01-01"): Use(1, 1.0, 1.0), ("b", "2025-01-01"): Use(None, 1.0, 1.0)})
    assert store.usage("0", "9") == {}
    store.add({("a", "2025-01-01"): Use(1, 1.0, 1.0)})


def test_a_full_disk_is_told_and_what_was_there_stays(path, store):
    key, _ = store.create("x")
    store._base.execute("PRAGMA max_page_count = 1")
    store._base.execute(f"PRAGMA max_page_count = {store._base.execute('PRAGMA page_count').fetchone()[0]}")
    with pytest.raises(KeysFailed, match="full"):
        for n in range(10_000):
            store.add({(f"{n}-{i}" * 50, "2025-01-01"): Use(1, 1.0, 1.0) for i in range(100)})
    assert store.find(key.id)[0] == key


def test_the_rule_of_remove_bg():
    assert [cost(mp) for mp in (0, 0.01, 1, 1.000001, 2, 9.9, 10, 25)] == [1, 1, 1, 2, 2, 10, 10, 25]


def test_days_are_those_of_utc():
    assert (day(86399), day(86400)) == ("1970-01-01", "1970-01-02")
