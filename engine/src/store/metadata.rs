//! The table `job_metadata`: what callers of /v1 attached to a job.

use sqlx::{SqliteConnection, SqliteExecutor};
use std::collections::BTreeMap;

/// Adds a job's pairs.
pub(crate) async fn insert(
    connection: &mut SqliteConnection,
    job_id: &str,
    pairs: &BTreeMap<String, String>,
) -> sqlx::Result<()> {
    for (key, value) in pairs {
        sqlx::query("INSERT INTO job_metadata (job_id, key, value) VALUES ($1, $2, $3)")
            .bind(job_id)
            .bind(key)
            .bind(value)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

/// A job's pairs. The caller has looked the job up for its owner.
pub(crate) async fn list(
    executor: impl SqliteExecutor<'_>,
    job_id: &str,
) -> sqlx::Result<BTreeMap<String, String>> {
    let pairs: Vec<(String, String)> =
        sqlx::query_as("SELECT key, value FROM job_metadata WHERE job_id = $1")
            .bind(job_id)
            .fetch_all(executor)
            .await?;
    Ok(pairs.into_iter().collect())
}
