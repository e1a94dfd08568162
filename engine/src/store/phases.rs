//! The table `phases`: when a job came to stand where.
//!
//! Every statement that may change a job's status is followed by [`note`], in the same transaction.

use shared::{
    id::{JobId, Subject},
    status::JobStatus,
    timeline::Phase,
    timestamp::Timestamp,
};
use sqlx::{FromRow, SqliteConnection, SqliteExecutor};

#[derive(Debug, Clone, FromRow)]
struct PhaseRow {
    status: String,
    started_at: i64,
}

/// Notes where a job stands, unless it stood there before.
pub(crate) async fn note(
    connection: &mut SqliteConnection,
    job_id: &str,
    now: Timestamp,
) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO phases (job_id, place, owner, status, started_at) \
         SELECT jobs.id, COALESCE(last.place, 0) + 1, jobs.owner, jobs.status, $2 \
         FROM jobs LEFT JOIN (SELECT job_id, place, status FROM phases WHERE job_id = $1 \
                              ORDER BY place DESC LIMIT 1) AS last ON last.job_id = jobs.id \
         WHERE jobs.id = $1 AND (last.status IS NULL OR last.status <> jobs.status)",
    )
    .bind(job_id)
    .bind(now.unix_ms())
    .execute(connection)
    .await?;
    Ok(())
}

/// A job's phases, oldest first, so many at most; none of a job whose beginning isn't among them.
pub(crate) async fn list(
    executor: impl SqliteExecutor<'_>,
    owner: &Subject,
    job_id: &JobId,
    limit: i64,
) -> sqlx::Result<Vec<Phase>> {
    let rows: Vec<PhaseRow> = sqlx::query_as(
        "SELECT status, started_at FROM phases WHERE owner = $1 AND job_id = $2 ORDER BY place LIMIT $3",
    )
    .bind(owner.as_str())
    .bind(job_id.as_str())
    .bind(limit)
    .fetch_all(executor)
    .await?;
    let is_whole = rows
        .first()
        .is_some_and(|first| first.status == JobStatus::ValidatingFiles.as_str());
    let phases = rows.into_iter().filter(|_| is_whole).filter_map(|row| {
        Some(Phase {
            status: JobStatus::parse(&row.status)?,
            started_at: Timestamp::from_unix_ms(row.started_at),
        })
    });
    Ok(phases.collect())
}
