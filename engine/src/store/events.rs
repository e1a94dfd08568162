//! The table `events`: a job's log.

use super::{from_sql, job_list::like_pattern};
use shared::{
    event::{JobEvent, Level},
    id::{EventId, JobId, Subject},
    timestamp::Timestamp,
};
use sqlx::{FromRow, SqliteConnection, SqliteExecutor};

/// One row.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct EventRow {
    job_id: String,
    pub(crate) seq: i64,
    created_at: i64,
    level: String,
    message: String,
}

impl EventRow {
    /// The row as the console shows it.
    pub(crate) fn to_event(&self) -> JobEvent {
        JobEvent {
            id: event_id(&JobId::new(&self.job_id), from_sql(self.seq)),
            created_at: Timestamp::from_unix_ms(self.created_at),
            level: parse_level(&self.level),
            message: self.message.clone(),
        }
    }
}

/// An event's identifier: its job's, and its place in the job's record.
pub(crate) fn event_id(job_id: &JobId, seq: u64) -> EventId {
    let job = job_id.as_str();
    EventId::new(format!(
        "ftevent-{}-{seq}",
        job.strip_prefix("ftjob-").unwrap_or(job)
    ))
}

/// The place of an event in its job's record, where the identifier is one of this job's.
pub(crate) fn parse_event_id(job_id: &JobId, id: &str) -> Option<u64> {
    let job = job_id.as_str();
    let rest = id
        .strip_prefix("ftevent-")?
        .strip_prefix(job.strip_prefix("ftjob-").unwrap_or(job))?;
    rest.strip_prefix('-')?.parse().ok()
}

/// The word in the table and on the wire.
pub(crate) const fn level_word(level: Level) -> &'static str {
    match level {
        Level::Info => "info",
        Level::Warn => "warn",
        Level::Error => "error",
    }
}

fn parse_level(word: &str) -> Level {
    match word {
        "error" => Level::Error,
        "warn" => Level::Warn,
        _ => Level::Info,
    }
}

/// Adds an event to a job's record. The caller has taken `seq` with [`super::jobs::take_seq`].
pub(crate) async fn insert(
    connection: &mut SqliteConnection,
    job_id: &str,
    owner: &Subject,
    seq: i64,
    now: Timestamp,
    level: Level,
    message: &str,
) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO events (job_id, seq, owner, created_at, level, message) VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(job_id)
    .bind(seq)
    .bind(owner.as_str())
    .bind(now.unix_ms())
    .bind(level_word(level))
    .bind(message)
    .execute(connection)
    .await?;
    Ok(())
}

/// Events before a place in the record, newest first.
pub(crate) async fn list_before(
    executor: impl SqliteExecutor<'_>,
    owner: &Subject,
    job_id: &JobId,
    before: i64,
    limit: i64,
) -> sqlx::Result<Vec<EventRow>> {
    sqlx::query_as(
        "SELECT job_id, seq, created_at, level, message FROM events \
         WHERE owner = $1 AND job_id = $2 AND seq < $3 ORDER BY seq DESC LIMIT $4",
    )
    .bind(owner.as_str())
    .bind(job_id.as_str())
    .bind(before)
    .bind(limit)
    .fetch_all(executor)
    .await
}

/// Which events are wanted.
#[derive(Debug, Clone)]
pub(crate) struct EventFilter {
    /// This grave or graver.
    pub(crate) least: Level,
    /// With this text, without case; empty for any.
    pub(crate) words: String,
}

impl EventFilter {
    /// The level's word, and what the message is like: in the lower case that the database knows, and as it was typed.
    fn values(&self) -> (&'static str, String, String) {
        let lower = like_pattern(&self.words.to_lowercase());
        (level_word(self.least), lower, like_pattern(&self.words))
    }
}

/// `$3` is the level, `$4` and `$5` are patterns.
macro_rules! fitting {
    () => {
        " FROM events WHERE owner = $1 AND job_id = $2 AND ($3 = 'info' OR level = $3 OR level = 'error') \
         AND (lower(message) LIKE $4 ESCAPE '\\' OR message LIKE $5 ESCAPE '\\')"
    };
}

/// Events that fit, before a place in the record, newest first.
pub(crate) async fn list_fitting(
    executor: impl SqliteExecutor<'_>,
    owner: &Subject,
    job_id: &JobId,
    filter: &EventFilter,
    before: i64,
    limit: i64,
) -> sqlx::Result<Vec<EventRow>> {
    let (level, lower, typed) = filter.values();
    sqlx::query_as(concat!(
        "SELECT job_id, seq, created_at, level, message",
        fitting!(),
        " AND seq < $6 ORDER BY seq DESC LIMIT $7"
    ))
    .bind(owner.as_str())
    .bind(job_id.as_str())
    .bind(level)
    .bind(lower)
    .bind(typed)
    .bind(before)
    .bind(limit)
    .fetch_all(executor)
    .await
}

/// How many events fit.
pub(crate) async fn count_fitting(
    executor: impl SqliteExecutor<'_>,
    owner: &Subject,
    job_id: &JobId,
    filter: &EventFilter,
) -> sqlx::Result<u64> {
    let (level, lower, typed) = filter.values();
    let count: i64 = sqlx::query_scalar(concat!("SELECT COUNT(*)", fitting!()))
        .bind(owner.as_str())
        .bind(job_id.as_str())
        .bind(level)
        .bind(lower)
        .bind(typed)
        .fetch_one(executor)
        .await?;
    Ok(from_sql(count))
}

/// Events after a place in the record, oldest first.
pub(crate) async fn list_after(
    executor: impl SqliteExecutor<'_>,
    owner: &Subject,
    job_id: &JobId,
    after: i64,
    limit: i64,
) -> sqlx::Result<Vec<EventRow>> {
    sqlx::query_as(
        "SELECT job_id, seq, created_at, level, message FROM events \
         WHERE owner = $1 AND job_id = $2 AND seq > $3 ORDER BY seq LIMIT $4",
    )
    .bind(owner.as_str())
    .bind(job_id.as_str())
    .bind(after)
    .bind(limit)
    .fetch_all(executor)
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_events_identifier_tells_its_place_to_its_own_job_only() {
        let job = JobId::new("ftjob-abc");
        let id = event_id(&job, 7);
        assert_eq!(parse_event_id(&job, id.as_str()), Some(7));
        assert_eq!(parse_event_id(&JobId::new("ftjob-ab"), id.as_str()), None);
        assert_eq!(parse_event_id(&job, "ftevent-abc-x"), None);
    }
}
