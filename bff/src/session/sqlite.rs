//! Sessions in a SQLite file of their own, so that they survive a restart.

use super::{ABSOLUTE_MS, Record, SessionError, SessionHash};
use shared::{id::Subject, session::Session, timestamp::Timestamp};
use sqlx::{
    Row as _, SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use std::{path::Path, sync::Arc, time::Duration};

/// The newest version of the table that this build knows, kept in `user_version`.
const VERSION: i64 = 1;

/// One row a session. `hash` is SHA-256 of the cookie's value; times are milliseconds since 1970.
const CREATE: &str = "
create table if not exists sessions (
    hash       blob    not null primary key,
    subject    text    not null,
    provider   text    not null,
    created_at integer not null,
    used_at    integer not null
) strict, without rowid";

pub(super) struct SqliteStore(SqlitePool);

impl SqliteStore {
    pub(super) async fn open(path: &Path) -> Result<Self, SessionError> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Normal)
            .busy_timeout(Duration::from_secs(5));
        // One connection: every statement here takes microseconds.
        let pool = SqlitePoolOptions::new()
            .max_connections(1)
            .connect_with(options)
            .await
            .map_err(SessionError::new)?;
        let found: i64 = sqlx::query_scalar("pragma user_version")
            .fetch_one(&pool)
            .await
            .map_err(SessionError::new)?;
        if found > VERSION {
            return Err(SessionError::new(format!(
                "`{}` was written by a newer version (it has {found}, this build knows {VERSION}); start that version",
                path.display()
            )));
        }
        sqlx::query(CREATE)
            .execute(&pool)
            .await
            .map_err(SessionError::new)?;
        sqlx::query("pragma user_version = 1")
            .execute(&pool)
            .await
            .map_err(SessionError::new)?;
        Ok(Self(pool))
    }

    pub(super) async fn insert(
        &self,
        hash: SessionHash,
        record: &Record,
        now: Timestamp,
    ) -> Result<(), SessionError> {
        sqlx::query("delete from sessions where created_at <= $1")
            .bind(now.unix_ms() - ABSOLUTE_MS)
            .execute(&self.0)
            .await
            .map_err(SessionError::new)?;
        sqlx::query(
            "insert into sessions (hash, subject, provider, created_at, used_at) values ($1, $2, $3, $4, $5)",
        )
        .bind(hash.0.as_slice())
        .bind(record.session.subject.as_str())
        .bind(record.session.provider.as_str())
        .bind(record.created_at.unix_ms())
        .bind(record.used_at.unix_ms())
        .execute(&self.0)
        .await
        .map_err(SessionError::new)?;
        Ok(())
    }

    pub(super) async fn find(&self, hash: SessionHash) -> Result<Option<Record>, SessionError> {
        let row = sqlx::query("select subject, provider, created_at, used_at from sessions where hash = $1")
            .bind(hash.0.as_slice())
            .fetch_optional(&self.0)
            .await
            .map_err(SessionError::new)?;
        row.map(|row| {
            Ok(Record {
                session: Arc::new(Session {
                    subject: Subject::new(row.try_get::<String, _>(0).map_err(SessionError::new)?),
                    provider: row.try_get(1).map_err(SessionError::new)?,
                }),
                created_at: Timestamp::from_unix_ms(row.try_get(2).map_err(SessionError::new)?),
                used_at: Timestamp::from_unix_ms(row.try_get(3).map_err(SessionError::new)?),
            })
        })
        .transpose()
    }

    pub(super) async fn touch(&self, hash: SessionHash, now: Timestamp) -> Result<(), SessionError> {
        sqlx::query("update sessions set used_at = $2 where hash = $1")
            .bind(hash.0.as_slice())
            .bind(now.unix_ms())
            .execute(&self.0)
            .await
            .map_err(SessionError::new)?;
        Ok(())
    }

    pub(super) async fn remove(&self, hash: SessionHash) -> Result<(), SessionError> {
        sqlx::query("delete from sessions where hash = $1")
            .bind(hash.0.as_slice())
            .execute(&self.0)
            .await
            .map_err(SessionError::new)?;
        Ok(())
    }
}
