//! The tables of alerts: what is watched for, and what has come true.

use shared::{
    alert::{AlertCondition, AlertRule, AlertRules},
    id::{JobId, Subject},
    timestamp::Timestamp,
};
use sqlx::{SqliteConnection, SqliteExecutor};

/// The rules in a column; none where there is no row.
fn read(rules: Option<String>) -> AlertRules {
    // Nothing else writes there than what `write` wrote.
    rules
        .and_then(|rules| serde_json::from_str(&rules).ok())
        .unwrap_or_default()
}

fn write(rules: &AlertRules) -> String {
    serde_json::to_string(rules).unwrap_or_default()
}

/// Those that an owner's new jobs begin with.
pub(crate) async fn defaults(executor: impl SqliteExecutor<'_>, owner: &Subject) -> sqlx::Result<AlertRules> {
    let rules = sqlx::query_scalar("SELECT rules FROM alert_defaults WHERE owner = $1")
        .bind(owner.as_str())
        .fetch_optional(executor)
        .await?;
    Ok(read(rules))
}

/// Puts others in their place.
pub(crate) async fn set_defaults(
    connection: &mut SqliteConnection,
    owner: &Subject,
    rules: &AlertRules,
) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO alert_defaults (owner, rules) VALUES ($1, $2) ON CONFLICT (owner) DO UPDATE SET rules = $2",
    )
    .bind(owner.as_str())
    .bind(write(rules))
    .execute(connection)
    .await?;
    Ok(())
}

/// Gives a new job those that its owner's begin with.
pub(crate) async fn begin(
    connection: &mut SqliteConnection,
    owner: &Subject,
    job_id: &str,
) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO job_alerts (job_id, rules) SELECT $2, rules FROM alert_defaults WHERE owner = $1",
    )
    .bind(owner.as_str())
    .bind(job_id)
    .execute(connection)
    .await?;
    Ok(())
}

/// A job's; the caller has found the job to be the owner's.
pub(crate) async fn of_job(executor: impl SqliteExecutor<'_>, job_id: &str) -> sqlx::Result<AlertRules> {
    let rules = sqlx::query_scalar("SELECT rules FROM job_alerts WHERE job_id = $1")
        .bind(job_id)
        .fetch_optional(executor)
        .await?;
    Ok(read(rules))
}

/// Puts others in their place; false where the owner has no such job.
pub(crate) async fn set_of_job(
    connection: &mut SqliteConnection,
    owner: &Subject,
    job_id: &JobId,
    rules: &AlertRules,
) -> sqlx::Result<bool> {
    let done = sqlx::query(
        "INSERT INTO job_alerts (job_id, rules) SELECT id, $3 FROM jobs WHERE owner = $1 AND id = $2 \
         ON CONFLICT (job_id) DO UPDATE SET rules = $3",
    )
    .bind(owner.as_str())
    .bind(job_id.as_str())
    .bind(write(rules))
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Those of a job whose condition has not come true yet.
pub(crate) async fn open_of_job<'e>(
    executor: impl SqliteExecutor<'e> + Copy,
    job_id: &str,
) -> sqlx::Result<Vec<AlertRule>> {
    let mut rules = of_job(executor, job_id).await?.rules;
    if rules.is_empty() {
        return Ok(rules);
    }
    let raised: Vec<String> = sqlx::query_scalar("SELECT condition FROM raised_alerts WHERE job_id = $1")
        .bind(job_id)
        .fetch_all(executor)
        .await?;
    rules.retain(|rule| {
        !raised
            .iter()
            .any(|condition| condition == rule.condition.as_str())
    });
    Ok(rules)
}

/// Records that a condition has come true; false where that was recorded before.
pub(crate) async fn raise(
    connection: &mut SqliteConnection,
    job_id: &str,
    condition: AlertCondition,
    now: Timestamp,
) -> sqlx::Result<bool> {
    let done = sqlx::query(
        "INSERT INTO raised_alerts (job_id, condition, raised_at) VALUES ($1, $2, $3) \
         ON CONFLICT (job_id, condition) DO NOTHING",
    )
    .bind(job_id)
    .bind(condition.as_str())
    .bind(now.unix_ms())
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}
