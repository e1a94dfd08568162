//! The database: how it is opened, and one file a table with all the SQL for it.
//!
//! SQLite in WAL mode. One connection writes, each transaction opened with `BEGIN IMMEDIATE`, so writers queue up
//! in the pool instead of failing half way; several others read. The statements use `$1` placeholders and
//! portable SQL, so that Postgres can read them once it stands beside SQLite; the migrations are SQLite's own.

/// SQL behind a job's status: it hasn't ended.
macro_rules! not_ended {
    () => {
        "NOT IN ('succeeded', 'failed', 'cancelled')"
    };
}

pub(crate) mod alerts;
pub(crate) mod api_keys;
pub(crate) mod artifacts;
pub(crate) mod attempts;
pub(crate) mod checkpoints;
pub(crate) mod curve_blocks;
pub(crate) mod deliveries;
pub(crate) mod downloads;
pub(crate) mod events;
pub(crate) mod files;
pub(crate) mod imports;
pub(crate) mod job_list;
pub(crate) mod jobs;
pub(crate) mod leases;
pub(crate) mod metadata;
pub(crate) mod notifications;
pub(crate) mod outlook;
pub(crate) mod permissions;
pub(crate) mod phases;
pub(crate) mod queue;
pub(crate) mod steps;
pub(crate) mod uploads;
pub(crate) mod webhooks;

use crate::error::{Error, StartError};
use sqlx::{
    Sqlite, SqliteExecutor, SqlitePool, Transaction,
    migrate::{MigrateError, Migrator},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use std::{path::Path, time::Duration};

static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

/// Readers at once. Each costs some memory, and two cores can't use many.
const READERS: u32 = 4;

/// The open database.
#[derive(Debug, Clone)]
pub(crate) struct Store {
    writer: SqlitePool,
    readers: SqlitePool,
}

impl Store {
    /// Opens or creates the database and brings its tables up to date.
    pub(crate) async fn open(database: &Path) -> Result<Self, StartError> {
        let path = database.display().to_string();
        let options = SqliteConnectOptions::new()
            .filename(database)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(10))
            .pragma("cache_size", "-2048");
        let failed = |source: sqlx::Error| StartError::Database {
            path: path.clone(),
            source: source.into(),
        };
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
            .connect_with(options.clone())
            .await
            .map_err(failed)?;
        match MIGRATIONS.run(&writer).await {
            Ok(()) => {}
            Err(MigrateError::VersionMissing(_) | MigrateError::VersionTooNew(..)) => {
                return Err(StartError::Newer { path });
            }
            Err(source) => {
                return Err(StartError::Database {
                    path,
                    source: source.into(),
                });
            }
        }
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS)
            .min_connections(0)
            .max_lifetime(None)
            .connect_lazy_with(options.read_only(true));
        Ok(Self { writer, readers })
    }

    /// Opens a database that is there, to read alone: nothing of it is changed, nor made.
    pub(crate) async fn look_at(database: &Path) -> sqlx::Result<SqlitePool> {
        let options = SqliteConnectOptions::new()
            .filename(database)
            .read_only(true)
            .busy_timeout(Duration::from_secs(10));
        SqlitePoolOptions::new()
            .max_connections(1)
            .connect_with(options)
            .await
    }

    /// Where statements that only read go.
    pub(crate) fn read(&self) -> &SqlitePool {
        &self.readers
    }

    /// Opens a writing transaction; it is rolled back unless committed.
    pub(crate) async fn begin(&self) -> Result<Transaction<'static, Sqlite>, Error> {
        Ok(self.writer.begin_with("BEGIN IMMEDIATE").await?)
    }

    /// Closes every connection, which also folds the write-ahead log into the database.
    pub(crate) async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }

    /// The store answers.
    pub(crate) async fn ping(&self) -> Result<(), Error> {
        sqlx::query("SELECT 1").execute(&self.readers).await?;
        Ok(())
    }
}

/// Whether an error is a clash with a unique index.
pub(crate) fn is_unique_violation(error: &sqlx::Error) -> bool {
    error
        .as_database_error()
        .is_some_and(sqlx::error::DatabaseError::is_unique_violation)
}

/// Whether a row of anybody's stands for bytes with this name, in `uploads/` or in `blobs/`; what has none is cleared
/// away. Whatever table comes to name such bytes belongs in here.
pub(crate) async fn names_bytes(executor: impl SqliteExecutor<'_>, name: &str) -> sqlx::Result<bool> {
    sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM files WHERE id = $1 AND deleted_at IS NULL) \
             OR EXISTS (SELECT 1 FROM upload_parts WHERE id = $1)",
    )
    .bind(name)
    .fetch_one(executor)
    .await
}

/// A count or size as SQL's integer.
pub(crate) fn to_sql(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// SQL's integer as a count or size.
pub(crate) fn from_sql(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_database_of_a_newer_build_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("attune.db");
        let store = Store::open(&path).await.unwrap();
        sqlx::query(
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
             VALUES (9999, 'future', TRUE, X'00', 0)",
        )
        .execute(&store.writer)
        .await
        .unwrap();
        store.close().await;
        assert!(matches!(Store::open(&path).await, Err(StartError::Newer { .. })));
    }

    #[tokio::test]
    async fn the_line_of_a_failure_from_before_its_column_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("attune.db");
        let options = SqliteConnectOptions::new()
            .filename(&path)
            .create_if_missing(true)
            .foreign_keys(false);
        let before = SqlitePool::connect_with(options).await.unwrap();
        MIGRATIONS.run_to(19, &before).await.unwrap();
        let failures = [
            (
                "bad_data",
                "line 12 of the training file: the line is no UTF-8 text",
            ),
            (
                "bad_data",
                "Training file has 2 line(s) that can't be used; line 7: the line is a chat, but line 1 is a pair (…)",
            ),
            (
                "bad_data",
                "Training file has 3 example(s), but must have at least 10",
            ),
            ("bad_data", "`file-1` was deleted before the job could use it"),
            ("unusable", "line 5 of something else"),
        ];
        for (number, (cause, message)) in failures.into_iter().enumerate() {
            sqlx::query(
                "INSERT INTO jobs (id, owner, name, search_text, name_key, base_model, status, created_at, training_file, \
                                   parameters, failure_cause, failure_message) \
                 VALUES ($1, 'alice', '', '', '', '', 'failed', 0, '', '', $2, $3)",
            )
            .bind(number.to_string())
            .bind(cause)
            .bind(message)
            .execute(&before)
            .await
            .unwrap();
        }
        before.close().await;
        let store = Store::open(&path).await.unwrap();
        let lines: Vec<Option<i64>> = sqlx::query_scalar("SELECT failure_line FROM jobs ORDER BY id")
            .fetch_all(store.read())
            .await
            .unwrap();
        assert_eq!(lines, [Some(12), Some(7), None, None, None]);
    }

    #[tokio::test]
    async fn readers_cannot_write() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("attune.db")).await.unwrap();
        assert!(
            sqlx::query("DELETE FROM jobs")
                .execute(store.read())
                .await
                .is_err()
        );
        assert!(store.ping().await.is_ok());
    }
}
