//! The table `jobs`: what was asked for and what came of it. The queue, the leases and the lists have files of their
//! own.

mod row;

use row::ID_PREFIX;
pub(crate) use row::{JobRow, ORGANIZATION, select_job, stage_word, tuned_name};

use super::{deliveries, events, from_sql, notifications, phases, to_sql};
use crate::parameters::Parameters;
use shared::{
    event::Level,
    id::{JobId, Subject},
    job::JobFailure,
    run::RunCommand,
    status::JobStatus,
    timestamp::Timestamp,
    wandb::Wandb,
};
use sqlx::{SqliteConnection, SqliteExecutor};

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
    /// What was asked for under that key.
    pub(crate) idempotency_digest: Option<&'a str>,
    pub(crate) request_hash: Option<&'a str>,
    /// The job that it is a retry of, and the checkpoint of it that it starts from.
    pub(crate) parent: Option<(&'a str, Option<u64>)>,
    /// Its run at Weights & Biases.
    pub(crate) wandb: Option<&'a Wandb>,
}

/// Adds a job whose files are to be validated.
pub(crate) async fn insert(connection: &mut SqliteConnection, job: &InsertJob<'_>) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO jobs (id, owner, name, search_text, name_key, base_model, status, created_at, training_file, \
                           validation_file, parameters, suffix, idempotency_key, request_hash, parent, parent_step, \
                           idempotency_digest, wandb) \
         VALUES ($1, $2, $3, $4, $5, $6, 'validating_files', $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)",
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
    .bind(job.parent.map(|(id, _)| id))
    .bind(job.parent.and_then(|(_, step)| step).map(to_sql))
    .bind(job.idempotency_digest)
    .bind(job.wandb.and_then(|wandb| serde_json::to_string(wandb).ok()))
    .execute(&mut *connection)
    .await?;
    phases::note(connection, job.id, job.created_at).await
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

/// The job of anybody whose tuned model is or will be called so; the caller sees to it who may know.
pub(crate) async fn find_by_tuned_name(
    executor: impl SqliteExecutor<'_>,
    name: &str,
) -> sqlx::Result<Option<JobRow>> {
    let Some((_, short)) = name.rsplit_once(':').filter(|(_, short)| !short.is_empty()) else {
        return Ok(None);
    };
    // Identifiers that begin so lie side by side; no letter of theirs comes after the last bound.
    let found: Vec<JobRow> = sqlx::query_as(concat!(
        select_job!(),
        " WHERE jobs.id >= $1 AND jobs.id < $1 || '~' OR jobs.id = $2 LIMIT 1000"
    ))
    .bind(format!("{ID_PREFIX}{short}"))
    .bind(short)
    .fetch_all(executor)
    .await?;
    Ok(found.into_iter().find(|job| job.tuned_name() == name))
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

/// Moves a job that nobody works on, or that is taken from whoever does, from one status to another, if it still
/// stands there; false where it doesn't.
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
        "UPDATE jobs SET status = $4, finished_at = $5, lease_owner = NULL, lease_expires_at = NULL, \
                         remaining_ms = NULL, wish = NULL, interrupted = 0, \
                         queued_at = CASE WHEN $4 = 'queued' THEN COALESCE(queued_at, created_at) ELSE queued_at END \
         WHERE owner = $1 AND id = $2 AND status = $3",
    )
    .bind(owner.as_str())
    .bind(id.as_str())
    .bind(from.as_str())
    .bind(to.as_str())
    .bind(finished_at)
    .execute(&mut *connection)
    .await?;
    let changed = done.rows_affected() == 1;
    if changed {
        phases::note(connection, id.as_str(), now).await?;
        deliveries::announce(connection, id.as_str(), to, now).await?;
        notifications::announce(connection, id.as_str(), to, now).await?;
    }
    Ok(changed)
}

/// Asks the trainer of a running job to save and leave, or to end early; the job is `pausing` in the first case. False
/// where it doesn't run.
pub(crate) async fn ask(
    connection: &mut SqliteConnection,
    owner: &Subject,
    id: &JobId,
    wish: RunCommand,
    now: Timestamp,
) -> sqlx::Result<bool> {
    let done = sqlx::query(
        "UPDATE jobs SET wish = $3, status = CASE $3 WHEN 'pause' THEN 'pausing' ELSE status END \
         WHERE owner = $1 AND id = $2 AND status = 'running'",
    )
    .bind(owner.as_str())
    .bind(id.as_str())
    .bind(wish.as_str())
    .execute(&mut *connection)
    .await?;
    phases::note(connection, id.as_str(), now).await?;
    Ok(done.rows_affected() == 1)
}

/// Puts a paused job back into the queue, behind what waits there; `wish` is what its trainer will be asked at once.
/// False where it isn't paused.
pub(crate) async fn requeue_paused(
    connection: &mut SqliteConnection,
    owner: &Subject,
    id: &JobId,
    wish: Option<RunCommand>,
    now: Timestamp,
) -> sqlx::Result<bool> {
    let done = sqlx::query(
        "UPDATE jobs SET status = 'queued', queued_at = $3, wish = $4, fruitless = 0, interrupted = 0, \
                         resume_reason = CASE WHEN attempt > 0 THEN 'after a pause' END \
         WHERE owner = $1 AND id = $2 AND status = 'paused'",
    )
    .bind(owner.as_str())
    .bind(id.as_str())
    .bind(now.unix_ms())
    .bind(wish.map(RunCommand::as_str))
    .execute(&mut *connection)
    .await?;
    phases::note(connection, id.as_str(), now).await?;
    Ok(done.rows_affected() == 1)
}

/// Asks a queued job that was trained on to end early once it runs. False where it isn't queued.
pub(crate) async fn ask_queued_to_stop(
    connection: &mut SqliteConnection,
    owner: &Subject,
    id: &JobId,
) -> sqlx::Result<bool> {
    let done =
        sqlx::query("UPDATE jobs SET wish = 'stop' WHERE owner = $1 AND id = $2 AND status = 'queued'")
            .bind(owner.as_str())
            .bind(id.as_str())
            .execute(connection)
            .await?;
    Ok(done.rows_affected() == 1)
}

/// Keeps what a trainer reckons that a job takes, once: its memory, its target tokens, and by the pace of jobs before it
/// its time. A retry that goes on from a checkpoint has no such time, because it trains a part alone.
pub(crate) async fn keep_estimate(
    connection: &mut SqliteConnection,
    id: &str,
    memory_bytes: u64,
    trained_tokens: u64,
    epochs: u32,
) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE jobs SET estimated_memory = $2, estimated_tokens = $3, estimated_ms = \
           (SELECT CAST(paces.example_ms * files.examples * $4 AS INTEGER) FROM paces, files \
            WHERE paces.base_model = jobs.base_model AND files.id = jobs.training_file AND jobs.parent_step IS NULL) \
         WHERE id = $1 AND estimated_tokens IS NULL",
    )
    .bind(id)
    .bind(to_sql(memory_bytes))
    .bind(to_sql(trained_tokens))
    .bind(i64::from(epochs))
    .execute(connection)
    .await?;
    Ok(())
}

/// Keeps the reason why a job failed.
pub(crate) async fn set_failure(
    connection: &mut SqliteConnection,
    owner: &Subject,
    id: &JobId,
    failure: &JobFailure,
) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE jobs SET failure_code = $3, failure_message = $4, failure_param = $5, failure_line = $6, \
                         failure_cause = $7 \
         WHERE owner = $1 AND id = $2",
    )
    .bind(owner.as_str())
    .bind(id.as_str())
    .bind(&failure.code)
    .bind(&failure.message)
    .bind(&failure.param)
    .bind(failure.line.map(to_sql))
    .bind(failure.cause.map(shared::attempt::FailureCause::as_str))
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

/// The last place in a job's record that is taken; nothing where there is no such job.
pub(crate) async fn last_seq(
    executor: impl SqliteExecutor<'_>,
    owner: &Subject,
    id: &JobId,
) -> sqlx::Result<Option<u64>> {
    let last: Option<i64> = sqlx::query_scalar("SELECT last_seq FROM jobs WHERE owner = $1 AND id = $2")
        .bind(owner.as_str())
        .bind(id.as_str())
        .fetch_optional(executor)
        .await?;
    Ok(last.map(from_sql))
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

/// Whether anybody has a job with this identifier: whose run directory it is.
pub(crate) async fn exists(executor: impl SqliteExecutor<'_>, id: &str) -> sqlx::Result<bool> {
    sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM jobs WHERE id = $1)")
        .bind(id)
        .fetch_one(executor)
        .await
}

/// How many jobs of everybody that have not ended train a base model.
pub(crate) async fn count_unfinished_of_model(
    executor: impl SqliteExecutor<'_>,
    model: &str,
) -> sqlx::Result<u64> {
    let count: i64 = sqlx::query_scalar(concat!(
        "SELECT COUNT(*) FROM jobs WHERE base_model = $1 AND status ",
        not_ended!()
    ))
    .bind(model)
    .fetch_one(executor)
    .await?;
    Ok(from_sql(count))
}

/// How many jobs of everybody have each status.
pub(crate) async fn count_by_status(executor: impl SqliteExecutor<'_>) -> sqlx::Result<Vec<(String, i64)>> {
    sqlx::query_as("SELECT status, COUNT(*) FROM jobs GROUP BY status")
        .fetch_all(executor)
        .await
}
