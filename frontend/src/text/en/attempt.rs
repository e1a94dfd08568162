//! What can be asked of a job, and what to do when it went wrong.

use super::checkpoint_name;
use crate::{api::jobs::Action, text::format};
use shared::{
    attempt::FailureCause,
    job::{Job, JobFailure},
};

words! {
    /// Button.
    pause = "Pause";
    /// Button.
    resume = "Resume";
    /// Button.
    stop_and_keep = "Stop and keep";
    /// Confirms.
    yes_stop_job = "Yes, stop and keep";
    /// Body of the dialog.
    stop_job_body = "Training ends after this step. What is trained so far becomes the adapter, and the job is completed.";
    /// Button of a failure.
    retry_with_change = "Retry with this change";
    /// Of a failure.
    trainer_log = "Last lines of the trainer's log";
    /// What to do about a failure.
    memory_advice = "Give the trainer more memory, or shorten the examples.";
    /// What to do about a failure.
    diverged_advice = "Lower the learning rate, or look for broken examples.";
    /// What to do about a failure where a lower learning rate was proposed, after that.
    still_diverges = "If that doesn't help, look for broken examples.";
    /// What to do about a failure.
    disk_full_advice = "Free some space, for example by deleting old jobs, then try again.";
    /// What to do about a failure.
    storage_advice = "Look at the data folder's disk, then try again.";
    /// What to do about a failure.
    bad_data_advice = "Correct the file, upload it again, and start a new job with it.";
    /// What to do about a failure.
    signal_advice = "Something outside ended the trainer. Trying again may be enough.";
    /// What to do about a failure.
    unresponsive_advice = "The trainer hung. Trying again may be enough.";
    /// What to do about a failure.
    unusable_advice = "The model or the settings need another choice: duplicate the job and change them.";
    /// What to do about a failure.
    bug_advice = "This is a defect of Attune. Please report it together with the trainer's log.";
    /// Timeline.
    retry_of = "Retry of";
}

/// Told after something was asked of a job.
#[must_use]
pub fn action_asked(action: Action) -> &'static str {
    german!(action_asked(action));
    match action {
        Action::Cancel => "The job is being cancelled.",
        Action::Pause => "The job pauses as soon as it is saved.",
        Action::Resume => "The job is in the queue and goes on where it was.",
        Action::Stop => "The job stops and keeps what is trained.",
    }
}

/// Title of the dialog.
#[must_use]
pub fn stop_job_title(name: &str) -> String {
    german!(stop_job_title(name));
    format!("Stop {name} and keep what is trained?")
}

/// What to do about a failure.
#[must_use]
pub fn failure_advice(job: &Job, failure: &JobFailure) -> String {
    let advice = short_advice(job, failure);
    match proposed_rate(failure) {
        Some(_) => format!("{advice} {}", still_diverges()),
        None => advice,
    }
}

/// The lower learning rate for a job that diverged.
fn proposed_rate(failure: &JobFailure) -> Option<f64> {
    let diverged = failure.cause == Some(FailureCause::Diverged);
    failure.change.as_ref().filter(|_| diverged)?.learning_rate
}

/// What to do about a failure, without what may be tried after that.
#[must_use]
pub fn short_advice(job: &Job, failure: &JobFailure) -> String {
    let Some(cause) = failure.cause else {
        return String::new();
    };
    let change = failure.change.clone().unwrap_or_default();
    let advice = match cause {
        FailureCause::OutOfMemory => {
            let before = job.hyperparameters.as_ref().and_then(|chosen| chosen.batch_size);
            match (before, change.batch_size) {
                (Some(before), Some(after)) => return smaller_batch(before, after),
                _ => memory_advice(),
            }
        }
        FailureCause::Diverged => match proposed_rate(failure) {
            Some(rate) => return lower_rate(rate),
            None => diverged_advice(),
        },
        FailureCause::DiskFull => disk_full_advice(),
        FailureCause::Storage => storage_advice(),
        FailureCause::BadData => bad_data_advice(),
        FailureCause::Signal => signal_advice(),
        FailureCause::Unresponsive => unresponsive_advice(),
        FailureCause::Unusable => unusable_advice(),
        FailureCause::Bug => bug_advice(),
    };
    match change.from_step {
        Some(step) => format!("{advice} {}", goes_on_from(step)),
        None => advice.to_owned(),
    }
}

/// A retry with less to hold in memory.
#[must_use]
pub fn smaller_batch(before: u32, after: u32) -> String {
    german!(smaller_batch(before, after));
    format!("A smaller batch needs less memory: {after} examples a step instead of {before}.")
}

/// A retry with smaller steps.
#[must_use]
pub fn lower_rate(rate: f64) -> String {
    german!(lower_rate(rate));
    format!(
        "A lower learning rate is steadier: {}.",
        format::learning_rate(rate)
    )
}

/// A retry that needn't begin anew.
#[must_use]
pub fn goes_on_from(step: u64) -> String {
    german!(goes_on_from(step));
    format!(
        "A retry goes on from the checkpoint of step {}.",
        format::count(step)
    )
}

/// Names what a job is a retry of.
#[must_use]
pub fn parent_name(id: &str, step: Option<u64>) -> String {
    german!(parent_name(id, step));
    match step {
        Some(step) => format!("{id}, from step {}", format::count(step)),
        None => id.to_owned(),
    }
}

/// Button of a checkpoint.
#[must_use]
pub fn retry_from(step: u64) -> String {
    german!(retry_from(step));
    format!("Retry from {}", checkpoint_name(step))
}

/// A trainer that wasn't the first, and where it went on.
#[must_use]
pub fn attempt_from(attempt: u32, from_step: Option<u64>) -> String {
    german!(attempt_from(attempt, from_step));
    match from_step {
        Some(step) => format!("Attempt {attempt}, from step {}", format::count(step)),
        None => format!("Attempt {attempt}"),
    }
}

/// Which checkpoints stay, and what they take.
#[must_use]
pub fn retention(keep_last: Option<u32>, bytes: Option<u64>) -> String {
    german!(retention(keep_last, bytes));
    let Some(bytes) = bytes else {
        return String::new();
    };
    let bytes = format::bytes(bytes);
    match keep_last {
        Some(newest) => {
            format!(
                "The newest {newest} and the one with the lowest validation loss are kept: {bytes} in all."
            )
        }
        None => format!("All are kept: {bytes} in all."),
    }
}

/// Where training was taken up again, for those who don't see the marks.
#[must_use]
pub fn resumed_at(steps: &[u64]) -> String {
    if steps.is_empty() {
        return String::new();
    }
    let steps: Vec<String> = steps.iter().map(|step| format::count(*step)).collect();
    taken_up_at(&steps.join(", "))
}

/// The steps at which training was taken up again.
#[must_use]
pub fn taken_up_at(steps: &str) -> String {
    german!(taken_up_at(steps));
    format!(" Training was taken up again at step {steps}.")
}
