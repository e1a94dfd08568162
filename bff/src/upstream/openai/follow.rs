//! A job's live stream, made by asking again and again: what is new of its record, its checkpoints, and the job itself
//! when it has changed. All who follow a job share the calls.
//!
//! Each message's id names the newest event that was told and, after `~`, the newest checkpoint: with it a stream goes on
//! exactly where it was cut.

use super::{
    Inner,
    record::{Record, Told},
};
use crate::upstream::{Answer, FrameStream, UpstreamError, frame::frame};
use bytes::Bytes;
use futures_util::StreamExt as _;
use shared::{
    event::{CheckpointList, StreamMessage, StreamStart},
    id::JobId,
    job::Job,
};
use std::{collections::VecDeque, sync::Arc, time::Duration};

/// The pause between two readings, where answers aren't kept for longer.
const PAUSE: Duration = Duration::from_secs(1);
/// So many readings in a row may fail before the stream is ended; whoever follows comes back by themselves.
const FAILURES: u32 = 5;

/// Where a follower stands.
struct Follower {
    inner: Arc<Inner>,
    id: JobId,
    /// The newest event that was told.
    event: Option<String>,
    /// The step of the newest checkpoint that was told.
    checkpoint: u64,
    /// What is there already counts as told.
    skips: bool,
    job: Option<Job>,
    ready: VecDeque<Bytes>,
    failures: u32,
    ended: bool,
}

/// Follows a job behind a message, from the first one, or from now on.
pub(super) async fn follow(inner: Arc<Inner>, id: &JobId, start: StreamStart<&str>) -> Answer<FrameStream> {
    let (event, checkpoint) = match start {
        StreamStart::After(id) => place(id),
        StreamStart::Beginning | StreamStart::Now => (None, 0),
    };
    let mut follower = Follower {
        inner,
        id: id.clone(),
        event,
        checkpoint,
        skips: start == StreamStart::Now,
        job: None,
        ready: VecDeque::new(),
        failures: 0,
        ended: false,
    };
    // The first reading tells whether there is anything to follow.
    follower.read().await?;
    Ok(futures_util::stream::unfold(follower, Follower::next).boxed())
}

/// The event and the checkpoint that a message's id names.
fn place(id: &str) -> (Option<String>, u64) {
    let (event, checkpoint) = id
        .rsplit_once('~')
        .and_then(|(event, step)| Some((event, step.parse().ok()?)))
        .unwrap_or((id, 0));
    (
        Some(event.to_owned()).filter(|event| !event.is_empty()),
        checkpoint,
    )
}

/// The id that names an event and a checkpoint.
fn id_of(event: &str, checkpoint: u64) -> String {
    match checkpoint {
        0 => event.to_owned(),
        step => format!("{event}~{step}"),
    }
}

/// The id of a message behind which nothing of this is told; none where there is nothing yet, or where it couldn't stand in
/// a header.
pub(super) fn place_behind(record: &Record, checkpoints: &CheckpointList) -> Option<String> {
    let event = record.entries.last().map_or("", |entry| &entry.id);
    let id = id_of(event, newest(checkpoints));
    (!id.is_empty() && id.bytes().all(|byte| byte.is_ascii_graphic())).then_some(id)
}

/// The step of the newest checkpoint; 0 before the first.
fn newest(list: &CheckpointList) -> u64 {
    let steps = list.checkpoints.iter().map(|checkpoint| checkpoint.step);
    steps.max().unwrap_or(0)
}

impl Follower {
    async fn next(mut self) -> Option<(Bytes, Self)> {
        loop {
            if let Some(ready) = self.ready.pop_front() {
                return Some((ready, self));
            }
            if self.ended {
                return None;
            }
            tokio::time::sleep(self.inner.cache.max(PAUSE)).await;
            match self.read().await {
                Ok(()) => self.failures = 0,
                Err(error) => {
                    self.failures += 1;
                    let passes = error.outcome_unknown()
                        || matches!(error, UpstreamError::Refused { status: 429, .. });
                    if !passes || self.failures >= FAILURES {
                        tracing::debug!(%error, "a job can't be followed any further");
                        return None;
                    }
                }
            }
        }
    }

    /// Reads what is new. The job comes first: once it has ended, nothing is added to its record after it was read.
    async fn read(&mut self) -> Answer<()> {
        let mut job = self.inner.find(&self.id).await?;
        let ended = job.status.is_terminal();
        if ended {
            self.inner.forget_record();
        }
        let record = self.inner.record_of(&self.id).await?;
        let checkpoints = self.inner.checkpoints_if_any(&self.id).await?;
        if job.progress.is_none() {
            job.progress = record.progress(&job);
        }
        if self.job.as_ref() != Some(&job) {
            let told = Box::new(job.clone());
            self.ready
                .push_back(frame(None, &StreamMessage::Job { job: told }));
            self.job = Some(job);
        }
        if std::mem::take(&mut self.skips) {
            self.event = record.entries.last().map(|entry| entry.id.clone());
            self.checkpoint = newest(&checkpoints);
        }
        let told = self.event.as_ref();
        let start = told.and_then(|told| record.entries.iter().rposition(|entry| entry.id == *told));
        // Something may lie between what was told and what is known: whoever follows has to read the record anew.
        let is_cut = told.is_some() && start.is_none();
        for entry in record.entries.iter().skip(start.map_or(0, |last| last + 1)) {
            self.event = Some(entry.id.clone());
            let message = match &entry.told {
                Told::Message(event) => StreamMessage::Event { event: event.clone() },
                Told::Step(step) => StreamMessage::Metrics {
                    metrics: step.clone(),
                },
            };
            self.tell(&message);
        }
        let newer = checkpoints.checkpoints.iter().rev();
        for checkpoint in newer
            .filter(|checkpoint| checkpoint.step > self.checkpoint)
            .cloned()
            .collect::<Vec<_>>()
        {
            self.checkpoint = checkpoint.step;
            self.tell(&StreamMessage::Checkpoint { checkpoint });
        }
        if ended {
            let job_id = self.id.clone();
            self.ready.push_back(frame(None, &StreamMessage::End { job_id }));
        }
        self.ended = ended || is_cut;
        Ok(())
    }

    /// A message to resume after.
    fn tell(&mut self, message: &StreamMessage) {
        let id = id_of(self.event.as_deref().unwrap_or_default(), self.checkpoint);
        self.ready.push_back(frame(Some(&id), message));
    }
}

#[cfg(test)]
mod tests {
    use super::place;

    #[test]
    fn a_messages_id_names_an_event_and_a_checkpoint() {
        let of = |event: &str, step| (Some(event.to_owned()), step);
        assert_eq!(place("ftevent-7"), of("ftevent-7", 0));
        assert_eq!(place("ftevent-7~25"), of("ftevent-7", 25));
        assert_eq!(place("odd~id~25"), of("odd~id", 25));
        assert_eq!(place("odd~id"), of("odd~id", 0));
        assert_eq!(place("~25"), (None, 25));
    }
}
