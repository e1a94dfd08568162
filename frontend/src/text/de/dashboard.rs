//! The dashboard.

use crate::text::format::{about, count, plural};
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
    spend_note = "Jobs, die diesen Monat geendet haben, und was unfertige bisher trainiert haben.";
}

const SPEND: [&str; 12] = [
    "Ausgaben im Januar",
    "Ausgaben im Februar",
    "Ausgaben im März",
    "Ausgaben im April",
    "Ausgaben im Mai",
    "Ausgaben im Juni",
    "Ausgaben im Juli",
    "Ausgaben im August",
    "Ausgaben im September",
    "Ausgaben im Oktober",
    "Ausgaben im November",
    "Ausgaben im Dezember",
];

pub(crate) fn dashboard_summary(summary: &JobSummary, next_starts_in_ms: Option<u64>) -> String {
    let now = match (summary.running, summary.queued) {
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
    };
    match next_starts_in_ms {
        None => now,
        Some(0) => format!("{now} Der nächste beginnt gleich."),
        Some(ms) => format!("{now} Der nächste beginnt in etwa {}.", about(ms)),
    }
}

pub(crate) fn first_starts(milliseconds: u64) -> String {
    match milliseconds {
        0 => "Start gleich".to_owned(),
        ms => format!("Start in {}", about(ms)),
    }
}

pub(crate) fn in_this_week(number: u64) -> String {
    match number {
        0 => "diese Woche keine".to_owned(),
        number => format!("{} diese Woche", count(number)),
    }
}

pub(crate) const fn spend_in(month: usize) -> &'static str {
    SPEND[month % 12]
}

pub(crate) fn spend_pace(money: &str) -> String {
    format!("In diesem Tempo {money} bis zum Monatsende.")
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
