-- What preference optimisation measures at a step besides the loss. NULL where a job is supervised.
ALTER TABLE steps ADD COLUMN reward_chosen         REAL;
ALTER TABLE steps ADD COLUMN reward_rejected       REAL;
ALTER TABLE steps ADD COLUMN reward_margin         REAL;
ALTER TABLE steps ADD COLUMN reward_accuracy       REAL;
ALTER TABLE steps ADD COLUMN valid_reward_chosen   REAL;
ALTER TABLE steps ADD COLUMN valid_reward_rejected REAL;
ALTER TABLE steps ADD COLUMN valid_reward_margin   REAL;
ALTER TABLE steps ADD COLUMN valid_reward_accuracy REAL;
