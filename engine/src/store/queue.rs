//! The queue, in the table `jobs`. It serves everybody, so these statements ask for no owner; each row tells whose it
//! is.
//!
//! The order, in one place: what a server was interrupted at goes first; then everybody's first job before anybody's
//! second, where a job at work counts as one that was served; then the owner who was served longest ago; then the
//! job that queued first. All of it is in the rows, so it is the same after a restart.

use super::{
    from_sql,
    jobs::{JobRow, select_job},
};
use shared::timestamp::Timestamp;
use sqlx::{SqliteConnection, SqliteExecutor};

/// Every queued job with its `place`, from 0.
macro_rules! places {
    () => {
        "SELECT waiting.id AS id, ROW_NUMBER() OVER \
           (ORDER BY waiting.interrupted DESC, waiting.turn + owners.working, owners.served, waiting.queued_at, waiting.id) \
           - 1 AS place \
         FROM (SELECT id, owner, queued_at, interrupted, \
                      ROW_NUMBER() OVER (PARTITION BY owner ORDER BY interrupted DESC, queued_at, id) AS turn \
               FROM jobs WHERE status = 'queued') AS waiting \
         JOIN (SELECT owner, \
                      (SELECT COUNT(*) FROM jobs AS busy \
                       WHERE busy.owner = named.owner AND busy.status IN ('running', 'pausing')) AS working, \
                      COALESCE((SELECT MAX(claimed_at) FROM jobs AS taken WHERE taken.owner = named.owner), 0) AS served \
               FROM (SELECT DISTINCT owner FROM jobs WHERE status = 'queued') AS named) AS owners \
           ON owners.owner = waiting.owner"
    };
}

/// Gives the next queued job to a server as its next attempt. One that is to pause is taken only to be saved.
pub(crate) async fn claim(
    connection: &mut SqliteConnection,
    server: &str,
    now: Timestamp,
    expires_at: Timestamp,
) -> sqlx::Result<Option<JobRow>> {
    let claimed: Option<String> = sqlx::query_scalar(concat!(
        "UPDATE jobs SET status = CASE wish WHEN 'pause' THEN 'pausing' ELSE 'running' END, attempt = attempt + 1, \
                         lease_owner = $1, lease_expires_at = $3, started_at = COALESCE(started_at, $2), \
                         claimed_at = $2, interrupted = 0, stage = 'preparing', tokens_per_second = NULL, \
                         remaining_ms = NULL \
         WHERE id = (SELECT id FROM (",
        places!(),
        ") ORDER BY place LIMIT 1) RETURNING id"
    ))
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

/// How many queued jobs of everybody will run before a queued one; nothing where it isn't queued.
pub(crate) async fn position(executor: impl SqliteExecutor<'_>, id: &str) -> sqlx::Result<Option<u32>> {
    let place: Option<i64> = sqlx::query_scalar(concat!("SELECT place FROM (", places!(), ") WHERE id = $1"))
        .bind(id)
        .fetch_optional(executor)
        .await?;
    Ok(place.map(|place| u32::try_from(from_sql(place)).unwrap_or(u32::MAX)))
}

/// Identifiers of the first queued jobs of everybody, in the order in which they will run.
pub(crate) async fn head(executor: impl SqliteExecutor<'_>, limit: i64) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar(concat!(
        "SELECT id FROM (",
        places!(),
        ") ORDER BY place LIMIT $1"
    ))
    .bind(limit)
    .fetch_all(executor)
    .await
}
