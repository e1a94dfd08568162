//! The tables `uploads` and `upload_parts`: files of /v1 that come in parts.

use super::{from_sql, to_sql};
use shared::{id::Subject, timestamp::Timestamp};
use sqlx::{FromRow, SqliteConnection, SqliteExecutor};

/// One upload.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct UploadRow {
    pub(crate) id: String,
    pub(crate) filename: String,
    pub(crate) purpose: String,
    pub(crate) bytes: i64,
    status: String,
    pub(crate) created_at: i64,
    pub(crate) expires_at: i64,
    pub(crate) file_expires_after_ms: Option<i64>,
    pub(crate) file: Option<String>,
    pub(crate) completed_by: Option<String>,
}

/// Where an upload stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum UploadStatus {
    Pending,
    Completed,
    Cancelled,
    Expired,
}

impl UploadStatus {
    /// The word on the wire.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Completed => "completed",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
        }
    }
}

impl UploadRow {
    /// Where it stands at an instant: that it has expired is nowhere recorded.
    pub(crate) fn status(&self, now: Timestamp) -> UploadStatus {
        match self.status.as_str() {
            "completed" => UploadStatus::Completed,
            "cancelled" => UploadStatus::Cancelled,
            _ if self.expires_at <= now.unix_ms() => UploadStatus::Expired,
            _ => UploadStatus::Pending,
        }
    }
}

/// A row to be.
#[derive(Debug, Clone)]
pub(crate) struct NewUpload<'a> {
    pub(crate) id: &'a str,
    pub(crate) owner: &'a Subject,
    pub(crate) filename: &'a str,
    pub(crate) purpose: &'a str,
    pub(crate) bytes: u64,
    pub(crate) created_at: Timestamp,
    pub(crate) expires_at: Timestamp,
    pub(crate) file_expires_after_ms: Option<i64>,
}

/// Adds an upload.
pub(crate) async fn insert(connection: &mut SqliteConnection, upload: &NewUpload<'_>) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO uploads (id, owner, filename, purpose, bytes, status, created_at, expires_at, \
                              file_expires_after_ms) \
         VALUES ($1, $2, $3, $4, $5, 'pending', $6, $7, $8)",
    )
    .bind(upload.id)
    .bind(upload.owner.as_str())
    .bind(upload.filename)
    .bind(upload.purpose)
    .bind(to_sql(upload.bytes))
    .bind(upload.created_at.unix_ms())
    .bind(upload.expires_at.unix_ms())
    .bind(upload.file_expires_after_ms)
    .execute(connection)
    .await?;
    Ok(())
}

/// One upload of an owner.
pub(crate) async fn find(
    executor: impl SqliteExecutor<'_>,
    owner: &Subject,
    id: &str,
) -> sqlx::Result<Option<UploadRow>> {
    sqlx::query_as(
        "SELECT id, filename, purpose, bytes, status, created_at, expires_at, file_expires_after_ms, file, \
                completed_by \
         FROM uploads WHERE owner = $1 AND id = $2",
    )
    .bind(owner.as_str())
    .bind(id)
    .fetch_optional(executor)
    .await
}

/// Moves an upload that is pending and hasn't expired to `completed`, with the file and the request that made it, or
/// without them to `cancelled`. False where it isn't pending any more.
pub(crate) async fn end(
    connection: &mut SqliteConnection,
    owner: &Subject,
    id: &str,
    made: Option<(&str, &str)>,
    now: Timestamp,
) -> sqlx::Result<bool> {
    let done = sqlx::query(
        "UPDATE uploads SET status = CASE WHEN $3 IS NULL THEN 'cancelled' ELSE 'completed' END, file = $3, \
                            completed_by = $4 \
         WHERE owner = $1 AND id = $2 AND status = 'pending' AND expires_at > $5",
    )
    .bind(owner.as_str())
    .bind(id)
    .bind(made.map(|(file, _)| file))
    .bind(made.map(|(_, request)| request))
    .bind(now.unix_ms())
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// A part whose bytes are stored.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct PartRow {
    pub(crate) id: String,
    pub(crate) bytes: i64,
}

/// Adds a part to an upload that the caller has found to be pending.
pub(crate) async fn insert_part(
    connection: &mut SqliteConnection,
    upload: &str,
    id: &str,
    bytes: u64,
    now: Timestamp,
) -> sqlx::Result<()> {
    sqlx::query("INSERT INTO upload_parts (id, upload, bytes, created_at) VALUES ($1, $2, $3, $4)")
        .bind(id)
        .bind(upload)
        .bind(to_sql(bytes))
        .bind(now.unix_ms())
        .execute(connection)
        .await?;
    Ok(())
}

/// The parts of an upload; the caller has found the upload to be the owner's.
pub(crate) async fn list_parts(
    executor: impl SqliteExecutor<'_>,
    upload: &str,
) -> sqlx::Result<Vec<PartRow>> {
    sqlx::query_as("SELECT id, bytes FROM upload_parts WHERE upload = $1")
        .bind(upload)
        .fetch_all(executor)
        .await
}

/// How many parts an upload has, and their bytes together.
pub(crate) async fn measure_parts(
    executor: impl SqliteExecutor<'_>,
    upload: &str,
) -> sqlx::Result<(u64, u64)> {
    let (count, bytes): (i64, i64) =
        sqlx::query_as("SELECT COUNT(*), COALESCE(SUM(bytes), 0) FROM upload_parts WHERE upload = $1")
            .bind(upload)
            .fetch_one(executor)
            .await?;
    Ok((from_sql(count), from_sql(bytes)))
}

/// Forgets the parts of an upload.
pub(crate) async fn delete_parts(connection: &mut SqliteConnection, upload: &str) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM upload_parts WHERE upload = $1")
        .bind(upload)
        .execute(connection)
        .await?;
    Ok(())
}

/// Forgets everybody's parts whose upload has expired, and uploads that did so before `long_ago`. Answers the parts.
pub(crate) async fn delete_expired(
    connection: &mut SqliteConnection,
    now: Timestamp,
    long_ago: Timestamp,
) -> sqlx::Result<Vec<String>> {
    let parts = sqlx::query_scalar(
        "DELETE FROM upload_parts WHERE upload IN (SELECT id FROM uploads WHERE expires_at <= $1) RETURNING id",
    )
    .bind(now.unix_ms())
    .fetch_all(&mut *connection)
    .await?;
    sqlx::query("DELETE FROM uploads WHERE expires_at <= $1")
        .bind(long_ago.unix_ms())
        .execute(connection)
        .await?;
    Ok(parts)
}
