//! The live stream of a job: what was missed from the store, then what comes, each stored thing once.
//!
//! Nothing is queued for a reader: it is only woken, and reads from the store after the last sequence number that it
//! has. So a slow reader costs one page of memory and the order is that of the record.

use super::{Service, job_create::chain};
use crate::{
    error::Error,
    store::{checkpoints, events, from_sql, steps, to_sql},
};
use futures_util::{
    StreamExt as _,
    stream::{BoxStream, poll_fn},
};
use shared::{
    event::StreamMessage,
    id::{JobId, Subject},
    job::Job,
};
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, watch};

/// Stored things that are read at a time.
const PAGE: i64 = 500;

/// The job itself (its pace, its time left) is told again at most this often while its record grows.
const JOB_INTERVAL: Duration = Duration::from_secs(1);

/// Messages with the sequence number of those that are stored: pass the last one as `after` to go on from there.
pub type JobStream = BoxStream<'static, (Option<u64>, StreamMessage)>;

impl Service {
    /// Follows a job: first the job as it is, then everything stored after `after` (all of it unless told), then what
    /// comes, and `End` once the job has ended and all was sent. The stream ends without `End` when the service goes
    /// down, the job is deleted, or the store fails: open it again with the last sequence number.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn stream(
        &self,
        subject: &Subject,
        id: &JobId,
        after: Option<u64>,
    ) -> Result<JobStream, Error> {
        // Subscribed before anything is read, so nothing falls between.
        let changed = self.inner.jobs_changed.subscribe(id.as_str());
        self.find_job_row(subject, id).await?;
        let (sender, mut receiver) = mpsc::channel(16);
        let follower = Follower {
            service: self.clone(),
            subject: subject.clone(),
            id: id.clone(),
            after: after.unwrap_or(0),
            told: None,
        };
        self.inner.tasks.spawn(follower.run(changed, sender));
        Ok(poll_fn(move |context| receiver.poll_recv(context)).boxed())
    }
}

/// One reader's place in a job's record.
struct Follower {
    service: Service,
    subject: Subject,
    id: JobId,
    after: u64,
    /// The job as it was last told, and when.
    told: Option<(Job, Instant)>,
}

type Sender = mpsc::Sender<(Option<u64>, StreamMessage)>;

/// The reader has gone.
struct Gone;

impl Follower {
    async fn run(mut self, mut changed: watch::Receiver<()>, sender: Sender) {
        loop {
            changed.borrow_and_update();
            match self.catch_up(&sender).await {
                Ok(true) => {}
                Ok(false) => return,
                Err(Error::NotFound(_)) => return,
                Err(error) => {
                    tracing::warn!(error = %chain(&error), job = %self.id, "a stream could not go on");
                    return;
                }
            }
            tokio::select! {
                change = changed.changed() => if change.is_err() { return },
                () = sender.closed() => return,
                () = self.service.inner.stopping.cancelled() => return,
            }
        }
    }

    /// Tells everything that is stored by now; false where nothing more will come or nobody listens.
    async fn catch_up(&mut self, sender: &Sender) -> Result<bool, Error> {
        loop {
            // The job is read before its record: once it has ended nothing is added, so what is read then is all.
            let job = self.service.find_job(&self.subject, &self.id).await?;
            let ended = job.status.is_terminal();
            if self.tell_job(job, sender).await.is_err() {
                return Ok(false);
            }
            let page = self.read_page().await?;
            let full = page.len() as i64 >= PAGE;
            for (seq, message) in page {
                self.after = seq;
                if sender.send((Some(seq), message)).await.is_err() {
                    return Ok(false);
                }
            }
            if full {
                continue;
            }
            if ended {
                // Whether anybody hears it makes no difference any more.
                let _ = sender
                    .send((
                        None,
                        StreamMessage::End {
                            job_id: self.id.clone(),
                        },
                    ))
                    .await;
            }
            return Ok(!ended);
        }
    }

    async fn tell_job(&mut self, job: Job, sender: &Sender) -> Result<(), Gone> {
        let due = self.told.as_ref().is_none_or(|(told, at)| {
            let state = |job: &Job| {
                (
                    job.status,
                    job.attempt,
                    job.queue_position,
                    job.stopped,
                    job.progress.as_ref().map(|progress| progress.stage),
                )
            };
            state(told) != state(&job)
                || told.failure != job.failure
                || (*told != job && at.elapsed() >= JOB_INTERVAL)
        });
        if !due {
            return Ok(());
        }
        let message = StreamMessage::Job {
            job: Box::new(job.clone()),
        };
        self.told = Some((job, Instant::now()));
        sender.send((None, message)).await.map_err(|_| Gone)
    }

    /// The next stored things in the order of the record. Each table is read for a whole page, so the page that
    /// is merged from them has no holes.
    async fn read_page(&self) -> Result<Vec<(u64, StreamMessage)>, Error> {
        let after = to_sql(self.after);
        let read = self.service.inner.store.read();
        let mut page: Vec<(u64, StreamMessage)> = Vec::new();
        // One snapshot for all tables: else an entry committed between two reads could be overtaken by a later one.
        let mut snapshot = read.begin().await?;
        for row in events::list_after(&mut *snapshot, &self.subject, &self.id, after, PAGE).await? {
            page.push((
                from_sql(row.seq),
                StreamMessage::Event {
                    event: row.to_event(),
                },
            ));
        }
        for row in steps::list_after_seq(&mut *snapshot, &self.subject, &self.id, after, PAGE).await? {
            page.push((
                from_sql(row.seq),
                StreamMessage::Metrics {
                    metrics: row.to_metrics(),
                },
            ));
        }
        for row in checkpoints::list_changed_after(&mut *snapshot, &self.subject, &self.id, after).await? {
            if row.seq > after {
                page.push((
                    from_sql(row.seq),
                    StreamMessage::Checkpoint {
                        checkpoint: row.to_checkpoint(),
                    },
                ));
            }
            if let Some(removed) = row.removed_seq.filter(|removed| *removed > after) {
                let message = StreamMessage::CheckpointRemoved {
                    step: from_sql(row.step),
                };
                page.push((from_sql(removed), message));
            }
        }
        snapshot.commit().await?;
        page.sort_by_key(|(seq, _)| *seq);
        page.truncate(usize::try_from(PAGE).unwrap_or(usize::MAX));
        Ok(page)
    }
}
