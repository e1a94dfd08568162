-- What was taken over from accounts elsewhere: where it lay, and what it became here. A row outlives what it became, so that
-- what somebody deletes here isn't taken again unasked.
CREATE TABLE imports (
    owner            TEXT    NOT NULL,
    -- The base URL of the API, without its last slash.
    source           TEXT    NOT NULL,
    kind             TEXT    NOT NULL CHECK (kind IN ('job', 'file')),
    -- What it is called there.
    upstream_id      TEXT    NOT NULL,
    -- What it is called here.
    local_id         TEXT    NOT NULL,
    -- Of a job: the name of its tuned model, which stays there.
    fine_tuned_model TEXT,
    imported_at      INTEGER NOT NULL,
    PRIMARY KEY (owner, source, kind, upstream_id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX imports_by_local ON imports (local_id);
