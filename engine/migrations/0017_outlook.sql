-- What ended since some day, and what was trained since, are read from an index alone. Jobs that haven't ended stand in it
-- without an end.
CREATE INDEX jobs_by_end ON jobs (owner, finished_at, status, trained_tokens, id);
