-- Uploads of /v1: a file that comes in parts.
CREATE TABLE uploads (
    id                    TEXT    NOT NULL PRIMARY KEY,
    owner                 TEXT    NOT NULL,
    filename              TEXT    NOT NULL,
    purpose               TEXT    NOT NULL,
    bytes                 INTEGER NOT NULL,
    status                TEXT    NOT NULL CHECK (status IN ('pending', 'completed', 'cancelled')),
    created_at            INTEGER NOT NULL,
    -- Past this no part is taken any more, and what has come is cleared away.
    expires_at            INTEGER NOT NULL,
    -- How long the file will stay; NULL is for ever.
    file_expires_after_ms INTEGER,
    -- What it became, and by which request: the same request again gets the same answer.
    file                  TEXT    REFERENCES files (id),
    completed_by          TEXT
) STRICT;
CREATE INDEX uploads_by_expiry ON uploads (expires_at);

-- Its parts, whose bytes lie in the folder of uploads under the same name.
CREATE TABLE upload_parts (
    id         TEXT    NOT NULL PRIMARY KEY,
    upload     TEXT    NOT NULL REFERENCES uploads (id) ON DELETE CASCADE,
    bytes      INTEGER NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX upload_parts_by_upload ON upload_parts (upload);
