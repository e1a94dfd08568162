-- When a key was used last, to the minute; nothing where it never was, or not since this is kept.
ALTER TABLE api_keys ADD COLUMN last_used_at INTEGER;
