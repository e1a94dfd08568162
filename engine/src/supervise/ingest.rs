//! A trainer's events into the store: each stored thing once, however often it is told.

use super::{
    run::Supervised,
    watch::{self, LEAST_STEPS, Measured},
};
use crate::{
    curves::LEVELS,
    error::{Error, chain},
    secret,
    service::{counters::Tallies, curves::fill},
    store::{
        attempts, checkpoints, events, jobs,
        leases::{self, ProgressUpdate},
        steps, to_sql,
    },
};
use shared::{
    event::Level,
    id::JobId,
    run::{RunEvent, Stage, StepMetrics},
    timestamp::Timestamp,
};
use sqlx::SqliteConnection;

/// What became of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Recorded {
    /// It is stored.
    Stored,
    /// The attempt may not write any more.
    Fenced,
}

/// What an attempt has told so far.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ingest {
    /// The highest step that the job has.
    step: u64,
    /// The step that this attempt has come to; nothing before it trains.
    reached: Option<u64>,
    total_steps: u64,
    pace: Option<Pace>,
}

/// The pace of this attempt, from when it began to train.
#[derive(Debug, Clone, Copy)]
struct Pace {
    since: Timestamp,
    /// Steps up to this one were done before.
    from_step: u64,
    steps: u64,
    tokens: u64,
}

impl Pace {
    /// Tokens a second, and milliseconds left.
    fn measure(&self, now: Timestamp, metrics: &StepMetrics) -> Option<(f64, u64)> {
        let elapsed_ms = u64::try_from(now.unix_ms() - self.since.unix_ms())
            .ok()
            .filter(|elapsed| *elapsed > 0)?;
        let left = metrics.total_steps.saturating_sub(metrics.step);
        let tokens_per_second = self.tokens as f64 * 1000.0 / elapsed_ms as f64;
        Some((
            tokens_per_second,
            left.saturating_mul(elapsed_ms) / self.steps.max(1),
        ))
    }
}

/// Places in the record, given out within one transaction.
struct Places {
    first: i64,
    used: u64,
}

impl Places {
    fn next(&self) -> i64 {
        self.first + i64::try_from(self.used).unwrap_or(0)
    }

    fn use_if(&mut self, stored: bool) {
        self.used += u64::from(stored);
    }
}

impl Ingest {
    pub(crate) fn new(job: &Supervised<'_>) -> Self {
        Self {
            step: crate::store::from_sql(job.row.step),
            reached: None,
            total_steps: crate::store::from_sql(job.row.total_steps),
            pace: None,
        }
    }

    /// The step that this attempt has come to; nothing before it trains.
    pub(crate) const fn reached(&self) -> Option<u64> {
        self.reached
    }

    /// Milliseconds that all steps take at the pace of this attempt, and how many they are; nothing before it has one.
    pub(crate) fn estimate(&self, now: Timestamp) -> Option<(u64, u64)> {
        let pace = self.pace.filter(|pace| pace.steps >= LEAST_STEPS)?;
        let elapsed_ms = u64::try_from(now.unix_ms() - pace.since.unix_ms()).ok()?;
        let all_ms = self.total_steps.saturating_mul(elapsed_ms) / pace.steps;
        Some((all_ms, self.total_steps))
    }

    /// Stores a batch in one transaction, and looks at what is new in it for alerts. What could not be stored can be
    /// tried again: it has changed nothing.
    pub(crate) async fn record(
        &mut self,
        job: &mut Supervised<'_>,
        batch: &[RunEvent],
        peak_memory: u64,
    ) -> Result<Recorded, Error> {
        let before = (*self, job.row.resume_reason.clone());
        let recorded = self.try_to_record(job, batch, peak_memory).await;
        if recorded.is_err() {
            (*self, job.row.resume_reason) = before;
        }
        recorded
    }

    async fn try_to_record(
        &mut self,
        job: &mut Supervised<'_>,
        batch: &[RunEvent],
        peak_memory: u64,
    ) -> Result<Recorded, Error> {
        let now = job.service.now();
        let mut transaction = job.service.inner.store.begin().await?;
        if !leases::hold(&mut transaction, &job.fence, now).await? {
            return Ok(Recorded::Fenced);
        }
        let mut places = Places {
            first: jobs::take_seq(&mut transaction, &job.row.id, 0).await?,
            used: 0,
        };
        let mut progress = ProgressUpdate {
            peak_memory: Some(peak_memory).filter(|bytes| *bytes > 0),
            ..ProgressUpdate::default()
        };
        let (mut new_steps, mut new_tokens) = (0, 0);
        let mut measured = Vec::new();
        let block = self.step / LEVELS[0].block;
        for event in batch {
            match event {
                RunEvent::Stage {
                    step,
                    stage,
                    total_steps,
                } => {
                    progress.stage = Some(*stage);
                    progress.total_steps = total_steps.or(progress.total_steps);
                    if *stage == Stage::Training && self.pace.is_none() {
                        self.reached = Some(*step);
                        let attempt = job.fence.attempt;
                        attempts::set_from_step(&mut transaction, &job.row.id, attempt, *step).await?;
                        self.pace = Some(Pace {
                            since: now,
                            from_step: *step,
                            steps: 0,
                            tokens: 0,
                        });
                        tell_resumption(job, &mut transaction, &mut places, now, *step).await?;
                    }
                }
                RunEvent::Metrics(metrics) => {
                    let seq = places.next();
                    let stored =
                        steps::insert(&mut transaction, &job.row.id, &job.owner, seq, now, metrics).await?;
                    places.use_if(stored);
                    new_steps += u64::from(stored);
                    if stored {
                        measured.push(Measured::of(metrics));
                    }
                    new_tokens += if stored { metrics.tokens } else { 0 };
                    // What is told again before training begins was reached by another attempt.
                    self.reached = self.reached.map(|reached| reached.max(metrics.step));
                    self.advance(metrics, now, &mut progress);
                }
                RunEvent::Checkpoint { step, bytes, .. } => {
                    let id = secret::new_id("ftckpt_")?;
                    let checkpoint = checkpoints::NewCheckpoint {
                        id: &id,
                        job_id: &job.row.id,
                        owner: &job.owner,
                        seq: places.next(),
                        created_at: now,
                        step: *step,
                        bytes: *bytes,
                    };
                    places.use_if(checkpoints::insert(&mut transaction, &checkpoint).await?);
                }
                RunEvent::CheckpointRemoved { step } => {
                    let seq = places.next();
                    places.use_if(checkpoints::remove(&mut transaction, &job.row.id, seq, *step).await?);
                }
                RunEvent::Estimate {
                    memory_bytes,
                    trained_tokens,
                    ..
                } => {
                    let epochs = job.row.parameters().map_or(0, |parameters| parameters.epochs);
                    let (memory, tokens) = (*memory_bytes, *trained_tokens);
                    jobs::keep_estimate(&mut transaction, &job.row.id, memory, tokens, epochs).await?;
                }
                RunEvent::Log { level, message, .. } => {
                    add_event(job, &mut transaction, &mut places, now, *level, message).await?;
                }
                RunEvent::PauseFailed { message, .. } => {
                    let told = if leases::pause_failed(&mut transaction, &job.row.id, now).await? {
                        format!("Failed to pause: {message}. Training goes on")
                    } else {
                        format!("Failed to save before the server stops: {message}")
                    };
                    add_event(job, &mut transaction, &mut places, now, Level::Warn, &told).await?;
                }
                RunEvent::Heartbeat { .. } => {}
                // What the end means is judged with the exit code.
                RunEvent::Done { .. } | RunEvent::Paused { .. } | RunEvent::Failed { .. } => {}
            }
        }
        jobs::take_seq(&mut transaction, &job.row.id, places.used).await?;
        leases::update_progress(&mut transaction, &job.row.id, &progress).await?;
        transaction.commit().await?;
        if self.step / LEVELS[0].block > block {
            // Whoever looks next makes what could not be made now.
            let id = JobId::new(job.row.id.as_str());
            if let Err(error) = fill(&job.service.inner.store, &job.owner, &id, self.step).await {
                tracing::warn!(
                    job_id = job.row.id,
                    error = chain(&error),
                    "curves in small could not be made"
                );
            }
        }
        // Where the next attempt of this supervisor finds the job.
        job.row.step = to_sql(self.step);
        Tallies::add(&job.service.inner.tallies.steps, new_steps);
        Tallies::add(&job.service.inner.tallies.tokens, new_tokens);
        job.service.inner.jobs_changed.changed(&job.row.id);
        watch::look_at_steps(job, &measured).await;
        Ok(Recorded::Stored)
    }

    /// Moves the job's progress on; what was done before moves nothing.
    fn advance(&mut self, metrics: &StepMetrics, now: Timestamp, progress: &mut ProgressUpdate) {
        if let Some(pace) = self.pace.as_mut().filter(|pace| metrics.step > pace.from_step) {
            pace.steps += 1;
            pace.tokens += metrics.tokens;
            if let Some((tokens_per_second, remaining_ms)) = pace.measure(now, metrics) {
                progress.tokens_per_second = Some(tokens_per_second);
                progress.remaining_ms = Some(remaining_ms);
            }
        }
        if metrics.step > self.step {
            self.step = metrics.step;
            self.total_steps = metrics.total_steps;
            progress.step = Some(metrics.step);
            progress.epoch = Some(metrics.epoch);
            progress.train_loss = Some(metrics.train_loss);
            progress.valid_loss = metrics.valid_loss.or(progress.valid_loss);
            progress.total_steps = Some(metrics.total_steps);
            progress.trained_tokens = metrics.trained_tokens.or(progress.trained_tokens);
        }
    }
}

/// Tells once that training goes on, from where and why.
async fn tell_resumption(
    job: &mut Supervised<'_>,
    connection: &mut SqliteConnection,
    places: &mut Places,
    now: Timestamp,
    step: u64,
) -> Result<(), Error> {
    let Some(reason) = job.row.resume_reason.take() else {
        return Ok(());
    };
    let message = format!("Resumed from step {step} {reason}");
    add_event(job, connection, places, now, Level::Info, &message).await?;
    Ok(leases::clear_resume_reason(connection, &job.row.id).await?)
}

async fn add_event(
    job: &Supervised<'_>,
    connection: &mut SqliteConnection,
    places: &mut Places,
    now: Timestamp,
    level: Level,
    message: &str,
) -> Result<(), Error> {
    events::insert(
        connection,
        &job.row.id,
        &job.owner,
        places.next(),
        now,
        level,
        message,
    )
    .await?;
    places.use_if(true);
    Ok(())
}
