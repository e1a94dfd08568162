//! Reading a record: back to what is known of it, a page at a time.

use super::{Entry, Reading, Record, read};
use crate::upstream::{
    Answer, UpstreamError,
    openai::{Inner, is_set, is_unknown_call, job_path, set},
};
use shared::{event::CheckpointList, id::JobId};
use std::sync::Arc;

/// Events a page: as many as another Attune gives, and what everybody gives.
const LARGE_PAGE: usize = 1_000;
const SMALL_PAGE: usize = 100;
/// Pages that are read at a time, and so how much of a record is known at most when it is read for the first time.
const PAGES: usize = 30;
/// Checkpoints a page, and pages.
const CHECKPOINTS: &str = "100";
const CHECKPOINT_PAGES: usize = 20;

/// What was answered to a call for events.
pub(in crate::upstream::openai) struct EventsAnswer {
    pub(in crate::upstream::openai) body: Vec<u8>,
    /// It is a stream, not a page.
    pub(in crate::upstream::openai) is_stream: bool,
    /// How many it was asked for.
    limit: usize,
}

impl EventsAnswer {
    /// It was asked for no more than came, so there may be more.
    pub(in crate::upstream::openai) const fn is_full_of(&self, count: usize) -> bool {
        count >= self.limit
    }
}

impl Inner {
    /// A job's record as it is now.
    pub(in crate::upstream::openai) async fn record_of(self: &Arc<Self>, id: &JobId) -> Answer<Arc<Record>> {
        let (inner, of) = (Arc::clone(self), id.clone());
        let read = || async move {
            let before = inner.records.find(&of).unwrap_or_default();
            let reading = match inner.newer_events(&of, &before).await {
                // `FakeAI` begins a stream for a job that isn't there, and ends it or breaks it off.
                Err(UpstreamError::BrokenOff) => {
                    inner.find(&of).await?;
                    return Err(UpstreamError::BrokenOff);
                }
                reading => reading?,
            };
            let nothing_new = reading.newer.is_empty();
            if nothing_new && before.entries.is_empty() {
                inner.find(&of).await?;
            }
            let record = if nothing_new {
                before
            } else {
                Arc::new(before.with(reading))
            };
            inner.records.keep(&of, &record);
            Ok(record)
        };
        Ok(Arc::clone(&*self.record.get(id.clone(), read).await?))
    }

    /// The events that a record doesn't have yet.
    async fn newer_events(&self, id: &JobId, before: &Record) -> Answer<Reading> {
        let path = job_path(id, "/events")?;
        let known = before.ids();
        let is_known = |entry: &Entry| known.contains(entry.id.as_str());
        let mut newest_first: Vec<Entry> = Vec::new();
        let (mut joins, mut to_the_end) = (false, false);
        for _ in 0..PAGES {
            let after = newest_first.last().map(|entry| entry.id.clone());
            let answer = self.events_page(&path, after.as_deref()).await?;
            if answer.is_stream {
                // It tells the newest, in the order in which they happened, and can't be asked for older ones.
                let mut newer = read::event_stream(&answer.body)?;
                let to_the_end = !answer.is_full_of(newer.len());
                let told = newer.len();
                newer.retain(|entry| !is_known(entry));
                return Ok(Reading {
                    joins: newer.len() < told,
                    to_the_end,
                    newer,
                });
            }
            let page = read::events(&answer.body)?;
            let last = page.items.last().map(|entry| entry.id.clone());
            let told = page.items.len();
            let before_page = newest_first.len();
            newest_first.extend(page.items.into_iter().take_while(|entry| !is_known(entry)));
            joins = newest_first.len() - before_page < told;
            to_the_end = !page.has_more;
            // One that doesn't know `after` tells the same page again and again.
            if joins || to_the_end || last.is_none() || last == after {
                break;
            }
        }
        newest_first.reverse();
        Ok(Reading {
            newer: newest_first,
            joins,
            to_the_end,
        })
    }

    /// One page, as large as this upstream gives it.
    pub(in crate::upstream::openai) async fn events_page(
        &self,
        path: &str,
        after: Option<&str>,
    ) -> Answer<EventsAnswer> {
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

    async fn ask_events(&self, path: &str, limit: usize, after: Option<&str>) -> Answer<EventsAnswer> {
        let count = limit.to_string();
        let mut query = vec![("limit", count.as_str())];
        query.extend(after.map(|after| ("after", after)));
        let (body, is_stream) = self.client.get_events(path, &query).await?;
        Ok(EventsAnswer {
            body,
            is_stream,
            limit,
        })
    }

    /// A job's checkpoints, none where the upstream has no such thing.
    pub(in crate::upstream::openai) async fn checkpoints_if_any(
        self: &Arc<Self>,
        id: &JobId,
    ) -> Answer<Arc<CheckpointList>> {
        match self.checkpoints_of(id).await {
            Err(UpstreamError::Unsupported) => Ok(Arc::new(CheckpointList {
                checkpoints: Vec::new(),
                keep_last: None,
            })),
            answer => answer,
        }
    }

    /// A job's checkpoints, newest first.
    pub(in crate::upstream::openai) async fn checkpoints_of(
        self: &Arc<Self>,
        id: &JobId,
    ) -> Answer<Arc<CheckpointList>> {
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
            Err(error) if is_unknown_call(&error) => {
                // It may be the job that isn't there.
                self.find(id).await?;
                set(&self.differences.no_checkpoints);
                Err(UpstreamError::Unsupported)
            }
            answer => answer,
        }
    }
}
