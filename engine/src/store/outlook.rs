//! What has ended since some instant, and what was trained since: counted for the console's dashboard.

use shared::{id::Subject, timestamp::Timestamp};
use sqlx::SqliteExecutor;

const ENDED: &str =
    "SELECT status, COUNT(*) FROM jobs WHERE owner = $1 AND finished_at >= $2 GROUP BY status";

// What was trained elsewhere was paid for there.
const TRAINED: &str = "SELECT COALESCE(SUM(trained_tokens), 0) FROM jobs \
     WHERE owner = $1 AND (finished_at >= $2 OR finished_at IS NULL) \
       AND NOT EXISTS (SELECT 1 FROM imports WHERE imports.local_id = jobs.id)";

/// An owner's jobs that have ended since an instant, by status.
pub(crate) async fn ended_since(
    executor: impl SqliteExecutor<'_>,
    owner: &Subject,
    from: Timestamp,
) -> sqlx::Result<Vec<(String, i64)>> {
    sqlx::query_as(ENDED)
        .bind(owner.as_str())
        .bind(from.unix_ms())
        .fetch_all(executor)
        .await
}

/// Tokens that an owner's jobs were trained on here: of those that have ended since an instant all, of those that haven't
/// ended as many as there are yet.
pub(crate) async fn trained_since(
    executor: impl SqliteExecutor<'_>,
    owner: &Subject,
    from: Timestamp,
) -> sqlx::Result<i64> {
    sqlx::query_scalar(TRAINED)
        .bind(owner.as_str())
        .bind(from.unix_ms())
        .fetch_one(executor)
        .await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;
    use sqlx::{AssertSqlSafe, Row as _};

    #[tokio::test]
    async fn neither_reads_more_than_an_index() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("attune.db")).await.unwrap();
        for statement in [ENDED, TRAINED] {
            let rows = sqlx::query(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {statement}")))
                .bind("alice")
                .bind(5_i64)
                .fetch_all(store.read())
                .await
                .unwrap();
            let plan: Vec<String> = rows.iter().map(|row| row.get("detail")).collect();
            let of_jobs: Vec<&String> = plan.iter().filter(|line| line.contains(" jobs ")).collect();
            assert!(!of_jobs.is_empty(), "{plan:?}");
            for line in of_jobs {
                assert!(line.contains("COVERING INDEX jobs_by_end"), "{plan:?}");
            }
        }
    }
}
