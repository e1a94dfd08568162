-- What an imported job's record lacks, because there was more of it than was taken: its oldest events, and whether steps of its curves
-- were among them.
ALTER TABLE imports ADD COLUMN lacks_events INTEGER NOT NULL DEFAULT 0 CHECK (lacks_events IN (0, 1));
ALTER TABLE imports ADD COLUMN lacks_steps  INTEGER NOT NULL DEFAULT 0 CHECK (lacks_steps IN (0, 1));
