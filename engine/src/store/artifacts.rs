//! The table `artifacts`: what finished jobs made.

use super::{from_sql, to_sql};
use shared::{
    id::{ArtifactId, JobId, Subject},
    model::{Artifact, ArtifactFile},
    timestamp::Timestamp,
};
use sqlx::{FromRow, SqliteConnection, SqliteExecutor};

/// One row with its job's name.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct ArtifactRow {
    id: String,
    pub(crate) job_id: String,
    pub(crate) name: String,
    fine_tuned_model: String,
    base_model: String,
    created_at: i64,
    bytes: i64,
    files: String,
}

impl ArtifactRow {
    /// The row as the console shows it.
    pub(crate) fn to_artifact(&self) -> Artifact {
        Artifact {
            id: ArtifactId::new(&self.id),
            job_id: JobId::new(&self.job_id),
            name: self.name.clone(),
            fine_tuned_model: self.fine_tuned_model.clone(),
            base_model: self.base_model.clone(),
            created_at: Timestamp::from_unix_ms(self.created_at),
            bytes: from_sql(self.bytes),
            files: serde_json::from_str(&self.files).unwrap_or_default(),
        }
    }
}

/// A row to be.
#[derive(Debug, Clone)]
pub(crate) struct NewArtifact<'a> {
    pub(crate) id: &'a str,
    pub(crate) owner: &'a Subject,
    pub(crate) job_id: &'a str,
    pub(crate) fine_tuned_model: &'a str,
    pub(crate) base_model: &'a str,
    pub(crate) created_at: Timestamp,
    pub(crate) files: &'a [ArtifactFile],
}

/// Adds an artifact.
pub(crate) async fn insert(
    connection: &mut SqliteConnection,
    artifact: &NewArtifact<'_>,
) -> sqlx::Result<()> {
    let bytes = artifact.files.iter().map(|file| file.bytes).sum();
    sqlx::query(
        "INSERT INTO artifacts (id, owner, job_id, fine_tuned_model, base_model, created_at, bytes, files) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(artifact.id)
    .bind(artifact.owner.as_str())
    .bind(artifact.job_id)
    .bind(artifact.fine_tuned_model)
    .bind(artifact.base_model)
    .bind(artifact.created_at.unix_ms())
    .bind(to_sql(bytes))
    .bind(serde_json::to_string(artifact.files).unwrap_or_default())
    .execute(connection)
    .await?;
    Ok(())
}

macro_rules! select {
    () => {
        "SELECT artifacts.id, artifacts.job_id, jobs.name, artifacts.fine_tuned_model, artifacts.base_model, \
         artifacts.created_at, artifacts.bytes, artifacts.files \
         FROM artifacts JOIN jobs ON jobs.id = artifacts.job_id WHERE artifacts.owner = $1"
    };
}

/// All artifacts of an owner, newest first.
pub(crate) async fn list(
    executor: impl SqliteExecutor<'_>,
    owner: &Subject,
) -> sqlx::Result<Vec<ArtifactRow>> {
    sqlx::query_as(concat!(
        select!(),
        " ORDER BY artifacts.created_at DESC, artifacts.id DESC"
    ))
    .bind(owner.as_str())
    .fetch_all(executor)
    .await
}

/// How many artifacts an owner has.
pub(crate) async fn count(executor: impl SqliteExecutor<'_>, owner: &Subject) -> sqlx::Result<u64> {
    let count: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM artifacts WHERE owner = $1")
        .bind(owner.as_str())
        .fetch_one(executor)
        .await?;
    Ok(from_sql(count))
}

/// One artifact of an owner.
pub(crate) async fn find(
    executor: impl SqliteExecutor<'_>,
    owner: &Subject,
    id: &str,
) -> sqlx::Result<Option<ArtifactRow>> {
    sqlx::query_as(concat!(select!(), " AND artifacts.id = $2"))
        .bind(owner.as_str())
        .bind(id)
        .fetch_optional(executor)
        .await
}

/// Deletes what a job of an owner's made, and with it the permissions on it; false where that is gone.
pub(crate) async fn delete_of_job(
    connection: &mut SqliteConnection,
    owner: &Subject,
    job_id: &JobId,
) -> sqlx::Result<bool> {
    sqlx::query(
        "DELETE FROM checkpoint_permissions WHERE model IN \
         (SELECT fine_tuned_model FROM artifacts WHERE owner = $1 AND job_id = $2)",
    )
    .bind(owner.as_str())
    .bind(job_id.as_str())
    .execute(&mut *connection)
    .await?;
    let done = sqlx::query("DELETE FROM artifacts WHERE owner = $1 AND job_id = $2")
        .bind(owner.as_str())
        .bind(job_id.as_str())
        .execute(&mut *connection)
        .await?;
    sqlx::query("UPDATE jobs SET artifact = NULL WHERE owner = $1 AND id = $2")
        .bind(owner.as_str())
        .bind(job_id.as_str())
        .execute(connection)
        .await?;
    Ok(done.rows_affected() > 0)
}

/// How many artifacts of everybody stand on a base model.
pub(crate) async fn count_of_model(executor: impl SqliteExecutor<'_>, model: &str) -> sqlx::Result<u64> {
    let count: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM artifacts WHERE base_model = $1")
        .bind(model)
        .fetch_one(executor)
        .await?;
    Ok(from_sql(count))
}
