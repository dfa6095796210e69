"""A job store in SQLite: one file that the processes of one machine share.

Every change is one transaction, so that a process may be killed at any moment. Write-ahead logging lets others read
meanwhile; deleted rows are overwritten, because names of files are in them.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from cleancut.jobs import rows
from cleancut.jobs.store import Claim, Failure, Job, Notice, Order, Result, State, Stored
from cleancut.limits import ServiceLimits

_PAUSES = (10, 60, 180, 420)
"""Seconds between two attempts to tell a webhook; after the last it is given up."""

_READ, _WRITE = "BEGIN", "BEGIN IMMEDIATE"


class SqliteStore:
    """The protocol of `jobs.store` over one file of SQLite.

    Args:
        path: of the file, in a private folder that exists.
        limits: how many jobs and bytes there may be, and for how long.
        clock: seconds since the epoch, the same for every process.

    Raises:
        JobsFailed: the file is none of ours, damaged, or cannot be written.
    """

    def __init__(self, path: Path, limits: ServiceLimits, clock: Callable[[], float] = time.time) -> None:
        self._limits = limits
        self._clock = clock
        self._lock = threading.Lock()
        self._db = rows.opened(path)

    def known(self, owner: str, key: str, fingerprint: str) -> Job | None:
        """Give the job that the same order made before."""
        with self._transaction(_READ) as db:
            return rows.same(db, owner, key, fingerprint)

    def check_room(self, owner: str, more: int) -> None:
        """Refuse before the work what `put` would refuse after it."""
        with self._transaction(_READ) as db:
            rows.check_room(db, owner, more, self._limits)

    def put(self, order: Order) -> tuple[Job, bool]:
        """Write a job down; give it, and whether it is new."""
        now, id = self._clock(), secrets.token_urlsafe(16)
        with self._transaction(_WRITE) as db:
            known = order.key and rows.same(db, order.owner, order.key, order.fingerprint)
            if known:
                return known, False
            rows.check_room(db, order.owner, order.bytes, self._limits)
            row = {
                "id": id,
                "owner": order.owner,
                "created": now,
                "expires": now + self._limits.job_deadline,
                "recipe": json.dumps(dict(order.recipe)),
                "key": order.key,
                "fingerprint": order.fingerprint,
                "webhook": order.webhook,
                "posting": order.webhook and "waiting",
            }
            db.execute(f"INSERT INTO jobs ({', '.join(row)}) VALUES (:{', :'.join(row)})", row)
            for number, stored in enumerate(order.pictures, 1):
                db.execute("INSERT INTO items (job, number, name) VALUES (?, ?, ?)", (id, number, stored.name))
                rows.keep(db, id, "source", number, stored)
            for stored in order.assets:
                rows.keep(db, id, "asset", 0, stored)
            return rows.known(db, id), True

    def get(self, job: str) -> Job | None:
        """Give a job as it is now."""
        with self._transaction(_READ) as db:
            return rows.job(db, job)

    def owned(self, owner: str) -> list[Job]:
        """Give an owner's jobs, the newest first."""
        with self._transaction(_READ) as db:
            found = db.execute("SELECT id FROM jobs WHERE owner = ? ORDER BY rowid DESC", (owner,)).fetchall()
            return [rows.known(db, row["id"]) for row in found]

    def revision(self, job: str) -> int | None:
        """Give the number of changes to a job so far; None where there is none."""
        with self._transaction(_READ) as db:
            row = db.execute("SELECT revision FROM jobs WHERE id = ?", (job,)).fetchone()
            return row and int(row["revision"])

    def take(self, holder: str, *, alone: bool) -> Claim | None:
        """Claim the picture that is next; None where there is nothing to do."""
        with self._transaction(_READ) as db:  # nearly always there is nothing, and looking locks nobody out
            if db.execute(rows.NEXT, {"now": self._clock()}).fetchone() is None:
                return None
        with self._transaction(_WRITE) as db:
            while row := db.execute(rows.NEXT, {"now": self._clock()}).fetchone():
                if row["attempts"] >= self._limits.job_attempts:
                    self._settle(db, row["job"], row["number"], "failed", _deadly(row["attempts"]))
                    continue
                if row["attempts"] and not alone:
                    return None
                return self._claimed(db, row, holder)
            return None

    def beat(self, holder: str) -> None:
        """Prolong the lease of all that a holder has claimed."""
        with self._transaction(_WRITE) as db:
            self._beat(db, holder)

    def holders(self) -> list[str]:
        """Name the holders that have not left."""
        with self._transaction(_READ) as db:
            return [row["id"] for row in db.execute("SELECT id FROM holders")]

    def leave(self, holder: str) -> None:
        """End the lease of all that a holder has claimed."""
        with self._transaction(_WRITE) as db:
            db.execute("DELETE FROM holders WHERE id = ?", (holder,))

    def holds(self, claim: Claim) -> bool:
        """Tell whether a claim is still good."""
        with self._transaction(_READ) as db:
            return rows.is_held(db, claim)

    def stage(self, claim: Claim, stage: str) -> bool:
        """Note what is being done; tell whether the claim is still good."""
        with self._transaction(_WRITE) as db:
            if not rows.is_held(db, claim):
                return False
            db.execute("UPDATE items SET stage = ? WHERE job = ? AND number = ?", (stage, claim.job, claim.number))
            rows.revise(db, claim.job, claim.number)
            return True

    def back(self, claim: Claim, pause: float = 0.0) -> None:
        """Give a claim back as if it had not been made; it is not taken again for so many seconds."""
        given = "state = 'queued', stage = '', attempts = attempts - 1, holder = NULL, not_before = ?"
        with self._transaction(_WRITE) as db:
            if not rows.is_held(db, claim):
                return
            until = self._clock() + pause
            db.execute(f"UPDATE items SET {given} WHERE job = ? AND number = ?", (until, claim.job, claim.number))
            rows.revise(db, claim.job, claim.number)

    def done(self, claim: Claim, result: Result) -> tuple[str, ...]:
        """Settle a picture; give the files that nothing names any more."""
        with self._transaction(_WRITE) as db:
            if not rows.is_held(db, claim):
                return (result.file,)
            freed = rows.free(db, "file = ?", (claim.source.file,))
            rows.check_bytes(db, claim.owner, result.bytes, self._limits)
            stored = Stored(claim.source.name, result.file, result.bytes)
            rows.keep(db, claim.job, "result", claim.number, stored)
            return freed + self._settle(db, claim.job, claim.number, "done", result)

    def failed(self, claim: Claim, failure: Failure) -> tuple[str, ...]:
        """Settle a picture that cannot be made; give the files that nothing names any more."""
        with self._transaction(_WRITE) as db:
            if not rows.is_held(db, claim):
                return ()
            return self._settle(db, claim.job, claim.number, "failed", failure)

    def cancel(self, job: str) -> tuple[str, ...]:
        """End a job and wipe what is kept of it; give its files."""
        with self._transaction(_WRITE) as db:
            freed = rows.free(db, "job = ?", (job,))
            if not db.execute("SELECT 1 FROM jobs WHERE id = ? AND ended IS NULL", (job,)).fetchone():
                db.execute("DELETE FROM jobs WHERE id = ?", (job,))
                return freed
            db.execute("DELETE FROM items WHERE job = ?", (job,))
            wiped = "recipe = '{}', key = NULL, fingerprint = '', webhook = NULL"
            db.execute(f"UPDATE jobs SET {wiped} WHERE id = ?", (job,))
            self._end(db, job, "cancelled")
            return freed

    def expired(self) -> tuple[str, ...]:
        """Fail the jobs that took too long, remove those whose retention has ended; give their files."""
        freed: tuple[str, ...] = ()
        with self._transaction(_WRITE) as db:
            now = self._clock()
            for row in db.execute("SELECT id, ended FROM jobs WHERE expires <= ?", (now,)).fetchall():
                if row["ended"] is None:
                    freed += self._give_up(db, row["id"])
                    continue
                freed += rows.free(db, "job = ?", (row["id"],))
                db.execute("DELETE FROM jobs WHERE id = ?", (row["id"],))
            db.execute("DELETE FROM holders WHERE until < ?", (now,))
        self._checkpoint()
        return freed

    def files(self) -> set[str]:
        """Name every file of the spool that is still needed."""
        with self._transaction(_READ) as db:
            return {row["file"] for row in db.execute("SELECT file FROM files")}

    def due(self) -> Notice | None:
        """Claim a webhook that is due; until it is told delivered it is due again after a pause."""
        due = "SELECT id, webhook, posts FROM jobs WHERE posting = 'pending' AND post_at <= ? ORDER BY post_at"
        with self._transaction(_WRITE) as db:
            now = self._clock()
            for row in db.execute(due, (now,)).fetchall():
                if row["posts"] > len(_PAUSES):
                    db.execute("UPDATE jobs SET posting = 'failed', webhook = NULL WHERE id = ?", (row["id"],))
                    continue
                again = now + (*_PAUSES, self._limits.job_lease)[row["posts"]]
                db.execute("UPDATE jobs SET posts = posts + 1, post_at = ? WHERE id = ?", (again, row["id"]))
                return Notice(rows.known(db, row["id"]), row["webhook"], row["posts"] + 1)
            return None

    def delivered(self, notice: Notice) -> None:
        """Note that a webhook was accepted."""
        with self._transaction(_WRITE) as db:
            db.execute("UPDATE jobs SET posting = 'delivered', webhook = NULL WHERE id = ?", (notice.job.id,))

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._db.close()

    def _claimed(self, db: sqlite3.Connection, row: sqlite3.Row, holder: str) -> Claim:
        id, number, attempt = row["job"], row["number"], row["attempts"] + 1
        self._beat(db, holder)
        taken = "state = 'running', stage = 'waiting', attempts = ?, holder = ?, started = ?"
        given = (attempt, holder, self._clock(), id, number)
        db.execute(f"UPDATE items SET {taken} WHERE job = ? AND number = ?", given)
        rows.revise(db, id, number)
        db.execute("UPDATE jobs SET state = 'running', changed = revision WHERE id = ? AND state = 'queued'", (id,))
        return rows.claim(db, id, number, holder, attempt)

    def _settle(
        self, db: sqlite3.Connection, id: str, number: int, state: State, told: Result | Failure
    ) -> tuple[str, ...]:
        """End a picture, and its job where it was the last."""
        settled = "state = ?, stage = '', holder = NULL, told = ?"
        given = (state, rows.dumped(told), id, number)
        db.execute(f"UPDATE items SET {settled} WHERE job = ? AND number = ?", given)
        rows.revise(db, id, number)
        freed = rows.free(db, "job = ? AND kind = 'source' AND number = ?", (id, number))
        states = {row["state"] for row in db.execute("SELECT DISTINCT state FROM items WHERE job = ?", (id,))}
        if states & {"queued", "running"}:
            return freed
        self._end(db, id, "done" if "done" in states else "failed")
        return freed + rows.free(db, "job = ? AND kind = 'asset'", (id,))

    def _end(self, db: sqlite3.Connection, id: str, state: State) -> None:
        now = self._clock()
        db.execute(
            "UPDATE jobs SET state = ?, ended = ?, expires = ?, revision = revision + 1, changed = revision + 1,"
            " posting = CASE WHEN webhook IS NULL THEN NULL ELSE 'pending' END, post_at = ? WHERE id = ?",
            (state, now, now + self._limits.job_retention, now, id),
        )

    def _give_up(self, db: sqlite3.Connection, id: str) -> tuple[str, ...]:
        """Fail what a job has not done in its time; what is done stays."""
        late = Failure(504, "Deadline", f"The job was not done within {self._limits.job_deadline} seconds.")
        live = "SELECT number FROM items WHERE job = ? AND state IN ('queued', 'running')"
        freed: tuple[str, ...] = ()
        for row in db.execute(live, (id,)).fetchall():
            freed += self._settle(db, id, row["number"], "failed", late)
        return freed

    def _beat(self, db: sqlite3.Connection, holder: str) -> None:
        db.execute("INSERT OR REPLACE INTO holders VALUES (?, ?)", (holder, self._clock() + self._limits.job_lease))

    def _checkpoint(self) -> None:
        """Take what was deleted out of the write-ahead log too."""
        with self._lock:
            try:
                self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            except sqlite3.Error as error:
                raise rows.told(error) from error

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[sqlite3.Connection]:
        with self._lock, rows.transaction(self._db, begin):
            yield self._db


def _deadly(attempts: int) -> Failure:
    """Say of a picture that it is tried no more."""
    return Failure(500, "GivenUp", f"The service ended {attempts} times while it worked on this picture.")
