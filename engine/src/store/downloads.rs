//! The table `downloads`: links that work once. The token is the authority, so taking one asks for no owner.

use super::{from_sql, to_sql};
use shared::{
    id::{ArtifactId, JobId, Subject},
    timestamp::Timestamp,
};
use sqlx::{SqliteConnection, SqliteExecutor};

/// What a link leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    /// A job's result.
    Artifact(ArtifactId),
    /// The adapter of a job's checkpoint, by its step.
    Checkpoint(JobId, u64),
    /// A job's run for Weights & Biases.
    WandbRun(JobId),
}

/// Adds a link, of which only the token's hash is kept.
pub(crate) async fn insert(
    connection: &mut SqliteConnection,
    hash: &str,
    owner: &Subject,
    target: &Target,
    expires_at: Timestamp,
) -> sqlx::Result<()> {
    let (artifact, job, step) = match target {
        Target::Artifact(id) => (Some(id.as_str()), None, None),
        Target::Checkpoint(job, step) => (None, Some(job.as_str()), Some(to_sql(*step))),
        Target::WandbRun(job) => (None, Some(job.as_str()), None),
    };
    sqlx::query(
        "INSERT INTO downloads (hash, owner, artifact_id, job_id, step, expires_at) \
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(hash)
    .bind(owner.as_str())
    .bind(artifact)
    .bind(job)
    .bind(step)
    .bind(expires_at.unix_ms())
    .execute(connection)
    .await?;
    Ok(())
}

/// Owner, artifact, job and step of a link.
type Row = (String, Option<String>, Option<String>, Option<i64>);

/// Uses a link up: its owner and where it leads, unless it has expired or was used.
pub(crate) async fn take(
    connection: &mut SqliteConnection,
    hash: &str,
    now: Timestamp,
) -> sqlx::Result<Option<(Subject, Target)>> {
    let row: Option<Row> = sqlx::query_as(
        "DELETE FROM downloads WHERE hash = $1 AND expires_at >= $2 RETURNING owner, artifact_id, job_id, step",
    )
    .bind(hash)
    .bind(now.unix_ms())
    .fetch_optional(connection)
    .await?;
    Ok(row.and_then(|(owner, artifact, job, step)| {
        let target = match (artifact, job, step) {
            (Some(id), ..) => Target::Artifact(ArtifactId::new(id)),
            (None, Some(job), Some(step)) => Target::Checkpoint(JobId::new(job), from_sql(step)),
            (None, Some(job), None) => Target::WandbRun(JobId::new(job)),
            // The table's check lets no such row in.
            (None, None, _) => return None,
        };
        Some((Subject::new(owner), target))
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
