//! A job's record, kept as far as it was read: its log and what was measured, in the order in which it happened.
//!
//! An upstream tells both as events, newest first. They are read back to one that is known, so a job that somebody follows
//! costs one call however long it is; what nobody asks for is forgotten.

use super::{Inner, is_set, job_path, read, set};
use crate::upstream::{Answer, UpstreamError};
use shared::{
    event::{CheckpointList, EventList, EventQuery, JobEvent, MeasuredStep},
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

/// Events a page: as many as another Attune gives, and what everybody gives.
const LARGE_PAGE: &str = "1000";
const SMALL_PAGE: &str = "100";
/// Pages that are read at a time, and so how much of a record is known at most when it is read for the first time.
const PAGES: usize = 30;
/// Events of the log a page unless told.
const LISTED: u32 = 50;
/// Checkpoints a page, and pages.
const CHECKPOINTS: &str = "100";
const CHECKPOINT_PAGES: usize = 20;
/// Records that are kept.
const KEPT: usize = 16;

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

/// What is known of a job's record, oldest first.
#[derive(Debug, Clone, Default)]
pub(super) struct Record(pub(super) Vec<Entry>);

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
        let steps = self.0.iter().filter_map(|entry| match &entry.told {
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
        let recorded = self.0.iter().filter_map(|entry| match &entry.told {
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
        let mut older = self.0.iter().rev().filter_map(|entry| match &entry.told {
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

    /// With what came since; `newer` is oldest first.
    fn with(&self, newer: Vec<Entry>) -> Self {
        let known: HashSet<&str> = self.0.iter().map(|entry| entry.id.as_str()).collect();
        let mut seen = HashSet::new();
        let newer: Vec<Entry> = newer
            .into_iter()
            .filter(|entry| !known.contains(entry.id.as_str()) && seen.insert(entry.id.clone()))
            .collect();
        Self(self.0.iter().cloned().chain(newer).collect())
    }
}

impl Inner {
    /// A job's record as it is now.
    pub(super) async fn record_of(self: &Arc<Self>, id: &JobId) -> Answer<Arc<Record>> {
        let (inner, of) = (Arc::clone(self), id.clone());
        let read = || async move {
            let before = inner.records.find(&of).unwrap_or_default();
            let newer = match inner.newer_events(&of, &before).await {
                // `FakeAI` begins a stream for a job that isn't there, and ends it or breaks it off.
                Err(UpstreamError::BrokenOff) => {
                    inner.find(&of).await?;
                    return Err(UpstreamError::BrokenOff);
                }
                newer => newer?,
            };
            if newer.is_empty() && before.0.is_empty() {
                inner.find(&of).await?;
            }
            let record = if newer.is_empty() {
                before
            } else {
                Arc::new(before.with(newer))
            };
            inner.records.keep(&of, &record);
            Ok(record)
        };
        Ok(Arc::clone(&*self.record.get(id.clone(), read).await?))
    }

    /// The events that a record doesn't have yet, oldest first.
    async fn newer_events(&self, id: &JobId, before: &Record) -> Answer<Vec<Entry>> {
        let path = job_path(id, "/events")?;
        let known: HashSet<&str> = before.0.iter().map(|entry| entry.id.as_str()).collect();
        let mut newest_first: Vec<Entry> = Vec::new();
        for _ in 0..PAGES {
            let after = newest_first.last().map(|entry| entry.id.clone());
            let (answer, is_stream) = self.events_page(&path, after.as_deref()).await?;
            if is_stream {
                // It tells the newest, in the order in which they happened, and can't be asked for older ones.
                return read::event_stream(&answer);
            }
            let page = read::events(&answer)?;
            let (has_more, count) = (page.has_more, page.items.len());
            let fresh = page
                .items
                .into_iter()
                .take_while(|entry| !known.contains(entry.id.as_str()));
            let length = newest_first.len();
            newest_first.extend(fresh);
            if !has_more || newest_first.len() - length < count {
                break;
            }
        }
        newest_first.reverse();
        Ok(newest_first)
    }

    /// One page, as large as this upstream gives it.
    pub(super) async fn events_page(&self, path: &str, after: Option<&str>) -> Answer<(Vec<u8>, bool)> {
        if !is_set(&self.differences.small_pages) {
            match self.ask_events(path, LARGE_PAGE, after).await {
                Err(
                    UpstreamError::Invalid { .. }
                    | UpstreamError::Refused {
                        status: 400 | 422, ..
                    },
                ) => {}
                answer => return answer,
            }
        }
        let answer = self.ask_events(path, SMALL_PAGE, after).await?;
        set(&self.differences.small_pages);
        Ok(answer)
    }

    async fn ask_events(&self, path: &str, limit: &str, after: Option<&str>) -> Answer<(Vec<u8>, bool)> {
        let mut query = vec![("limit", limit)];
        query.extend(after.map(|after| ("after", after)));
        self.client.get_events(path, &query).await
    }

    /// A job's checkpoints, newest first.
    pub(super) async fn checkpoints_of(self: &Arc<Self>, id: &JobId) -> Answer<Arc<CheckpointList>> {
        if is_set(&self.differences.no_checkpoints) {
            return Err(UpstreamError::Unsupported);
        }
        let (inner, path) = (Arc::clone(self), job_path(id, "/checkpoints")?);
        let read = || async move {
            let mut checkpoints = Vec::new();
            let mut after: Option<String> = None;
            for _ in 0..CHECKPOINT_PAGES {
                let mut query = vec![("limit", CHECKPOINTS)];
                query.extend(after.as_deref().map(|after| ("after", after)));
                let page = read::checkpoints(&inner.client.get_with(&path, &query).await?)?;
                let next = page.items.last().map(|checkpoint| checkpoint.id.to_string());
                checkpoints.extend(page.items);
                if !page.has_more || next.is_none() || next == after {
                    break;
                }
                after = next;
            }
            checkpoints.sort_by_key(|checkpoint| std::cmp::Reverse(checkpoint.step));
            checkpoints.dedup_by_key(|checkpoint| checkpoint.step);
            Ok(CheckpointList {
                checkpoints,
                keep_last: None,
            })
        };
        match self.checkpoints.get(id.clone(), read).await {
            Err(error) if super::is_unknown_call(&error) => {
                // It may be the job that isn't there.
                self.find(id).await?;
                set(&self.differences.no_checkpoints);
                Err(UpstreamError::Unsupported)
            }
            answer => answer,
        }
    }
}
