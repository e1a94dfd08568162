//! How far a job is, and its turn in the queue.

use super::status_label;
use crate::text::format;
use shared::{
    job::{Job, Progress},
    queue::Priority,
    run::Stage,
    status::JobStatus,
};

words! {
    /// Section.
    progress = "Progress";
    /// Which of somebody's waiting jobs go first.
    priority = "Priority";
    /// Button: before all of them.
    run_first = "Run first";
    /// Button: one place.
    run_earlier = "Run earlier";
    /// Button: one place.
    run_later = "Run later";
    /// Title: what the job is doing.
    waiting_next = "Waiting for a trainer · next in line";
    /// Title: what the job is doing.
    pausing_saving = "Pausing · saving a checkpoint";
    /// Title: what the job is doing.
    stopping_saving = "Stopping · saving what is trained";
    /// Title: what the job is doing.
    reading_files = "Reading the training files";
    /// Title: what the job has done.
    all_done = "Finished";
    /// In a line about the job.
    waits = "waiting for a trainer";
    /// In a line about the job.
    reads = "reading its files";
    /// In a line about the job.
    pauses = "pausing";
}

/// What a job is doing, as the title of its progress.
#[must_use]
pub fn progress_title(job: &Job) -> String {
    let label = status_label(job.status);
    match (job.status, &job.progress) {
        (JobStatus::Queued, _) => match job.queue_position {
            Some(0) | None => waiting_next().to_owned(),
            Some(ahead) => waiting_at(ahead + 1),
        },
        (JobStatus::Pausing, _) => pausing_saving().to_owned(),
        (JobStatus::Running, _) if job.stopped => stopping_saving().to_owned(),
        (JobStatus::Succeeded, Some(progress)) if job.stopped => stopped_early(progress),
        (JobStatus::Paused | JobStatus::Failed | JobStatus::Cancelled, Some(progress))
            if progress.total_steps > 0 =>
        {
            format!("{label} · {}", in_step(progress))
        }
        (JobStatus::Paused | JobStatus::Failed | JobStatus::Cancelled, _) => label.to_owned(),
        (JobStatus::ValidatingFiles, _) => reading_files().to_owned(),
        (JobStatus::Succeeded, _) => all_done().to_owned(),
        (_, Some(progress)) => {
            let stage = stage_label(progress.stage);
            if progress.stage == Stage::Training && progress.total_steps > 0 {
                // An upstream may tell steps without epochs.
                let epoch = job.epochs.map(|epochs| epoch_of(progress.epoch, epochs));
                let told = [Some(stage.to_owned()), epoch, Some(in_step(progress))];
                told.into_iter().flatten().collect::<Vec<_>>().join(" · ")
            } else {
                stage.to_owned()
            }
        }
        (_, None) => label.to_owned(),
    }
}

/// A place in the queue that isn't the first, from 1.
#[must_use]
pub fn waiting_at(place: u32) -> String {
    german!(waiting_at(place));
    format!("Waiting for a trainer · {} in the queue", ordinal(place))
}

/// `1st`, `2nd`, `3rd`, `11th`.
fn ordinal(number: u32) -> String {
    let ending = match (number % 10, number % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{number}{ending}")
}

/// Where a job was told to stop and keep what it had.
#[must_use]
pub fn stopped_early(progress: &Progress) -> String {
    german!(stopped_early(progress));
    format!("Stopped early · {}", in_step(progress))
}

/// `epoch 2.1 of 3`.
#[must_use]
pub fn epoch_of(epoch: f64, epochs: u32) -> String {
    german!(epoch_of(epoch, epochs));
    format!("epoch {} of {epochs}", format::epochs(epoch))
}

/// `step 342 of 500`.
#[must_use]
pub fn in_step(progress: &Progress) -> String {
    german!(in_step(progress));
    format!("step {}", step_of(progress))
}

/// `342 of 500`.
#[must_use]
pub fn step_of(progress: &Progress) -> String {
    german!(step_of(progress));
    format!(
        "{} of {}",
        format::count(progress.step),
        format::count(progress.total_steps)
    )
}

/// Time left.
#[must_use]
pub fn time_left(milliseconds: u64) -> String {
    german!(time_left(milliseconds));
    format!("{} left", format::duration(milliseconds))
}

/// When a job's turn is likely to come.
#[must_use]
pub fn starts_in(milliseconds: u64) -> String {
    german!(starts_in(milliseconds));
    format!("likely to start in {}", format::duration(milliseconds))
}

/// A priority.
#[must_use]
pub fn priority_label(priority: Priority) -> &'static str {
    german!(priority_label(priority));
    match priority {
        Priority::Low => "Low",
        Priority::Normal => "Normal",
        Priority::High => "High",
    }
}

/// The label of a stage.
#[must_use]
pub fn stage_label(stage: Stage) -> &'static str {
    german!(stage_label(stage));
    match stage {
        Stage::Preparing => "Preparing",
        Stage::Loading => "Loading",
        Stage::Training => "Training",
        Stage::Saving => "Saving",
    }
}

/// A stage in a line about the job.
#[must_use]
pub fn stage_in_line(stage: Stage) -> String {
    german!(stage_in_line(stage));
    stage_label(stage).to_ascii_lowercase()
}

/// One line about a running job.
#[must_use]
pub fn running_line(job: &Job) -> String {
    let mut parts = vec![job.base_model.clone()];
    match (&job.progress, job.status) {
        (_, JobStatus::Queued) => parts.push(waits().to_owned()),
        (_, JobStatus::ValidatingFiles) => parts.push(reads().to_owned()),
        (_, JobStatus::Pausing) => parts.push(pauses().to_owned()),
        (Some(progress), _) if progress.total_steps > 0 && progress.stage == Stage::Training => {
            parts.push(in_step(progress));
            parts.extend(progress.remaining_ms.map(time_left));
        }
        (Some(progress), _) => parts.push(stage_in_line(progress.stage)),
        (None, _) => {}
    }
    parts.join(" · ")
}

#[cfg(test)]
mod tests {
    use super::{ordinal, progress_title};

    #[test]
    fn places_in_the_queue_are_told_as_people_say_them() {
        let told: Vec<_> = [1, 2, 3, 4, 11, 12, 13, 21, 102, 111].map(ordinal).into();
        assert_eq!(
            told,
            [
                "1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "102nd", "111th"
            ]
        );
    }

    #[test]
    fn a_job_that_ended_badly_no_longer_says_what_it_was_doing() {
        let title = |status: &str, stage: &str, total_steps: u64| {
            let json = format!(
                r#"{{"id":"a","name":"n","base_model":"m","status":"{status}","created_at":"2026-11-21T12:00:00Z",
                "progress":{{"stage":"{stage}","step":0,"total_steps":{total_steps},"epoch":0}}}}"#
            );
            progress_title(&serde_json::from_str(&json).expect("this is a job"))
        };
        assert_eq!(title("running", "preparing", 0), "Preparing");
        assert_eq!(title("failed", "preparing", 0), "Failed");
        assert_eq!(title("cancelled", "saving", 0), "Cancelled");
        assert_eq!(title("failed", "training", 40), "Failed · step 0 of 40");
        assert_eq!(title("paused", "training", 40), "Paused · step 0 of 40");
    }
}
