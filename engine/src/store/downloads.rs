//! The table `downloads`: links that work once. The token is the authority, so taking one asks for no owner.

use shared::{id::Subject, timestamp::Timestamp};
use sqlx::{SqliteConnection, SqliteExecutor};

/// What a link leads to, by its identifier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    /// What a job made.
    Artifact(String),
    /// A job's run for Weights & Biases.
    WandbRun(String),
}

/// Adds a link, of which only the token's hash is kept.
pub(crate) async fn insert(
    connection: &mut SqliteConnection,
    hash: &str,
    owner: &Subject,
    target: &Target,
    expires_at: Timestamp,
) -> sqlx::Result<()> {
    let (artifact, job) = match target {
        Target::Artifact(id) => (Some(id), None),
        Target::WandbRun(id) => (None, Some(id)),
    };
    sqlx::query(
        "INSERT INTO downloads (hash, owner, artifact_id, job_id, expires_at) VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(hash)
    .bind(owner.as_str())
    .bind(artifact)
    .bind(job)
    .bind(expires_at.unix_ms())
    .execute(connection)
    .await?;
    Ok(())
}

/// Uses a link up: its owner and what it leads to, unless it has expired or was used.
pub(crate) async fn take(
    connection: &mut SqliteConnection,
    hash: &str,
    now: Timestamp,
) -> sqlx::Result<Option<(String, Target)>> {
    let taken: Option<(String, Option<String>, Option<String>)> = sqlx::query_as(
        "DELETE FROM downloads WHERE hash = $1 AND expires_at >= $2 RETURNING owner, artifact_id, job_id",
    )
    .bind(hash)
    .bind(now.unix_ms())
    .fetch_optional(connection)
    .await?;
    Ok(taken.and_then(|(owner, artifact, job)| {
        let target = artifact.map(Target::Artifact).or(job.map(Target::WandbRun))?;
        Some((owner, target))
    }))
}

/// Forgets the links that have expired.
pub(crate) async fn delete_expired(executor: impl SqliteExecutor<'_>, now: Timestamp) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM downloads WHERE expires_at < $1")
        .bind(now.unix_ms())
        .execute(executor)
        .await?;
    Ok(())
}
