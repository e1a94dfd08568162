//! A job's record, kept as far as it was read: its log and what was measured, in the order in which it happened.
//!
//! An upstream tells both as events, newest first. They are read back to one that is known, so a job that somebody follows
//! costs one call however long it is; what nobody asks for is forgotten.

mod reading;

use super::read;
use shared::{
    event::{EventList, EventQuery, JobEvent, MeasuredStep},
    id::JobId,
    job::{Job, Progress},
    metrics::{Metrics, Times},
    run::Stage,
    timestamp::Timestamp,
};
use std::{
    collections::{BTreeMap, HashSet, VecDeque},
    sync::{Arc, Mutex, PoisonError},
};

/// Events of the log a page unless told.
const LISTED: u32 = 50;
/// Records that are kept.
const KEPT: usize = 16;
/// Entries that a record keeps: some 20 MB of measured steps.
const ENTRIES: usize = 50_000;

/// One entry of a record.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry {
    /// The upstream's event id, by which a stream resumes.
    pub(super) id: String,
    /// When the upstream recorded it.
    pub(super) created_at: Timestamp,
    pub(super) told: Told,
}

/// What an entry tells.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Told {
    Message(JobEvent),
    Step(MeasuredStep),
}

/// What is known of a job's record: its newest part, without a hole.
#[derive(Debug, Default)]
pub(super) struct Record {
    /// Oldest first; shared with the record as it was before the newest were added.
    pub(super) entries: Vec<Arc<Entry>>,
    /// There are older entries, or may be, which aren't here.
    pub(super) incomplete: bool,
}

/// What a reading of a job's events found.
#[derive(Debug)]
struct Reading {
    /// What wasn't known, oldest first.
    newer: Vec<Entry>,
    /// It came to what was known: nothing lies between.
    joins: bool,
    /// It came to the oldest event that the upstream has.
    to_the_end: bool,
}

/// The records that were asked for lately, newest last.
#[derive(Default)]
pub(super) struct Records(Mutex<VecDeque<(JobId, Arc<Record>)>>);

impl Records {
    fn find(&self, id: &JobId) -> Option<Arc<Record>> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.iter()
            .find(|(known, _)| known == id)
            .map(|(_, record)| Arc::clone(record))
    }

    fn keep(&self, id: &JobId, record: &Arc<Record>) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|(known, _)| known != id);
        if kept.len() >= KEPT {
            kept.pop_front();
        }
        kept.push_back((id.clone(), Arc::clone(record)));
    }
}

impl Record {
    /// The measured steps by number; one that is told again counts as it was told last.
    pub(super) fn steps(&self) -> BTreeMap<u64, &MeasuredStep> {
        let steps = self.entries.iter().filter_map(|entry| match &entry.told {
            Told::Step(step) => Some((step.step, step)),
            Told::Message(_) => None,
        });
        steps.collect()
    }

    /// When the steps of these curves were recorded, as precisely as the upstream tells it.
    pub(super) fn times(&self, metrics: &Metrics) -> Times {
        let shown: HashSet<u64> = metrics
            .curves
            .iter()
            .flat_map(|curve| curve.steps.iter().copied())
            .collect();
        let recorded = self.entries.iter().filter_map(|entry| match &entry.told {
            Told::Step(step) => Some((step.step, entry.created_at.unix_ms())),
            Told::Message(_) => None,
        });
        let recorded: BTreeMap<u64, i64> = recorded.collect();
        let first = recorded.first_key_value().map_or(0, |(_, at)| *at);
        Times::since(
            first,
            recorded.into_iter().filter(|(step, _)| shown.contains(step)),
        )
    }

    /// One page of the log, newest first. A cursor is the id of the last entry shown; where it isn't known any more the
    /// log begins anew.
    pub(super) fn page(&self, query: &EventQuery) -> EventList {
        let limit = query.limit.unwrap_or(LISTED);
        let mut older = self.entries.iter().rev().filter_map(|entry| match &entry.told {
            Told::Message(event) => Some(event).filter(|event| event.fits(query.least(), query.words())),
            Told::Step(_) => None,
        });
        let total = older.clone().count() as u64;
        if let Some(cursor) = query.cursor.as_deref()
            && older.clone().any(|event| event.id.as_str() == cursor)
        {
            older.find(|event| event.id.as_str() == cursor);
        }
        let events: Vec<JobEvent> = older.by_ref().take(limit as usize).cloned().collect();
        let next_cursor = match older.next() {
            Some(_) => events.last().map(|event| event.id.to_string()),
            None => None,
        };
        EventList {
            events,
            next_cursor,
            total,
            incomplete: self.incomplete,
        }
    }

    /// How far a job is by what was measured.
    pub(super) fn progress(&self, job: &Job) -> Option<Progress> {
        let steps = self.steps();
        let newest = steps.values().next_back()?;
        Some(Progress {
            stage: Stage::Training,
            step: newest.step,
            total_steps: newest.total_steps,
            epoch: newest
                .epoch
                .unwrap_or_else(|| read::epochs_done(newest.step, newest.total_steps, job.epochs)),
            remaining_ms: None,
            tokens_per_second: None,
            train_loss: newest.train_loss,
            valid_loss: steps.values().rev().find_map(|step| step.valid_loss),
        })
    }

    /// The ids of what is known.
    fn ids(&self) -> HashSet<&str> {
        self.entries.iter().map(|entry| entry.id.as_str()).collect()
    }

    /// With what a reading found. Where something may lie between, what was known before goes, and of a very long record the
    /// oldest.
    fn with(&self, reading: Reading) -> Self {
        let (known, mut incomplete) = if reading.joins {
            (self.entries.as_slice(), self.incomplete)
        } else {
            (&[][..], !reading.to_the_end || !self.entries.is_empty())
        };
        let mut newer = reading.newer;
        let mut seen = HashSet::new();
        newer.retain(|entry| seen.insert(entry.id.clone()));
        let excess = (known.len() + newer.len()).saturating_sub(ENTRIES);
        incomplete |= excess > 0;
        let entries = known.iter().cloned().chain(newer.into_iter().map(Arc::new));
        Self {
            entries: entries.skip(excess).collect(),
            incomplete,
        }
    }
}

#[cfg(test)]
mod tests;
