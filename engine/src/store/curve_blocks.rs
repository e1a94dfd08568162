//! The table `curve_blocks`: curves in small.

use super::to_sql;
use shared::{id::JobId, metrics::Series};
use sqlx::{SqliteConnection, SqliteExecutor};

/// The blocks of one series from one number to another, ascending: number and parts.
pub(crate) async fn list(
    executor: impl SqliteExecutor<'_>,
    job_id: &JobId,
    width: u64,
    series: Series,
    from: u64,
    to: u64,
) -> sqlx::Result<Vec<(i64, Vec<u8>)>> {
    sqlx::query_as(
        "SELECT block, parts FROM curve_blocks \
         WHERE job_id = $1 AND width = $2 AND series = $3 AND block BETWEEN $4 AND $5 ORDER BY block",
    )
    .bind(job_id.as_str())
    .bind(to_sql(width))
    .bind(series.as_str())
    .bind(to_sql(from))
    .bind(to_sql(to))
    .fetch_all(executor)
    .await
}

/// How many blocks of a width there are of every series: they are made in order, so these are the first.
pub(crate) async fn made(executor: impl SqliteExecutor<'_>, job_id: &JobId, width: u64) -> sqlx::Result<i64> {
    sqlx::query_scalar(
        "SELECT COALESCE(MAX(block) + 1, 0) FROM curve_blocks WHERE job_id = $1 AND width = $2",
    )
    .bind(job_id.as_str())
    .bind(to_sql(width))
    .fetch_one(executor)
    .await
}

/// Keeps a block; one that is there already says the same.
pub(crate) async fn insert(
    connection: &mut SqliteConnection,
    job_id: &JobId,
    width: u64,
    series: Series,
    block: u64,
    parts: &[u8],
) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO curve_blocks (job_id, width, series, block, parts) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (job_id, width, series, block) DO NOTHING",
    )
    .bind(job_id.as_str())
    .bind(to_sql(width))
    .bind(series.as_str())
    .bind(to_sql(block))
    .bind(parts)
    .execute(connection)
    .await?;
    Ok(())
}
