-- A job's run at Weights & Biases, and links that bring it.

-- JSON of the integration as it was asked for; nothing where none was.
ALTER TABLE jobs ADD COLUMN wandb TEXT;

-- A link leads to an artifact or to a job's run. Links live for a minute, so those that there are may go.
DROP TABLE downloads;
CREATE TABLE downloads (
    hash        TEXT    NOT NULL PRIMARY KEY,
    owner       TEXT    NOT NULL,
    artifact_id TEXT    REFERENCES artifacts (id) ON DELETE CASCADE,
    job_id      TEXT    REFERENCES jobs (id) ON DELETE CASCADE,
    expires_at  INTEGER NOT NULL,
    CHECK ((artifact_id IS NULL) <> (job_id IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX downloads_by_artifact ON downloads (artifact_id);
CREATE INDEX downloads_by_job ON downloads (job_id);
