//! The queue and its leases, in the table `jobs`. The queue serves everybody, so these statements ask for no owner;
//! each row tells whose it is.
//!
//! A running job belongs to one server by a lease and to one attempt by its number. Every write of an attempt starts
//! with [`hold`], which refuses it unless both still stand: so a cancelled job can't complete any more, and an earlier
//! attempt can't write.

use super::{
    jobs::{JobRow, select_job, stage_word},
    to_sql,
};
use shared::{run::Stage, timestamp::Timestamp};
use sqlx::{SqliteConnection, SqliteExecutor};

/// Gives the oldest queued job to a server as its next attempt.
pub(crate) async fn claim(
    connection: &mut SqliteConnection,
    server: &str,
    now: Timestamp,
    expires_at: Timestamp,
) -> sqlx::Result<Option<JobRow>> {
    let claimed: Option<String> = sqlx::query_scalar(
        "UPDATE jobs SET status = 'running', attempt = attempt + 1, lease_owner = $1, lease_expires_at = $3, \
                         started_at = COALESCE(started_at, $2), stage = 'preparing', tokens_per_second = NULL, \
                         remaining_ms = NULL \
         WHERE id = (SELECT id FROM jobs WHERE status = 'queued' ORDER BY queued_at, id LIMIT 1) \
         RETURNING id",
    )
    .bind(server)
    .bind(now.unix_ms())
    .bind(expires_at.unix_ms())
    .fetch_optional(&mut *connection)
    .await?;
    let Some(id) = claimed else { return Ok(None) };
    sqlx::query_as(concat!(select_job!(), " WHERE jobs.id = $1"))
        .bind(id)
        .fetch_optional(connection)
        .await
}

/// An attempt's right to write.
#[derive(Debug, Clone)]
pub(crate) struct Fence {
    pub(crate) job_id: String,
    pub(crate) server: String,
    pub(crate) attempt: i64,
}

/// Whether the attempt may still write; asked within the transaction that writes.
pub(crate) async fn hold(connection: &mut SqliteConnection, fence: &Fence) -> sqlx::Result<bool> {
    sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM jobs WHERE id = $1 AND lease_owner = $2 AND attempt = $3 \
                        AND status IN ('running', 'pausing'))",
    )
    .bind(&fence.job_id)
    .bind(&fence.server)
    .bind(fence.attempt)
    .fetch_one(connection)
    .await
}

/// Starts the next attempt within the same lease; answers its number, or nothing where the lease is lost.
pub(crate) async fn next_attempt(
    connection: &mut SqliteConnection,
    fence: &Fence,
    fruitless: i64,
) -> sqlx::Result<Option<i64>> {
    sqlx::query_scalar(
        "UPDATE jobs SET attempt = attempt + 1, fruitless = $4, stage = 'preparing', tokens_per_second = NULL, \
                         remaining_ms = NULL \
         WHERE id = $1 AND lease_owner = $2 AND attempt = $3 AND status IN ('running', 'pausing') \
         RETURNING attempt",
    )
    .bind(&fence.job_id)
    .bind(&fence.server)
    .bind(fence.attempt)
    .bind(fruitless)
    .fetch_optional(connection)
    .await
}

/// Prolongs the lease of a job that the server minds.
pub(crate) async fn heartbeat(
    executor: impl SqliteExecutor<'_>,
    server: &str,
    job_id: &str,
    expires_at: Timestamp,
) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE jobs SET lease_expires_at = $3 \
         WHERE id = $2 AND lease_owner = $1 AND status IN ('running', 'pausing')",
    )
    .bind(server)
    .bind(job_id)
    .bind(expires_at.unix_ms())
    .execute(executor)
    .await?;
    Ok(())
}

/// Puts jobs back into the queue whose server is gone; answers owner and identifier of each. A server that starts has
/// the data folder to itself, so every lease is a dead one's: it passes no instant. One that runs takes the expired.
pub(crate) async fn requeue_orphans(
    connection: &mut SqliteConnection,
    expired_at: Option<Timestamp>,
    reason: &str,
) -> sqlx::Result<Vec<(String, String)>> {
    sqlx::query_as(
        "UPDATE jobs SET status = 'queued', lease_owner = NULL, lease_expires_at = NULL, \
                         tokens_per_second = NULL, remaining_ms = NULL, resume_reason = $2 \
         WHERE status IN ('running', 'pausing') AND ($1 IS NULL OR lease_expires_at < $1) RETURNING owner, id",
    )
    .bind(expired_at.map(Timestamp::unix_ms))
    .bind(reason)
    .fetch_all(connection)
    .await
}

/// Puts an attempt's job back into the queue, at its old place; false where the lease is lost.
pub(crate) async fn requeue(connection: &mut SqliteConnection, fence: &Fence) -> sqlx::Result<bool> {
    let done = sqlx::query(
        "UPDATE jobs SET status = 'queued', lease_owner = NULL, lease_expires_at = NULL, \
                         tokens_per_second = NULL, remaining_ms = NULL, resume_reason = 'after the server restarted' \
         WHERE id = $1 AND lease_owner = $2 AND attempt = $3 AND status IN ('running', 'pausing')",
    )
    .bind(&fence.job_id)
    .bind(&fence.server)
    .bind(fence.attempt)
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Where an attempt stands. What is absent stays as it is.
#[derive(Debug, Clone, Default)]
pub(crate) struct ProgressUpdate {
    pub(crate) stage: Option<Stage>,
    pub(crate) step: Option<u64>,
    pub(crate) total_steps: Option<u64>,
    pub(crate) epoch: Option<f64>,
    pub(crate) tokens_per_second: Option<f64>,
    pub(crate) remaining_ms: Option<u64>,
    pub(crate) train_loss: Option<f64>,
    pub(crate) valid_loss: Option<f64>,
}

/// Records where an attempt stands; the caller has asked [`hold`]. A replayed step never moves a job back.
pub(crate) async fn update_progress(
    connection: &mut SqliteConnection,
    job_id: &str,
    progress: &ProgressUpdate,
) -> sqlx::Result<()> {
    let finite = |value: Option<f64>| value.filter(|value| value.is_finite());
    sqlx::query(
        "UPDATE jobs SET stage = COALESCE($2, stage), step = COALESCE($3, step), \
                         total_steps = COALESCE($4, total_steps), epoch = COALESCE($5, epoch), \
                         tokens_per_second = COALESCE($6, tokens_per_second), \
                         remaining_ms = COALESCE($7, remaining_ms), train_loss = COALESCE($8, train_loss), \
                         valid_loss = COALESCE($9, valid_loss) \
         WHERE id = $1",
    )
    .bind(job_id)
    .bind(progress.stage.map(stage_word))
    .bind(progress.step.map(to_sql))
    .bind(progress.total_steps.map(to_sql))
    .bind(finite(progress.epoch))
    .bind(finite(progress.tokens_per_second))
    .bind(progress.remaining_ms.map(to_sql))
    .bind(finite(progress.train_loss))
    .bind(finite(progress.valid_loss))
    .execute(connection)
    .await?;
    Ok(())
}

/// Forgets why the attempt isn't the first, once it was told.
pub(crate) async fn clear_resume_reason(connection: &mut SqliteConnection, job_id: &str) -> sqlx::Result<()> {
    sqlx::query("UPDATE jobs SET resume_reason = NULL WHERE id = $1")
        .bind(job_id)
        .execute(connection)
        .await?;
    Ok(())
}

/// Sets why the next attempt isn't the first.
pub(crate) async fn set_resume_reason(
    connection: &mut SqliteConnection,
    job_id: &str,
    reason: &str,
) -> sqlx::Result<()> {
    sqlx::query("UPDATE jobs SET resume_reason = $2 WHERE id = $1")
        .bind(job_id)
        .bind(reason)
        .execute(connection)
        .await?;
    Ok(())
}
