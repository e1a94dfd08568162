-- Pause, stop and retry; what each trainer did; and a queue that serves owners in turn.

-- What somebody asked of a job that is worked on, kept until it is done: it outlives trainers and servers. Of a job
-- that has succeeded, 'stop' tells that it ended early.
ALTER TABLE jobs ADD COLUMN wish TEXT CHECK (wish IN ('pause', 'stop'));
-- The job that it is a retry of, and that one's checkpoint it started from. The parent may be gone.
ALTER TABLE jobs ADD COLUMN parent TEXT;
ALTER TABLE jobs ADD COLUMN parent_step INTEGER;
-- When a server last took it: the owner who was served longest ago is next.
ALTER TABLE jobs ADD COLUMN claimed_at INTEGER;
-- It was taken back from a server in mid-way, so it goes before what waits.
ALTER TABLE jobs ADD COLUMN interrupted INTEGER NOT NULL DEFAULT 0;
ALTER TABLE jobs ADD COLUMN failure_cause TEXT;
CREATE INDEX jobs_by_claim ON jobs (owner, claimed_at) WHERE claimed_at IS NOT NULL;

-- Each trainer that was started on a job.
CREATE TABLE attempts (
    job_id     TEXT    NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    attempt    INTEGER NOT NULL,
    owner      TEXT    NOT NULL,
    started_at INTEGER NOT NULL,
    -- Steps that were done when it began to train; NULL until then.
    from_step  INTEGER,
    ended_at   INTEGER,
    outcome    TEXT CHECK (outcome IN ('done', 'paused', 'requeued', 'lost', 'died', 'failed', 'cancelled')),
    message    TEXT,
    -- The last lines of the trainer's log, where it ended badly.
    log        TEXT,
    PRIMARY KEY (job_id, attempt)
) STRICT, WITHOUT ROWID;
