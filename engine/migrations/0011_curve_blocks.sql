-- Curves in small, so that a million steps are drawn as quickly as a thousand: of each block of steps that is complete, what a chart can
-- show of every part of it. All of it can be made again from `steps`.
CREATE TABLE curve_blocks (
    job_id TEXT    NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    -- Steps that a part holds.
    width  INTEGER NOT NULL,
    series TEXT    NOT NULL,
    -- The block's number along the steps, from 0.
    block  INTEGER NOT NULL,
    -- The parts as `curves.rs` writes them.
    parts  BLOB    NOT NULL,
    PRIMARY KEY (job_id, width, series, block)
) STRICT;
