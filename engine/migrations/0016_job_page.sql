-- What a job's page tells and gives.

-- Links to one checkpoint's adapter, or to a job's run for Weights & Biases, beside those to a job's result. A link lives
-- for a minute, so none is carried over.
DROP TABLE downloads;
CREATE TABLE downloads (
    hash        TEXT    NOT NULL PRIMARY KEY,
    owner       TEXT    NOT NULL,
    artifact_id TEXT    REFERENCES artifacts (id) ON DELETE CASCADE,
    job_id      TEXT    REFERENCES jobs (id) ON DELETE CASCADE,
    -- The checkpoint's, of the job's; nothing where its run is meant.
    step        INTEGER,
    expires_at  INTEGER NOT NULL,
    CHECK ((artifact_id IS NULL) = (job_id IS NOT NULL)),
    CHECK (step IS NULL OR job_id IS NOT NULL)
) STRICT, WITHOUT ROWID;
CREATE INDEX downloads_by_artifact ON downloads (artifact_id) WHERE artifact_id IS NOT NULL;
CREATE INDEX downloads_by_job ON downloads (job_id) WHERE job_id IS NOT NULL;

-- When a job came to stand where. A job from before this table has no phases, or only its later ones.
CREATE TABLE phases (
    job_id     TEXT    NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    -- Counts from 1.
    place      INTEGER NOT NULL,
    owner      TEXT    NOT NULL,
    status     TEXT    NOT NULL,
    started_at INTEGER NOT NULL,
    PRIMARY KEY (job_id, place)
) STRICT, WITHOUT ROWID;

-- What the trainer reckoned that the job takes, once it had read the data: target tokens of the whole run, its peak
-- memory, and how long jobs with its base model took for as much. And the memory that it did take.
ALTER TABLE jobs ADD COLUMN estimated_tokens INTEGER;
ALTER TABLE jobs ADD COLUMN estimated_memory INTEGER;
ALTER TABLE jobs ADD COLUMN estimated_ms INTEGER;
ALTER TABLE jobs ADD COLUMN peak_memory INTEGER;
