//! The queue, in the table `jobs`. It serves everybody, so these statements ask for no owner; each row tells whose it
//! is.
//!
//! The order, in one place: what a server was interrupted at goes first; then everybody's first job before anybody's
//! second, where a job at work counts as one that was served; then the owner who was served longest ago; then the
//! owner who waits longest. Which of an owner's own jobs is the first is theirs to say, by priority and by moves. All of
//! it is in the rows, so it is the same after a restart.

use super::{
    from_sql,
    jobs::{JobRow, select_job},
    phases,
};
use shared::{
    id::{JobId, Subject},
    queue::{Priority, QueueMove},
    timestamp::Timestamp,
};
use sqlx::{FromRow, SqliteConnection, SqliteExecutor};

/// Every queued job with its `place`, from 0.
macro_rules! places {
    () => {
        "SELECT waiting.id AS id, ROW_NUMBER() OVER \
           (ORDER BY waiting.interrupted DESC, waiting.turn + owners.working, owners.served, owners.since, waiting.owner) \
           - 1 AS place \
         FROM (SELECT id, owner, queued_at, interrupted, \
                      ROW_NUMBER() OVER (PARTITION BY owner ORDER BY interrupted DESC, priority DESC, queued_at, id) AS turn \
               FROM jobs WHERE status = 'queued') AS waiting \
         JOIN (SELECT owner, \
                      (SELECT COUNT(*) FROM jobs AS busy \
                       WHERE busy.owner = named.owner AND busy.status IN ('running', 'pausing')) AS working, \
                      COALESCE((SELECT MAX(claimed_at) FROM jobs AS taken WHERE taken.owner = named.owner), 0) AS served, \
                      (SELECT MIN(queued_at) FROM jobs AS first \
                       WHERE first.owner = named.owner AND first.status = 'queued') AS since \
               FROM (SELECT DISTINCT owner FROM jobs WHERE status = 'queued') AS named) AS owners \
           ON owners.owner = waiting.owner"
    };
}

/// Gives the next queued job to a server as its next attempt. One that is to pause is taken only to be saved.
pub(crate) async fn claim(
    connection: &mut SqliteConnection,
    server: &str,
    now: Timestamp,
    expires_at: Timestamp,
) -> sqlx::Result<Option<JobRow>> {
    let claimed: Option<String> = sqlx::query_scalar(concat!(
        "UPDATE jobs SET status = CASE wish WHEN 'pause' THEN 'pausing' ELSE 'running' END, attempt = attempt + 1, \
                         lease_owner = $1, lease_expires_at = $3, started_at = COALESCE(started_at, $2), \
                         claimed_at = $2, interrupted = 0, stage = 'preparing', tokens_per_second = NULL, \
                         remaining_ms = NULL \
         WHERE id = (SELECT id FROM (",
        places!(),
        ") ORDER BY place LIMIT 1) RETURNING id"
    ))
    .bind(server)
    .bind(now.unix_ms())
    .bind(expires_at.unix_ms())
    .fetch_optional(&mut *connection)
    .await?;
    let Some(id) = claimed else { return Ok(None) };
    phases::note(connection, &id, now).await?;
    sqlx::query_as(concat!(select_job!(), " WHERE jobs.id = $1"))
        .bind(id)
        .fetch_optional(connection)
        .await
}

/// How many queued jobs of everybody will run before a queued one; nothing where it isn't queued.
pub(crate) async fn position(executor: impl SqliteExecutor<'_>, id: &str) -> sqlx::Result<Option<u32>> {
    let place: Option<i64> = sqlx::query_scalar(concat!("SELECT place FROM (", places!(), ") WHERE id = $1"))
        .bind(id)
        .fetch_optional(executor)
        .await?;
    Ok(place.map(|place| u32::try_from(from_sql(place)).unwrap_or(u32::MAX)))
}

/// How many queued jobs of everybody will run before the first of an owner's; nothing where none of theirs is queued.
pub(crate) async fn first_place(
    executor: impl SqliteExecutor<'_>,
    owner: &Subject,
) -> sqlx::Result<Option<u32>> {
    let place: Option<i64> = sqlx::query_scalar(concat!(
        "SELECT MIN(line.place) FROM (",
        places!(),
        ") AS line JOIN jobs ON jobs.id = line.id WHERE jobs.owner = $1"
    ))
    .bind(owner.as_str())
    .fetch_one(executor)
    .await?;
    Ok(place.map(|place| u32::try_from(from_sql(place)).unwrap_or(u32::MAX)))
}

/// Identifiers of the first queued jobs of everybody, in the order in which they will run.
pub(crate) async fn head(executor: impl SqliteExecutor<'_>, limit: i64) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar(concat!(
        "SELECT id FROM (",
        places!(),
        ") ORDER BY place LIMIT $1"
    ))
    .bind(limit)
    .fetch_all(executor)
    .await
}

/// The number in the table.
const fn priority_number(priority: Priority) -> i64 {
    match priority {
        Priority::Low => -1,
        Priority::Normal => 0,
        Priority::High => 1,
    }
}

/// The priority of a number in the table.
pub(crate) fn priority_of(number: i64) -> Priority {
    Priority::ALL
        .into_iter()
        .find(|priority| priority_number(*priority) == number)
        .unwrap_or_default()
}

/// Sets which of its owner's waiting jobs go first.
pub(crate) async fn set_priority(
    connection: &mut SqliteConnection,
    owner: &Subject,
    id: &JobId,
    priority: Priority,
) -> sqlx::Result<()> {
    sqlx::query("UPDATE jobs SET priority = $3 WHERE owner = $1 AND id = $2")
        .bind(owner.as_str())
        .bind(id.as_str())
        .bind(priority_number(priority))
        .execute(connection)
        .await?;
    Ok(())
}

/// Moves a job among those of its owner's queued ones that have its priority. They share out anew the instants at which
/// they queued, so nobody else's place changes.
pub(crate) async fn shift(
    connection: &mut SqliteConnection,
    owner: &Subject,
    id: &JobId,
    to: QueueMove,
) -> sqlx::Result<()> {
    let line: Vec<(String, i64)> = sqlx::query_as(
        "SELECT id, queued_at FROM jobs WHERE owner = $1 AND status = 'queued' AND interrupted = 0 \
           AND priority = (SELECT priority FROM jobs WHERE owner = $1 AND id = $2) ORDER BY queued_at, id",
    )
    .bind(owner.as_str())
    .bind(id.as_str())
    .fetch_all(&mut *connection)
    .await?;
    let Some(from) = line.iter().position(|(other, _)| other == id.as_str()) else {
        return Ok(());
    };
    let last = line.len() - 1;
    let to = match to {
        QueueMove::First => 0,
        QueueMove::Earlier => from.saturating_sub(1),
        QueueMove::Later => (from + 1).min(last),
        QueueMove::Last => last,
    };
    let mut order: Vec<&String> = line.iter().map(|(other, _)| other).collect();
    let moved = order.remove(from);
    order.insert(to, moved);
    let mut before = i64::MIN;
    for (other, (_, queued_at)) in order.into_iter().zip(&line) {
        // Those that queued at the same instant stood by their identifiers, which say nothing about the new order.
        let queued_at = (*queued_at).max(before.saturating_add(1));
        before = queued_at;
        sqlx::query("UPDATE jobs SET queued_at = $3 WHERE owner = $1 AND id = $2 AND queued_at <> $3")
            .bind(owner.as_str())
            .bind(other)
            .bind(queued_at)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

/// What tells how long a job keeps a trainer.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct WorkRow {
    pub(crate) parameters: String,
    pub(crate) examples: Option<i64>,
    pub(crate) step: i64,
    pub(crate) total_steps: i64,
    pub(crate) remaining_ms: Option<i64>,
    /// What jobs with its base model took for one example of one epoch.
    pub(crate) example_ms: Option<f64>,
}

macro_rules! select_work {
    () => {
        "SELECT jobs.parameters, files.examples, jobs.step, jobs.total_steps, jobs.remaining_ms, paces.example_ms \
         FROM jobs JOIN files ON files.id = jobs.training_file \
         LEFT JOIN paces ON paces.base_model = jobs.base_model "
    };
}

/// Everybody's jobs at work.
pub(crate) async fn at_work(executor: impl SqliteExecutor<'_>) -> sqlx::Result<Vec<WorkRow>> {
    sqlx::query_as(concat!(
        select_work!(),
        "WHERE jobs.status IN ('running', 'pausing')"
    ))
    .fetch_all(executor)
    .await
}

/// Everybody's jobs that run before the one in a place of the queue, in their order.
pub(crate) async fn before(executor: impl SqliteExecutor<'_>, place: u32) -> sqlx::Result<Vec<WorkRow>> {
    sqlx::query_as(concat!(
        select_work!(),
        "JOIN (",
        places!(),
        ") AS line ON line.id = jobs.id WHERE line.place < $1 ORDER BY line.place"
    ))
    .bind(i64::from(place))
    .fetch_all(executor)
    .await
}

/// Milliseconds that jobs with a base model took for one example of one epoch, where any told it.
pub(crate) async fn pace(executor: impl SqliteExecutor<'_>, base_model: &str) -> sqlx::Result<Option<f64>> {
    sqlx::query_scalar("SELECT example_ms FROM paces WHERE base_model = $1")
        .bind(base_model)
        .fetch_optional(executor)
        .await
}

/// Remembers what a job that has just succeeded took; half of what is remembered is the newest. Not of one whose server
/// was lost in mid-way: nobody knows when its attempt ended.
pub(crate) async fn remember_pace(
    connection: &mut SqliteConnection,
    id: &str,
    epochs: u32,
) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO paces (base_model, example_ms) \
         SELECT jobs.base_model, SUM(attempts.ended_at - attempts.started_at) * 1.0 / (files.examples * $2) \
         FROM jobs JOIN files ON files.id = jobs.training_file JOIN attempts ON attempts.job_id = jobs.id \
         WHERE jobs.id = $1 AND jobs.parent_step IS NULL AND files.examples > 0 GROUP BY jobs.id \
         HAVING SUM(CASE attempts.outcome WHEN 'lost' THEN 1 ELSE 0 END) = 0 \
         ON CONFLICT (base_model) DO UPDATE SET example_ms = (paces.example_ms + excluded.example_ms) / 2",
    )
    .bind(id)
    .bind(i64::from(epochs))
    .execute(connection)
    .await?;
    Ok(())
}
