//! The table `checkpoint_permissions`: who besides its owner may use a tuned model. Administrators alone change it, so
//! these statements ask for no owner.

use shared::{id::Subject, timestamp::Timestamp};
use sqlx::{FromRow, SqliteConnection, SqliteExecutor};

/// One row.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct PermissionRow {
    pub(crate) id: String,
    pub(crate) model: String,
    pub(crate) project: String,
    pub(crate) created_at: i64,
}

/// Adds a permission; one that is there stays as it is.
pub(crate) async fn insert(
    connection: &mut SqliteConnection,
    id: &str,
    model: &str,
    job_id: &str,
    project: &str,
    now: Timestamp,
) -> sqlx::Result<PermissionRow> {
    sqlx::query(
        "INSERT INTO checkpoint_permissions (id, model, job_id, project, created_at) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (model, project) DO NOTHING",
    )
    .bind(id)
    .bind(model)
    .bind(job_id)
    .bind(project)
    .bind(now.unix_ms())
    .execute(&mut *connection)
    .await?;
    sqlx::query_as(
        "SELECT id, model, project, created_at FROM checkpoint_permissions WHERE model = $1 AND project = $2",
    )
    .bind(model)
    .bind(project)
    .fetch_one(connection)
    .await
}

/// Those of a model, newest first; of one project where it is named.
pub(crate) async fn list(
    executor: impl SqliteExecutor<'_>,
    model: &str,
    project: Option<&str>,
) -> sqlx::Result<Vec<PermissionRow>> {
    sqlx::query_as(
        "SELECT id, model, project, created_at FROM checkpoint_permissions \
         WHERE model = $1 AND ($2 IS NULL OR project = $2) ORDER BY created_at DESC, id DESC",
    )
    .bind(model)
    .bind(project)
    .fetch_all(executor)
    .await
}

/// What a project may use of others', newest permission first.
pub(crate) async fn list_of_project(
    executor: impl SqliteExecutor<'_>,
    project: &Subject,
) -> sqlx::Result<Vec<PermissionRow>> {
    sqlx::query_as(
        "SELECT id, model, project, created_at FROM checkpoint_permissions \
         WHERE project = $1 ORDER BY created_at DESC, id DESC",
    )
    .bind(project.as_str())
    .fetch_all(executor)
    .await
}

/// Whether a project may use a model of somebody else's.
pub(crate) async fn is_permitted(
    executor: impl SqliteExecutor<'_>,
    model: &str,
    project: &Subject,
) -> sqlx::Result<bool> {
    sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM checkpoint_permissions WHERE model = $1 AND project = $2)",
    )
    .bind(model)
    .bind(project.as_str())
    .fetch_one(executor)
    .await
}

/// Takes a permission of a model back; false where there is none.
pub(crate) async fn delete(connection: &mut SqliteConnection, model: &str, id: &str) -> sqlx::Result<bool> {
    let done = sqlx::query("DELETE FROM checkpoint_permissions WHERE model = $1 AND id = $2")
        .bind(model)
        .bind(id)
        .execute(connection)
        .await?;
    Ok(done.rows_affected() == 1)
}
