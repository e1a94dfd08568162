//! The table `steps`: what was measured, once for each step, whoever tells it first.

use super::{from_sql, to_sql};
use shared::{
    id::{JobId, Subject},
    metrics::{Series, SeriesSet},
    run::{Rewards, StepMetrics},
    timestamp::Timestamp,
};
use sqlx::{AssertSqlSafe, FromRow, Row as _, SqliteConnection, SqliteExecutor};

/// One row.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct StepRow {
    pub(crate) step: i64,
    pub(crate) seq: i64,
    pub(crate) recorded_at: i64,
    total_steps: i64,
    epoch: f64,
    train_loss: Option<f64>,
    train_token_accuracy: Option<f64>,
    learning_rate: Option<f64>,
    gradient_norm: Option<f64>,
    tokens: i64,
    valid_loss: Option<f64>,
    valid_token_accuracy: Option<f64>,
    reward_chosen: Option<f64>,
    reward_rejected: Option<f64>,
    reward_margin: Option<f64>,
    reward_accuracy: Option<f64>,
    valid_reward_chosen: Option<f64>,
    valid_reward_rejected: Option<f64>,
    valid_reward_margin: Option<f64>,
    valid_reward_accuracy: Option<f64>,
}

impl StepRow {
    /// The row as the trainer told it.
    pub(crate) fn to_metrics(&self) -> StepMetrics {
        StepMetrics {
            step: from_sql(self.step),
            total_steps: from_sql(self.total_steps),
            epoch: self.epoch,
            train_loss: self.train_loss.unwrap_or(f64::NAN),
            train_token_accuracy: self.train_token_accuracy.unwrap_or(f64::NAN),
            learning_rate: self.learning_rate.unwrap_or(f64::NAN),
            gradient_norm: self.gradient_norm.unwrap_or(f64::NAN),
            tokens: from_sql(self.tokens),
            trained_tokens: None,
            valid_loss: self.valid_loss,
            valid_token_accuracy: self.valid_token_accuracy,
            rewards: rewards(
                self.reward_chosen,
                self.reward_rejected,
                self.reward_margin,
                self.reward_accuracy,
            ),
            valid_rewards: rewards(
                self.valid_reward_chosen,
                self.valid_reward_rejected,
                self.valid_reward_margin,
                self.valid_reward_accuracy,
            ),
        }
    }
}

/// Rewards where they were measured; a loss that is no number ends a run, so each of them is one.
fn rewards(
    chosen: Option<f64>,
    rejected: Option<f64>,
    margin: Option<f64>,
    accuracy: Option<f64>,
) -> Option<Rewards> {
    Some(Rewards {
        chosen: chosen?,
        rejected: rejected?,
        margin: margin?,
        accuracy: accuracy?,
    })
}

/// SQLite has no NaN; an infinite loss is as little a number to whoever draws it.
fn finite(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}

/// Stores a step unless it is stored already; true where it is new.
pub(crate) async fn insert(
    connection: &mut SqliteConnection,
    job_id: &str,
    owner: &Subject,
    seq: i64,
    recorded_at: Timestamp,
    metrics: &StepMetrics,
) -> sqlx::Result<bool> {
    let (rewards, valid) = (&metrics.rewards, &metrics.valid_rewards);
    let reward = |rewards: &Option<Rewards>, value: fn(&Rewards) -> f64| rewards.as_ref().map(value);
    let done = sqlx::query(
        "INSERT INTO steps (job_id, step, owner, seq, recorded_at, total_steps, epoch, train_loss, \
                            train_token_accuracy, learning_rate, gradient_norm, tokens, valid_loss, \
                            valid_token_accuracy, reward_chosen, reward_rejected, reward_margin, reward_accuracy, \
                            valid_reward_chosen, valid_reward_rejected, valid_reward_margin, valid_reward_accuracy) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22) \
         ON CONFLICT (job_id, step) DO NOTHING",
    )
    .bind(job_id)
    .bind(to_sql(metrics.step))
    .bind(owner.as_str())
    .bind(seq)
    .bind(recorded_at.unix_ms())
    .bind(to_sql(metrics.total_steps))
    .bind(metrics.epoch)
    .bind(finite(metrics.train_loss))
    .bind(finite(metrics.train_token_accuracy))
    .bind(finite(metrics.learning_rate))
    .bind(finite(metrics.gradient_norm))
    .bind(to_sql(metrics.tokens))
    .bind(metrics.valid_loss.and_then(finite))
    .bind(metrics.valid_token_accuracy.and_then(finite))
    .bind(reward(rewards, |rewards| rewards.chosen))
    .bind(reward(rewards, |rewards| rewards.rejected))
    .bind(reward(rewards, |rewards| rewards.margin))
    .bind(reward(rewards, |rewards| rewards.accuracy))
    .bind(reward(valid, |rewards| rewards.chosen))
    .bind(reward(valid, |rewards| rewards.rejected))
    .bind(reward(valid, |rewards| rewards.margin))
    .bind(reward(valid, |rewards| rewards.accuracy))
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

macro_rules! select {
    () => {
        "SELECT step, seq, recorded_at, total_steps, epoch, train_loss, train_token_accuracy, learning_rate, \
         gradient_norm, tokens, valid_loss, valid_token_accuracy, reward_chosen, reward_rejected, reward_margin, \
         reward_accuracy, valid_reward_chosen, valid_reward_rejected, valid_reward_margin, valid_reward_accuracy \
         FROM steps WHERE owner = $1 AND job_id = $2"
    };
}

/// Steps after a place in the record, in the order of the record.
pub(crate) async fn list_after_seq(
    executor: impl SqliteExecutor<'_>,
    owner: &Subject,
    job_id: &JobId,
    after: i64,
    limit: i64,
) -> sqlx::Result<Vec<StepRow>> {
    sqlx::query_as(concat!(select!(), " AND seq > $3 ORDER BY seq LIMIT $4"))
        .bind(owner.as_str())
        .bind(job_id.as_str())
        .bind(after)
        .bind(limit)
        .fetch_all(executor)
        .await
}

/// Steps before a place in the record, the newest first.
pub(crate) async fn list_before_seq(
    executor: impl SqliteExecutor<'_>,
    owner: &Subject,
    job_id: &JobId,
    before: i64,
    limit: i64,
) -> sqlx::Result<Vec<StepRow>> {
    sqlx::query_as(concat!(select!(), " AND seq < $3 ORDER BY seq DESC LIMIT $4"))
        .bind(owner.as_str())
        .bind(job_id.as_str())
        .bind(before)
        .bind(limit)
        .fetch_all(executor)
        .await
}

/// Steps after a step, ascending.
pub(crate) async fn list_after_step(
    executor: impl SqliteExecutor<'_>,
    owner: &Subject,
    job_id: &JobId,
    after: i64,
    limit: i64,
) -> sqlx::Result<Vec<StepRow>> {
    sqlx::query_as(concat!(select!(), " AND step > $3 ORDER BY step LIMIT $4"))
        .bind(owner.as_str())
        .bind(job_id.as_str())
        .bind(after)
        .bind(limit)
        .fetch_all(executor)
        .await
}

/// The first and the last step there is.
pub(crate) async fn range(
    executor: impl SqliteExecutor<'_>,
    owner: &Subject,
    job_id: &JobId,
) -> sqlx::Result<Option<(u64, u64)>> {
    let (first, last): (Option<i64>, Option<i64>) = sqlx::query_as(
        "SELECT (SELECT MIN(step) FROM steps WHERE owner = $1 AND job_id = $2), \
                (SELECT MAX(step) FROM steps WHERE owner = $1 AND job_id = $2)",
    )
    .bind(owner.as_str())
    .bind(job_id.as_str())
    .fetch_one(executor)
    .await?;
    Ok(first
        .zip(last)
        .map(|(first, last)| (from_sql(first), from_sql(last))))
}

/// The points of some series in a closed range of steps, in one reading; a value that is no number is NaN.
pub(crate) async fn points(
    executor: impl SqliteExecutor<'_>,
    owner: &Subject,
    job_id: &JobId,
    wanted: SeriesSet,
    from: u64,
    to: u64,
) -> sqlx::Result<Vec<(Series, Vec<(u64, f64)>)>> {
    let mut found: Vec<_> = wanted.iter().map(|series| (series, Vec::new())).collect();
    // The columns have the names of the series, which are words of ours.
    let columns: Vec<_> = found
        .iter()
        .map(|(series, _)| format!("CAST({} AS REAL)", series.as_str()))
        .collect();
    let sql = format!(
        "SELECT step, {}, EXISTS (SELECT 1 FROM imports WHERE local_id = $2) AS imported \
         FROM steps WHERE owner = $1 AND job_id = $2 AND step BETWEEN $3 AND $4 ORDER BY step",
        columns.join(", ")
    );
    let rows = sqlx::query(AssertSqlSafe(sql))
        .bind(owner.as_str())
        .bind(job_id.as_str())
        .bind(to_sql(from))
        .bind(to_sql(to))
        .fetch_all(executor)
        .await?;
    let is_ours = match rows.first() {
        Some(row) => !row.try_get::<bool, _>(found.len() + 1)?,
        None => true,
    };
    for row in rows {
        let step = from_sql(row.try_get(0)?);
        for (index, (series, points)) in found.iter_mut().enumerate() {
            match row.try_get::<Option<f64>, _>(index + 1)? {
                // Every step of ours trains on some.
                Some(0.0) if *series == Series::Tokens => {}
                Some(value) => points.push((step, value)),
                None if is_ours && is_always_measured(*series) => points.push((step, f64::NAN)),
                None => {}
            }
        }
    }
    Ok(found)
}

/// Of some steps, ascending, those that are stored with the instants (Unix milliseconds) at which they were recorded.
pub(crate) async fn recorded_at(
    executor: impl SqliteExecutor<'_>,
    owner: &Subject,
    job_id: &JobId,
    wanted: &[u64],
) -> sqlx::Result<Vec<(u64, i64)>> {
    let list: Vec<String> = wanted.iter().map(u64::to_string).collect();
    // The list leads: each of it is one look at the table's key.
    let rows: Vec<(i64, i64)> = sqlx::query_as(
        "SELECT steps.step, steps.recorded_at FROM json_each($3) AS wanted \
         CROSS JOIN steps ON steps.job_id = $2 AND steps.step = wanted.value AND steps.owner = $1",
    )
    .bind(owner.as_str())
    .bind(job_id.as_str())
    .bind(format!("[{}]", list.join(",")))
    .fetch_all(executor)
    .await?;
    Ok(rows.into_iter().map(|(step, at)| (from_sql(step), at)).collect())
}

/// NULL says "not a number" in what is measured at every step of every job that trains here, elsewhere "not measured".
const fn is_always_measured(series: Series) -> bool {
    matches!(
        series,
        Series::TrainLoss
            | Series::TrainTokenAccuracy
            | Series::LearningRate
            | Series::GradientNorm
            | Series::Tokens
    )
}

/// A step with its training and its validation loss; none is "not measured", or no number.
pub(crate) type LossRow = (i64, Option<f64>, Option<f64>);

/// The losses of the newest steps, ascending.
pub(crate) async fn newest_losses(
    executor: impl SqliteExecutor<'_>,
    job_id: &str,
    count: usize,
) -> sqlx::Result<Vec<LossRow>> {
    let mut rows: Vec<LossRow> = sqlx::query_as(
        "SELECT step, train_loss, valid_loss FROM steps WHERE job_id = $1 ORDER BY step DESC LIMIT $2",
    )
    .bind(job_id)
    .bind(i64::try_from(count).unwrap_or(i64::MAX))
    .fetch_all(executor)
    .await?;
    rows.reverse();
    Ok(rows)
}

/// The validation losses before a step, ascending.
pub(crate) async fn valid_losses_before(
    executor: impl SqliteExecutor<'_>,
    job_id: &str,
    step: i64,
) -> sqlx::Result<Vec<f64>> {
    sqlx::query_scalar(
        "SELECT valid_loss FROM steps WHERE job_id = $1 AND step < $2 AND valid_loss IS NOT NULL ORDER BY step",
    )
    .bind(job_id)
    .bind(step)
    .fetch_all(executor)
    .await
}

/// The first pace of a job, in milliseconds and the steps that they took: from the first step that an attempt has trained
/// to the first that is at least so many steps and milliseconds away, in the earliest attempt that came so far. What
/// another attempt trained, or a retry took over, tells nothing of it.
pub(crate) async fn first_pace(
    executor: impl SqliteExecutor<'_>,
    job_id: &str,
    least_steps: u64,
    least_ms: i64,
) -> sqlx::Result<Option<(u64, u64)>> {
    let pace: Option<(i64, i64)> = sqlx::query_as(
        "SELECT later.recorded_at - first.recorded_at, later.step - first.step \
         FROM attempts \
         JOIN steps AS first ON first.job_id = $1 AND first.step = \
              (SELECT MIN(step) FROM steps WHERE job_id = $1 AND step > attempts.from_step \
                                             AND recorded_at >= attempts.started_at) \
         JOIN steps AS later ON later.job_id = $1 AND later.step >= first.step + $2 \
                            AND later.recorded_at >= first.recorded_at + $3 \
                            AND (attempts.ended_at IS NULL OR later.recorded_at <= attempts.ended_at) \
         WHERE attempts.job_id = $1 \
         ORDER BY attempts.attempt, later.step LIMIT 1",
    )
    .bind(job_id)
    .bind(to_sql(least_steps))
    .bind(least_ms)
    .fetch_optional(executor)
    .await?;
    Ok(pace.map(|(elapsed_ms, steps)| (from_sql(elapsed_ms), from_sql(steps))))
}

/// The highest step up to which every one is stored, from the first on.
pub(crate) async fn contiguous(executor: impl SqliteExecutor<'_>, job_id: &str) -> sqlx::Result<u64> {
    let step: Option<i64> = sqlx::query_scalar(
        "SELECT CASE WHEN COUNT(*) = MAX(step) THEN MAX(step) ELSE \
           (SELECT MIN(here.step) - 1 FROM \
              (SELECT step, ROW_NUMBER() OVER (ORDER BY step) AS place FROM steps WHERE job_id = $1) AS here \
            WHERE here.step <> here.place) \
         END FROM steps WHERE job_id = $1",
    )
    .bind(job_id)
    .fetch_one(executor)
    .await?;
    Ok(from_sql(step.unwrap_or(0)))
}
