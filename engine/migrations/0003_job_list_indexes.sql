-- Lists of jobs read their page and their counts from an index alone, whatever they filter by: a substring that no job
-- has is then looked for in one pass over an index, not over the table. Each holds what can be filtered by, behind
-- what it is ordered by.
DROP INDEX jobs_by_created;
DROP INDEX jobs_by_name;
DROP INDEX jobs_by_status;
DROP INDEX jobs_by_status_created;
DROP INDEX jobs_by_model;
DROP INDEX jobs_by_model_status;
DROP INDEX jobs_by_search;
CREATE INDEX jobs_by_created ON jobs (owner, created_at, id, status, base_model, search_text);
CREATE INDEX jobs_by_name ON jobs (owner, name_key, id, status, base_model, created_at, search_text);
CREATE INDEX jobs_by_status ON jobs (owner, status, id, base_model, created_at, search_text);
CREATE INDEX jobs_by_model ON jobs (owner, base_model, id, status, created_at, search_text);
-- The counts of one base model.
CREATE INDEX jobs_by_model_status ON jobs (owner, base_model, status, created_at, search_text);
