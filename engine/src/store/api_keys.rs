//! The table `api_keys`: who may call /v1.

use shared::{
    api_key::ApiKey,
    id::{ApiKeyId, Subject},
    timestamp::Timestamp,
};
use sqlx::{FromRow, SqliteConnection, SqliteExecutor};

/// A key that is valid.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct ApiKeyRow {
    pub(crate) id: String,
    pub(crate) owner: String,
    name: String,
    pub(crate) admin: bool,
    created_at: i64,
    last_used_at: Option<i64>,
}

impl ApiKeyRow {
    /// The row as its owner sees it.
    pub(crate) fn to_key(&self) -> ApiKey {
        ApiKey {
            id: ApiKeyId::new(&self.id),
            name: self.name.clone(),
            admin: self.admin,
            created_at: Timestamp::from_unix_ms(self.created_at),
            last_used_at: self.last_used_at.map(Timestamp::from_unix_ms),
        }
    }
}

/// Adds a key, of which only the hash is kept.
pub(crate) async fn insert(
    connection: &mut SqliteConnection,
    owner: &Subject,
    key: &ApiKey,
    hash: &str,
) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO api_keys (id, owner, name, hash, admin, created_at) VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(key.id.as_str())
    .bind(owner.as_str())
    .bind(&key.name)
    .bind(hash)
    .bind(key.admin)
    .bind(key.created_at.unix_ms())
    .execute(connection)
    .await?;
    Ok(())
}

macro_rules! select {
    () => {
        "SELECT id, owner, name, admin, created_at, last_used_at FROM api_keys WHERE revoked_at IS NULL"
    };
}

/// The key with a hash. The key is the authority here, so no owner is asked for.
pub(crate) async fn find(executor: impl SqliteExecutor<'_>, hash: &str) -> sqlx::Result<Option<ApiKeyRow>> {
    sqlx::query_as(concat!(select!(), " AND hash = $1"))
        .bind(hash)
        .fetch_optional(executor)
        .await
}

/// All of an owner's, the oldest first.
pub(crate) async fn list(executor: impl SqliteExecutor<'_>, owner: &Subject) -> sqlx::Result<Vec<ApiKeyRow>> {
    sqlx::query_as(concat!(select!(), " AND owner = $1 ORDER BY created_at, id"))
        .bind(owner.as_str())
        .fetch_all(executor)
        .await
}

/// Everybody's, the oldest first: for whoever has the data folder.
pub(crate) async fn list_all(executor: impl SqliteExecutor<'_>) -> sqlx::Result<Vec<ApiKeyRow>> {
    sqlx::query_as(concat!(select!(), " ORDER BY created_at, id"))
        .fetch_all(executor)
        .await
}

/// Takes one of an owner's back for good; false where there is none.
pub(crate) async fn revoke(
    connection: &mut SqliteConnection,
    owner: &Subject,
    id: &ApiKeyId,
    now: Timestamp,
) -> sqlx::Result<bool> {
    let done = sqlx::query(
        "UPDATE api_keys SET revoked_at = $3 WHERE owner = $1 AND id = $2 AND revoked_at IS NULL",
    )
    .bind(owner.as_str())
    .bind(id.as_str())
    .bind(now.unix_ms())
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Notes that a key is used now, unless somebody has noted it since `before`.
pub(crate) async fn note_use(
    connection: &mut SqliteConnection,
    id: &str,
    now: Timestamp,
    before: Timestamp,
) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE api_keys SET last_used_at = $2 \
         WHERE id = $1 AND (last_used_at IS NULL OR last_used_at NOT BETWEEN $3 + 1 AND $2)",
    )
    .bind(id)
    .bind(now.unix_ms())
    .bind(before.unix_ms())
    .execute(connection)
    .await?;
    Ok(())
}
