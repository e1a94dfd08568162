//! The table `attempts`: each trainer that was started on a job, and how it ended.

use super::{from_sql, to_sql};
use shared::{
    attempt::{Attempt, AttemptOutcome},
    id::{JobId, Subject},
    timestamp::Timestamp,
};
use sqlx::{FromRow, SqliteConnection, SqliteExecutor};

#[derive(Debug, Clone, FromRow)]
pub(crate) struct AttemptRow {
    attempt: i64,
    started_at: i64,
    from_step: Option<i64>,
    ended_at: Option<i64>,
    outcome: Option<String>,
    message: Option<String>,
    log: Option<String>,
}

impl AttemptRow {
    /// The row as the console shows it.
    pub(crate) fn to_attempt(&self) -> Attempt {
        Attempt {
            attempt: u32::try_from(self.attempt).unwrap_or(u32::MAX),
            started_at: Timestamp::from_unix_ms(self.started_at),
            from_step: self.from_step.map(from_sql),
            ended_at: self.ended_at.map(Timestamp::from_unix_ms),
            outcome: self.outcome.as_deref().and_then(AttemptOutcome::parse),
            message: self.message.clone(),
            log: self
                .log
                .as_deref()
                .unwrap_or_default()
                .lines()
                .map(str::to_owned)
                .collect(),
        }
    }
}

/// Records that an attempt has begun.
pub(crate) async fn begin(
    connection: &mut SqliteConnection,
    job_id: &str,
    owner: &Subject,
    attempt: i64,
    now: Timestamp,
) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO attempts (job_id, attempt, owner, started_at) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (job_id, attempt) DO NOTHING",
    )
    .bind(job_id)
    .bind(attempt)
    .bind(owner.as_str())
    .bind(now.unix_ms())
    .execute(connection)
    .await?;
    Ok(())
}

/// Records from which step an attempt trains.
pub(crate) async fn set_from_step(
    connection: &mut SqliteConnection,
    job_id: &str,
    attempt: i64,
    step: u64,
) -> sqlx::Result<()> {
    sqlx::query("UPDATE attempts SET from_step = COALESCE(from_step, $3) WHERE job_id = $1 AND attempt = $2")
        .bind(job_id)
        .bind(attempt)
        .bind(to_sql(step))
        .execute(connection)
        .await?;
    Ok(())
}

/// How an attempt ended.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ended<'a> {
    pub(crate) outcome: AttemptOutcome,
    pub(crate) message: Option<&'a str>,
    pub(crate) log: Option<&'a str>,
}

impl Ended<'_> {
    /// Without anything to tell.
    pub(crate) const fn well(outcome: AttemptOutcome) -> Self {
        Self {
            outcome,
            message: None,
            log: None,
        }
    }
}

/// Records how a job's newest attempt ended, unless that is recorded.
pub(crate) async fn end(
    connection: &mut SqliteConnection,
    job_id: &str,
    now: Timestamp,
    ended: Ended<'_>,
) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE attempts SET ended_at = $2, outcome = $3, message = $4, log = $5 \
         WHERE job_id = $1 AND ended_at IS NULL \
           AND attempt = (SELECT MAX(attempt) FROM attempts WHERE job_id = $1)",
    )
    .bind(job_id)
    .bind(now.unix_ms())
    .bind(ended.outcome.as_str())
    .bind(ended.message)
    .bind(ended.log)
    .execute(connection)
    .await?;
    Ok(())
}

/// The newest attempts at a job, oldest first.
pub(crate) async fn list(
    executor: impl SqliteExecutor<'_>,
    owner: &Subject,
    job_id: &JobId,
    limit: i64,
) -> sqlx::Result<Vec<AttemptRow>> {
    let mut rows: Vec<AttemptRow> = sqlx::query_as(
        "SELECT attempt, started_at, from_step, ended_at, outcome, message, log FROM attempts \
         WHERE owner = $1 AND job_id = $2 ORDER BY attempt DESC LIMIT $3",
    )
    .bind(owner.as_str())
    .bind(job_id.as_str())
    .bind(limit)
    .fetch_all(executor)
    .await?;
    rows.reverse();
    Ok(rows)
}
