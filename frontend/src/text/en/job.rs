//! The job page.

use super::{super::format, words};
use shared::{
    job::{Job, Progress},
    metrics::Series,
    queue::Priority,
    run::{Schedule, Stage},
    status::JobStatus,
};

words! {
    /// Section.
    progress = "Progress";
    /// Section.
    training_metrics = "Training metrics";
    /// Section.
    checkpoints = "Checkpoints";
    /// Section.
    hyperparameters = "Hyperparameters";
    /// Section.
    events = "Events";
    /// The big chart.
    loss = "Loss";
    /// Which of somebody's waiting jobs go first.
    priority = "Priority";
    /// Button: before all of them.
    run_first = "Run first";
    /// Button: one place.
    run_earlier = "Run earlier";
    /// Button: one place.
    run_later = "Run later";
    /// Button.
    download_adapter = "Download adapter";
    /// Button.
    cancel_job = "Cancel job";
    /// Confirms.
    yes_cancel_job = "Yes, cancel job";
    /// Declines.
    keep_training = "Keep training";
    /// Body of the dialog.
    cancel_job_body = "Training stops. Its checkpoints stay until the job is deleted, but no adapter is made.";
    /// Button.
    duplicate = "Duplicate";
    /// Button.
    refresh = "Refresh";
    /// Switch.
    live = "Live";
    /// The stream was cut.
    reconnecting = "Reconnecting…";
    /// Legend.
    train = "train";
    /// Legend.
    validation = "validation";
    /// Under the pointer.
    smoothed = "smoothed";
    /// Names the chart.
    loss_by_step = "Loss by step";
    /// Chart.
    reset_zoom = "Whole run";
    /// Chart, before the first step.
    no_metrics = "The curves begin with the first training step.";
    /// Chart, where a job ended without a step.
    no_metrics_ended = "This job ended before its first training step.";
    /// Checkpoints.
    no_checkpoints = "The first checkpoint is written during training.";
    /// Checkpoints.
    no_checkpoints_ended = "This job has no checkpoint.";
    /// Events.
    no_events = "Nothing has happened yet.";
    /// Table head.
    step = "Step";
    /// Table head.
    train_loss = "Train loss";
    /// Table head.
    saved = "Saved";
    /// Hyperparameters.
    method = "Method";
    /// Hyperparameters.
    batch_size = "Batch size";
    /// Hyperparameters.
    learning_rate_multiplier = "Learning rate multiplier";
    /// Hyperparameters.
    schedule = "Schedule";
    /// Hyperparameters.
    rank_alpha = "Rank / alpha";
    /// Hyperparameters.
    dropout = "Dropout";
    /// Hyperparameters.
    targets = "Projections";
    /// Hyperparameters.
    longest_example = "Longest example";
    /// Hyperparameters.
    seed = "Seed";
    /// Hyperparameters: chosen by the engine.
    auto = "auto";
    /// Card.
    job_failed = "This job failed";
    /// Card.
    result = "Result";
    /// Card.
    fine_tuned_model = "Model name";
    /// Card.
    timeline = "Timeline";
    /// Timeline.
    started = "Started";
    /// Timeline.
    finished = "Finished";
    /// Timeline.
    took = "Took";
    /// Timeline.
    attempts = "Attempts";
    /// Timeline.
    trained_tokens = "Trained tokens";
    /// Timeline.
    pace = "Pace";
    /// The job isn't there.
    job_gone = "The job isn't there any more";
}

/// Title of the dialog.
#[must_use]
pub fn cancel_job_title(name: &str) -> String {
    format!("Cancel {name}?")
}

/// The label of a stage.
#[must_use]
pub const fn stage_label(stage: Stage) -> &'static str {
    match stage {
        Stage::Preparing => "Preparing",
        Stage::Loading => "Loading",
        Stage::Training => "Training",
        Stage::Saving => "Saving",
    }
}

/// The label of a schedule.
#[must_use]
pub const fn schedule_label(schedule: Schedule) -> &'static str {
    match schedule {
        Schedule::Constant => "Constant",
        Schedule::Linear => "Linear",
        Schedule::Cosine => "Cosine",
    }
}

/// The label of a small chart.
#[must_use]
pub const fn series_label(series: Series) -> &'static str {
    match series {
        Series::TrainLoss => "Train loss",
        Series::TrainTokenAccuracy => "Token accuracy",
        Series::LearningRate => "Learning rate",
        Series::GradientNorm => "Gradient norm",
        Series::Tokens => "Tokens a step",
        Series::ValidLoss => "Validation loss",
        Series::ValidTokenAccuracy => "Validation accuracy",
    }
}

/// A value of a series.
#[must_use]
pub fn series_value(series: Series, value: f64) -> String {
    match series {
        Series::TrainTokenAccuracy | Series::ValidTokenAccuracy => format::percent(value),
        Series::Tokens => format::count(value as u64),
        Series::LearningRate if value > 0.0 && value < 0.1 => format::scientific(value),
        _ => format::measure(value),
    }
}

/// What a job is doing, as the title of its progress.
#[must_use]
pub fn progress_title(job: &Job) -> String {
    let epochs = job.epochs.unwrap_or(0);
    match (job.status, &job.progress) {
        (JobStatus::Queued, _) => match job.queue_position {
            Some(0) | None => "Waiting for a trainer · next in line".to_owned(),
            Some(ahead) => format!("Waiting for a trainer · {} in the queue", ordinal(ahead + 1)),
        },
        (JobStatus::Pausing, _) => "Pausing · saving a checkpoint".to_owned(),
        (JobStatus::Running, _) if job.stopped => "Stopping · saving what is trained".to_owned(),
        (JobStatus::Succeeded, Some(progress)) if job.stopped => {
            format!("Stopped early · step {}", step_of(progress))
        }
        (JobStatus::Paused | JobStatus::Failed | JobStatus::Cancelled, Some(progress))
            if progress.total_steps > 0 =>
        {
            format!("{} · step {}", super::status_label(job.status), step_of(progress))
        }
        (JobStatus::Paused | JobStatus::Failed | JobStatus::Cancelled, _) => {
            super::status_label(job.status).to_owned()
        }
        (JobStatus::ValidatingFiles, _) => "Reading the training files".to_owned(),
        (JobStatus::Succeeded, _) => "Finished".to_owned(),
        (_, Some(progress)) => {
            let stage = stage_label(progress.stage);
            if progress.stage == Stage::Training && progress.total_steps > 0 {
                format!(
                    "{stage} · epoch {} of {epochs} · step {}",
                    format::epochs(progress.epoch),
                    step_of(progress)
                )
            } else {
                stage.to_owned()
            }
        }
        (status, None) => super::status_label(status).to_owned(),
    }
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

/// `342 of 500`.
#[must_use]
pub fn step_of(progress: &Progress) -> String {
    format!(
        "{} of {}",
        format::count(progress.step),
        format::count(progress.total_steps)
    )
}

/// Time left.
#[must_use]
pub fn time_left(milliseconds: u64) -> String {
    format!("{} left", format::duration(milliseconds))
}

/// When a job's turn is likely to come.
#[must_use]
pub fn starts_in(milliseconds: u64) -> String {
    format!("likely to start in {}", format::duration(milliseconds))
}

/// A priority.
#[must_use]
pub const fn priority_label(priority: Priority) -> &'static str {
    match priority {
        Priority::Low => "Low",
        Priority::Normal => "Normal",
        Priority::High => "High",
    }
}

/// One line about a running job.
#[must_use]
pub fn running_line(job: &Job) -> String {
    let mut parts = vec![job.base_model.clone()];
    match (&job.progress, job.status) {
        (_, JobStatus::Queued) => parts.push("waiting for a trainer".to_owned()),
        (_, JobStatus::ValidatingFiles) => parts.push("reading its files".to_owned()),
        (_, JobStatus::Pausing) => parts.push("pausing".to_owned()),
        (Some(progress), _) if progress.total_steps > 0 && progress.stage == Stage::Training => {
            parts.push(format!("step {}", step_of(progress)));
            parts.extend(progress.remaining_ms.map(time_left));
        }
        (Some(progress), _) => parts.push(stage_label(progress.stage).to_ascii_lowercase()),
        (None, _) => {}
    }
    parts.join(" · ")
}

/// Heads what the crosshair reads.
#[must_use]
pub fn at_step(step: u64) -> String {
    format!("step {}", format::count(step))
}

/// A value under the crosshair, with the step it was measured at where that is another one.
#[must_use]
pub fn reading(label: &str, value: Option<f64>, at: Option<u64>) -> String {
    let value = value.map_or_else(|| "not a number".to_owned(), format::measure);
    match at {
        Some(step) => format!("{label} {value} (step {})", format::count(step)),
        None => format!("{label} {value}"),
    }
}

/// Badge of a chart.
#[must_use]
pub fn points_badge(shown: u64, total: u64) -> String {
    format!("{} of {} points", format::count(shown), format::count(total))
}

/// What a curve shows, in words.
#[must_use]
pub fn curve_summary(label: &str, steps: &[u64], values: &[Option<f64>]) -> String {
    let known: Vec<(u64, f64)> = steps
        .iter()
        .zip(values)
        .filter_map(|(step, value)| value.map(|value| (*step, value)))
        .collect();
    let (Some(first), Some(last)) = (known.first(), known.last()) else {
        return format!("{label}: no values yet.");
    };
    let lowest = known
        .iter()
        .fold(first, |best, point| if point.1 < best.1 { point } else { best });
    let gaps = values.len() - known.len();
    let mut text = format!(
        "{label}: {} at step {}, {} at step {}, lowest {} at step {}",
        format::measure(first.1),
        first.0,
        format::measure(last.1),
        last.0,
        format::measure(lowest.1),
        lowest.0
    );
    if gaps > 0 {
        text.push_str(", ");
        text.push_str(&super::plural(
            gaps as u64,
            "step without a number",
            "steps without a number",
        ));
    }
    text.push('.');
    text
}

/// How a chart is used with the keyboard.
#[must_use]
pub const fn chart_help() -> &'static str {
    "Arrow keys read values; plus and minus zoom; Escape shows the whole run."
}

/// Before a relative time.
#[must_use]
pub const fn created_word() -> &'static str {
    " · created "
}

/// The way back from a job to all of them.
#[must_use]
pub const fn jobs_above() -> &'static str {
    "Jobs /"
}

/// The way back from a dataset to all of them.
#[must_use]
pub const fn datasets_above() -> &'static str {
    "Datasets /"
}

/// A checkpoint as its folder is called.
#[must_use]
pub fn checkpoint_name(step: u64) -> String {
    format!("step-{step}")
}

#[cfg(test)]
mod tests {
    use super::{curve_summary, ordinal, progress_title};

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

    #[test]
    fn a_curve_is_told_in_words_with_its_gaps() {
        let text = curve_summary(
            "Train loss",
            &[1, 2, 3, 4],
            &[Some(2.5), None, Some(0.25), Some(0.5)],
        );
        assert_eq!(
            text,
            "Train loss: 2.500 at step 1, 0.500 at step 4, lowest 0.250 at step 3, 1 step without a number."
        );
        assert_eq!(
            curve_summary("Train loss", &[], &[]),
            "Train loss: no values yet."
        );
    }
}
