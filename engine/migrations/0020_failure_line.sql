-- The line of the file at fault, from 1, where a job failed of one.
ALTER TABLE jobs ADD COLUMN failure_line INTEGER;

-- Of jobs that failed before, what was told in words: `line 7 of the training file: …`, `…; line 7: …`.
UPDATE jobs SET failure_line = CAST(substr(failure_message, instr(failure_message, 'line ') + 5) AS INTEGER)
WHERE failure_cause = 'bad_data' AND instr(failure_message, 'line ') > 0
  AND CAST(substr(failure_message, instr(failure_message, 'line ') + 5) AS INTEGER) > 0;
