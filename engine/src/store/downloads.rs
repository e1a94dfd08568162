//! The table `downloads`: links that work once. The token is the authority, so taking one asks for no owner.

use shared::{id::Subject, timestamp::Timestamp};
use sqlx::{SqliteConnection, SqliteExecutor};

/// Adds a link, of which only the token's hash is kept.
pub(crate) async fn insert(
    connection: &mut SqliteConnection,
    hash: &str,
    owner: &Subject,
    artifact_id: &str,
    expires_at: Timestamp,
) -> sqlx::Result<()> {
    sqlx::query("INSERT INTO downloads (hash, owner, artifact_id, expires_at) VALUES ($1, $2, $3, $4)")
        .bind(hash)
        .bind(owner.as_str())
        .bind(artifact_id)
        .bind(expires_at.unix_ms())
        .execute(connection)
        .await?;
    Ok(())
}

/// Uses a link up: its owner and artifact, unless it has expired or was used.
pub(crate) async fn take(
    connection: &mut SqliteConnection,
    hash: &str,
    now: Timestamp,
) -> sqlx::Result<Option<(String, String)>> {
    sqlx::query_as("DELETE FROM downloads WHERE hash = $1 AND expires_at >= $2 RETURNING owner, artifact_id")
        .bind(hash)
        .bind(now.unix_ms())
        .fetch_optional(connection)
        .await
}

/// Forgets the links that have expired.
pub(crate) async fn delete_expired(executor: impl SqliteExecutor<'_>, now: Timestamp) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM downloads WHERE expires_at < $1")
        .bind(now.unix_ms())
        .execute(executor)
        .await?;
    Ok(())
}
