//! The table `files`: datasets, other files of /v1, and results.

use super::{from_sql, to_sql};
use shared::{
    dataset::{Dataset, DatasetStatus},
    id::{DatasetId, Subject},
    timestamp::Timestamp,
    training_line::{Finding, LineFormat},
};
use sqlx::{FromRow, SqliteConnection, SqliteExecutor};

/// What a file is for when a job trains on it.
pub(crate) const FINE_TUNE: &str = "fine-tune";
/// What a file is for when a job made it.
pub(crate) const RESULTS: &str = "fine-tune-results";

/// One row without its report and preview.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct FileRow {
    pub(crate) id: String,
    pub(crate) owner: String,
    pub(crate) purpose: String,
    pub(crate) name: String,
    pub(crate) filename: String,
    pub(crate) bytes: i64,
    pub(crate) status: String,
    pub(crate) created_at: i64,
    pub(crate) expires_at: Option<i64>,
    pub(crate) examples: Option<i64>,
    pub(crate) errors: Option<i64>,
    pub(crate) upload_expires_at: Option<i64>,
    pub(crate) used_by: i64,
    /// A job that hasn't ended names it.
    pub(crate) needed: bool,
    /// The format of its lines, once they were read.
    format: Option<String>,
    /// Of a file with errors the first finding, as JSON.
    fault: Option<String>,
}

impl FileRow {
    /// Its time is over, and no job that hasn't ended needs it.
    pub(crate) fn has_expired(&self, now: Timestamp) -> bool {
        !self.needed
            && self
                .expires_at
                .is_some_and(|expires_at| expires_at <= now.unix_ms())
    }

    /// Where the file stands.
    pub(crate) fn status(&self) -> DatasetStatus {
        parse_status(&self.status)
    }

    /// The format of its lines, once they were read.
    pub(crate) fn format(&self) -> Option<LineFormat> {
        let word = serde_json::Value::from(self.format.as_deref()?);
        serde_json::from_value(word).ok()
    }

    /// The first thing that is wrong with a file that has errors.
    pub(crate) fn fault(&self) -> Option<Finding> {
        serde_json::from_str(self.fault.as_deref()?).ok()
    }

    /// The row as the console shows it.
    pub(crate) fn to_dataset(&self) -> Dataset {
        Dataset {
            id: DatasetId::new(&self.id),
            name: self.name.clone(),
            filename: self.filename.clone(),
            bytes: from_sql(self.bytes),
            status: self.status(),
            created_at: Timestamp::from_unix_ms(self.created_at),
            examples: self.examples.map(from_sql),
            errors: self.errors.map(from_sql),
            method: self.format().map(LineFormat::method),
            used_by: from_sql(self.used_by),
        }
    }
}

/// The word in the table.
pub(crate) const fn status_word(status: DatasetStatus) -> &'static str {
    match status {
        DatasetStatus::Uploading => "uploading",
        DatasetStatus::Validating => "validating",
        DatasetStatus::Ready => "ready",
        DatasetStatus::Error => "error",
    }
}

fn parse_status(word: &str) -> DatasetStatus {
    match word {
        "uploading" => DatasetStatus::Uploading,
        "validating" => DatasetStatus::Validating,
        "ready" => DatasetStatus::Ready,
        _ => DatasetStatus::Error,
    }
}

/// Whether a job that hasn't ended names the file.
macro_rules! needed {
    () => {
        concat!(
            "(EXISTS (SELECT 1 FROM jobs WHERE jobs.training_file = files.id AND jobs.status ",
            not_ended!(),
            ") OR EXISTS (SELECT 1 FROM jobs WHERE jobs.validation_file = files.id AND jobs.status ",
            not_ended!(),
            "))"
        )
    };
}

macro_rules! columns {
    () => {
        concat!("files.id, files.owner, files.purpose, files.name, files.filename, files.bytes, files.status, \
         files.created_at, files.expires_at, files.examples, files.errors, files.upload_expires_at, \
         (SELECT COUNT(*) FROM jobs WHERE jobs.training_file = files.id) \
         + (SELECT COUNT(*) FROM jobs WHERE jobs.validation_file = files.id AND jobs.training_file <> files.id) \
         AS used_by, files.report ->> 'format' AS format, \
         CASE files.status WHEN 'error' THEN files.report -> '$.findings[0]' END AS fault, ", needed!(), " AS needed")
    };
}

/// A row to be.
#[derive(Debug, Clone)]
pub(crate) struct NewFile<'a> {
    pub(crate) id: &'a str,
    pub(crate) owner: &'a Subject,
    pub(crate) purpose: &'a str,
    pub(crate) name: &'a str,
    pub(crate) filename: &'a str,
    pub(crate) bytes: u64,
    pub(crate) status: DatasetStatus,
    pub(crate) created_at: Timestamp,
    pub(crate) expires_at: Option<Timestamp>,
    pub(crate) example: Option<&'a str>,
    /// The hash of the upload's token and when it stops working.
    pub(crate) upload: Option<(&'a str, Timestamp)>,
}

/// Adds a file.
pub(crate) async fn insert(connection: &mut SqliteConnection, file: &NewFile<'_>) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO files (id, owner, purpose, name, filename, bytes, status, created_at, expires_at, example, \
                            upload_hash, upload_expires_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
    )
    .bind(file.id)
    .bind(file.owner.as_str())
    .bind(file.purpose)
    .bind(file.name)
    .bind(file.filename)
    .bind(to_sql(file.bytes))
    .bind(status_word(file.status))
    .bind(file.created_at.unix_ms())
    .bind(file.expires_at.map(Timestamp::unix_ms))
    .bind(file.example)
    .bind(file.upload.map(|(hash, _)| hash))
    .bind(file.upload.map(|(_, expires_at)| expires_at.unix_ms()))
    .execute(connection)
    .await?;
    Ok(())
}

/// One file of an owner that isn't deleted.
pub(crate) async fn find(
    executor: impl SqliteExecutor<'_>,
    owner: &Subject,
    id: &str,
) -> sqlx::Result<Option<FileRow>> {
    sqlx::query_as(concat!(
        "SELECT ",
        columns!(),
        " FROM files WHERE owner = $1 AND id = $2 AND deleted_at IS NULL"
    ))
    .bind(owner.as_str())
    .bind(id)
    .fetch_optional(executor)
    .await
}

/// Where a file of an owner stands in lists: when it was created. One that is deleted keeps its place.
pub(crate) async fn place(
    executor: impl SqliteExecutor<'_>,
    owner: &Subject,
    id: &str,
) -> sqlx::Result<Option<i64>> {
    sqlx::query_scalar("SELECT created_at FROM files WHERE owner = $1 AND id = $2")
        .bind(owner.as_str())
        .bind(id)
        .fetch_optional(executor)
        .await
}

/// One file of an owner with its example's name.
pub(crate) async fn find_example(
    executor: impl SqliteExecutor<'_>,
    owner: &Subject,
    example: &str,
) -> sqlx::Result<Option<FileRow>> {
    sqlx::query_as(concat!(
        "SELECT ",
        columns!(),
        " FROM files WHERE owner = $1 AND example = $2 AND deleted_at IS NULL"
    ))
    .bind(owner.as_str())
    .bind(example)
    .fetch_optional(executor)
    .await
}

/// The file that an upload's token stands for. The token is the authority here, so no owner is asked for.
pub(crate) async fn find_upload(
    executor: impl SqliteExecutor<'_>,
    upload_hash: &str,
) -> sqlx::Result<Option<FileRow>> {
    sqlx::query_as(concat!(
        "SELECT ",
        columns!(),
        " FROM files WHERE upload_hash = $1 AND deleted_at IS NULL"
    ))
    .bind(upload_hash)
    .fetch_optional(executor)
    .await
}

/// All datasets of an owner, newest first.
pub(crate) async fn list_datasets(
    executor: impl SqliteExecutor<'_>,
    owner: &Subject,
    now: Timestamp,
) -> sqlx::Result<Vec<FileRow>> {
    sqlx::query_as(concat!(
        "SELECT ",
        columns!(),
        " FROM files WHERE owner = $1 AND purpose = 'fine-tune' AND deleted_at IS NULL \
         AND (expires_at IS NULL OR expires_at > $2 OR ",
        needed!(),
        ") ORDER BY created_at DESC, id DESC"
    ))
    .bind(owner.as_str())
    .bind(now.unix_ms())
    .fetch_all(executor)
    .await
}

/// Which page of an owner's files.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Page<'a> {
    pub(crate) purpose: Option<&'a str>,
    /// Creation time and id of the last file of the page before.
    pub(crate) after: Option<(i64, &'a str)>,
    pub(crate) oldest_first: bool,
    pub(crate) limit: i64,
    /// What has expired by then, and no job needs, isn't there.
    pub(crate) now: Timestamp,
}

/// One page of an owner's files that are past their upload.
pub(crate) async fn list(
    executor: impl SqliteExecutor<'_>,
    owner: &Subject,
    page: Page<'_>,
) -> sqlx::Result<Vec<FileRow>> {
    const NEWEST_FIRST: &str = concat!(
        "SELECT ",
        columns!(),
        " FROM files WHERE owner = $1 AND deleted_at IS NULL AND status <> 'uploading' \
         AND ($2 IS NULL OR purpose = $2) AND ($3 IS NULL OR (created_at, id) < ($3, $4)) \
         AND (expires_at IS NULL OR expires_at > $6 OR ",
        needed!(),
        ") ORDER BY created_at DESC, id DESC LIMIT $5"
    );
    const OLDEST_FIRST: &str = concat!(
        "SELECT ",
        columns!(),
        " FROM files WHERE owner = $1 AND deleted_at IS NULL AND status <> 'uploading' \
         AND ($2 IS NULL OR purpose = $2) AND ($3 IS NULL OR (created_at, id) > ($3, $4)) \
         AND (expires_at IS NULL OR expires_at > $6 OR ",
        needed!(),
        ") ORDER BY created_at, id LIMIT $5"
    );
    sqlx::query_as(if page.oldest_first {
        OLDEST_FIRST
    } else {
        NEWEST_FIRST
    })
    .bind(owner.as_str())
    .bind(page.purpose)
    .bind(page.after.map(|(created_at, _)| created_at))
    .bind(page.after.map(|(_, id)| id))
    .bind(page.limit)
    .bind(page.now.unix_ms())
    .fetch_all(executor)
    .await
}

/// Ends the upload: from `uploading` to `validating`. False where it wasn't uploading any more.
pub(crate) async fn start_validation(
    connection: &mut SqliteConnection,
    owner: &Subject,
    id: &str,
) -> sqlx::Result<bool> {
    let done = sqlx::query(
        "UPDATE files SET status = 'validating', upload_hash = NULL, upload_expires_at = NULL \
         WHERE owner = $1 AND id = $2 AND status = 'uploading' AND deleted_at IS NULL",
    )
    .bind(owner.as_str())
    .bind(id)
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// What reading a file's lines found.
#[derive(Debug, Clone)]
pub(crate) struct Validated<'a> {
    pub(crate) status: DatasetStatus,
    pub(crate) examples: Option<u64>,
    pub(crate) errors: Option<u64>,
    pub(crate) report: Option<&'a str>,
    pub(crate) preview: Option<&'a str>,
}

/// Ends the validation; of a file that was deleted meanwhile nothing is kept.
pub(crate) async fn finish_validation(
    connection: &mut SqliteConnection,
    owner: &Subject,
    id: &str,
    found: &Validated<'_>,
) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE files SET status = $3, examples = $4, errors = $5, report = $6, preview = $7 \
         WHERE owner = $1 AND id = $2 AND status = 'validating' AND deleted_at IS NULL",
    )
    .bind(owner.as_str())
    .bind(id)
    .bind(status_word(found.status))
    .bind(found.examples.map(to_sql))
    .bind(found.errors.map(to_sql))
    .bind(found.report)
    .bind(found.preview)
    .execute(connection)
    .await?;
    Ok(())
}

/// Report and preview of a file, as JSON.
pub(crate) async fn findings(
    executor: impl SqliteExecutor<'_>,
    owner: &Subject,
    id: &str,
) -> sqlx::Result<Option<(Option<String>, Option<String>)>> {
    sqlx::query_as("SELECT report, preview FROM files WHERE owner = $1 AND id = $2 AND deleted_at IS NULL")
        .bind(owner.as_str())
        .bind(id)
        .fetch_optional(executor)
        .await
}

/// Files of everybody whose validation a server that is gone has begun.
pub(crate) async fn list_validating(executor: impl SqliteExecutor<'_>) -> sqlx::Result<Vec<FileRow>> {
    sqlx::query_as(concat!(
        "SELECT ",
        columns!(),
        " FROM files WHERE status = 'validating' AND deleted_at IS NULL"
    ))
    .fetch_all(executor)
    .await
}

/// Files of everybody whose upload has run out or whose time is over.
pub(crate) async fn list_expired(
    executor: impl SqliteExecutor<'_>,
    now: Timestamp,
) -> sqlx::Result<Vec<FileRow>> {
    sqlx::query_as(concat!(
        "SELECT ",
        columns!(),
        " FROM files WHERE deleted_at IS NULL AND \
         ((status = 'uploading' AND upload_expires_at < $1) OR expires_at <= $1)"
    ))
    .bind(now.unix_ms())
    .fetch_all(executor)
    .await
}

/// How many unfinished jobs name a file of an owner.
pub(crate) async fn count_unfinished_jobs(
    executor: impl SqliteExecutor<'_>,
    owner: &Subject,
    id: &str,
) -> sqlx::Result<i64> {
    sqlx::query_scalar(concat!(
        "SELECT COUNT(*) FROM jobs WHERE owner = $1 AND (training_file = $2 OR validation_file = $2) AND status ",
        not_ended!()
    ))
    .bind(owner.as_str())
    .bind(id)
    .fetch_one(executor)
    .await
}

/// Deletes a file for its owner; the row stays for the jobs that name it.
pub(crate) async fn delete(
    connection: &mut SqliteConnection,
    owner: &Subject,
    id: &str,
    now: Timestamp,
) -> sqlx::Result<bool> {
    let done = sqlx::query(
        "UPDATE files SET deleted_at = $3, upload_hash = NULL, report = NULL, preview = NULL \
         WHERE owner = $1 AND id = $2 AND deleted_at IS NULL",
    )
    .bind(owner.as_str())
    .bind(id)
    .bind(now.unix_ms())
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}
