-- The store's tables. A change of them is a new number in sqlite.py: what lies here is short-lived and not converted.

CREATE TABLE jobs (                        -- its rowid is the order of arrival
  id          TEXT PRIMARY KEY,
  owner       TEXT NOT NULL,
  state       TEXT NOT NULL DEFAULT 'queued',
  created     REAL NOT NULL,
  ended       REAL,
  expires     REAL NOT NULL,               -- given up while it is live, wiped once it has ended
  revision    INTEGER NOT NULL DEFAULT 1,  -- changes so far, of the job and of its items
  changed     INTEGER NOT NULL DEFAULT 1,  -- the revision of its state
  recipe      TEXT NOT NULL,
  key         TEXT,
  fingerprint TEXT NOT NULL,
  webhook     TEXT,
  posting     TEXT,
  posts       INTEGER NOT NULL DEFAULT 0,
  post_at     REAL,
  UNIQUE (owner, key)
);

CREATE TABLE items (
  job        TEXT NOT NULL REFERENCES jobs ON DELETE CASCADE,
  number     INTEGER NOT NULL,
  name       TEXT NOT NULL,
  state      TEXT NOT NULL DEFAULT 'queued',
  stage      TEXT NOT NULL DEFAULT '',
  attempts   INTEGER NOT NULL DEFAULT 0,
  holder     TEXT,
  started    REAL,
  not_before REAL NOT NULL DEFAULT 0,      -- until then it is not taken
  revision   INTEGER NOT NULL DEFAULT 1,
  told       TEXT,                         -- JSON of its Result or its Failure
  PRIMARY KEY (job, number)
) WITHOUT ROWID;

CREATE TABLE files (                       -- every file of the spool that is still needed
  file   TEXT PRIMARY KEY,
  job    TEXT NOT NULL REFERENCES jobs ON DELETE CASCADE,
  kind   TEXT NOT NULL,                    -- source, asset or result
  number INTEGER NOT NULL,
  name   TEXT NOT NULL,
  bytes  INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE holders (
  id    TEXT PRIMARY KEY,
  until REAL NOT NULL
) WITHOUT ROWID;

CREATE INDEX items_by_state ON items (state);
CREATE INDEX files_by_job ON files (job);
