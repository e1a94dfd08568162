//! One trainer at work: its events into the store, commands to it, and what its end means.

use super::{
    ingest::{Ingest, Recorded},
    post_mortem::{Circumstances, Death, judge, memory_kills},
    run::Supervised,
    watch,
};
use crate::{
    error::{Error, chain},
    executor::{Control, Exit, Launch, Trainer},
    service::backoff::Backoff,
    store::leases,
};
use shared::{
    job::JobFailure,
    run::{RunCommand, RunEvent},
};
use std::{sync::atomic::Ordering, time::Duration};
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep_until, timeout};

/// Shortest time from one commit to the next: a fast trainer doesn't cost one flush of the disk a step.
const COMMIT_INTERVAL: Duration = Duration::from_millis(50);

/// Events that are recorded at once.
const BATCH: usize = 512;

/// How an attempt ended.
#[derive(Debug)]
pub(crate) enum End {
    /// The result is there.
    Done {
        /// Target tokens of all attempts.
        trained_tokens: u64,
        /// False where it was asked to end early.
        complete: bool,
    },
    /// It saved and left, as somebody asked.
    Paused {
        /// The step of its checkpoint.
        step: u64,
    },
    /// It won't work, however often it is tried.
    Failed(Box<JobFailure>),
    /// It may work when tried again.
    Died(Death),
    /// The run's lock was taken.
    Locked,
    /// The service goes down.
    Stopped,
    /// The job was cancelled, or another attempt has it.
    Fenced,
    /// What it told could not be stored, however often that was tried.
    Unrecorded(Error),
}

/// What somebody wants of the trainer, and whether it was told.
#[derive(Debug, Default)]
struct Wish {
    wanted: Option<RunCommand>,
    /// The job is recorded up to here: a stop before it would lose steps that were seen.
    recorded: u64,
    told: bool,
}

impl Wish {
    async fn read(job: &Supervised<'_>) -> Result<Self, Error> {
        let read = job.service.inner.store.read();
        let (wanted, recorded) = job
            .persist(|| async { Ok(leases::wish(read, &job.fence).await?) })
            .await?;
        Ok(Self {
            wanted,
            recorded: crate::store::from_sql(recorded),
            told: false,
        })
    }

    /// What to tell the trainer now that it has come to a step, once.
    fn due(&mut self, reached: Option<u64>) -> Option<RunCommand> {
        let due = match self.wanted {
            Some(RunCommand::Stop) => reached.is_some_and(|step| step >= self.recorded),
            wanted => wanted.is_some(),
        };
        if !due || self.told {
            return None;
        }
        self.told = true;
        self.wanted
    }
}

/// Minds a trainer until it has ended. Where storage fails for long the trainer saves and leaves, and the next one tells
/// again what is missing.
pub(crate) async fn mind(job: &mut Supervised<'_>, mut trainer: Trainer, launch: &Launch) -> End {
    let why = match follow(job, &mut trainer, launch).await {
        Ok(Some(end)) => return end,
        Ok(None) => End::Fenced,
        Err(error) => {
            tracing::error!(error = %chain(&error), job = %job.row.id, "what a trainer tells could not be stored");
            End::Unrecorded(error)
        }
    };
    let_go(job, trainer).await;
    if job.handle.cancelled.is_cancelled() {
        return End::Fenced;
    }
    why
}

/// Follows a trainer to its end; nothing where it is still there and the attempt isn't the job's any more.
async fn follow(
    job: &mut Supervised<'_>,
    trainer: &mut Trainer,
    launch: &Launch,
) -> Result<Option<End>, Error> {
    let config = &job.service.inner.config;
    let (interval, silence, grace) = (
        config.checkpoint_interval,
        config.longest_silence,
        config.shutdown_grace,
    );
    let mut checkpoint_due = interval_at(Instant::now() + interval, interval);
    checkpoint_due.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut look_due = interval_at(Instant::now() + config.alert_interval, config.alert_interval);
    look_due.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let kills_before = memory_kills();
    let mut ingest = Ingest::new(job);
    let mut last_words = None;
    let mut batch = Vec::new();
    let mut committed = Instant::now() - COMMIT_INTERVAL;
    let mut heard = Instant::now();
    let mut asked_to_leave: Option<Instant> = None;
    let mut around = Circumstances::default();
    // A trainer that is gone already doesn't hear it; its exit says more than the failure to tell it.
    let control = trainer.control.clone();
    let tell = move |order| {
        let _ = control.send(order);
    };
    // Read after this job's strings were tied, so whoever wishes something from now on pulls one.
    let mut wish = Wish::read(job).await?;
    // What the server before this one recorded last it may not have looked at.
    watch::begin(job, BATCH).await;
    loop {
        if asked_to_leave.is_none()
            && let Some(command) = wish.due(ingest.reached())
        {
            tell(Control::Command(command));
        }
        let deadline = asked_to_leave.unwrap_or(heard + silence);
        tokio::select! {
            biased;
            () = job.handle.cancelled.cancelled() => return Ok(None),
            () = job.service.inner.stopping.cancelled(), if asked_to_leave.is_none() => {
                tell(Control::Command(RunCommand::Pause));
                asked_to_leave = Some(Instant::now() + grace);
            }
            () = job.handle.nudged.notified() => {
                let fresh = Wish::read(job).await?;
                wish = Wish { told: wish.told && fresh.wanted == wish.wanted, ..fresh };
                // Or it is watched for something else.
                watch::begin(job, 1).await;
            }
            // Before the batches, which a fast trainer never lets run out.
            _ = look_due.tick(), if asked_to_leave.is_none() => {
                let estimate = ingest.estimate(job.service.now());
                watch::look_at_time(job, estimate).await;
            }
            // A batch that waits is a sign of life, so it goes before the deadline.
            count = trainer.events.recv_many(&mut batch, BATCH) => {
                if count == 0 {
                    break;
                }
                sleep_until(committed + COMMIT_INTERVAL).await;
                while batch.len() < BATCH && let Ok(event) = trainer.events.try_recv() {
                    batch.push(event);
                }
                heard = Instant::now();
                batch.retain(|event| !matches!(event, RunEvent::Heartbeat { .. }));
                if batch.is_empty() {
                    continue;
                }
                let peak_memory = trainer.peak_memory.load(Ordering::Relaxed);
                let mut backoff = Backoff::new(job.service);
                let recorded = loop {
                    match ingest.record(job, &batch, peak_memory).await {
                        Ok(recorded) => break recorded,
                        Err(error) => job.wait_to_try_again(&mut backoff, error).await?,
                    }
                };
                if recorded == Recorded::Fenced {
                    return Ok(None);
                }
                committed = Instant::now();
                if batch.iter().any(|event| matches!(event, RunEvent::PauseFailed { .. })) {
                    wish = Wish::read(job).await?;
                    if asked_to_leave.is_some() {
                        // It can't save, so there is nothing to wait for.
                        tell(Control::Kill);
                    }
                }
                last_words = batch.drain(..).rfind(is_last_word).or(last_words);
            }
            () = sleep_until(deadline) => {
                if asked_to_leave.is_some() {
                    tracing::warn!(job = %job.row.id, "the trainer did not leave in time and is killed");
                    asked_to_leave = Some(Instant::now() + grace);
                } else {
                    tracing::warn!(job = %job.row.id, "the trainer tells nothing any more and is killed");
                    around.silent_for = Some(silence.as_secs());
                    heard = Instant::now();
                }
                tell(Control::Kill);
            }
            _ = checkpoint_due.tick(), if asked_to_leave.is_none() && wish.wanted.is_none() => {
                tell(Control::Command(RunCommand::Checkpoint));
            }
        }
    }
    let exit = match timeout(grace, &mut trainer.exit).await {
        Ok(exit) => exit.unwrap_or(Exit::Unknown),
        // It has closed its output but stays: nothing more can be learned from it.
        Err(_) => {
            tell(Control::Kill);
            (&mut trainer.exit).await.unwrap_or(Exit::Unknown)
        }
    };
    around.stopping = asked_to_leave.is_some();
    around.pausing = wish.wanted == Some(RunCommand::Pause);
    around.out_of_memory = memory_kills() > kills_before && kills_before.is_some();
    Ok(Some(judge(exit, last_words, around, &launch.log)))
}

/// Parts with a trainer whose attempt isn't the job's any more, or that nobody can record. Of a job that goes on it saves
/// what it has: the next attempt waits for it at the run's lock and starts from there. Once this is over it is dead.
async fn let_go(job: &Supervised<'_>, mut trainer: Trainer) {
    let grace = job.service.inner.config.shutdown_grace;
    if !job.handle.cancelled.is_cancelled() {
        let _ = trainer.control.send(Control::Command(RunCommand::Pause));
        let left = async {
            // So that it isn't held up by lines that nobody takes.
            while trainer.events.recv().await.is_some() {}
            (&mut trainer.exit).await
        };
        if timeout(grace, left).await.is_ok() {
            return;
        }
    }
    let _ = trainer.control.send(Control::Kill);
    let _ = trainer.exit.await;
}

const fn is_last_word(event: &RunEvent) -> bool {
    matches!(
        event,
        RunEvent::Done { .. } | RunEvent::Paused { .. } | RunEvent::Failed { .. }
    )
}
