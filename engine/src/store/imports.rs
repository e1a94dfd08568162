//! The table `imports`: what was taken over from accounts elsewhere, and the rows that only an import writes.

use super::{from_sql, jobs::stage_word, to_sql};
use crate::parameters::Recipe;
use shared::{event::Checkpoint, id::Subject, job::Job, run::Stage, timestamp::Timestamp};
use sqlx::{FromRow, SqliteConnection, SqliteExecutor};

/// What an import's row is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Job,
    File,
}

impl Kind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Job => "job",
            Self::File => "file",
        }
    }
}

/// Whose import from where.
#[derive(Debug, Clone)]
pub(crate) struct Origin<'a> {
    pub(crate) owner: &'a Subject,
    /// The API's base URL.
    pub(crate) source: &'a str,
}

/// What became of something that was taken over.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct ImportRow {
    pub(crate) upstream_id: String,
    pub(crate) local_id: String,
    /// It is still here.
    pub(crate) kept: bool,
}

/// All that an owner has taken over from an API.
pub(crate) async fn list(
    executor: impl SqliteExecutor<'_>,
    origin: &Origin<'_>,
    kind: Kind,
) -> sqlx::Result<Vec<ImportRow>> {
    const JOBS: &str = "SELECT upstream_id, local_id, \
         EXISTS (SELECT 1 FROM jobs WHERE jobs.id = imports.local_id) AS kept \
         FROM imports WHERE owner = $1 AND source = $2 AND kind = $3";
    const FILES: &str = "SELECT upstream_id, local_id, \
         EXISTS (SELECT 1 FROM files WHERE files.id = imports.local_id AND files.deleted_at IS NULL) AS kept \
         FROM imports WHERE owner = $1 AND source = $2 AND kind = $3";
    sqlx::query_as(match kind {
        Kind::Job => JOBS,
        Kind::File => FILES,
    })
    .bind(origin.owner.as_str())
    .bind(origin.source)
    .bind(kind.as_str())
    .fetch_all(executor)
    .await
}

/// What something that was taken over is called here, whether it is still here or not.
pub(crate) async fn find(
    connection: &mut SqliteConnection,
    origin: &Origin<'_>,
    kind: Kind,
    upstream_id: &str,
) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar(
        "SELECT local_id FROM imports WHERE owner = $1 AND source = $2 AND kind = $3 AND upstream_id = $4",
    )
    .bind(origin.owner.as_str())
    .bind(origin.source)
    .bind(kind.as_str())
    .bind(upstream_id)
    .fetch_optional(connection)
    .await
}

/// Remembers what something has become; what it was before is forgotten.
pub(crate) async fn remember(
    connection: &mut SqliteConnection,
    origin: &Origin<'_>,
    kind: Kind,
    (upstream_id, local_id): (&str, &str),
    fine_tuned_model: Option<&str>,
    now: Timestamp,
) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO imports (owner, source, kind, upstream_id, local_id, fine_tuned_model, imported_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7) \
         ON CONFLICT (owner, source, kind, upstream_id) DO UPDATE SET \
           local_id = excluded.local_id, fine_tuned_model = excluded.fine_tuned_model, \
           imported_at = excluded.imported_at",
    )
    .bind(origin.owner.as_str())
    .bind(origin.source)
    .bind(kind.as_str())
    .bind(upstream_id)
    .bind(local_id)
    .bind(fine_tuned_model)
    .bind(now.unix_ms())
    .execute(connection)
    .await?;
    Ok(())
}

/// Notes what a job's record lacks of what there was.
pub(crate) async fn note_lacks(
    connection: &mut SqliteConnection,
    job_id: &str,
    lacks_events: bool,
    lacks_steps: bool,
) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE imports SET lacks_events = $2, lacks_steps = $3 WHERE kind = 'job' AND local_id = $1",
    )
    .bind(job_id)
    .bind(lacks_events)
    .bind(lacks_steps)
    .execute(connection)
    .await?;
    Ok(())
}

/// Files of everybody that an import brought and did not live to read.
pub(crate) async fn list_unread(executor: impl SqliteExecutor<'_>) -> sqlx::Result<Vec<(String, String)>> {
    sqlx::query_as(
        "SELECT files.owner, files.id FROM files JOIN imports ON imports.local_id = files.id \
         WHERE files.status = 'validating' AND files.deleted_at IS NULL",
    )
    .fetch_all(executor)
    .await
}

/// What the newest of a job's steps tell of it.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Reached {
    pub(crate) step: u64,
    pub(crate) total_steps: u64,
    pub(crate) epoch: f64,
    pub(crate) train_loss: Option<f64>,
    pub(crate) valid_loss: Option<f64>,
}

/// A job's row to be, as it ended where it was trained.
#[derive(Debug, Clone)]
pub(crate) struct InsertImported<'a> {
    pub(crate) id: &'a str,
    pub(crate) owner: &'a Subject,
    /// As it was told there; its identifiers aren't looked at.
    pub(crate) job: &'a Job,
    pub(crate) recipe: &'a Recipe,
    pub(crate) suffix: Option<&'a str>,
    pub(crate) training_file: &'a str,
    pub(crate) validation_file: Option<&'a str>,
    pub(crate) result_file: Option<&'a str>,
    /// Nothing where no step is known.
    pub(crate) reached: Option<Reached>,
}

/// Adds a job that has ended elsewhere. Nobody is told of its end.
pub(crate) async fn insert_job(
    connection: &mut SqliteConnection,
    new: &InsertImported<'_>,
) -> sqlx::Result<()> {
    let job = new.job;
    let reached = new.reached.unwrap_or_default();
    let failure = job.failure.as_ref();
    sqlx::query(
        "INSERT INTO jobs (id, owner, name, search_text, name_key, base_model, status, created_at, started_at, \
                           finished_at, training_file, validation_file, parameters, suffix, stage, step, total_steps, \
                           epoch, train_loss, valid_loss, trained_tokens, failure_code, failure_message, \
                           failure_param, result_file) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, \
                 $23, $24, $25)",
    )
    .bind(new.id)
    .bind(new.owner.as_str())
    .bind(&job.name)
    // As a job of ours is found, and by what it was called there.
    .bind(format!("{}\n{}\n{}\n{}", job.name, new.id, job.base_model, job.id).to_lowercase())
    .bind(job.name.to_lowercase())
    .bind(&job.base_model)
    .bind(job.status.as_str())
    .bind(job.created_at.unix_ms())
    .bind(job.started_at.map(Timestamp::unix_ms))
    .bind(job.finished_at.map(Timestamp::unix_ms))
    .bind(new.training_file)
    .bind(new.validation_file)
    .bind(serde_json::to_string(new.recipe).unwrap_or_default())
    .bind(new.suffix)
    .bind(new.reached.map(|_| stage_word(Stage::Training)))
    .bind(to_sql(reached.step))
    .bind(to_sql(reached.total_steps))
    .bind(reached.epoch)
    .bind(reached.train_loss)
    .bind(reached.valid_loss)
    .bind(job.trained_tokens.map(to_sql))
    .bind(failure.map(|failure| failure.code.as_str()))
    .bind(failure.map(|failure| failure.message.as_str()))
    .bind(failure.and_then(|failure| failure.param.as_deref()))
    .bind(new.result_file)
    .execute(connection)
    .await?;
    Ok(())
}

/// Gives a checkpoint the losses that were told with it, where the job's record has none at its step.
pub(crate) async fn tell_losses(
    connection: &mut SqliteConnection,
    job_id: &str,
    checkpoint: &Checkpoint,
) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE checkpoints SET train_loss = COALESCE(train_loss, $3), valid_loss = COALESCE(valid_loss, $4) \
         WHERE job_id = $1 AND step = $2",
    )
    .bind(job_id)
    .bind(to_sql(checkpoint.step))
    .bind(checkpoint.train_loss)
    .bind(checkpoint.valid_loss)
    .execute(connection)
    .await?;
    Ok(())
}

/// Whether the table is there: a folder of data may be older than it.
pub(crate) async fn is_known(executor: impl SqliteExecutor<'_>) -> sqlx::Result<bool> {
    let tables: i64 =
        sqlx::query_scalar("SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = 'imports'")
            .fetch_one(executor)
            .await?;
    Ok(from_sql(tables) > 0)
}
