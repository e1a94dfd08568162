//! Leases, in the table `jobs`. They are everybody's, so these statements ask for no owner; each row tells whose it is.
//!
//! A job that is worked on belongs to one server by a lease and to one attempt by its number, which is the fencing
//! token. Every write of an attempt starts with [`hold`], [`end`] or another statement that refuses it unless both
//! still stand and the lease hasn't run out: so a cancelled job can't complete any more, and neither an earlier attempt
//! nor a server that slept through its lease can write. docs/RUNS.md tells the whole protocol.

use super::{deliveries, jobs::stage_word, notifications, phases, to_sql};
use shared::{
    run::{RunCommand, Stage},
    status::JobStatus,
    timestamp::Timestamp,
};
use sqlx::{SqliteConnection, SqliteExecutor};

/// An attempt's right to write.
#[derive(Debug, Clone)]
pub(crate) struct Fence {
    pub(crate) job_id: String,
    pub(crate) server: String,
    pub(crate) attempt: i64,
}

/// Whose attempt a job is at: the condition of every write. `$1` is the job, `$2` the server, `$3` the attempt, `$4` now.
macro_rules! held {
    () => {
        "id = $1 AND lease_owner = $2 AND attempt = $3 AND lease_expires_at >= $4 \
         AND status IN ('running', 'pausing')"
    };
}

/// Whether the attempt may still write; asked within the transaction that writes.
pub(crate) async fn hold(
    connection: &mut SqliteConnection,
    fence: &Fence,
    now: Timestamp,
) -> sqlx::Result<bool> {
    sqlx::query_scalar(concat!("SELECT EXISTS (SELECT 1 FROM jobs WHERE ", held!(), ")"))
        .bind(&fence.job_id)
        .bind(&fence.server)
        .bind(fence.attempt)
        .bind(now.unix_ms())
        .fetch_one(connection)
        .await
}

/// What somebody asks of the attempt, and up to which step the job is recorded.
pub(crate) async fn wish(
    executor: impl SqliteExecutor<'_>,
    fence: &Fence,
) -> sqlx::Result<(Option<RunCommand>, i64)> {
    let row: Option<(Option<String>, i64)> =
        sqlx::query_as("SELECT wish, step FROM jobs WHERE id = $1 AND attempt = $2")
            .bind(&fence.job_id)
            .bind(fence.attempt)
            .fetch_optional(executor)
            .await?;
    let (wish, step) = row.unwrap_or_default();
    Ok((wish.as_deref().and_then(RunCommand::parse), step))
}

/// Ends the attempt and with it the job's work: the one compare-and-set that decides between this end, a cancellation
/// and another attempt. False where one of those came first. `stopped` is kept on a job that ended early as asked.
pub(crate) async fn end(
    connection: &mut SqliteConnection,
    fence: &Fence,
    to: JobStatus,
    stopped: bool,
    now: Timestamp,
) -> sqlx::Result<bool> {
    let done = sqlx::query(concat!(
        "UPDATE jobs SET status = $5, finished_at = $6, lease_owner = NULL, lease_expires_at = NULL, \
                         remaining_ms = NULL, tokens_per_second = CASE WHEN $5 = 'paused' THEN NULL ELSE tokens_per_second END, \
                         wish = CASE WHEN $7 THEN 'stop' END WHERE ",
        held!()
    ))
    .bind(&fence.job_id)
    .bind(&fence.server)
    .bind(fence.attempt)
    .bind(now.unix_ms())
    .bind(to.as_str())
    .bind(to.is_terminal().then_some(now.unix_ms()))
    .bind(stopped)
    .execute(&mut *connection)
    .await?;
    let ended = done.rows_affected() == 1;
    if ended {
        phases::note(connection, &fence.job_id, now).await?;
        deliveries::announce(connection, &fence.job_id, to, now).await?;
        notifications::announce(connection, &fence.job_id, to, now).await?;
    }
    Ok(ended)
}

/// A pause that failed: the job trains on. False where it wasn't pausing.
pub(crate) async fn pause_failed(
    connection: &mut SqliteConnection,
    job_id: &str,
    now: Timestamp,
) -> sqlx::Result<bool> {
    let done =
        sqlx::query("UPDATE jobs SET status = 'running', wish = NULL WHERE id = $1 AND status = 'pausing'")
            .bind(job_id)
            .execute(&mut *connection)
            .await?;
    phases::note(connection, job_id, now).await?;
    Ok(done.rows_affected() == 1)
}

/// Starts the next attempt within the same lease; answers its number, or nothing where the lease is lost.
pub(crate) async fn next_attempt(
    connection: &mut SqliteConnection,
    fence: &Fence,
    fruitless: i64,
    now: Timestamp,
) -> sqlx::Result<Option<i64>> {
    sqlx::query_scalar(concat!(
        "UPDATE jobs SET attempt = attempt + 1, fruitless = $5, stage = 'preparing', tokens_per_second = NULL, \
                         remaining_ms = NULL WHERE ",
        held!(),
        " RETURNING attempt"
    ))
    .bind(&fence.job_id)
    .bind(&fence.server)
    .bind(fence.attempt)
    .bind(now.unix_ms())
    .bind(fruitless)
    .fetch_optional(connection)
    .await
}

/// Prolongs the lease of a job that the server minds, unless it has run out already.
pub(crate) async fn heartbeat(
    executor: impl SqliteExecutor<'_>,
    server: &str,
    job_id: &str,
    now: Timestamp,
    expires_at: Timestamp,
) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE jobs SET lease_expires_at = $3 \
         WHERE id = $2 AND lease_owner = $1 AND lease_expires_at >= $4 AND status IN ('running', 'pausing')",
    )
    .bind(server)
    .bind(job_id)
    .bind(expires_at.unix_ms())
    .bind(now.unix_ms())
    .execute(executor)
    .await?;
    Ok(())
}

/// Puts jobs back into the queue whose server is gone, before what waits there; answers owner and identifier of each.
/// A server that starts has the data folder to itself, so every lease is a dead one's: it passes no instant. One that
/// runs takes the expired. What was asked of a job stays asked.
pub(crate) async fn requeue_orphans(
    connection: &mut SqliteConnection,
    expired_at: Option<Timestamp>,
    reason: &str,
    now: Timestamp,
) -> sqlx::Result<Vec<(String, String)>> {
    let orphans: Vec<(String, String)> = sqlx::query_as(
        "UPDATE jobs SET status = 'queued', interrupted = 1, lease_owner = NULL, lease_expires_at = NULL, \
                         tokens_per_second = NULL, remaining_ms = NULL, resume_reason = $2 \
         WHERE status IN ('running', 'pausing') AND ($1 IS NULL OR lease_expires_at < $1) RETURNING owner, id",
    )
    .bind(expired_at.map(Timestamp::unix_ms))
    .bind(reason)
    .fetch_all(&mut *connection)
    .await?;
    for (_, id) in &orphans {
        phases::note(connection, id, now).await?;
    }
    Ok(orphans)
}

/// Gives an attempt's job back to the queue, before what waits there; false where the lease is lost.
pub(crate) async fn requeue(
    connection: &mut SqliteConnection,
    fence: &Fence,
    fruitless: i64,
    reason: &str,
    now: Timestamp,
) -> sqlx::Result<bool> {
    let done = sqlx::query(concat!(
        "UPDATE jobs SET status = 'queued', interrupted = 1, lease_owner = NULL, lease_expires_at = NULL, \
                         tokens_per_second = NULL, remaining_ms = NULL, fruitless = $5, resume_reason = $6 \
         WHERE ",
        held!()
    ))
    .bind(&fence.job_id)
    .bind(&fence.server)
    .bind(fence.attempt)
    .bind(now.unix_ms())
    .bind(fruitless)
    .bind(reason)
    .execute(&mut *connection)
    .await?;
    phases::note(connection, &fence.job_id, now).await?;
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
    pub(crate) trained_tokens: Option<u64>,
    /// The most that the trainer had; of all attempts the most counts.
    pub(crate) peak_memory: Option<u64>,
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
                         valid_loss = COALESCE($9, valid_loss), trained_tokens = COALESCE($10, trained_tokens), \
                         peak_memory = CASE WHEN $11 > COALESCE(peak_memory, 0) THEN $11 ELSE peak_memory END \
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
    .bind(progress.trained_tokens.map(to_sql))
    .bind(progress.peak_memory.map(to_sql))
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
