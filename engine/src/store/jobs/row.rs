//! One row of the table `jobs`, and how the console sees it.

use crate::{
    parameters::{Parameters, Recipe},
    store::{from_sql, queue::priority_of},
};
use shared::{
    attempt::{FailureCause, RetryJob},
    id::{ArtifactId, DatasetId, JobId, Subject},
    job::{DatasetRef, Imported, Job, JobEstimate, JobFailure, Progress},
    run::{RunCommand, Stage},
    status::JobStatus,
    timestamp::Timestamp,
    wandb::Wandb,
};
use sqlx::FromRow;

/// The organisation in a tuned model's name.
pub(crate) const ORGANIZATION: &str = "attune";

/// How a job's identifier begins.
pub(crate) const ID_PREFIX: &str = "ftjob-";

/// One row with the names of its files.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct JobRow {
    pub(crate) id: String,
    pub(crate) owner: String,
    pub(crate) name: String,
    pub(crate) base_model: String,
    pub(crate) status: String,
    pub(crate) created_at: i64,
    pub(crate) queued_at: Option<i64>,
    pub(crate) started_at: Option<i64>,
    pub(crate) finished_at: Option<i64>,
    pub(crate) training_file: String,
    pub(crate) training_name: String,
    pub(crate) validation_file: Option<String>,
    pub(crate) validation_name: Option<String>,
    pub(crate) parameters: String,
    pub(crate) suffix: Option<String>,
    pub(crate) attempt: i64,
    pub(crate) fruitless: i64,
    pub(crate) resume_reason: Option<String>,
    pub(crate) stage: Option<String>,
    pub(crate) step: i64,
    pub(crate) total_steps: i64,
    pub(crate) epoch: f64,
    pub(crate) tokens_per_second: Option<f64>,
    pub(crate) remaining_ms: Option<i64>,
    pub(crate) train_loss: Option<f64>,
    pub(crate) valid_loss: Option<f64>,
    pub(crate) trained_tokens: Option<i64>,
    pub(crate) estimated_tokens: Option<i64>,
    pub(crate) estimated_memory: Option<i64>,
    pub(crate) estimated_ms: Option<i64>,
    pub(crate) peak_memory: Option<i64>,
    pub(crate) failure_code: Option<String>,
    pub(crate) failure_message: Option<String>,
    pub(crate) failure_param: Option<String>,
    failure_line: Option<i64>,
    pub(crate) failure_cause: Option<String>,
    pub(crate) fine_tuned_model: Option<String>,
    pub(crate) artifact: Option<String>,
    pub(crate) result_file: Option<String>,
    pub(crate) wish: Option<String>,
    pub(crate) parent: Option<String>,
    pub(crate) parent_step: Option<i64>,
    wandb: Option<String>,
    pub(crate) priority: i64,
    /// It was taken back from a server in mid-way.
    pub(crate) interrupted: bool,
    pub(crate) idempotency_digest: Option<String>,
    /// The newest checkpoint that is kept.
    pub(crate) last_checkpoint: Option<i64>,
    /// The API that it was taken over from, its name there, and that of its tuned model.
    pub(crate) imported_from: Option<String>,
    pub(crate) imported_id: Option<String>,
    pub(crate) imported_model: Option<String>,
    /// Of an imported job: there were older events, and steps among them, than were taken.
    pub(crate) lacks_events: Option<bool>,
    pub(crate) lacks_steps: Option<bool>,
}

/// The columns of [`JobRow`] and where they come from.
macro_rules! select_job {
    () => {
        "SELECT jobs.id, jobs.owner, jobs.name, jobs.base_model, jobs.status, jobs.created_at, jobs.queued_at, \
         jobs.started_at, jobs.finished_at, jobs.training_file, training.name AS training_name, \
         jobs.validation_file, validation.name AS validation_name, jobs.parameters, jobs.suffix, jobs.attempt, \
         jobs.fruitless, jobs.resume_reason, jobs.stage, jobs.step, jobs.total_steps, jobs.epoch, \
         jobs.tokens_per_second, jobs.remaining_ms, jobs.train_loss, jobs.valid_loss, jobs.trained_tokens, \
         jobs.failure_code, jobs.failure_message, jobs.failure_param, jobs.failure_line, \
         jobs.failure_cause, jobs.fine_tuned_model, jobs.artifact, jobs.result_file, jobs.wish, jobs.parent, \
         jobs.parent_step, jobs.priority, \
         jobs.interrupted, jobs.idempotency_digest, jobs.estimated_tokens, jobs.estimated_memory, jobs.estimated_ms, \
         jobs.peak_memory, jobs.wandb, \
         (SELECT MAX(step) FROM checkpoints WHERE job_id = jobs.id AND removed_seq IS NULL) AS last_checkpoint, \
         imports.source AS imported_from, imports.upstream_id AS imported_id, \
         imports.fine_tuned_model AS imported_model, imports.lacks_events, imports.lacks_steps \
         FROM jobs JOIN files AS training ON training.id = jobs.training_file \
         LEFT JOIN files AS validation ON validation.id = jobs.validation_file \
         LEFT JOIN imports ON imports.local_id = jobs.id"
    };
}
pub(crate) use select_job;

impl JobRow {
    /// Where the job stands.
    pub(crate) fn status(&self) -> JobStatus {
        // The table's check lets no other word in.
        JobStatus::parse(&self.status).unwrap_or(JobStatus::Failed)
    }

    /// Whose it is.
    pub(crate) fn owner(&self) -> Subject {
        Subject::new(&self.owner)
    }

    /// The resolved hyperparameters; nothing of a job that was trained elsewhere (see [`Self::recipe`]).
    pub(crate) fn parameters(&self) -> Option<Parameters> {
        serde_json::from_str(&self.parameters).ok()
    }

    /// What is known of the settings, wherever the job was trained.
    pub(crate) fn recipe(&self) -> Option<Recipe> {
        match self.imported_from {
            Some(_) => serde_json::from_str(&self.parameters).ok(),
            None => self.parameters().map(Recipe::from),
        }
    }

    /// Where it was trained, if that was elsewhere.
    pub(crate) fn imported(&self) -> Option<Imported> {
        let address = self.imported_from.as_deref()?;
        let host = address.split_once("://").map_or(address, |(_, rest)| rest);
        Some(Imported {
            host: host.split('/').next().unwrap_or(host).to_owned(),
            id: self.imported_id.clone()?,
            fine_tuned_model: self.imported_model.clone(),
        })
    }

    /// Why it failed, where it did.
    pub(crate) fn failure(&self) -> Option<JobFailure> {
        let cause = self.failure_cause.as_deref().and_then(FailureCause::parse);
        Some(JobFailure {
            code: self.failure_code.clone()?,
            message: self.failure_message.clone().unwrap_or_default(),
            param: self.failure_param.clone(),
            line: self.failure_line.map(from_sql),
            cause,
            change: cause.and_then(|cause| self.proposed_change(cause)),
        })
    }

    /// What a retry had better change.
    fn proposed_change(&self, cause: FailureCause) -> Option<RetryJob> {
        let parameters = self.parameters()?;
        let mut change = RetryJob::default();
        match cause {
            FailureCause::OutOfMemory => {
                change.batch_size = Some(parameters.batch_size / 2).filter(|half| *half > 0);
                change.batch_size?;
            }
            FailureCause::Diverged => {
                // Of two digits, so that a tenth doesn't become 0.00020000000000000001.
                let tenth = format!("{:.1e}", parameters.learning_rate / 10.0);
                change.learning_rate = Some(tenth.parse().ok()?);
            }
            FailureCause::Signal
            | FailureCause::DiskFull
            | FailureCause::Storage
            | FailureCause::Unresponsive => {
                change.from_step = self.last_checkpoint.filter(|step| *step > 0).map(from_sql);
            }
            FailureCause::BadData | FailureCause::Unusable | FailureCause::Bug => return None,
        }
        Some(change)
    }

    /// What somebody asked of it.
    pub(crate) fn wish(&self) -> Option<RunCommand> {
        self.wish.as_deref().and_then(RunCommand::parse)
    }

    /// What the tuned model is or will be called, `ft:BASE:ORGANISATION:SUFFIX:ID`; the last part is the job's own, so
    /// names never clash.
    pub(crate) fn tuned_name(&self) -> String {
        tuned_name(&self.id, &self.base_model, self.suffix.as_deref())
    }

    fn estimate(&self) -> Option<JobEstimate> {
        Some(JobEstimate {
            trained_tokens: from_sql(self.estimated_tokens?),
            memory_bytes: from_sql(self.estimated_memory?),
            duration_ms: self.estimated_ms.map(from_sql),
        })
    }

    /// Its run at Weights & Biases, where one was asked for.
    pub(crate) fn wandb(&self) -> Option<Wandb> {
        serde_json::from_str(self.wandb.as_deref()?).ok()
    }

    /// The part of its identifier that names it elsewhere.
    pub(crate) fn short_id(&self) -> &str {
        short_id(&self.id)
    }

    fn progress(&self) -> Option<Progress> {
        Some(Progress {
            stage: parse_stage(self.stage.as_deref()?)?,
            step: from_sql(self.step),
            total_steps: from_sql(self.total_steps),
            epoch: self.epoch,
            remaining_ms: self.remaining_ms.map(from_sql),
            tokens_per_second: self.tokens_per_second,
            train_loss: self.train_loss,
            valid_loss: self.valid_loss,
        })
    }

    /// The row as the console shows it.
    pub(crate) fn to_job(&self, queue_position: Option<u32>) -> Job {
        let recipe = self.recipe();
        Job {
            id: JobId::new(&self.id),
            name: self.name.clone(),
            base_model: self.base_model.clone(),
            status: self.status(),
            created_at: Timestamp::from_unix_ms(self.created_at),
            started_at: self.started_at.map(Timestamp::from_unix_ms),
            finished_at: self.finished_at.map(Timestamp::from_unix_ms),
            epochs: recipe.as_ref().and_then(|recipe| recipe.epochs),
            evaluation_epochs: recipe.as_ref().and_then(|recipe| recipe.evaluation_epochs),
            warmup_epochs: recipe.as_ref().and_then(|recipe| recipe.warmup_epochs),
            learning_rate: recipe.as_ref().and_then(|recipe| recipe.learning_rate),
            training_dataset: Some(DatasetRef {
                id: DatasetId::new(&self.training_file),
                name: self.training_name.clone(),
            }),
            validation_dataset: self.validation_file.as_ref().map(|id| DatasetRef {
                id: DatasetId::new(id),
                name: self.validation_name.clone().unwrap_or_else(|| id.clone()),
            }),
            hyperparameters: recipe.map(|recipe| recipe.hyperparameters),
            progress: self.progress(),
            failure: self.failure(),
            attempt: u32::try_from(self.attempt).unwrap_or(u32::MAX),
            trained_tokens: self.trained_tokens.map(from_sql),
            estimate: self.estimate(),
            peak_memory_bytes: self.peak_memory.map(from_sql),
            fine_tuned_model: self.fine_tuned_model.clone(),
            artifact: self.artifact.as_ref().map(ArtifactId::new),
            queue_position,
            starts_in_ms: None,
            last_event_id: None,
            priority: Some(priority_of(self.priority)),
            stopped: self.wish() == Some(RunCommand::Stop),
            parent: self.parent.as_ref().map(JobId::new),
            parent_step: self.parent_step.map(from_sql),
            imported: self.imported(),
            wandb: self.wandb(),
        }
    }
}

/// See [`JobRow::tuned_name`].
pub(crate) fn tuned_name(id: &str, base_model: &str, suffix: Option<&str>) -> String {
    format!(
        "ft:{base_model}:{ORGANIZATION}:{}:{}",
        suffix.unwrap_or_default(),
        short_id(id)
    )
}

fn short_id(id: &str) -> &str {
    let id = id.strip_prefix(ID_PREFIX).unwrap_or(id);
    id.get(..12).unwrap_or(id)
}

/// The word in the table.
pub(crate) const fn stage_word(stage: Stage) -> &'static str {
    match stage {
        Stage::Preparing => "preparing",
        Stage::Loading => "loading",
        Stage::Training => "training",
        Stage::Saving => "saving",
    }
}

fn parse_stage(word: &str) -> Option<Stage> {
    [Stage::Preparing, Stage::Loading, Stage::Training, Stage::Saving]
        .into_iter()
        .find(|stage| stage_word(*stage) == word)
}
