//! The dashboard.

use crate::text::format::{count, plural};
use shared::{job::JobSummary, status::JobStatus};

german_words! {
    running_now = "Läuft gerade";
    recent_jobs = "Neueste Jobs";
    all_jobs = "Alle Jobs";
    no_jobs_title = "Noch keine Jobs";
    no_jobs_body = "Basismodell wählen, das Training einstellen und starten.";
    nothing_running = "Gerade wird nichts trainiert.";
    needs_attention = "Braucht Aufmerksamkeit";
    last_failure = "Zeigen, was passiert ist";
}

pub(crate) fn dashboard_summary(summary: &JobSummary) -> String {
    match (summary.running, summary.queued) {
        _ if summary.total == 0 => "Hier wurde noch nichts trainiert.".to_owned(),
        (0, 0) => "Kein Job läuft.".to_owned(),
        (0, queued) => format!(
            "{} auf einen Trainer.",
            plural(queued, "Job wartet", "Jobs warten")
        ),
        (running, 0) => format!("{}.", plural(running, "Job läuft", "Jobs laufen")),
        (running, queued) => format!(
            "{}, {}.",
            plural(running, "Job läuft", "Jobs laufen"),
            plural(queued, "wartet", "warten")
        ),
    }
}

pub(crate) fn ring_label(summary: &JobSummary) -> String {
    let parts = [
        (summary.running, JobStatus::Running),
        (summary.queued, JobStatus::Queued),
        (summary.completed, JobStatus::Succeeded),
        (summary.failed, JobStatus::Failed),
        (summary.cancelled, JobStatus::Cancelled),
    ]
    .map(|(number, status)| counted_status(number, status));
    format!("{}: {}", super::counted_jobs(summary.total), parts.join(", "))
}

pub(crate) const fn jobs_unit(total: u64) -> &'static str {
    if total == 1 { "Job" } else { "Jobs" }
}

pub(crate) const fn failed_word() -> &'static str {
    " ist fehlgeschlagen."
}

pub(crate) fn limit_note(limit: u32) -> String {
    format!("Der Upstream fasst höchstens {limit} Jobs.")
}

pub(crate) fn progress_of(name: &str) -> String {
    format!("Fortschritt von {name}")
}

pub(crate) fn tokens_per_second(pace: f64) -> String {
    format!("{} Tokens/s", count(pace.round() as u64))
}

pub(crate) fn counted_status(number: u64, status: JobStatus) -> String {
    let word = match status {
        JobStatus::ValidatingFiles => "in Prüfung",
        JobStatus::Queued => "wartend",
        JobStatus::Running => "laufend",
        JobStatus::Pausing | JobStatus::Paused => "pausiert",
        JobStatus::Succeeded => "abgeschlossen",
        JobStatus::Failed => "fehlgeschlagen",
        JobStatus::Cancelled => "abgebrochen",
    };
    format!("{} {word}", count(number))
}
