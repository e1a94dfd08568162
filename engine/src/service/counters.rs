//! Figures for `/metrics`.

use super::Service;
use crate::{
    error::Error,
    inference::DecodingFigures,
    store::{deliveries, from_sql, jobs},
};
use shared::{job::JobSummary, status::JobStatus};
use std::sync::atomic::{AtomicU64, Ordering};

/// What is counted since the start.
#[derive(Debug, Default)]
pub(crate) struct Tallies {
    pub(crate) attempts: AtomicU64,
    pub(crate) trainer_deaths: AtomicU64,
    pub(crate) steps: AtomicU64,
    pub(crate) tokens: AtomicU64,
}

/// Counts since the start, and what is the case now.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Counters {
    /// Jobs of everybody by status, now.
    pub jobs: JobSummary,
    /// Trainers that work, now.
    pub trainers_running: u64,
    /// Readers of streams, now.
    pub streams_open: u64,
    /// Messages to webhooks that wait for a try, now.
    pub deliveries_pending: u64,
    /// Trainers started, since the start.
    pub attempts_total: u64,
    /// Trainers that ended unexpectedly, since the start.
    pub trainer_deaths_total: u64,
    /// Optimizer steps recorded, since the start.
    pub steps_total: u64,
    /// Tokens trained on, since the start.
    pub tokens_total: u64,
    /// Answers of models, since the start.
    pub decoding: DecodingFigures,
}

impl Tallies {
    pub(crate) fn add(counter: &AtomicU64, count: u64) {
        counter.fetch_add(count, Ordering::Relaxed);
    }
}

impl Service {
    /// The figures.
    ///
    /// # Errors
    /// Storage only.
    pub async fn counters(&self) -> Result<Counters, Error> {
        let mut summary = JobSummary::default();
        for (status, count) in jobs::count_by_status(self.inner.store.read()).await? {
            if let Some(status) = JobStatus::parse(&status) {
                summary.add(status, from_sql(count));
            }
        }
        let tallies = &self.inner.tallies;
        Ok(Counters {
            jobs: summary,
            trainers_running: self.inner.running.count() as u64,
            streams_open: self.inner.boards.followers() as u64,
            deliveries_pending: deliveries::count_pending(self.inner.store.read()).await?,
            attempts_total: tallies.attempts.load(Ordering::Relaxed),
            trainer_deaths_total: tallies.trainer_deaths.load(Ordering::Relaxed),
            steps_total: tallies.steps.load(Ordering::Relaxed),
            tokens_total: tallies.tokens.load(Ordering::Relaxed),
            decoding: self.inner.inference.figures.snapshot(),
        })
    }
}
