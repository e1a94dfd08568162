//! One claimed job from its claim to its end: as many attempts as it takes.

mod parting;

use super::{
    Handle,
    attempt::{self, End},
    finish,
    post_mortem::{self, Death},
    prepare,
    watch::Watch,
};
use crate::{
    data_folder::run_is_free,
    error::{Error, chain},
    executor::Launch,
    service::{Service, counters::Tallies},
    store::{
        attempts::{self, Ended},
        checkpoints, from_sql,
        jobs::{self, JobRow},
        leases::{self, Fence},
        steps,
    },
};
use shared::{
    attempt::{AttemptOutcome, FailureCause},
    event::Level,
    id::{JobId, Subject},
    job::JobFailure,
};
use std::{
    path::{Path, PathBuf},
    time::Duration,
};

/// Attempts in a row that got no further before a job is given up.
const MAX_FRUITLESS: i64 = 5;

/// Why the attempt after a trainer's death isn't the first.
const AFTER_DEATH: &str = "after the trainer ended unexpectedly";

/// How often an orphan's lock is looked at.
const LOCK_POLL: Duration = Duration::from_millis(100);

/// A job under supervision.
pub(crate) struct Supervised<'a> {
    pub(crate) service: &'a Service,
    pub(crate) owner: Subject,
    pub(crate) row: JobRow,
    pub(crate) fence: Fence,
    pub(crate) run_dir: PathBuf,
    pub(crate) handle: &'a Handle,
    pub(crate) watch: Watch,
    /// Up to which step the job was recorded when its newest attempt began; nothing before one has.
    recorded: Option<u64>,
}

/// Minds a job until it has ended, was cancelled, or the service goes down.
pub(crate) async fn supervise(service: &Service, row: JobRow, handle: &Handle) {
    let mut job = Supervised {
        service,
        owner: row.owner(),
        fence: Fence {
            job_id: row.id.clone(),
            server: service.inner.server.clone(),
            attempt: row.attempt,
        },
        run_dir: service.inner.layout.run(&row.id),
        row,
        handle,
        watch: Watch::new(service.now()),
        recorded: None,
    };
    let Err(error) = job.run().await else { return };
    tracing::error!(error = %chain(&error), job = %job.row.id, "a job could not be supervised");
    if let Err(error) = job.part_with(&error).await {
        // The lease runs out now, and the job is taken up again once the store is well.
        tracing::error!(error = %chain(&error), job = %job.row.id, "nor could it be given back");
    }
}

impl Supervised<'_> {
    async fn run(&mut self) -> Result<(), Error> {
        if let Some(failure) = self.persist(|| prepare::prepare(self)).await? {
            return finish::fail(self, &failure).await;
        }
        if self.fence.attempt == 1 {
            self.tell(Level::Info, "Fine-tuning job started").await?;
        }
        loop {
            if !self.wait_for_orphan().await? {
                return self.leave().await;
            }
            let before = newest_checkpoint(&self.run_dir);
            match self.attempt().await? {
                End::Done {
                    trained_tokens,
                    complete,
                } => return finish::succeed(self, trained_tokens, complete).await,
                End::Paused { step } => {
                    if finish::pause(self, step).await? {
                        return Ok(());
                    }
                    let how = "it left without the checkpoint that a pause needs".to_owned();
                    let cause = FailureCause::Bug;
                    if !self.restart(&Death { how, cause }, before).await? {
                        return Ok(());
                    }
                }
                End::Failed(failure) => return finish::fail(self, &failure).await,
                End::Fenced => return self.forget_removed_silently().await,
                End::Stopped => return self.leave().await,
                End::Unrecorded(error) => return Err(error),
                // The lock was free a moment ago: look again, but not in a spin.
                End::Locked => tokio::time::sleep(LOCK_POLL).await,
                End::Died(death) => {
                    if !self.restart(&death, before).await? {
                        return Ok(());
                    }
                }
            }
        }
    }

    /// One trainer from start to end.
    async fn attempt(&mut self) -> Result<End, Error> {
        let folder = self.attempt_folder();
        let replay_after = self
            .persist(|| async {
                let failed = |error| Error::storage("an attempt's folder could not be created", error);
                tokio::fs::create_dir_all(&folder).await.map_err(failed)?;
                self.forget_removed().await?;
                self.recorded_steps().await
            })
            .await?;
        self.recorded = Some(replay_after);
        let launch = Launch {
            run_dir: self.run_dir.clone(),
            replay_after,
            log: folder.join("log"),
        };
        Tallies::add(&self.service.inner.tallies.attempts, 1);
        match self.service.inner.executor.spawn(&launch) {
            Ok(trainer) => Ok(attempt::mind(self, trainer, &launch).await),
            Err(error) => Ok(End::Died(Death {
                how: format!("it could not be started: {error}"),
                cause: FailureCause::Storage,
            })),
        }
    }

    /// Waits until an orphan of an earlier server has left the run; false where there is something better to do.
    async fn wait_for_orphan(&self) -> Result<bool, Error> {
        let mut told = false;
        loop {
            if self.handle.cancelled.is_cancelled() || self.service.inner.stopping.is_cancelled() {
                return Ok(false);
            }
            let look = || async {
                run_is_free(&self.run_dir)
                    .map_err(|error| Error::storage("a run's lock could not be looked at", error))
            };
            if self.persist(look).await? {
                return Ok(true);
            }
            if !told {
                told = true;
                self.tell(Level::Info, "Waiting for the trainer of before to save and leave")
                    .await?;
            }
            tokio::select! {
                () = tokio::time::sleep(LOCK_POLL) => {}
                () = self.handle.cancelled.cancelled() => {}
                () = self.service.inner.stopping.cancelled() => {}
            }
        }
    }

    /// After a trainer's death: the next attempt, unless it gets nowhere. False where the job is over.
    async fn restart(&mut self, death: &Death, before: Option<u64>) -> Result<bool, Error> {
        Tallies::add(&self.service.inner.tallies.trainer_deaths, 1);
        let how = &death.how;
        let newest = newest_checkpoint(&self.run_dir);
        let fruitless = if newest > before {
            0
        } else {
            self.row.fruitless + 1
        };
        if fruitless >= MAX_FRUITLESS {
            let message =
                format!("the trainer ended {fruitless} times without getting further; the last time {how}");
            let failure = JobFailure::new("trainer_died", message).because(death.cause);
            finish::fail(self, &failure).await?;
            return Ok(false);
        }
        let from = newest.map_or_else(|| "the beginning".to_owned(), |step| format!("step {step}"));
        let message = format!("The trainer ended unexpectedly: {how}. Starting it again from {from}");
        let next = self.persist(|| self.begin_next_attempt(how, fruitless, &message));
        let Some(attempt) = next.await? else {
            return Ok(false);
        };
        self.service.inner.jobs_changed.changed(&self.row.id);
        self.fence.attempt = attempt;
        self.row.fruitless = fruitless;
        self.row.resume_reason = Some(AFTER_DEATH.to_owned());
        // The first restart is at once; a trainer that keeps dying is given more and more time.
        if let Ok(doublings) = u32::try_from(fruitless - 2) {
            tokio::select! {
                () = tokio::time::sleep(self.service.inner.config.restart_delay * 2_u32.pow(doublings)) => {}
                () = self.handle.cancelled.cancelled() => {}
                () = self.service.inner.stopping.cancelled() => {}
            }
        }
        Ok(true)
    }

    /// Records how the newest attempt ended and that another begins; its number, or nothing where the job isn't ours.
    async fn begin_next_attempt(
        &self,
        how: &str,
        fruitless: i64,
        message: &str,
    ) -> Result<Option<i64>, Error> {
        let now = self.service.now();
        let log = self.log_tail().await;
        let id = &self.row.id;
        let mut transaction = self.service.inner.store.begin().await?;
        let Some(attempt) = leases::next_attempt(&mut transaction, &self.fence, fruitless, now).await? else {
            return Ok(None);
        };
        let died = Ended {
            outcome: AttemptOutcome::Died,
            message: Some(how),
            log: log.as_deref(),
        };
        attempts::end(&mut transaction, id, now, died).await?;
        attempts::begin(&mut transaction, id, &self.owner, attempt, now).await?;
        leases::set_resume_reason(&mut transaction, id, AFTER_DEATH).await?;
        jobs::add_event(&mut transaction, id, &self.owner, now, Level::Warn, message).await?;
        transaction.commit().await?;
        Ok(Some(attempt))
    }

    /// Up to which step the job is recorded without a gap.
    async fn recorded_steps(&self) -> Result<u64, Error> {
        Ok(steps::contiguous(self.service.inner.store.read(), &self.row.id).await?)
    }

    /// The last lines that the attempt's trainer wrote for people.
    pub(crate) async fn log_tail(&self) -> Option<String> {
        let log = self.attempt_folder().join("log");
        tokio::task::spawn_blocking(move || post_mortem::log_tail(&log))
            .await
            .ok()?
    }

    fn attempt_folder(&self) -> PathBuf {
        self.run_dir.join("attempts").join(self.fence.attempt.to_string())
    }

    /// Checkpoints that are recorded but not on disk any more: the trainer that removed them was killed, or its server
    /// was, before that was recorded. To be asked while no trainer is at work.
    async fn lost_checkpoints(&self) -> Result<Vec<u64>, Error> {
        let read = self.service.inner.store.read();
        let listed = checkpoints::list(read, &self.owner, &JobId::new(&self.row.id)).await?;
        let folder = self.run_dir.join("checkpoints");
        let steps = listed.iter().map(|row| from_sql(row.step));
        Ok(steps
            .filter(|step| !folder.join(format!("step-{step}")).exists())
            .collect())
    }

    /// Records what was removed unrecorded.
    async fn forget_removed(&self) -> Result<(), Error> {
        let lost = self.lost_checkpoints().await?;
        if lost.is_empty() {
            return Ok(());
        }
        let mut transaction = self.service.inner.store.begin().await?;
        if leases::hold(&mut transaction, &self.fence, self.service.now()).await? {
            for step in lost {
                let seq = jobs::take_seq(&mut transaction, &self.row.id, 1).await?;
                checkpoints::remove(&mut transaction, &self.row.id, seq, step).await?;
            }
            transaction.commit().await?;
            self.service.inner.jobs_changed.changed(&self.row.id);
        }
        Ok(())
    }

    /// The same for a cancelled job, whose record is closed.
    async fn forget_removed_silently(&self) -> Result<(), Error> {
        let lost = self.lost_checkpoints().await?;
        if lost.is_empty() || !self.handle.cancelled.is_cancelled() {
            return Ok(());
        }
        let mut transaction = self.service.inner.store.begin().await?;
        for step in lost {
            checkpoints::remove_silently(&mut transaction, &self.row.id, step).await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Adds an event, unless the attempt may not write any more.
    async fn tell(&self, level: Level, message: &str) -> Result<(), Error> {
        self.persist(|| self.try_to_tell(level, message)).await
    }

    async fn try_to_tell(&self, level: Level, message: &str) -> Result<(), Error> {
        let now = self.service.now();
        let mut transaction = self.service.inner.store.begin().await?;
        if leases::hold(&mut transaction, &self.fence, now).await? {
            jobs::add_event(&mut transaction, &self.row.id, &self.owner, now, level, message).await?;
            transaction.commit().await?;
            self.service.inner.jobs_changed.changed(&self.row.id);
        }
        Ok(())
    }
}

/// The step of the newest whole checkpoint on disk: a checkpoint has its name only once it is whole.
pub(crate) fn newest_checkpoint(run_dir: &Path) -> Option<u64> {
    let entries = std::fs::read_dir(run_dir.join("checkpoints")).ok()?;
    entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.strip_prefix("step-")?.parse().ok())
        .max()
}
