-- Webhooks: addresses that are told when a job ends, and the outbox of what they are told.
CREATE TABLE webhooks (
    id         TEXT    NOT NULL PRIMARY KEY,
    owner      TEXT    NOT NULL,
    url        TEXT    NOT NULL,
    -- What events are signed with. A signature needs it whole, so it can't be kept as a hash.
    secret     TEXT    NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX webhooks_by_owner ON webhooks (owner, created_at, id);

CREATE TABLE webhook_events (
    webhook TEXT NOT NULL REFERENCES webhooks (id) ON DELETE CASCADE,
    event   TEXT NOT NULL,
    PRIMARY KEY (webhook, event)
) STRICT, WITHOUT ROWID;

-- One row an event and webhook. It is written with the change that it tells of, so neither is ever without the other.
CREATE TABLE deliveries (
    webhook         TEXT    NOT NULL REFERENCES webhooks (id) ON DELETE CASCADE,
    event_id        TEXT    NOT NULL,
    event           TEXT    NOT NULL,
    job_id          TEXT    NOT NULL,
    created_at      INTEGER NOT NULL,
    status          TEXT    NOT NULL CHECK (status IN ('pending', 'delivered', 'failed')),
    tries           INTEGER NOT NULL DEFAULT 0,
    tried_at        INTEGER,
    -- When it is due; NULL once it is done, and of a test, which is tried once and at once.
    next_try_at     INTEGER,
    response_status INTEGER,
    error           TEXT,
    PRIMARY KEY (webhook, event_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX deliveries_due ON deliveries (next_try_at) WHERE next_try_at IS NOT NULL;
CREATE INDEX deliveries_by_creation ON deliveries (created_at);
