//! What can be asked of a job, and what to do when it went wrong.

use super::{super::format, checkpoint_name, words};
use crate::api::jobs::Action;
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
    /// Timeline.
    retry_of = "Retry of";
}

/// Told after something was asked of a job.
#[must_use]
pub const fn action_asked(action: Action) -> &'static str {
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
    format!("Stop {name} and keep what is trained?")
}

/// What to do about a failure.
#[must_use]
pub fn failure_advice(job: &Job, failure: &JobFailure) -> String {
    let Some(cause) = failure.cause else {
        return String::new();
    };
    let change = failure.change.clone().unwrap_or_default();
    let advice = match cause {
        FailureCause::OutOfMemory => {
            let before = job.hyperparameters.as_ref().and_then(|chosen| chosen.batch_size);
            match (before, change.batch_size) {
                (Some(before), Some(after)) => {
                    return format!(
                        "A smaller batch needs less memory: {after} examples a step instead of {before}."
                    );
                }
                _ => "Give the trainer more memory, or shorten the examples.",
            }
        }
        FailureCause::Diverged => match change.learning_rate {
            Some(rate) => {
                return format!(
                    "A lower learning rate is steadier: {}. If that doesn't help, look for broken examples.",
                    format::learning_rate(rate)
                );
            }
            None => "Lower the learning rate, or look for broken examples.",
        },
        FailureCause::DiskFull => "Free some space, for example by deleting old jobs, then try again.",
        FailureCause::Storage => "Look at the data folder's disk, then try again.",
        FailureCause::BadData => "Correct the file, upload it again, and start a new job with it.",
        FailureCause::Signal => "Something outside ended the trainer. Trying again may be enough.",
        FailureCause::Unresponsive => "The trainer hung. Trying again may be enough.",
        FailureCause::Unusable => {
            "The model or the settings need another choice: duplicate the job and change them."
        }
        FailureCause::Bug => "This is a defect of Attune. Please report it together with the log below.",
    };
    let mut advice = advice.to_owned();
    if let Some(step) = change.from_step {
        advice.push_str(&format!(
            " A retry goes on from the checkpoint of step {}.",
            format::count(step)
        ));
    }
    advice
}

/// Names what a job is a retry of.
#[must_use]
pub fn parent_name(id: &str, step: Option<u64>) -> String {
    match step {
        Some(step) => format!("{id}, from step {}", format::count(step)),
        None => id.to_owned(),
    }
}

/// Button of a checkpoint.
#[must_use]
pub fn retry_from(step: u64) -> String {
    format!("Retry from {}", checkpoint_name(step))
}

/// Which checkpoints stay, and what they take.
#[must_use]
pub fn retention(keep_last: Option<u32>, bytes: Option<u64>) -> String {
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
    format!(" Training was taken up again at step {}.", steps.join(", "))
}
