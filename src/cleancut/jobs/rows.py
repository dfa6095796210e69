"""Rows of the SQLite store ↔ the nouns of `jobs.store`; each function is part of a transaction that is its caller's."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from cleancut.errors import Busy, CleancutError, JobsFailed, KeyReused, NoRoom, TooManyJobs
from cleancut.jobs.store import Claim, Failure, Item, Job, Result, Stored
from cleancut.limits import ServiceLimits

NEXT = """
WITH served AS (
  SELECT jobs.owner AS owner, max(items.started) AS last FROM items JOIN jobs ON jobs.id = items.job GROUP BY jobs.owner
)
SELECT items.job, items.number, items.attempts FROM items
JOIN jobs ON jobs.id = items.job
LEFT JOIN served ON served.owner = jobs.owner
LEFT JOIN holders ON holders.id = items.holder
WHERE (items.state = 'queued' AND items.not_before <= :now)
OR (items.state = 'running' AND coalesce(holders.until, 0) < :now)
ORDER BY served.last NULLS FIRST, jobs.rowid, items.number LIMIT 1
"""
"""The picture that is next: the oldest one of the owner who was served longest ago."""

_FULL = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR}
_LOCKED = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}

_VERSION = 1
_PATIENCE = 10.0
"""Seconds that one process waits for another's transaction."""

_PRAGMAS = ("journal_mode = WAL", "synchronous = FULL", "secure_delete = ON", "foreign_keys = ON")
"""Others read while one writes; what was promised outlives a power cut; deleted names are overwritten."""


def opened(path: Path) -> sqlite3.Connection:
    """Open a store's file, or make it; any thread may use it, one at a time.

    Raises:
        JobsFailed: it is none of ours, or cannot be opened.
    """
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))  # SQLite gives its other files the same mode
        db = sqlite3.connect(path, _PATIENCE, isolation_level=None, check_same_thread=False)
    except (sqlite3.Error, OSError) as error:
        raise JobsFailed(f"The job store {path} cannot be opened: {error}.") from error
    db.row_factory = sqlite3.Row
    try:
        for pragma in _PRAGMAS:
            db.execute(f"PRAGMA {pragma}")
        with transaction(db, "BEGIN IMMEDIATE"):
            _prepare(db, path)
    except sqlite3.Error as error:
        db.close()
        raise told(error) from error
    except BaseException:
        db.close()
        raise
    return db


def _prepare(db: sqlite3.Connection, path: Path) -> None:
    found = db.execute("PRAGMA user_version").fetchone()[0]
    if found == _VERSION:
        return
    if found or db.execute("SELECT 1 FROM sqlite_master").fetchone():
        raise JobsFailed(f"{path} is no job store of this version; remove it, or choose another folder.")
    for statement in Path(__file__).with_name("schema.sql").read_text("utf-8").split(";\n"):
        db.execute(statement)
    db.execute(f"PRAGMA user_version = {_VERSION}")


@contextmanager
def transaction(db: sqlite3.Connection, begin: str) -> Iterator[None]:
    """Run a transaction, whole or not at all.

    Raises:
        NoRoom, Busy, JobsFailed: the file cannot be read or written.
    """
    try:
        db.execute(begin)
        try:
            yield
            db.execute("COMMIT")
        except BaseException:
            if db.in_transaction:  # a full disk has rolled it back by itself
                db.execute("ROLLBACK")
            raise
    except sqlite3.Error as error:
        raise told(error) from error


def told(error: sqlite3.Error) -> CleancutError:
    """Say what a failure of SQLite means to whoever asked."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # what is above tells only where it happened
    if code in _FULL:
        return NoRoom("The service has no room for more jobs; try again later.", 60)
    if code in _LOCKED:
        return Busy("The service is busy with other jobs; try again.")
    return JobsFailed(f"The job store failed: {error}.")


def job(db: sqlite3.Connection, id: str) -> Job | None:
    """Read a job with its pictures."""
    row = db.execute("SELECT * FROM jobs WHERE id = ?", (id,)).fetchone()
    if row is None:
        return None
    items = db.execute("SELECT * FROM items WHERE job = ? ORDER BY number", (id,)).fetchall()
    plain = ("id", "owner", "state", "created", "ended", "expires", "revision", "changed", "posting", "posts")
    return Job(**{name: row[name] for name in plain}, items=tuple(map(_item, items)))


def known(db: sqlite3.Connection, id: str) -> Job:
    """Read a job that the same transaction has found."""
    found = job(db, id)
    if found is None:
        raise JobsFailed("The job store lost a job that it named.")
    return found


def same(db: sqlite3.Connection, owner: str, key: str, fingerprint: str) -> Job | None:
    """Read the job that the same order made before.

    Raises:
        KeyReused: the key was another order's.
    """
    before = "SELECT id, fingerprint FROM jobs WHERE owner = ? AND key = ?"
    row = db.execute(before, (owner, key)).fetchone()
    if row is None:
        return None
    if row["fingerprint"] != fingerprint:
        raise KeyReused("This Idempotency-Key came before with another request; use a new one.")
    return known(db, row["id"])


def check_room(db: sqlite3.Connection, owner: str, more: int, limits: ServiceLimits) -> None:
    """Refuse a job beyond what one owner, or all together, may have.

    Raises:
        TooManyJobs, NoRoom: it is.
    """
    count = db.execute("SELECT count(*) FROM jobs WHERE owner = ?", (owner,)).fetchone()[0]
    if count >= limits.jobs_per_key:
        raise TooManyJobs(f"You have {count} jobs, which is the most; delete some, or wait until they expire.", 60)
    check_bytes(db, owner, more, limits)


def check_bytes(db: sqlite3.Connection, owner: str, more: int, limits: ServiceLimits) -> None:
    """Refuse bytes beyond what one owner, or all together, may keep.

    Raises:
        TooManyJobs, NoRoom: they are.
    """
    total = "SELECT coalesce(sum(files.bytes), 0) FROM files"
    own = db.execute(f"{total} JOIN jobs ON jobs.id = files.job WHERE jobs.owner = ?", (owner,)).fetchone()[0]
    if own + more > limits.spool_bytes_per_key:
        allowed = limits.spool_bytes_per_key / 1e6
        raise TooManyJobs(f"Your jobs would keep more than {allowed:,.6g} MB; delete some, or wait.", 60)
    if db.execute(total).fetchone()[0] + more > limits.spool_bytes:
        raise NoRoom("The service has no room for more pictures; try again later.", 60)


def claim(db: sqlite3.Connection, id: str, number: int, holder: str, attempt: int) -> Claim:
    """Read all that it takes to make one picture of a job."""
    row = db.execute("SELECT owner, recipe FROM jobs WHERE id = ?", (id,)).fetchone()
    (source,) = _stored(db, id, "source", number)
    assets = _stored(db, id, "asset", 0)
    return Claim(id, number, holder, attempt, row["owner"], json.loads(row["recipe"]), source, assets)


def is_held(db: sqlite3.Connection, claim: Claim) -> bool:
    """Tell whether a claim is still good."""
    held = "SELECT 1 FROM items WHERE job = ? AND number = ? AND holder = ? AND attempts = ? AND state = 'running'"
    return db.execute(held, (claim.job, claim.number, claim.holder, claim.attempt)).fetchone() is not None


def revise(db: sqlite3.Connection, id: str, number: int) -> None:
    """Count a change of a picture."""
    db.execute("UPDATE jobs SET revision = revision + 1 WHERE id = ?", (id,))
    newest = "(SELECT revision FROM jobs WHERE id = job)"
    db.execute(f"UPDATE items SET revision = {newest} WHERE job = ? AND number = ?", (id, number))


def keep(db: sqlite3.Connection, id: str, kind: str, number: int, stored: Stored) -> None:
    """Name a file of the spool as needed."""
    row = (stored.file, id, kind, number, stored.name, stored.bytes)
    db.execute("INSERT INTO files (file, job, kind, number, name, bytes) VALUES (?, ?, ?, ?, ?, ?)", row)


def free(db: sqlite3.Connection, where: str, given: Sequence[Any]) -> tuple[str, ...]:
    """Forget files of the spool; give their names, so that they be removed."""
    files = tuple(row["file"] for row in db.execute(f"SELECT file FROM files WHERE {where}", given))
    db.execute(f"DELETE FROM files WHERE {where}", given)
    return files


def dumped(told: Result | Failure) -> str:
    """Write what came of a picture as JSON; its own keys tell `_item` which of the two it is."""
    return json.dumps(asdict(told))


def _item(row: sqlite3.Row) -> Item:
    found = json.loads(row["told"] or "{}")
    return Item(
        **{name: row[name] for name in ("number", "name", "state", "stage", "attempts", "revision")},
        result=Result(**found) if "file" in found else None,
        failure=Failure(**found) if "error" in found else None,
    )


def _stored(db: sqlite3.Connection, id: str, kind: str, number: int) -> tuple[Stored, ...]:
    rows = db.execute("SELECT * FROM files WHERE job = ? AND kind = ? AND number = ?", (id, kind, number))
    return tuple(Stored(row["name"], row["file"], row["bytes"]) for row in rows)
