//! Charts and the comparison of jobs.

use crate::{
    chart::{lines::Axis, measure::Measure},
    text::format,
};
use shared::event::Level;

words! {
    /// The horizontal axis.
    axis = "Horizontal axis";
    /// Below an axis of time.
    time_axis_note = "Time since the first step, pauses included";
    /// The vertical axis by the logarithm.
    logarithmic = "Log axis";
    /// How much lines are smoothed.
    smoothing = "Smoothing";
    /// Narrows the shown part.
    zoom_in = "Zoom in";
    /// Widens the shown part.
    zoom_out = "Zoom out";
    /// Saves what a chart shows.
    export = "Export";
    /// As a picture.
    export_png = "Picture (PNG)";
    /// As a table of what is shown.
    export_csv = "What is shown (CSV)";
    /// The same for programs.
    export_json = "What is shown (JSON)";
    /// Every step, from the server.
    export_all = "Every step (CSV)";
    /// Which measure a chart shows.
    measure = "Measure";
    /// Lines of a chart.
    chart_lines = "Lines";
    /// Searches a job's events.
    search_events = "Search events";
    /// Which events are shown.
    level = "Level";
    /// Keeps the newest event in sight.
    follow = "Follow";
    /// No event is shown.
    no_event_fits = "No event fits.";
    /// The page that compares jobs.
    compare_title = "Compare";
    /// Leads there.
    compare = "Compare";
    /// No job is chosen.
    compare_nothing = "Nothing to compare yet";
    /// What to do about it.
    compare_how = "Select two or more jobs in the list, or add them here.";
    /// Leads to the list.
    compare_to_list = "Go to the jobs";
    /// Adds a job.
    compare_add = "Add a job";
    /// No job is found.
    compare_none_found = "No other job is found.";
    /// Takes a job out that can't be shown.
    compare_leave_out = "Leave it out";
    /// The job that others are measured against.
    baseline = "Baseline";
    /// Makes a job the baseline.
    pin_baseline = "Make baseline";
    /// The table of what differs.
    differences = "What differs";
    /// All jobs were started alike.
    nothing_differs = "Settings and data are the same in all.";
    /// The first column of the table.
    setting = "Setting";
    /// The lowest validation loss of a job.
    best_validation_loss = "Best validation loss";
}

/// The axis in its choice.
#[must_use]
pub fn axis_label(axis: Axis) -> &'static str {
    german!(axis_label(axis));
    match axis {
        Axis::Step => "Steps",
        Axis::Epoch => "Epochs",
        Axis::Time => "Time",
    }
}

/// What became of a loss between two checkpoints.
#[must_use]
pub fn changed_from_to(label: &str, first: (u64, f64), last: (u64, f64)) -> String {
    german!(changed_from_to(label, first, last));
    format!(
        "{label}: {} at step {}, {} at step {} ({})",
        format::measure(first.1),
        format::count(first.0),
        format::measure(last.1),
        format::count(last.0),
        against_baseline(last.1 / first.1)
    )
}

/// Behind it, where another checkpoint is better than the last.
#[must_use]
pub fn best_at(step: u64, value: f64) -> String {
    german!(best_at(step, value));
    format!(
        "; best {} at step {}",
        format::measure(value),
        format::count(step)
    )
}

/// A level of events in its choice.
#[must_use]
pub fn level_label(level: Level) -> &'static str {
    german!(level_label(level));
    match level {
        Level::Info => "All events",
        Level::Warn => "Warnings and errors",
        Level::Error => "Errors",
    }
}

/// The tab's title while a job is at work.
#[must_use]
pub fn percent_of(percent: u32, title: &str) -> String {
    format!("{percent} % · {title}")
}

/// A measure.
#[must_use]
pub fn measure_label(measure: Measure) -> &'static str {
    german!(measure_label(measure));
    match measure {
        Measure::Loss => "Loss",
        Measure::TokenAccuracy => "Token accuracy",
        Measure::LearningRate => "Learning rate",
        Measure::GradientNorm => "Gradient norm",
        Measure::Tokens => "Tokens a step",
        Measure::RewardMargin => "Reward margin",
        Measure::RewardAccuracy => "Reward accuracy",
        Measure::Rewards => "Rewards",
    }
}

/// The chart of a measure.
#[must_use]
pub fn measure_by_step(measure: Measure) -> &'static str {
    german!(measure_by_step(measure));
    match measure {
        Measure::Loss => "Loss by step",
        Measure::TokenAccuracy => "Token accuracy by step",
        Measure::LearningRate => "Learning rate by step",
        Measure::GradientNorm => "Gradient norm by step",
        Measure::Tokens => "Tokens by step",
        Measure::RewardMargin => "Reward margin by step",
        Measure::RewardAccuracy => "Reward accuracy by step",
        Measure::Rewards => "Rewards by step",
    }
}

/// A place on the axis under the crosshair.
#[must_use]
pub fn at_place(axis: Axis, at: f64) -> String {
    german!(at_place(axis, at));
    match axis {
        Axis::Step => super::at_step(at as u64),
        Axis::Epoch => format!("epoch {}", format::digits(at, 2)),
        Axis::Time => format!("after {}", format::duration(at.max(0.0) as u64)),
    }
}

/// Behind a value under the crosshair.
#[must_use]
pub fn smoothed_reading(value: &str) -> String {
    german!(smoothed_reading(value));
    format!(" (smoothed {value})")
}

/// Behind a value that is measured now and then.
#[must_use]
pub fn read_at_step(step: u64) -> String {
    german!(read_at_step(step));
    format!(" (step {})", format::count(step))
}

/// Below the values of as many lines as fit.
#[must_use]
pub fn more_lines(number: u64) -> String {
    german!(more_lines(number));
    format::plural(number, "more line", "more lines")
}

/// Below the comparison's title.
#[must_use]
pub fn compare_sub(number: u64) -> String {
    super::counted_jobs(number)
}

/// Takes a job out of the comparison.
#[must_use]
pub fn compare_remove(name: &str) -> String {
    german!(compare_remove(name));
    format!("Remove {name}")
}

/// A job's validation curve among others.
#[must_use]
pub fn validation_of(name: &str) -> String {
    german!(validation_of(name));
    format!("{name}, validation")
}

/// The distance of a result to the baseline's, from the share of it that it is: `−13.4 %`, and far above `15.5 ×`,
/// `10,333 ×`.
#[must_use]
pub fn against_baseline(ratio: f64) -> String {
    // Of nothing no share can be told.
    if !ratio.is_finite() {
        return super::none().to_owned();
    }
    if ratio >= 100.0 {
        return format!("{} ×", format::count(ratio.round() as u64));
    }
    if ratio >= 3.0 {
        return format!("{} ×", format::digits(ratio, 1));
    }
    let sign = if ratio < 1.0 { "−" } else { "+" };
    format!("{sign}{}", format::percent((ratio - 1.0).abs()))
}
