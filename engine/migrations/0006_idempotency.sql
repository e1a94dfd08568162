-- What was asked for under `idempotency_key`, as a digest: the same key with another request is refused. NULL where the job
-- is older than this, and where it has no key.
ALTER TABLE jobs ADD COLUMN idempotency_digest TEXT;
