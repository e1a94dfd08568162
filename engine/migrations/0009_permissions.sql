-- Which other projects may use a tuned model or one of its checkpoints. A project is an owner.
CREATE TABLE checkpoint_permissions (
    id         TEXT    NOT NULL PRIMARY KEY,
    -- The name that it is for, `ft:…` with or without `:ckpt-step-N`, and the job that made what bears it.
    model      TEXT    NOT NULL,
    job_id     TEXT    NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    project    TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    UNIQUE (model, project)
) STRICT;
CREATE INDEX checkpoint_permissions_by_job ON checkpoint_permissions (job_id);
CREATE INDEX checkpoint_permissions_by_project ON checkpoint_permissions (project, created_at, id);
