//! The table `api_keys`: who may call /v1.

use shared::{id::Subject, timestamp::Timestamp};
use sqlx::{FromRow, SqliteConnection, SqliteExecutor};

/// What a key stands for.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct ApiKeyRow {
    pub(crate) id: String,
    pub(crate) owner: String,
    pub(crate) admin: bool,
}

/// Adds a key, of which only the hash is kept.
pub(crate) async fn insert(
    connection: &mut SqliteConnection,
    id: &str,
    owner: &Subject,
    name: &str,
    hash: &str,
    admin: bool,
    created_at: Timestamp,
) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO api_keys (id, owner, name, hash, admin, created_at) VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(id)
    .bind(owner.as_str())
    .bind(name)
    .bind(hash)
    .bind(admin)
    .bind(created_at.unix_ms())
    .execute(connection)
    .await?;
    Ok(())
}

/// The key with a hash, unless it was revoked. The key is the authority here, so no owner is asked for.
pub(crate) async fn find(executor: impl SqliteExecutor<'_>, hash: &str) -> sqlx::Result<Option<ApiKeyRow>> {
    sqlx::query_as("SELECT id, owner, admin FROM api_keys WHERE hash = $1 AND revoked_at IS NULL")
        .bind(hash)
        .fetch_optional(executor)
        .await
}
