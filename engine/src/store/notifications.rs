//! The table `notifications`: what an owner is told about their jobs.

use super::from_sql;
use shared::{
    alert::AlertCondition,
    id::{JobId, Subject},
    notification::{Notification, NotificationKind},
    status::JobStatus,
    timestamp::Timestamp,
};
use sqlx::{FromRow, SqliteConnection, SqliteExecutor};

/// One row with what its job has to say.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct NotificationRow {
    pub(crate) seq: i64,
    job_id: String,
    created_at: i64,
    kind: String,
    condition: Option<String>,
    message: Option<String>,
    read_at: Option<i64>,
    job_name: String,
    failure_message: Option<String>,
    /// It ended early, as its owner asked.
    stopped: bool,
}

impl NotificationRow {
    /// The row as the console shows it.
    pub(crate) fn to_notification(&self) -> Notification {
        let (kind, message) = match self.kind.as_str() {
            "succeeded" if self.stopped => (
                NotificationKind::Succeeded,
                Some("The job was stopped early and has successfully completed with what was trained"),
            ),
            "succeeded" => (
                NotificationKind::Succeeded,
                Some("The job has successfully completed"),
            ),
            "failed" => (NotificationKind::Failed, self.failure_message.as_deref()),
            "cancelled" => (NotificationKind::Cancelled, Some("The job was cancelled")),
            _ => (NotificationKind::Alert, self.message.as_deref()),
        };
        let is_named = |condition: &AlertCondition| self.condition.as_deref() == Some(condition.as_str());
        Notification {
            id: self.seq.to_string(),
            created_at: Timestamp::from_unix_ms(self.created_at),
            kind,
            job_id: JobId::new(&self.job_id),
            job_name: self.job_name.clone(),
            condition: AlertCondition::ALL.into_iter().find(is_named),
            message: message.unwrap_or_default().to_owned(),
            read: self.read_at.is_some(),
        }
    }
}

/// How many an owner has at most: whoever reads none of them for long has the oldest forgotten.
pub(crate) const KEPT: u32 = 1000;

/// Tells a job's owner that it has come to an end. Called with the change itself, in its transaction; of a status that is
/// no end it does nothing.
pub(crate) async fn announce(
    connection: &mut SqliteConnection,
    job_id: &str,
    status: JobStatus,
    now: Timestamp,
) -> sqlx::Result<()> {
    if !status.is_terminal() {
        return Ok(());
    }
    // The words of the statuses that are an end are those of the kinds.
    let owner: Option<String> = sqlx::query_scalar(
        "INSERT INTO notifications (owner, job_id, created_at, kind) SELECT owner, id, $2, $3 FROM jobs WHERE id = $1 \
         RETURNING owner",
    )
    .bind(job_id)
    .bind(now.unix_ms())
    .bind(status.as_str())
    .fetch_optional(&mut *connection)
    .await?;
    match owner {
        Some(owner) => forget_oldest(connection, &owner).await,
        None => Ok(()),
    }
}

/// Removes what an owner has more than [`KEPT`].
async fn forget_oldest(connection: &mut SqliteConnection, owner: &str) -> sqlx::Result<()> {
    sqlx::query(
        "DELETE FROM notifications WHERE owner = $1 AND seq <= \
         (SELECT seq FROM notifications WHERE owner = $1 ORDER BY seq DESC LIMIT 1 OFFSET $2)",
    )
    .bind(owner)
    .bind(KEPT)
    .execute(connection)
    .await?;
    Ok(())
}

/// Tells a job's owner that a condition has come true.
pub(crate) async fn insert_alert(
    connection: &mut SqliteConnection,
    owner: &Subject,
    job_id: &str,
    condition: AlertCondition,
    message: &str,
    now: Timestamp,
) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO notifications (owner, job_id, created_at, kind, condition, message) \
         VALUES ($1, $2, $3, 'alert', $4, $5)",
    )
    .bind(owner.as_str())
    .bind(job_id)
    .bind(now.unix_ms())
    .bind(condition.as_str())
    .bind(message)
    .execute(&mut *connection)
    .await?;
    forget_oldest(connection, owner.as_str()).await
}

/// An owner's notifications before a place in the list, the newest first. A job goes by what people are shown of it, as
/// `shared::job::Job::title` has it.
pub(crate) async fn list_before(
    executor: impl SqliteExecutor<'_>,
    owner: &Subject,
    before: i64,
    unread_only: bool,
    limit: i64,
) -> sqlx::Result<Vec<NotificationRow>> {
    macro_rules! select {
        ($unread:literal) => {
            concat!(
                "SELECT notifications.seq, notifications.job_id, notifications.created_at, notifications.kind, \
                 notifications.condition, notifications.message, notifications.read_at, \
                 CASE WHEN jobs.name <> jobs.id THEN jobs.name \
                 WHEN files.name <> files.id THEN jobs.base_model || ' · ' || files.name \
                 ELSE jobs.base_model END AS job_name, \
                 jobs.failure_message, COALESCE(jobs.wish = 'stop', 0) AS stopped \
                 FROM notifications JOIN jobs ON jobs.id = notifications.job_id \
                 JOIN files ON files.id = jobs.training_file \
                 WHERE notifications.owner = $1 AND notifications.seq < $2",
                $unread,
                " ORDER BY notifications.seq DESC LIMIT $3"
            )
        };
    }
    let sql = if unread_only {
        select!(" AND notifications.read_at IS NULL")
    } else {
        select!("")
    };
    sqlx::query_as(sql)
        .bind(owner.as_str())
        .bind(before)
        .bind(limit)
        .fetch_all(executor)
        .await
}

/// How many of an owner's nobody has read.
pub(crate) async fn count_unread(executor: impl SqliteExecutor<'_>, owner: &Subject) -> sqlx::Result<u64> {
    let count: i64 =
        sqlx::query_scalar("SELECT COUNT(*) FROM notifications WHERE owner = $1 AND read_at IS NULL")
            .bind(owner.as_str())
            .fetch_one(executor)
            .await?;
    Ok(from_sql(count))
}

/// Marks one of an owner's as read; false where there is none.
pub(crate) async fn mark_read(
    connection: &mut SqliteConnection,
    owner: &Subject,
    seq: i64,
    now: Timestamp,
) -> sqlx::Result<bool> {
    let done =
        sqlx::query("UPDATE notifications SET read_at = COALESCE(read_at, $3) WHERE owner = $1 AND seq = $2")
            .bind(owner.as_str())
            .bind(seq)
            .bind(now.unix_ms())
            .execute(connection)
            .await?;
    Ok(done.rows_affected() == 1)
}

/// Marks all of an owner's as read.
pub(crate) async fn mark_all_read(
    connection: &mut SqliteConnection,
    owner: &Subject,
    now: Timestamp,
) -> sqlx::Result<()> {
    sqlx::query("UPDATE notifications SET read_at = $2 WHERE owner = $1 AND read_at IS NULL")
        .bind(owner.as_str())
        .bind(now.unix_ms())
        .execute(connection)
        .await?;
    Ok(())
}
