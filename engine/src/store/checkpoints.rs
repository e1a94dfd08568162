//! The table `checkpoints`: a job's saved states. A removed one keeps its row.

use super::{from_sql, jobs, to_sql};
use shared::{
    event::Checkpoint,
    id::{CheckpointId, JobId, Subject},
    timestamp::Timestamp,
};
use sqlx::{FromRow, SqliteConnection, SqliteExecutor};

/// One row.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct CheckpointRow {
    id: String,
    pub(crate) step: i64,
    pub(crate) seq: i64,
    created_at: i64,
    bytes: i64,
    train_loss: Option<f64>,
    valid_loss: Option<f64>,
    pub(crate) removed_seq: Option<i64>,
}

impl CheckpointRow {
    /// The row as the console shows it.
    pub(crate) fn to_checkpoint(&self) -> Checkpoint {
        Checkpoint {
            id: CheckpointId::new(&self.id),
            step: from_sql(self.step),
            created_at: Timestamp::from_unix_ms(self.created_at),
            // None of those whose weights lie elsewhere.
            bytes: Some(from_sql(self.bytes)).filter(|bytes| *bytes > 0),
            train_loss: self.train_loss,
            valid_loss: self.valid_loss,
        }
    }
}

/// A row to be.
#[derive(Debug, Clone)]
pub(crate) struct NewCheckpoint<'a> {
    pub(crate) id: &'a str,
    pub(crate) job_id: &'a str,
    pub(crate) owner: &'a Subject,
    pub(crate) seq: i64,
    pub(crate) created_at: Timestamp,
    pub(crate) step: u64,
    pub(crate) bytes: u64,
}

/// Records a checkpoint unless it is recorded already; true where it is new, or back after its removal: a run that lost
/// it, and went on from one before, writes it again. Its losses are those of the job's record at its step.
pub(crate) async fn insert(
    connection: &mut SqliteConnection,
    checkpoint: &NewCheckpoint<'_>,
) -> sqlx::Result<bool> {
    let done = sqlx::query(
        "INSERT INTO checkpoints (id, job_id, owner, seq, created_at, step, bytes, train_loss, valid_loss) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, \
                 (SELECT train_loss FROM steps WHERE job_id = $2 AND step = $6), \
                 (SELECT valid_loss FROM steps WHERE job_id = $2 AND step = $6)) \
         ON CONFLICT (job_id, step) DO UPDATE SET seq = excluded.seq, created_at = excluded.created_at, \
                                                  bytes = excluded.bytes, removed_seq = NULL \
         WHERE checkpoints.removed_seq IS NOT NULL",
    )
    .bind(checkpoint.id)
    .bind(checkpoint.job_id)
    .bind(checkpoint.owner.as_str())
    .bind(checkpoint.seq)
    .bind(checkpoint.created_at.unix_ms())
    .bind(to_sql(checkpoint.step))
    .bind(to_sql(checkpoint.bytes))
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Records that a checkpoint was removed; true where that is new.
pub(crate) async fn remove(
    connection: &mut SqliteConnection,
    job_id: &str,
    seq: i64,
    step: u64,
) -> sqlx::Result<bool> {
    let done = sqlx::query(
        "UPDATE checkpoints SET removed_seq = $2 WHERE job_id = $1 AND step = $3 AND removed_seq IS NULL",
    )
    .bind(job_id)
    .bind(seq)
    .bind(to_sql(step))
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Whether a checkpoint is recorded and kept.
pub(crate) async fn is_kept(
    executor: impl SqliteExecutor<'_>,
    job_id: &str,
    step: u64,
) -> sqlx::Result<bool> {
    sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM checkpoints WHERE job_id = $1 AND step = $2 AND removed_seq IS NULL)",
    )
    .bind(job_id)
    .bind(to_sql(step))
    .fetch_one(executor)
    .await
}

/// Takes a checkpoint of an ended job out of the list without a place in the record, which is closed by then.
pub(crate) async fn remove_silently(
    connection: &mut SqliteConnection,
    job_id: &str,
    step: u64,
) -> sqlx::Result<()> {
    remove(connection, job_id, 0, step).await?;
    Ok(())
}

macro_rules! select {
    () => {
        "SELECT id, step, seq, created_at, bytes, train_loss, valid_loss, removed_seq FROM checkpoints \
         WHERE owner = $1 AND job_id = $2"
    };
}

/// All that are kept, the newest first.
pub(crate) async fn list(
    executor: impl SqliteExecutor<'_>,
    owner: &Subject,
    job_id: &JobId,
) -> sqlx::Result<Vec<CheckpointRow>> {
    sqlx::query_as(concat!(select!(), " AND removed_seq IS NULL ORDER BY step DESC"))
        .bind(owner.as_str())
        .bind(job_id.as_str())
        .fetch_all(executor)
        .await
}

/// The step of a job's checkpoint, also of one that was removed.
pub(crate) async fn step_of(
    executor: impl SqliteExecutor<'_>,
    owner: &Subject,
    job_id: &JobId,
    id: &str,
) -> sqlx::Result<Option<i64>> {
    sqlx::query_scalar("SELECT step FROM checkpoints WHERE owner = $1 AND job_id = $2 AND id = $3")
        .bind(owner.as_str())
        .bind(job_id.as_str())
        .bind(id)
        .fetch_optional(executor)
        .await
}

/// A checkpoint with what names it.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct NamedCheckpoint {
    pub(crate) job_id: String,
    pub(crate) step: i64,
    pub(crate) created_at: i64,
    pub(crate) name: String,
    pub(crate) base_model: String,
    suffix: Option<String>,
}

impl NamedCheckpoint {
    /// The name of its job's tuned model.
    pub(crate) fn tuned_name(&self) -> String {
        jobs::tuned_name(&self.job_id, &self.base_model, self.suffix.as_deref())
    }
}

/// Those of an owner that are kept here, the newest first, so many at most.
pub(crate) async fn list_of_owner(
    executor: impl SqliteExecutor<'_>,
    owner: &Subject,
    most: i64,
) -> sqlx::Result<Vec<NamedCheckpoint>> {
    sqlx::query_as(
        "SELECT checkpoints.job_id, checkpoints.step, checkpoints.created_at, jobs.name, jobs.base_model, jobs.suffix \
         FROM checkpoints JOIN jobs ON jobs.id = checkpoints.job_id \
         WHERE checkpoints.owner = $1 AND checkpoints.removed_seq IS NULL \
         AND NOT EXISTS (SELECT 1 FROM imports WHERE imports.local_id = checkpoints.job_id) \
         ORDER BY checkpoints.created_at DESC, checkpoints.step DESC LIMIT $2",
    )
    .bind(owner.as_str())
    .bind(most)
    .fetch_all(executor)
    .await
}

/// Those recorded or removed after a place in the record; there are few, so all of them.
pub(crate) async fn list_changed_after(
    executor: impl SqliteExecutor<'_>,
    owner: &Subject,
    job_id: &JobId,
    after: i64,
) -> sqlx::Result<Vec<CheckpointRow>> {
    sqlx::query_as(concat!(
        select!(),
        " AND (seq > $3 OR removed_seq > $3) ORDER BY seq"
    ))
    .bind(owner.as_str())
    .bind(job_id.as_str())
    .bind(after)
    .fetch_all(executor)
    .await
}
