-- Priorities and estimated starts.

-- Which of its owner's waiting jobs go first: -1 low, 0 normal, 1 high.
ALTER TABLE jobs ADD COLUMN priority INTEGER NOT NULL DEFAULT 0 CHECK (priority IN (-1, 0, 1));

-- How long a trainer takes for one example of one epoch, by base model: what succeeded jobs took, the newer counting
-- more. It tells nothing of anybody's job, so it has no owner.
CREATE TABLE paces (
    base_model  TEXT NOT NULL PRIMARY KEY,
    example_ms  REAL NOT NULL
) STRICT, WITHOUT ROWID;
