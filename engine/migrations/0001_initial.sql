-- The engine's tables. Times are milliseconds since 1970 in UTC. Every row that belongs to somebody has an owner.

-- Files: datasets (purpose `fine-tune`), what else /v1 takes, and results (purpose `fine-tune-results`).
CREATE TABLE files (
    id                TEXT    NOT NULL PRIMARY KEY,
    owner             TEXT    NOT NULL,
    purpose           TEXT    NOT NULL,
    name              TEXT    NOT NULL,
    filename          TEXT    NOT NULL,
    bytes             INTEGER NOT NULL,
    status            TEXT    NOT NULL CHECK (status IN ('uploading', 'validating', 'ready', 'error')),
    created_at        INTEGER NOT NULL,
    expires_at        INTEGER,
    -- Set once it is deleted: the row stays for the jobs that name it, the bytes are gone.
    deleted_at        INTEGER,
    examples          INTEGER,
    errors            INTEGER,
    -- JSON of the report and of the preview, once the lines were read.
    report            TEXT,
    preview           TEXT,
    -- Which example this is a copy of; makes "use the example dataset" idempotent.
    example           TEXT,
    -- SHA-256 of the upload's token, while bytes may come.
    upload_hash       TEXT,
    upload_expires_at INTEGER
) STRICT;
CREATE INDEX files_by_owner ON files (owner, created_at, id);
CREATE UNIQUE INDEX files_by_upload ON files (upload_hash) WHERE upload_hash IS NOT NULL;
CREATE UNIQUE INDEX files_by_example ON files (owner, example) WHERE example IS NOT NULL AND deleted_at IS NULL;
CREATE INDEX files_validating ON files (status) WHERE status = 'validating';

-- Jobs: what was asked for, where they stand, and the lease of the server that works on them.
CREATE TABLE jobs (
    id                TEXT    NOT NULL PRIMARY KEY,
    owner             TEXT    NOT NULL,
    name              TEXT    NOT NULL,
    -- What a search looks through: name, id and base model in lower case.
    search_text       TEXT    NOT NULL,
    -- What a sort by name compares.
    name_key          TEXT    NOT NULL,
    base_model        TEXT    NOT NULL,
    status            TEXT    NOT NULL CHECK (status IN ('validating_files', 'queued', 'running', 'pausing', 'paused',
                                                         'succeeded', 'failed', 'cancelled')),
    created_at        INTEGER NOT NULL,
    -- Its place in the queue: that of its creation, however long its files were read.
    queued_at         INTEGER,
    started_at        INTEGER,
    finished_at       INTEGER,
    training_file     TEXT    NOT NULL REFERENCES files (id),
    validation_file   TEXT    REFERENCES files (id),
    -- JSON: the resolved hyperparameters.
    parameters        TEXT    NOT NULL,
    suffix            TEXT,
    idempotency_key   TEXT,
    -- Tells a retried create of /v1 from a new one.
    request_hash      TEXT,
    -- Counts the trainers started; a write of an earlier attempt is refused.
    attempt           INTEGER NOT NULL DEFAULT 0,
    -- Attempts in a row that ended without a newer checkpoint.
    fruitless         INTEGER NOT NULL DEFAULT 0,
    -- Why the next attempt isn't the first: told in an event once it trains.
    resume_reason     TEXT,
    lease_owner       TEXT,
    lease_expires_at  INTEGER,
    -- The newest sequence number of the job's record (events, steps, checkpoints).
    last_seq          INTEGER NOT NULL DEFAULT 0,
    stage             TEXT,
    step              INTEGER NOT NULL DEFAULT 0,
    total_steps       INTEGER NOT NULL DEFAULT 0,
    epoch             REAL    NOT NULL DEFAULT 0,
    tokens_per_second REAL,
    remaining_ms      INTEGER,
    train_loss        REAL,
    valid_loss        REAL,
    trained_tokens    INTEGER,
    failure_code      TEXT,
    failure_message   TEXT,
    failure_param     TEXT,
    fine_tuned_model  TEXT,
    artifact          TEXT,
    result_file       TEXT
) STRICT;
CREATE INDEX jobs_by_created ON jobs (owner, created_at, id);
CREATE INDEX jobs_by_name ON jobs (owner, name_key, id);
CREATE INDEX jobs_by_status ON jobs (owner, status, id);
CREATE INDEX jobs_by_status_created ON jobs (owner, status, created_at, id);
CREATE INDEX jobs_by_model ON jobs (owner, base_model, id);
CREATE INDEX jobs_by_model_status ON jobs (owner, base_model, status);
CREATE INDEX jobs_by_search ON jobs (owner, status, search_text, base_model);
CREATE UNIQUE INDEX jobs_by_idempotency_key ON jobs (owner, idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE INDEX jobs_by_request ON jobs (owner, request_hash, created_at) WHERE request_hash IS NOT NULL;
CREATE UNIQUE INDEX jobs_by_tuned_model ON jobs (fine_tuned_model) WHERE fine_tuned_model IS NOT NULL;
CREATE INDEX jobs_by_training_file ON jobs (training_file);
CREATE INDEX jobs_by_validation_file ON jobs (validation_file) WHERE validation_file IS NOT NULL;
-- The queue, and what the leases watch over.
CREATE INDEX jobs_queue ON jobs (queued_at, id) WHERE status = 'queued';
CREATE INDEX jobs_unfinished ON jobs (status)
    WHERE status IN ('validating_files', 'running', 'pausing');

-- What callers of /v1 attached to a job.
CREATE TABLE job_metadata (
    job_id TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    key    TEXT NOT NULL,
    value  TEXT NOT NULL,
    PRIMARY KEY (job_id, key)
) STRICT, WITHOUT ROWID;

-- A job's event log. An event's identifier is made of the job's and its sequence number.
CREATE TABLE events (
    job_id     TEXT    NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    seq        INTEGER NOT NULL,
    owner      TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    level      TEXT    NOT NULL CHECK (level IN ('info', 'warn', 'error')),
    message    TEXT    NOT NULL,
    PRIMARY KEY (job_id, seq)
) STRICT, WITHOUT ROWID;

-- What was measured, one row a step and one column a series: a step's line comes whole or not at all.
-- The first to arrive stays; NULL is "not measured", or not a number.
CREATE TABLE steps (
    job_id               TEXT    NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    step                 INTEGER NOT NULL,
    owner                TEXT    NOT NULL,
    seq                  INTEGER NOT NULL,
    recorded_at          INTEGER NOT NULL,
    total_steps          INTEGER NOT NULL,
    epoch                REAL    NOT NULL,
    train_loss           REAL,
    train_token_accuracy REAL,
    learning_rate        REAL,
    gradient_norm        REAL,
    tokens               INTEGER NOT NULL,
    valid_loss           REAL,
    valid_token_accuracy REAL,
    PRIMARY KEY (job_id, step)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX steps_by_seq ON steps (job_id, seq);

-- Saved states. A removed one keeps its row, so that a stream that is read later tells the same story.
CREATE TABLE checkpoints (
    job_id      TEXT    NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    step        INTEGER NOT NULL,
    id          TEXT    NOT NULL,
    owner       TEXT    NOT NULL,
    seq         INTEGER NOT NULL,
    created_at  INTEGER NOT NULL,
    bytes       INTEGER NOT NULL,
    train_loss  REAL,
    valid_loss  REAL,
    removed_seq INTEGER,
    PRIMARY KEY (job_id, step)
) STRICT, WITHOUT ROWID;

-- What training made.
CREATE TABLE artifacts (
    id               TEXT    NOT NULL PRIMARY KEY,
    owner            TEXT    NOT NULL,
    job_id           TEXT    NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    fine_tuned_model TEXT    NOT NULL,
    base_model       TEXT    NOT NULL,
    created_at       INTEGER NOT NULL,
    bytes            INTEGER NOT NULL,
    -- JSON: name, size and SHA-256 of each file.
    files            TEXT    NOT NULL
) STRICT;
CREATE INDEX artifacts_by_owner ON artifacts (owner, created_at, id);
CREATE INDEX artifacts_by_job ON artifacts (job_id);

-- Links that work once, for a short time. Only the token's SHA-256 is kept.
CREATE TABLE downloads (
    hash        TEXT    NOT NULL PRIMARY KEY,
    owner       TEXT    NOT NULL,
    artifact_id TEXT    NOT NULL REFERENCES artifacts (id) ON DELETE CASCADE,
    expires_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX downloads_by_artifact ON downloads (artifact_id);

-- Keys of /v1. Only the secret's SHA-256 is kept.
CREATE TABLE api_keys (
    id         TEXT    NOT NULL PRIMARY KEY,
    owner      TEXT    NOT NULL,
    name       TEXT    NOT NULL,
    hash       TEXT    NOT NULL UNIQUE,
    admin      INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    revoked_at INTEGER
) STRICT;
