//! The table `jobs`: one job at a time. Lists are in `job_list`, the queue and its leases in `leases`.

use super::{events, from_sql, to_sql};
use crate::parameters::Parameters;
use shared::{
    event::Level,
    id::{ArtifactId, DatasetId, JobId, Subject},
    job::{DatasetRef, Hyperparameters, Job, JobFailure, Progress},
    run::{Stage, Warmup},
    status::JobStatus,
    timestamp::Timestamp,
};
use sqlx::{FromRow, SqliteConnection, SqliteExecutor};

/// The organisation in a tuned model's name.
pub(crate) const ORGANIZATION: &str = "attune";

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
    pub(crate) failure_code: Option<String>,
    pub(crate) failure_message: Option<String>,
    pub(crate) failure_param: Option<String>,
    pub(crate) fine_tuned_model: Option<String>,
    pub(crate) artifact: Option<String>,
    pub(crate) result_file: Option<String>,
}

/// The columns of [`JobRow`] and where they come from.
macro_rules! select_job {
    () => {
        "SELECT jobs.id, jobs.owner, jobs.name, jobs.base_model, jobs.status, jobs.created_at, jobs.queued_at, \
         jobs.started_at, jobs.finished_at, jobs.training_file, training.name AS training_name, \
         jobs.validation_file, validation.name AS validation_name, jobs.parameters, jobs.suffix, jobs.attempt, \
         jobs.fruitless, jobs.resume_reason, jobs.stage, jobs.step, jobs.total_steps, jobs.epoch, \
         jobs.tokens_per_second, jobs.remaining_ms, jobs.train_loss, jobs.valid_loss, jobs.trained_tokens, \
         jobs.failure_code, jobs.failure_message, jobs.failure_param, jobs.fine_tuned_model, jobs.artifact, \
         jobs.result_file \
         FROM jobs JOIN files AS training ON training.id = jobs.training_file \
         LEFT JOIN files AS validation ON validation.id = jobs.validation_file"
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

    /// The resolved hyperparameters.
    pub(crate) fn parameters(&self) -> Option<Parameters> {
        serde_json::from_str(&self.parameters).ok()
    }

    /// Why it failed, where it did.
    pub(crate) fn failure(&self) -> Option<JobFailure> {
        Some(JobFailure {
            code: self.failure_code.clone()?,
            message: self.failure_message.clone().unwrap_or_default(),
            param: self.failure_param.clone(),
        })
    }

    /// What the tuned model is or will be called, `ft:BASE:ORGANISATION:SUFFIX:ID`; the last part is the job's own, so
    /// names never clash.
    pub(crate) fn tuned_name(&self) -> String {
        let id = self.id.strip_prefix("ftjob-").unwrap_or(&self.id);
        let short = id.get(..12).unwrap_or(id);
        let suffix = self.suffix.as_deref().unwrap_or_default();
        format!("ft:{}:{ORGANIZATION}:{suffix}:{short}", self.base_model)
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
        let parameters = self.parameters();
        Job {
            id: JobId::new(&self.id),
            name: self.name.clone(),
            base_model: self.base_model.clone(),
            status: self.status(),
            created_at: Timestamp::from_unix_ms(self.created_at),
            started_at: self.started_at.map(Timestamp::from_unix_ms),
            finished_at: self.finished_at.map(Timestamp::from_unix_ms),
            epochs: parameters.as_ref().map(|parameters| parameters.epochs),
            evaluation_epochs: parameters.as_ref().map(|parameters| parameters.evaluation_epochs),
            warmup_epochs: parameters
                .as_ref()
                .and_then(|parameters| match parameters.warmup {
                    Warmup::Epochs(epochs) => Some(epochs),
                    Warmup::Ratio(_) => None,
                }),
            learning_rate: parameters.as_ref().map(|parameters| parameters.learning_rate),
            training_dataset: Some(DatasetRef {
                id: DatasetId::new(&self.training_file),
                name: self.training_name.clone(),
            }),
            validation_dataset: self.validation_file.as_ref().map(|id| DatasetRef {
                id: DatasetId::new(id),
                name: self.validation_name.clone().unwrap_or_else(|| id.clone()),
            }),
            hyperparameters: parameters.map(|parameters| Hyperparameters {
                method: "supervised".to_owned(),
                batch_size: parameters.batch_size,
                gradient_accumulation: parameters.gradient_accumulation,
                schedule: parameters.schedule,
                lora: parameters.lora,
                max_sequence_length: parameters.max_sequence_length,
                seed: parameters.seed,
                auto: parameters.auto,
            }),
            progress: self.progress(),
            failure: self.failure(),
            attempt: u32::try_from(self.attempt).unwrap_or(u32::MAX),
            trained_tokens: self.trained_tokens.map(from_sql),
            fine_tuned_model: self.fine_tuned_model.clone(),
            artifact: self.artifact.as_ref().map(ArtifactId::new),
            queue_position,
        }
    }
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

/// A row to be.
#[derive(Debug, Clone)]
pub(crate) struct InsertJob<'a> {
    pub(crate) id: &'a str,
    pub(crate) owner: &'a Subject,
    pub(crate) name: &'a str,
    pub(crate) base_model: &'a str,
    pub(crate) created_at: Timestamp,
    pub(crate) training_file: &'a str,
    pub(crate) validation_file: Option<&'a str>,
    pub(crate) parameters: &'a Parameters,
    pub(crate) suffix: Option<&'a str>,
    pub(crate) idempotency_key: Option<&'a str>,
    pub(crate) request_hash: Option<&'a str>,
}

/// Adds a job whose files are to be validated.
pub(crate) async fn insert(connection: &mut SqliteConnection, job: &InsertJob<'_>) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO jobs (id, owner, name, search_text, name_key, base_model, status, created_at, training_file, \
                           validation_file, parameters, suffix, idempotency_key, request_hash) \
         VALUES ($1, $2, $3, $4, $5, $6, 'validating_files', $7, $8, $9, $10, $11, $12, $13)",
    )
    .bind(job.id)
    .bind(job.owner.as_str())
    .bind(job.name)
    // A line break between them, so that a search never matches across.
    .bind(format!("{}\n{}\n{}", job.name, job.id, job.base_model).to_lowercase())
    .bind(job.name.to_lowercase())
    .bind(job.base_model)
    .bind(job.created_at.unix_ms())
    .bind(job.training_file)
    .bind(job.validation_file)
    .bind(serde_json::to_string(job.parameters).unwrap_or_default())
    .bind(job.suffix)
    .bind(job.idempotency_key)
    .bind(job.request_hash)
    .execute(connection)
    .await?;
    Ok(())
}

/// One job of an owner.
pub(crate) async fn find(
    executor: impl SqliteExecutor<'_>,
    owner: &Subject,
    id: &JobId,
) -> sqlx::Result<Option<JobRow>> {
    sqlx::query_as(concat!(select_job!(), " WHERE jobs.owner = $1 AND jobs.id = $2"))
        .bind(owner.as_str())
        .bind(id.as_str())
        .fetch_optional(executor)
        .await
}

/// The job that an owner made with an idempotency key.
pub(crate) async fn find_by_idempotency_key(
    executor: impl SqliteExecutor<'_>,
    owner: &Subject,
    key: &str,
) -> sqlx::Result<Option<JobRow>> {
    sqlx::query_as(concat!(
        select_job!(),
        " WHERE jobs.owner = $1 AND jobs.idempotency_key = $2"
    ))
    .bind(owner.as_str())
    .bind(key)
    .fetch_optional(executor)
    .await
}

/// The newest job that an owner made with the same request since an instant.
pub(crate) async fn find_by_request(
    executor: impl SqliteExecutor<'_>,
    owner: &Subject,
    request_hash: &str,
    since: Timestamp,
) -> sqlx::Result<Option<JobRow>> {
    sqlx::query_as(concat!(
        select_job!(),
        " WHERE jobs.owner = $1 AND jobs.request_hash = $2 AND jobs.created_at >= $3 \
         ORDER BY jobs.created_at DESC LIMIT 1"
    ))
    .bind(owner.as_str())
    .bind(request_hash)
    .bind(since.unix_ms())
    .fetch_optional(executor)
    .await
}

/// How many queued jobs of everybody are before a queued one.
pub(crate) async fn queue_position(
    executor: impl SqliteExecutor<'_>,
    queued_at: i64,
    id: &str,
) -> sqlx::Result<u32> {
    let before: i64 = sqlx::query_scalar(
        "SELECT COUNT(*) FROM jobs WHERE status = 'queued' AND (queued_at, id) < ($1, $2)",
    )
    .bind(queued_at)
    .bind(id)
    .fetch_one(executor)
    .await?;
    Ok(u32::try_from(before).unwrap_or(u32::MAX))
}

/// Moves a job from one status to another, if it still stands there; false where it doesn't.
pub(crate) async fn change_status(
    connection: &mut SqliteConnection,
    owner: &Subject,
    id: &JobId,
    from: JobStatus,
    to: JobStatus,
    now: Timestamp,
) -> sqlx::Result<bool> {
    let finished_at = to.is_terminal().then_some(now.unix_ms());
    let done = sqlx::query(
        "UPDATE jobs SET status = $4, finished_at = $5, queued_at = COALESCE(queued_at, created_at), lease_owner = NULL, \
                         lease_expires_at = NULL, remaining_ms = NULL \
         WHERE owner = $1 AND id = $2 AND status = $3",
    )
    .bind(owner.as_str())
    .bind(id.as_str())
    .bind(from.as_str())
    .bind(to.as_str())
    .bind(finished_at)
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Keeps the reason why a job failed.
pub(crate) async fn set_failure(
    connection: &mut SqliteConnection,
    owner: &Subject,
    id: &JobId,
    failure: &JobFailure,
) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE jobs SET failure_code = $3, failure_message = $4, failure_param = $5 WHERE owner = $1 AND id = $2",
    )
    .bind(owner.as_str())
    .bind(id.as_str())
    .bind(&failure.code)
    .bind(&failure.message)
    .bind(&failure.param)
    .execute(connection)
    .await?;
    Ok(())
}

/// What a succeeded job made.
#[derive(Debug, Clone)]
pub(crate) struct Outcome<'a> {
    pub(crate) artifact: &'a str,
    pub(crate) fine_tuned_model: &'a str,
    pub(crate) result_file: &'a str,
    pub(crate) trained_tokens: u64,
}

/// Keeps what a succeeded job made.
pub(crate) async fn set_outcome(
    connection: &mut SqliteConnection,
    owner: &Subject,
    id: &JobId,
    outcome: &Outcome<'_>,
) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE jobs SET artifact = $3, fine_tuned_model = $4, result_file = $5, trained_tokens = $6 \
         WHERE owner = $1 AND id = $2",
    )
    .bind(owner.as_str())
    .bind(id.as_str())
    .bind(outcome.artifact)
    .bind(outcome.fine_tuned_model)
    .bind(outcome.result_file)
    .bind(to_sql(outcome.trained_tokens))
    .execute(connection)
    .await?;
    Ok(())
}

/// Reserves the next `count` places in a job's record; answers the first of them.
pub(crate) async fn take_seq(connection: &mut SqliteConnection, id: &str, count: u64) -> sqlx::Result<i64> {
    let count = to_sql(count);
    let last: i64 =
        sqlx::query_scalar("UPDATE jobs SET last_seq = last_seq + $2 WHERE id = $1 RETURNING last_seq")
            .bind(id)
            .bind(count)
            .fetch_one(connection)
            .await?;
    Ok(last - count + 1)
}

/// Adds an event to a job's record.
pub(crate) async fn add_event(
    connection: &mut SqliteConnection,
    id: &str,
    owner: &Subject,
    now: Timestamp,
    level: Level,
    message: &str,
) -> sqlx::Result<()> {
    let seq = take_seq(connection, id, 1).await?;
    events::insert(connection, id, owner, seq, now, level, message).await
}

/// Deletes a job that isn't active, and its record with it; false where it is.
pub(crate) async fn delete(
    connection: &mut SqliteConnection,
    owner: &Subject,
    id: &JobId,
) -> sqlx::Result<bool> {
    let done = sqlx::query(
        "DELETE FROM jobs WHERE owner = $1 AND id = $2 \
         AND status IN ('paused', 'succeeded', 'failed', 'cancelled')",
    )
    .bind(owner.as_str())
    .bind(id.as_str())
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Jobs of everybody whose files were being validated when the server before this one ended.
pub(crate) async fn list_validating(
    executor: impl SqliteExecutor<'_>,
) -> sqlx::Result<Vec<(String, String)>> {
    sqlx::query_as("SELECT owner, id FROM jobs WHERE status = 'validating_files' ORDER BY created_at")
        .fetch_all(executor)
        .await
}

/// Identifiers of every job of everybody: what the run directories are compared with.
pub(crate) async fn exists(executor: impl SqliteExecutor<'_>, id: &str) -> sqlx::Result<bool> {
    sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM jobs WHERE id = $1)")
        .bind(id)
        .fetch_one(executor)
        .await
}

/// How many jobs of everybody have each status.
pub(crate) async fn count_by_status(executor: impl SqliteExecutor<'_>) -> sqlx::Result<Vec<(String, i64)>> {
    sqlx::query_as("SELECT status, COUNT(*) FROM jobs GROUP BY status")
        .fetch_all(executor)
        .await
}
