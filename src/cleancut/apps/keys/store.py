"""`KeyStore`: keys, what they used and what is left of their quotas, in a file of SQLite that is its owner's alone.

Several processes may share it: a command that revokes a key, and the services that ask for it at each request. What a
quota has left is counted in one statement, so that two processes never give out the last picture twice.
"""

from __future__ import annotations

import os
import sqlite3
import stat
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from cleancut.apps.keys.nouns import SCOPES, Key, Proof, Use, new_text
from cleancut.errors import BadSetting, KeysFailed
from cleancut.models.folder import home

_VERSION = 1
_BUSY_SECONDS = 5.0

_SCHEMA = """
CREATE TABLE keys (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, salt BLOB NOT NULL, hash BLOB NOT NULL, cost INTEGER NOT NULL,
    scopes TEXT NOT NULL, rate INTEGER, quota INTEGER, created REAL NOT NULL, expires REAL, revoked REAL
) STRICT;
CREATE TABLE usage (
    key TEXT NOT NULL, day TEXT NOT NULL, pictures INTEGER NOT NULL, megapixels REAL NOT NULL,
    network_seconds REAL NOT NULL, PRIMARY KEY (key, day)
) STRICT, WITHOUT ROWID;
CREATE TABLE spent (
    key TEXT NOT NULL, month TEXT NOT NULL, pictures INTEGER NOT NULL, PRIMARY KEY (key, month)
) STRICT, WITHOUT ROWID;
"""

_ADD = """
INSERT INTO usage VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET pictures = pictures + excluded.pictures,
    megapixels = megapixels + excluded.megapixels, network_seconds = network_seconds + excluded.network_seconds
"""
_SPEND = """
INSERT INTO spent VALUES (:key, :month, 1)
    ON CONFLICT DO UPDATE SET pictures = pictures + 1 WHERE pictures < :quota
"""


def default_file() -> Path:
    """Give where keys are kept unless `CLEANCUT_KEYS_FILE` says otherwise."""
    return home() / "keys" / "keys.sqlite"


class KeyStore:
    """A file of keys. Threads may share it.

    Args:
        path: of the file; made where it is missing; none but its owner may read it.

    Raises:
        KeysFailed: the file cannot be used.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        with _told(path):
            _make_private(path)
            self._base = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        try:
            self._prepare()
        except BaseException:
            self._base.close()
            raise

    def create(
        self,
        name: str,
        *,
        scopes: frozenset[str] = frozenset({"cut", "jobs"}),
        rate: int | None = None,
        quota: int | None = None,
        expires: float | None = None,
    ) -> tuple[Key, str]:
        """Make a key; give it and its text, which is kept nowhere.

        Raises:
            BadSetting: there is no such scope.
        """
        if unknown := scopes - set(SCOPES):
            raise BadSetting(f"There is no scope {min(unknown)!r}; there are {', '.join(SCOPES)}.")
        text, id_, secret = new_text()
        key, proof = Key(id_, name, scopes, rate, quota, time.time(), expires), Proof.of(secret)
        row = (key.id, name, proof.salt, proof.hash, proof.cost, ",".join(sorted(scopes)), rate, quota, key.created)
        with self._writing() as base:
            base.execute("INSERT INTO keys VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL)", (*row, expires))
        return key, text

    def all(self) -> list[Key]:
        """Give every key, the oldest first."""
        return [_key(row) for row in self._read("SELECT * FROM keys ORDER BY created, id")]

    def find(self, key: str) -> tuple[Key, Proof] | None:
        """Give a key and the proof of its secret; None where there is none of that id."""
        rows = self._read("SELECT * FROM keys WHERE id = ?", key)
        return (_key(rows[0]), Proof(rows[0]["salt"], rows[0]["hash"], rows[0]["cost"])) if rows else None

    def revoke(self, key: str) -> bool:
        """End a key for good; what it used stays known. Tell whether there is one of that id."""
        with self._writing() as base:
            done = base.execute("UPDATE keys SET revoked = coalesce(revoked, ?) WHERE id = ?", (time.time(), key))
            return done.rowcount > 0

    def forget(self, key: str) -> bool:
        """Remove a key and all that is known of its use. Tell whether there was one of that id."""
        with self._writing() as base:
            base.execute("DELETE FROM usage WHERE key = ?", (key,))
            base.execute("DELETE FROM spent WHERE key = ?", (key,))
            return base.execute("DELETE FROM keys WHERE id = ?", (key,)).rowcount > 0

    def spend(self, key: Key, month: str) -> bool:
        """Take one picture from a month's quota; tell whether there was one left."""
        quota = 2**62 if key.quota is None else key.quota
        if quota < 1:
            return False
        with self._writing() as base:
            return base.execute(_SPEND, {"key": key.id, "month": month, "quota": quota}).rowcount > 0

    def give_back(self, key: str, month: str) -> None:
        """Put a picture back into a month's quota."""
        with self._writing() as base:
            base.execute(
                "UPDATE spent SET pictures = pictures - 1 WHERE key = ? AND month = ? AND pictures > 0", (key, month)
            )

    def spent(self, key: str, month: str) -> int:
        """Count the pictures that were taken from a month's quota."""
        rows = self._read("SELECT pictures FROM spent WHERE key = ? AND month = ?", key, month)
        return int(rows[0]["pictures"]) if rows else 0

    def add(self, used: Mapping[tuple[str, str], Use]) -> None:
        """Add what was used, by key and day, all of it or nothing."""
        rows = [(*key_and_day, u.pictures, u.megapixels, u.network_seconds) for key_and_day, u in used.items()]
        with self._writing() as base:
            base.executemany(_ADD, rows)

    def usage(self, since: str, until: str) -> dict[tuple[str, str], Use]:
        """Give what was used from one day to another, both included, by key and day in that order."""
        rows = self._read("SELECT * FROM usage WHERE day BETWEEN ? AND ? ORDER BY key, day", since, until)
        return {
            (row["key"], row["day"]): Use(row["pictures"], row["megapixels"], row["network_seconds"]) for row in rows
        }

    def close(self) -> None:
        """Close the file."""
        self._base.close()

    def _prepare(self) -> None:
        """Make the tables where there are none."""
        self._base.row_factory = sqlite3.Row
        self._read("PRAGMA journal_mode = WAL")
        self._read("PRAGMA secure_delete = ON")  # what is forgotten is gone from the file too
        with self._writing() as base:
            version = base.execute("PRAGMA user_version").fetchone()[0]
            if version == 0:
                for statement in _SCHEMA.split(";"):
                    base.execute(statement)
                base.execute(f"PRAGMA user_version = {_VERSION}")
        if version > _VERSION:
            raise KeysFailed(f"{self.path} was written by a newer version of cleancut; use that one.")

    def _read(self, statement: str, *values: object) -> list[sqlite3.Row]:
        with _told(self.path), self._lock:
            return self._base.execute(statement, values).fetchall()

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """Change the file, wholly or not at all."""
        with _told(self.path), self._lock:
            self._base.execute("BEGIN IMMEDIATE")
            try:
                yield self._base
                self._base.execute("COMMIT")
            finally:
                if self._base.in_transaction:
                    self._base.execute("ROLLBACK")


def _key(row: sqlite3.Row) -> Key:
    scopes = frozenset(filter(None, row["scopes"].split(",")))
    return Key(
        row["id"], row["name"], scopes, row["rate"], row["quota"], row["created"], row["expires"], row["revoked"]
    )


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Say in a sentence why the file cannot be used."""
    try:
        yield
    except sqlite3.Error as error:
        raise KeysFailed(f"The file of keys {path} cannot be used: {error}.") from error
    except OSError as error:
        raise KeysFailed(f"The file of keys {path} cannot be used: {error.strerror or error}.") from error


def _make_private(path: Path) -> None:
    """Make the file (0600), and where they are missing its folders (0700).

    SQLite gives its journals the mode of its file, so a folder that others may look into tells them nothing.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    if os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & 0o077:
        path.chmod(0o600)
