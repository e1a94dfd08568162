-- A job's run at Weights & Biases.

-- JSON of the integration as it was asked for; nothing where none was.
ALTER TABLE jobs ADD COLUMN wandb TEXT;
