//! One trainer at work: its events into the store, commands to it, and what its end means.

use super::{
    ingest::{Ingest, Recorded},
    run::{Supervised, describe},
};
use crate::{
    error::Error,
    executor::{Control, Exit, Launch, Trainer},
};
use shared::{
    job::JobFailure,
    run::{RunCommand, RunEvent, exit_code},
};
use std::{path::Path, time::Duration};
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep_until};

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
    },
    /// It won't work, however often it is tried.
    Failed(JobFailure),
    /// It may work when tried again; what happened, in words.
    Died(String),
    /// The run's lock was taken.
    Locked,
    /// The service goes down.
    Stopped,
    /// The job was cancelled, or another server has it.
    Fenced,
}

/// Minds a trainer until it has ended.
pub(crate) async fn mind(
    job: &mut Supervised<'_>,
    mut trainer: Trainer,
    launch: &Launch,
) -> Result<End, Error> {
    let interval = job.service.inner.config.checkpoint_interval;
    let mut checkpoint_due = interval_at(Instant::now() + interval, interval);
    checkpoint_due.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut ingest = Ingest::new(job);
    let mut last_words = None;
    let mut batch = Vec::new();
    let mut committed = Instant::now() - COMMIT_INTERVAL;
    let mut asked_to_leave: Option<Instant> = None;
    // A trainer that is gone already doesn't hear it; its exit says more than the failure to tell it.
    let control = trainer.control.clone();
    let tell = move |order| {
        let _ = control.send(order);
    };
    loop {
        let deadline = asked_to_leave.unwrap_or_else(|| Instant::now() + interval);
        tokio::select! {
            biased;
            () = job.handle.cancelled.cancelled() => {
                tell(Control::Kill);
                let _ = (&mut trainer.exit).await;
                return Ok(End::Fenced);
            }
            () = job.service.inner.stopping.cancelled(), if asked_to_leave.is_none() => {
                tell(Control::Command(RunCommand::Pause));
                asked_to_leave = Some(Instant::now() + job.service.inner.config.shutdown_grace);
            }
            () = sleep_until(deadline), if asked_to_leave.is_some() => {
                tracing::warn!(job = %job.row.id, "the trainer did not leave in time and is killed");
                tell(Control::Kill);
                asked_to_leave = Some(Instant::now() + job.service.inner.config.shutdown_grace);
            }
            _ = checkpoint_due.tick(), if asked_to_leave.is_none() => tell(Control::Command(RunCommand::Checkpoint)),
            count = trainer.events.recv_many(&mut batch, BATCH) => {
                if count == 0 {
                    break;
                }
                sleep_until(committed + COMMIT_INTERVAL).await;
                while batch.len() < BATCH && let Ok(event) = trainer.events.try_recv() {
                    batch.push(event);
                }
                match ingest.record(job, &batch).await? {
                    Recorded::Stored => {}
                    Recorded::Fenced => {
                        tell(Control::Kill);
                        let _ = (&mut trainer.exit).await;
                        return Ok(End::Fenced);
                    }
                }
                committed = Instant::now();
                last_words = batch.drain(..).rfind(is_last_word).or(last_words);
            }
        }
    }
    let exit = tokio::select! {
        exit = &mut trainer.exit => exit.unwrap_or(Exit::Unknown),
        // It has closed its output but stays: nothing more can be learned from it.
        () = sleep_until(Instant::now() + job.service.inner.config.shutdown_grace) => {
            tell(Control::Kill);
            (&mut trainer.exit).await.unwrap_or(Exit::Unknown)
        }
    };
    let stopping = asked_to_leave.is_some();
    Ok(judge(exit, last_words, stopping, &launch.log))
}

const fn is_last_word(event: &RunEvent) -> bool {
    matches!(
        event,
        RunEvent::Done { .. } | RunEvent::Paused { .. } | RunEvent::Failed { .. }
    )
}

/// What a trainer's exit and its last words mean together.
fn judge(exit: Exit, last_words: Option<RunEvent>, stopping: bool, log: &Path) -> End {
    const DONE: i32 = exit_code::DONE as i32;
    const REFUSED: i32 = exit_code::REFUSED as i32;
    const DIVERGED: i32 = exit_code::DIVERGED as i32;
    const STORAGE: i32 = exit_code::STORAGE as i32;
    const LOCKED: i32 = exit_code::LOCKED as i32;
    match (exit, last_words) {
        (Exit::Code(DONE), Some(RunEvent::Done { trained_tokens, .. })) => End::Done { trained_tokens },
        (Exit::Code(REFUSED | DIVERGED | STORAGE), Some(RunEvent::Failed { code, message, .. })) => {
            let param = code
                .starts_with("invalid_")
                .then(|| code.trim_start_matches("invalid_").to_owned());
            let param = param.filter(|param| param.ends_with("_file") || param == "model");
            End::Failed(JobFailure { code, message, param })
        }
        (Exit::Code(code @ (REFUSED | DIVERGED | STORAGE)), _) => {
            let name = match code {
                REFUSED => "run_refused",
                DIVERGED => "diverged",
                _ => "storage",
            };
            let said = last_lines(log).unwrap_or_else(|| "it left no message".to_owned());
            let message = format!("the trainer gave up: {said}");
            End::Failed(JobFailure {
                code: name.to_owned(),
                message,
                param: None,
            })
        }
        _ if stopping => End::Stopped,
        (Exit::Code(LOCKED), _) => End::Locked,
        (exit, _) => match last_lines(log) {
            Some(said) => End::Died(format!("{}; it last said: {said}", describe(exit))),
            None => End::Died(describe(exit)),
        },
    }
}

/// The last lines of a log, short enough for a message.
fn last_lines(log: &Path) -> Option<String> {
    use std::io::{Read as _, Seek as _, SeekFrom};
    const TAIL: u64 = 2048;
    const LINES: usize = 3;
    let mut file = std::fs::File::open(log).ok()?;
    let length = file.metadata().ok()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL))).ok()?;
    let mut tail = Vec::new();
    file.read_to_end(&mut tail).ok()?;
    let tail = String::from_utf8_lossy(&tail);
    let lines: Vec<_> = tail
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    let last = lines.get(lines.len().saturating_sub(LINES)..)?;
    (!last.is_empty()).then(|| last.join(" / "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_keeps_the_trainers_own_code_and_names_the_file_at_fault() {
        let said = RunEvent::Failed {
            step: 0,
            code: "invalid_training_file".to_owned(),
            message: "line 3".to_owned(),
        };
        let End::Failed(failure) = judge(Exit::Code(2), Some(said), false, Path::new("/nowhere")) else {
            panic!("not a failure")
        };
        assert_eq!(
            (failure.code.as_str(), failure.param.as_deref()),
            ("invalid_training_file", Some("training_file"))
        );
    }

    #[test]
    fn an_exit_without_done_is_a_death_with_the_last_words_of_the_log() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        std::fs::write(&log, "one\ntwo\nthree\n\nfour\n").unwrap();
        let End::Died(how) = judge(Exit::Code(0), None, false, &log) else {
            panic!("not a death")
        };
        assert!(how.ends_with("it last said: two / three / four"), "{how}");
    }

    #[test]
    fn leaving_when_the_service_goes_down_is_no_death() {
        assert!(matches!(
            judge(Exit::Code(10), None, true, Path::new("/nowhere")),
            End::Stopped
        ));
        assert!(matches!(
            judge(Exit::Code(10), None, false, Path::new("/nowhere")),
            End::Died(_)
        ));
    }
}
