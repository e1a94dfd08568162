//! What somebody can do with a job that exists, and in which states: the table of docs/RUNS.md in code.
//!
//! Each action is one transaction that reads the job and moves it only from where it read it. What a trainer has to
//! do about it is asked after the commit; the wish itself is in the row, so neither a lost wake-up nor a lost server
//! loses it.

use super::Service;
use crate::{
    error::Error,
    store::{
        attempts::{self, Ended},
        files,
        jobs::{self, JobRow},
        queue,
    },
};
use shared::{
    attempt::AttemptOutcome,
    event::Level,
    id::{JobId, Subject},
    job::Job,
    run::RunCommand,
    status::JobStatus,
    timestamp::Timestamp,
};
use sqlx::{Sqlite, Transaction};

/// What can be done with a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum JobAction {
    Pause,
    Resume,
    Stop,
    Cancel,
    Retry,
    Delete,
    Prioritise,
    Move,
}

impl JobAction {
    /// The code of a refusal.
    const fn code(self) -> &'static str {
        match self {
            Self::Pause => "job_not_pausable",
            Self::Resume => "job_not_resumable",
            Self::Stop => "job_not_stoppable",
            Self::Cancel => "job_not_cancellable",
            Self::Retry => "job_not_retryable",
            Self::Delete => "job_active",
            Self::Prioritise | Self::Move => "job_not_waiting",
        }
    }
}

/// Why a job can't be treated so in this state; nothing where it can.
pub(crate) fn refusal(action: JobAction, job: &JobRow) -> Option<String> {
    use JobAction::{Cancel, Delete, Move, Pause, Prioritise, Resume, Retry, Stop};
    use JobStatus::{Cancelled, Failed, Paused, Pausing, Queued, Running, Succeeded, ValidatingFiles};
    let status = job.status();
    let stopping = !status.is_terminal() && job.wish() == Some(RunCommand::Stop);
    let ended = || format!("the job is `{}` already", status.as_str());
    let reason = match (action, status) {
        (Pause | Resume | Stop | Cancel | Prioritise | Move, Succeeded | Failed | Cancelled) => ended(),
        (Pause | Resume | Stop, _) if stopping => {
            "the job is being stopped: its result is on the way".to_owned()
        }
        (Pause, ValidatingFiles | Queued | Running) => return None,
        (Pause, Pausing | Paused) => ended(),
        (Resume, Paused) => return None,
        (Resume, Pausing) => "the job is still pausing: resume it once it is paused".to_owned(),
        (Resume, ValidatingFiles | Queued | Running) => {
            format!("the job is `{}`: only a paused one is resumed", status.as_str())
        }
        (Stop, Pausing) => "the job is pausing: stop it once it is paused".to_owned(),
        (Stop, Queued | Running | Paused) if job.step > 0 => return None,
        (Stop, ValidatingFiles | Queued | Running | Paused) => {
            "nothing is trained yet that could be kept: cancel the job instead".to_owned()
        }
        (Cancel, ValidatingFiles | Queued | Running | Pausing | Paused) => return None,
        (Retry, _) if job.imported_from.is_some() => {
            "the job was trained elsewhere: duplicate it and choose a base model".to_owned()
        }
        (Retry, Paused | Succeeded | Failed | Cancelled) => return None,
        (Retry, ValidatingFiles | Queued | Running | Pausing) => format!(
            "the job is `{}`: pause or cancel it before you try it again",
            status.as_str()
        ),
        (Delete, Paused | Succeeded | Failed | Cancelled) => return None,
        (Delete, ValidatingFiles | Queued | Running | Pausing) => {
            format!("the job is `{}`: cancel it before you delete it", status.as_str())
        }
        (Prioritise, ValidatingFiles | Queued | Paused) => return None,
        (Move, Queued) if job.interrupted => {
            "a server was interrupted at the job: it goes on before all that waits".to_owned()
        }
        (Move, Queued) => return None,
        (Prioritise | Move, Running | Pausing) => {
            format!("the job is `{}`: it has had its turn", status.as_str())
        }
        (Move, ValidatingFiles | Paused) => {
            format!(
                "the job is `{}`: it has no place in the queue yet",
                status.as_str()
            )
        }
    };
    Some(reason)
}

/// The job as the transaction sees it, if the action is allowed on it.
pub(super) async fn admit(
    transaction: &mut Transaction<'static, Sqlite>,
    subject: &Subject,
    id: &JobId,
    action: JobAction,
) -> Result<JobRow, Error> {
    let row = jobs::find(&mut **transaction, subject, id)
        .await?
        .ok_or(Error::NotFound("job"))?;
    match refusal(action, &row) {
        None => Ok(row),
        Some(reason) => Err(Error::conflict(action.code(), reason)),
    }
}

/// The job as the transaction leaves it: the answer tells what the action made of it, not what the queue makes of it right
/// after.
async fn left(
    transaction: &mut Transaction<'static, Sqlite>,
    subject: &Subject,
    id: &JobId,
) -> Result<Job, Error> {
    let row = jobs::find(&mut **transaction, subject, id)
        .await?
        .ok_or(Error::NotFound("job"))?;
    let place = match row.status() {
        JobStatus::Queued => queue::position(&mut **transaction, id.as_str()).await?,
        _ => None,
    };
    Ok(row.to_job(place))
}

/// Inside a transaction that has the database to itself nothing moves, so this tells of a defect.
fn moved(action: JobAction, done: bool) -> Result<(), Error> {
    if done {
        return Ok(());
    }
    Err(Error::conflict(
        action.code(),
        "the job has just moved on: look at it again",
    ))
}

/// Pauses a job within a transaction; once that is committed, whoever minds the job is to be told. A refusal changes
/// nothing.
pub(crate) async fn pause_within(
    transaction: &mut Transaction<'static, Sqlite>,
    subject: &Subject,
    id: &JobId,
    now: Timestamp,
) -> Result<(), Error> {
    let row = admit(transaction, subject, id, JobAction::Pause).await?;
    let (done, message) = match row.status() {
        JobStatus::Running => (
            jobs::ask(transaction, subject, id, RunCommand::Pause, now).await?,
            "Pausing: the trainer is asked to save a checkpoint",
        ),
        status => (
            jobs::change_status(transaction, subject, id, status, JobStatus::Paused, now).await?,
            "The job was paused before a trainer took it",
        ),
    };
    moved(JobAction::Pause, done)?;
    jobs::add_event(transaction, id.as_str(), subject, now, Level::Info, message).await?;
    Ok(())
}

impl Service {
    /// Pauses a job. One that nobody works on is paused at once. The trainer of a running one is asked to save; the job
    /// is `pausing` until the checkpoint is recorded, and goes on where it can't be written.
    ///
    /// # Errors
    /// [`Error::Conflict`] with `job_not_pausable`.
    pub async fn pause_job(&self, subject: &Subject, id: &JobId) -> Result<Job, Error> {
        let mut transaction = self.inner.store.begin().await?;
        pause_within(&mut transaction, subject, id, self.now()).await?;
        transaction.commit().await?;
        self.inner.running.nudge(id.as_str());
        self.job_has_changed(id).await;
        self.find_job(subject, id).await
    }

    /// Puts a paused job back into the queue; its next attempt goes on from the newest checkpoint.
    ///
    /// # Errors
    /// [`Error::Conflict`] with `job_not_resumable`.
    pub async fn resume_job(&self, subject: &Subject, id: &JobId) -> Result<Job, Error> {
        let now = self.now();
        let mut transaction = self.inner.store.begin().await?;
        let row = admit(&mut transaction, subject, id, JobAction::Resume).await?;
        let validated = row.queued_at.is_some();
        let done = if validated {
            jobs::requeue_paused(&mut transaction, subject, id, None, now).await?
        } else {
            let to = JobStatus::ValidatingFiles;
            jobs::change_status(&mut transaction, subject, id, JobStatus::Paused, to, now).await?
        };
        moved(JobAction::Resume, done)?;
        let message = "The job was resumed";
        jobs::add_event(&mut transaction, id.as_str(), subject, now, Level::Info, message).await?;
        let job = left(&mut transaction, subject, id).await?;
        transaction.commit().await?;
        if !validated {
            self.start_job_validation(subject.clone(), id.clone());
        }
        self.job_has_changed(id).await;
        self.inner.work.notify_one();
        Ok(job)
    }

    /// Ends a job early: what is trained so far becomes its result, and the job succeeds.
    ///
    /// # Errors
    /// [`Error::Conflict`] with `job_not_stoppable`.
    pub async fn stop_job(&self, subject: &Subject, id: &JobId) -> Result<Job, Error> {
        let now = self.now();
        let mut transaction = self.inner.store.begin().await?;
        let row = admit(&mut transaction, subject, id, JobAction::Stop).await?;
        let done = match row.status() {
            JobStatus::Running => jobs::ask(&mut transaction, subject, id, RunCommand::Stop, now).await?,
            JobStatus::Paused => {
                jobs::requeue_paused(&mut transaction, subject, id, Some(RunCommand::Stop), now).await?
            }
            _ => jobs::ask_queued_to_stop(&mut transaction, subject, id).await?,
        };
        moved(JobAction::Stop, done)?;
        let message = "Stopping: what is trained so far becomes the result";
        jobs::add_event(&mut transaction, id.as_str(), subject, now, Level::Info, message).await?;
        let job = left(&mut transaction, subject, id).await?;
        transaction.commit().await?;
        self.inner.running.nudge(id.as_str());
        self.job_has_changed(id).await;
        self.inner.work.notify_one();
        Ok(job)
    }

    /// Cancels a job: at once, whatever it was doing. A trainer at work on it is killed; what it reports after
    /// this is refused.
    ///
    /// # Errors
    /// [`Error::Conflict`] with `job_not_cancellable` where the job has ended already.
    pub async fn cancel_job(&self, subject: &Subject, id: &JobId) -> Result<Job, Error> {
        let now = self.now();
        let mut transaction = self.inner.store.begin().await?;
        let row = admit(&mut transaction, subject, id, JobAction::Cancel).await?;
        let to = JobStatus::Cancelled;
        let done = jobs::change_status(&mut transaction, subject, id, row.status(), to, now).await?;
        moved(JobAction::Cancel, done)?;
        let ended = Ended::well(AttemptOutcome::Cancelled);
        attempts::end(&mut transaction, id.as_str(), now, ended).await?;
        let message = "The job was cancelled";
        jobs::add_event(&mut transaction, id.as_str(), subject, now, Level::Info, message).await?;
        transaction.commit().await?;
        self.inner.running.cancel(id.as_str());
        self.job_has_changed(id).await;
        self.find_job(subject, id).await
    }

    /// Deletes a job with its record, checkpoints and artifact.
    ///
    /// # Errors
    /// [`Error::Conflict`] with `job_active` where it hasn't ended: cancel it first.
    pub async fn delete_job(&self, subject: &Subject, id: &JobId) -> Result<(), Error> {
        let now = self.now();
        let mut transaction = self.inner.store.begin().await?;
        let row = admit(&mut transaction, subject, id, JobAction::Delete).await?;
        moved(
            JobAction::Delete,
            jobs::delete(&mut transaction, subject, id).await?,
        )?;
        if let Some(result_file) = &row.result_file {
            files::delete(&mut transaction, subject, result_file, now).await?;
        }
        transaction.commit().await?;
        self.inner.jobs_changed.changed(id.as_str());
        let service = self.clone();
        let id = id.clone();
        self.inner
            .tasks
            .spawn(async move { service.remove_run(id.as_str(), row.result_file.as_deref()).await });
        Ok(())
    }

    /// Removes what a deleted job left on disk, once its trainer has left.
    pub(crate) async fn remove_run(&self, id: &str, result_file: Option<&str>) {
        self.inner.running.ended(id).await;
        let run_dir = self.inner.layout.run(id);
        if let Err(error) = tokio::fs::remove_dir_all(&run_dir).await
            && error.kind() != std::io::ErrorKind::NotFound
        {
            tracing::warn!(%error, path = %run_dir.display(), "a run directory could not be removed");
        }
        if let Some(result_file) = result_file
            && let Err(error) = self.inner.blobs.delete(result_file).await
        {
            tracing::warn!(%error, "a result file could not be removed");
        }
    }
}
