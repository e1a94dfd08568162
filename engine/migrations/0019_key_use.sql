-- When a key was used last, to the minute; nothing where it never was, or not since this is kept.
ALTER TABLE api_keys ADD COLUMN last_used_at INTEGER;

-- An owner's keys, the oldest first.
CREATE INDEX api_keys_by_owner ON api_keys (owner, created_at, id) WHERE revoked_at IS NULL;
