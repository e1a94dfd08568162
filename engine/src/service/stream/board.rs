//! What everybody who follows one job shares: the job as it is and the newest entries of its record, read from the store
//! once. A task keeps it up to date for as long as somebody follows.

use super::{Next, Told};
use crate::{
    error::{Error, chain},
    service::Service,
    store::{checkpoints, events, from_sql, jobs, steps, to_sql},
};
use shared::{
    event::StreamMessage,
    id::{JobId, Subject},
    job::Job,
};
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::{Duration, Instant},
};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// Stored things that are read at a time.
const PAGE: i64 = 500;

/// Entries that a board goes back.
const KEPT: usize = 128;

/// The job itself (its pace, its time left) is told again at most this often while its record grows.
const JOB_INTERVAL: Duration = Duration::from_secs(1);

/// A job's newest state and entries.
#[derive(Debug)]
pub(super) struct Board {
    pub(super) service: Service,
    pub(super) subject: Subject,
    pub(super) id: JobId,
    newest: Mutex<Newest>,
    changes: watch::Sender<()>,
    /// Cancelled with the board, when its last follower has gone.
    abandoned: CancellationToken,
}

impl Drop for Board {
    fn drop(&mut self) {
        self.abandoned.cancel();
    }
}

#[derive(Debug, Default)]
struct Newest {
    /// The job as it was read last; nothing before the first reading.
    job: Option<Arc<Told>>,
    /// How often the job was told to those who follow.
    tellings: u64,
    /// Every entry behind this place is in `entries`.
    after: u64,
    entries: VecDeque<Arc<Told>>,
    /// `End`, once the job has ended and all its entries were read.
    end: Option<Arc<Told>>,
    /// Nothing is read any more.
    closed: bool,
}

/// How far a reader is.
#[derive(Debug)]
pub(super) struct Place {
    /// It has every entry up to here.
    pub(super) after: u64,
    /// The last telling of the job that it has.
    telling: Option<u64>,
    ended: bool,
}

impl Place {
    pub(super) const fn new(after: u64) -> Self {
        Self {
            after,
            telling: None,
            ended: false,
        }
    }
}

impl Board {
    pub(super) fn new(service: Service, subject: Subject, id: JobId) -> Self {
        Self {
            service,
            subject,
            id,
            newest: Mutex::default(),
            changes: watch::Sender::new(()),
            abandoned: CancellationToken::new(),
        }
    }

    pub(super) fn subscribe(&self) -> watch::Receiver<()> {
        self.changes.subscribe()
    }

    pub(super) fn followers(&self) -> usize {
        self.changes.receiver_count()
    }

    pub(super) fn is_closed(&self) -> bool {
        self.newest().closed
    }

    /// What comes next for a reader. The job goes before its record, the record before the end.
    pub(super) fn next(&self, place: &mut Place) -> Next {
        let newest = self.newest();
        let Some(job) = &newest.job else {
            return if newest.closed { Next::Leave } else { Next::Wait };
        };
        if place.ended {
            return Next::Leave;
        }
        if place.telling.is_none_or(|telling| telling < newest.tellings) {
            place.telling = Some(newest.tellings);
            return Next::Tell(Arc::clone(job));
        }
        if place.after < newest.after {
            return Next::Read(newest.after);
        }
        let known = newest
            .entries
            .partition_point(|told| told.seq.is_some_and(|seq| seq <= place.after));
        if let Some(told) = newest.entries.get(known) {
            place.after = told.seq.unwrap_or(place.after);
            return Next::Tell(Arc::clone(told));
        }
        if let Some(end) = &newest.end {
            place.ended = true;
            return Next::Tell(Arc::clone(end));
        }
        if newest.closed { Next::Leave } else { Next::Wait }
    }

    fn newest(&self) -> MutexGuard<'_, Newest> {
        self.newest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keeps a board up to date until the job has ended, nobody follows any more, or the service goes down.
pub(super) fn keep(board: &Arc<Board>) -> impl Future<Output = ()> + use<> {
    let mut changed = board.service.inner.jobs_changed.subscribe(board.id.as_str());
    let stopping = board.service.inner.stopping.clone();
    let abandoned = board.abandoned.clone();
    let board = Arc::downgrade(board);
    async move {
        let mut keeper = Keeper::default();
        loop {
            changed.borrow_and_update();
            match keeper.catch_up(&board).await {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => {
                    if !matches!(error, Error::NotFound(_)) {
                        tracing::warn!(error = %chain(&error), "a job's streams could not go on");
                    }
                    break;
                }
            }
            tokio::select! {
                change = changed.changed() => if change.is_err() { break },
                () = abandoned.cancelled() => return,
                () = stopping.cancelled() => break,
            }
        }
        if let Some(board) = board.upgrade() {
            board.newest().closed = true;
            board.changes.send_replace(());
        }
    }
}

/// What the keeper of a board remembers from one reading to the next.
#[derive(Debug, Default)]
struct Keeper {
    /// The last entry that was read; nothing before the first reading.
    last: Option<u64>,
    /// The job as it was last told, and when.
    told: Option<(Job, Instant)>,
}

impl Keeper {
    /// Reads everything that is stored by now; false where nothing more will come or nobody follows.
    async fn catch_up(&mut self, board: &Weak<Board>) -> Result<bool, Error> {
        loop {
            let Some(board) = board.upgrade() else {
                return Ok(false);
            };
            let (service, subject, id) = (&board.service, &board.subject, &board.id);
            let last = match self.last {
                Some(last) => last,
                // What was there before anybody followed is for each reader to fetch.
                None => jobs::last_seq(service.inner.store.read(), subject, id)
                    .await?
                    .ok_or(Error::NotFound("job"))?,
            };
            // The job is read before its record: once it has ended nothing is added, so what is read then is all.
            let job = service.find_job(subject, id).await?;
            let ended = job.status.is_terminal();
            let page = read_page(&board, last, PAGE).await?;
            let is_all = (page.len() as i64) < PAGE;
            let is_due = self.is_due(&job);
            let mut newest = board.newest();
            if self.last.is_none() {
                newest.after = last;
            }
            self.last = Some(page.last().and_then(|told| told.seq).unwrap_or(last));
            newest.job = Some(Told::new(
                None,
                StreamMessage::Job {
                    job: Box::new(job.clone()),
                },
            ));
            if is_due {
                self.told = Some((job, Instant::now()));
                newest.tellings += 1;
            }
            newest.entries.extend(page);
            while newest.entries.len() > KEPT {
                newest.after = newest
                    .entries
                    .pop_front()
                    .and_then(|told| told.seq)
                    .unwrap_or(newest.after);
            }
            if is_all && ended {
                newest.end = Some(Told::new(None, StreamMessage::End { job_id: id.clone() }));
            }
            drop(newest);
            board.changes.send_replace(());
            if is_all {
                return Ok(!ended);
            }
        }
    }

    fn is_due(&self, job: &Job) -> bool {
        self.told.as_ref().is_none_or(|(told, at)| {
            let state = |job: &Job| {
                (
                    job.status,
                    job.attempt,
                    job.queue_position,
                    job.priority,
                    job.stopped,
                    job.progress.as_ref().map(|progress| progress.stage),
                )
            };
            state(told) != state(job)
                || told.failure != job.failure
                || (told != job && at.elapsed() >= JOB_INTERVAL)
        })
    }
}

/// The next stored things in the order of the record. Each table is read for a whole page, so the page that is merged
/// from them has no holes.
pub(super) async fn read_page(board: &Board, after: u64, limit: i64) -> Result<Vec<Arc<Told>>, Error> {
    let Board {
        service, subject, id, ..
    } = board;
    let after = to_sql(after);
    let read = service.inner.store.read();
    let mut page: Vec<(u64, StreamMessage)> = Vec::new();
    // One snapshot for all tables: else an entry committed between two reads could be overtaken by a later one.
    let mut snapshot = read.begin().await?;
    for row in events::list_after(&mut *snapshot, subject, id, after, limit).await? {
        page.push((
            from_sql(row.seq),
            StreamMessage::Event {
                event: row.to_event(),
            },
        ));
    }
    for row in steps::list_after_seq(&mut *snapshot, subject, id, after, limit).await? {
        page.push((
            from_sql(row.seq),
            StreamMessage::Metrics {
                metrics: row.to_metrics().into(),
            },
        ));
    }
    for row in checkpoints::list_changed_after(&mut *snapshot, subject, id, after).await? {
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
    page.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok(page
        .into_iter()
        .map(|(seq, message)| Told::new(Some(seq), message))
        .collect())
}
