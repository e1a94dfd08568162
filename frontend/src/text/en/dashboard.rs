//! The dashboard.

use super::status_label;
use crate::text::format::{about, count, plural};
use shared::{job::JobSummary, status::JobStatus};

words! {
    /// Dashboard.
    running_now = "Running now";
    /// Dashboard.
    recent_jobs = "Recent jobs";
    /// Dashboard.
    all_jobs = "All jobs";
    /// Dashboard, no job ever.
    no_jobs_title = "No jobs yet";
    /// Dashboard, no job ever.
    no_jobs_body = "Pick a base model, say how it should be trained, and start.";
    /// Dashboard, nothing runs.
    nothing_running = "Nothing is training right now.";
    /// Dashboard, beside the ring.
    needs_attention = "Needs attention";
    /// Dashboard, no failed job.
    last_failure = "Show what happened";
    /// Dashboard, what counts as this month's spend.
    spend_note = "Jobs that ended this month, and what unfinished ones have trained so far.";
}

/// What a month's training costs.
const SPEND: [&str; 12] = [
    "Spend in January",
    "Spend in February",
    "Spend in March",
    "Spend in April",
    "Spend in May",
    "Spend in June",
    "Spend in July",
    "Spend in August",
    "Spend in September",
    "Spend in October",
    "Spend in November",
    "Spend in December",
];

/// What the dashboard says under its title; when the next job starts, where that is known.
#[must_use]
pub fn dashboard_summary(summary: &JobSummary, next_starts_in_ms: Option<u64>) -> String {
    german!(dashboard_summary(summary, next_starts_in_ms));
    let now = match (summary.running, summary.queued) {
        _ if summary.total == 0 => "Nothing has been trained here yet.".to_owned(),
        (0, 0) => "No job is training.".to_owned(),
        (0, queued) => format!("{} waiting for a trainer.", plural(queued, "job is", "jobs are")),
        (running, 0) => format!("{} training.", plural(running, "job is", "jobs are")),
        (running, queued) => {
            format!(
                "{} training, {} waiting.",
                plural(running, "job is", "jobs are"),
                count(queued)
            )
        }
    };
    match next_starts_in_ms {
        None => now,
        Some(0) => format!("{now} The next in the queue starts any moment."),
        Some(ms) => format!("{now} The next in the queue starts in about {}.", about(ms)),
    }
}

/// Under the number of queued jobs.
#[must_use]
pub fn first_starts(milliseconds: u64) -> String {
    german!(first_starts(milliseconds));
    match milliseconds {
        0 => "first any moment".to_owned(),
        ms => format!("first in {}", about(ms)),
    }
}

/// Under the number of jobs that ended so.
#[must_use]
pub fn in_this_week(number: u64) -> String {
    german!(in_this_week(number));
    match number {
        0 => "none this week".to_owned(),
        number => format!("{} this week", count(number)),
    }
}

/// Title of the card; months from 0.
#[must_use]
pub fn spend_in(month: usize) -> &'static str {
    german!(spend_in(month));
    SPEND[month % 12]
}

/// What the month's training will have cost.
#[must_use]
pub fn spend_pace(money: &str) -> String {
    german!(spend_pace(money));
    format!("At this pace {money} by the end of the month.")
}

/// Alternative text of the ring.
#[must_use]
pub fn ring_label(summary: &JobSummary) -> String {
    german!(ring_label(summary));
    format!(
        "{}: {} running, {} queued, {} completed, {} failed, {} cancelled",
        super::counted_jobs(summary.total),
        summary.running,
        summary.queued,
        summary.completed,
        summary.failed,
        summary.cancelled
    )
}

/// Under the ring's number.
#[must_use]
pub fn jobs_unit(total: u64) -> &'static str {
    german!(jobs_unit(total));
    if total == 1 { "job" } else { "jobs" }
}

/// Follows a job's name.
#[must_use]
pub fn failed_word() -> &'static str {
    german!(failed_word());
    " failed."
}

/// Said where the upstream holds only so many jobs.
#[must_use]
pub fn limit_note(limit: u32) -> String {
    german!(limit_note(limit));
    format!("The upstream holds at most {limit} jobs.")
}

/// Names a job's bar.
#[must_use]
pub fn progress_of(name: &str) -> String {
    german!(progress_of(name));
    format!("Progress of {name}")
}

/// A pace.
#[must_use]
pub fn tokens_per_second(pace: f64) -> String {
    german!(tokens_per_second(pace));
    format!("{} tokens/s", count(pace.round() as u64))
}

/// `12 completed`.
#[must_use]
pub fn counted_status(number: u64, status: JobStatus) -> String {
    german!(counted_status(number, status));
    format!("{} {}", count(number), status_label(status).to_ascii_lowercase())
}
