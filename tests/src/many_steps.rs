//! Jobs with very many steps: rows of the engine's own tables, as in [`crate::many_jobs`], which makes the jobs.

use crate::{many_jobs, server::Setup};

/// Steps between two planted spikes, on average.
pub const APART: u64 = 1_000;
/// The training loss of a spike; everywhere else it is below 4.
pub const SPIKE: f64 = 40.0;

/// The step of the `number`th spike, from 0: one in each thousand steps, scattered within it.
#[must_use]
pub const fn spike(number: u64) -> u64 {
    number * APART + 50 + (number * 7_919) % 900
}

/// Fills a server's folder with so many jobs of so many steps each. The server must not run.
pub async fn fill(setup: &Setup, jobs: usize, steps: u64) {
    many_jobs::fill(setup, jobs).await;
    let mut database = setup.database().await;
    let steps = i64::try_from(steps).expect("a number of steps");
    // Noise from the step's own digits, falling along the run.
    let statement = "INSERT INTO steps (job_id, step, owner, seq, recorded_at, total_steps, epoch, train_loss, train_token_accuracy, \
                                        learning_rate, gradient_norm, tokens, valid_loss, valid_token_accuracy) \
         WITH RECURSIVE n(step) AS (SELECT 1 UNION ALL SELECT step + 1 FROM n WHERE step < $1) \
         SELECT jobs.id, n.step, jobs.owner, n.step, jobs.started_at + n.step, $1, n.step * 3.0 / $1, \
                CASE WHEN n.step = (n.step / 1000) * 1000 + 50 + ((n.step / 1000) * 7919) % 900 THEN 40.0 \
                     ELSE 0.5 + 2.0 * ($1 - n.step) / $1 + (n.step * 7919 % 1000) / 1000.0 END, \
                0.5 + 0.4 * n.step / $1, 0.001 * ($1 - n.step) / $1, 0.5 + (n.step * 104729 % 1000) / 1000.0, 400, \
                CASE WHEN n.step % 5000 = 0 THEN 1.0 + 2.0 * ($1 - n.step) / $1 END, NULL \
         FROM jobs CROSS JOIN n";
    sqlx::query(statement)
        .bind(steps)
        .execute(&mut database)
        .await
        .expect("the steps");
    sqlx::query("UPDATE jobs SET step = $1, total_steps = $1, last_seq = $1")
        .bind(steps)
        .execute(&mut database)
        .await
        .expect("the jobs know them");
    sqlx::Connection::close(database)
        .await
        .expect("a closed database");
}
