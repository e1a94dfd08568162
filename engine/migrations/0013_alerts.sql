-- Alerts: what jobs are watched for, and what their owner is told.

-- Those that an owner's new jobs begin with, and a job's own. JSON of the rules; where there is no row nothing is watched.
CREATE TABLE alert_defaults (
    owner TEXT NOT NULL PRIMARY KEY,
    rules TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE job_alerts (
    job_id TEXT NOT NULL PRIMARY KEY REFERENCES jobs (id) ON DELETE CASCADE,
    rules  TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- What has come true: once for each job and condition, whoever finds it and however often.
CREATE TABLE raised_alerts (
    job_id    TEXT    NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    condition TEXT    NOT NULL,
    raised_at INTEGER NOT NULL,
    PRIMARY KEY (job_id, condition)
) STRICT, WITHOUT ROWID;

-- What an owner is told. It is written with the change that it tells of, so neither is ever without the other.
CREATE TABLE notifications (
    -- Names it, and its place in the list; never given out twice.
    seq        INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    owner      TEXT    NOT NULL,
    job_id     TEXT    NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    created_at INTEGER NOT NULL,
    kind       TEXT    NOT NULL CHECK (kind IN ('succeeded', 'failed', 'cancelled', 'alert')),
    -- Of an alert. What an end has to say is the job's.
    condition  TEXT,
    message    TEXT,
    read_at    INTEGER
) STRICT;
CREATE INDEX notifications_by_owner ON notifications (owner, seq);
CREATE INDEX notifications_by_job ON notifications (job_id);
CREATE INDEX notifications_unread ON notifications (owner, seq) WHERE read_at IS NULL;
