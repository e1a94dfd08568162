//! English.

mod attempt;
mod charts;
mod datasets;
mod errors;
mod job;
mod jobs;
mod models;
mod playground;
mod wizard;

pub use attempt::*;
pub use charts::*;
pub use datasets::*;
pub use errors::*;
pub use job::*;
pub use jobs::*;
pub use models::*;
pub use playground::*;
pub use wizard::*;

use super::format::count;
use crate::{route::Section, theme::Theme};
use shared::{
    capabilities::{Capabilities, UpstreamKind},
    job::JobSummary,
    status::JobStatus,
};

/// `1 job`, `2 jobs`.
#[must_use]
pub fn plural(number: u64, one: &str, other: &str) -> String {
    format!("{} {}", count(number), if number == 1 { one } else { other })
}

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {
        $($(#[$doc])* #[must_use] pub const fn $name() -> &'static str { $text })*
    };
}
pub(crate) use words;

words! {
    /// The product's name.
    product = "Attune";
    /// Names the main navigation.
    main_navigation = "Main";
    /// First link of the page.
    skip_to_content = "Skip to content";
    /// Said where the upstream has more jobs than were read.
    incomplete_note = "The upstream has older jobs still: neither the list nor the counts have them.";
    /// Leads to the wizard.
    new_job = "New job";
    /// The same in the phone's tabs.
    new_tab = "New";
    /// Asks again.
    retry = "Retry";
    /// The code of a page can't be fetched.
    page_code_missing = "This page could not be loaded";
    /// What to do about it.
    page_code_advice = "The server can't be reached, or it was upgraded while this page was open. What you typed is kept.";
    /// Loads the whole page again.
    reload = "Reload the page";
    /// Closes a dialog without doing anything.
    cancel = "Cancel";
    /// Confirms a deletion.
    delete = "Delete";
    /// Closes a notice.
    dismiss = "Dismiss";
    /// Takes back what was just done.
    undo = "Undo";
    /// Read while a view loads.
    loading = "Loading";
    /// Stands for a value that isn't there.
    none = "–";
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
    /// Job list.
    search_jobs = "Search jobs";
    /// Job list.
    status_filter = "Status";
    /// Job list.
    sort_label = "Sort";
    /// Job list.
    no_match_title = "No job matches";
    /// Job list.
    no_match_body = "Try other words, or look at all jobs again.";
    /// Job list.
    clear_filters = "Clear search and filter";
    /// Lists.
    load_more = "Load more";
    /// Table head.
    name = "Name";
    /// Table head.
    status = "Status";
    /// Table head.
    base_model = "Base model";
    /// Table head.
    created = "Created";
    /// Table head.
    validation_loss = "Valid loss";
    /// Table head.
    actions = "Actions";
    /// Table head.
    size = "Size";
    /// Settings.
    theme = "Theme";
    /// Settings.
    theme_hint = "How the console looks in this browser.";
    /// Settings.
    session = "Session";
    /// Settings.
    about = "About";
    /// Settings.
    sign_out = "Sign out";
    /// Settings.
    version = "Version";
    /// Settings.
    upstream = "Jobs run on";
    /// Settings.
    signed_out = "You are signed out.";
    /// Sign-in page.
    sign_in = "Sign in";
    /// Sign-in page.
    sign_in_body = "This console is yours alone: it opens with the address that the server printed when it started.";
    /// Sign-in page.
    token = "Sign-in token";
    /// Sign-in page, before the command.
    token_hint_before = "Lost it? Run ";
    /// Sign-in page, the command.
    token_command = "attune url";
    /// Sign-in page, after the command.
    token_hint_after = " on the server and open the address that it prints, or paste its token here.";
    /// Sign-in page.
    token_missing = "Paste the token, or open the address that the server printed.";
    /// Sign-in page.
    token_wrong = "That isn't the token of this server. Get the right one with `attune url`.";
    /// Unknown address.
    not_found_title = "There is nothing here";
    /// Unknown address.
    not_found_body = "The address may be mistyped, or what it showed was deleted.";
    /// Unknown address.
    go_to_dashboard = "Go to the dashboard";
    /// Copies a name.
    copy = "Copy";
    /// After copying.
    copied = "Copied";
}

/// The label of a status.
#[must_use]
pub const fn status_label(status: JobStatus) -> &'static str {
    match status {
        JobStatus::ValidatingFiles => "Validating",
        JobStatus::Queued => "Queued",
        JobStatus::Running => "Running",
        JobStatus::Pausing => "Pausing",
        JobStatus::Paused => "Paused",
        JobStatus::Succeeded => "Completed",
        JobStatus::Failed => "Failed",
        JobStatus::Cancelled => "Cancelled",
    }
}

/// The label of an entry of the navigation, and the title of its page.
#[must_use]
pub const fn section_label(section: Section) -> &'static str {
    match section {
        Section::Dashboard => "Dashboard",
        Section::Jobs => "Jobs",
        Section::Datasets => "Datasets",
        Section::Models => "Models",
        Section::Playground => "Playground",
        Section::Settings => "Settings",
    }
}

/// The label of a theme.
#[must_use]
pub const fn theme_label(theme: Theme) -> &'static str {
    match theme {
        Theme::System => "System",
        Theme::Light => "Light",
        Theme::Dark => "Dark",
    }
}

/// Orders of the job list: the word on the wire and its label.
pub const SORTS: [(&str, &str); 6] = [
    ("-created_at", "Newest first"),
    ("created_at", "Oldest first"),
    ("name", "Name A–Z"),
    ("-name", "Name Z–A"),
    ("status", "Status"),
    ("base_model", "Base model"),
];

/// The title of a page as the browser shows it.
#[must_use]
pub fn page_title(title: &str) -> String {
    format!("{title} · Attune")
}

/// The name of a row's button.
#[must_use]
pub fn delete_named(name: &str) -> String {
    format!("Delete {name}")
}

/// Title of a dialog.
#[must_use]
pub fn delete_title(name: &str) -> String {
    format!("Delete {name}?")
}

/// Body of the dialog.
#[must_use]
pub const fn delete_job_body(has_artifacts: bool) -> &'static str {
    if has_artifacts {
        "Its curves, events, checkpoints and its adapter go with it. This can't be undone."
    } else {
        "This can't be undone."
    }
}

/// Told after a deletion.
#[must_use]
pub fn deleted(name: &str) -> String {
    format!("{name} was deleted.")
}

/// What the dashboard says under its title.
#[must_use]
pub fn dashboard_summary(summary: &JobSummary) -> String {
    match (summary.running, summary.queued) {
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
    }
}

/// Alternative text of the ring.
#[must_use]
pub fn ring_label(summary: &JobSummary) -> String {
    format!(
        "{}: {} running, {} queued, {} completed, {} failed, {} cancelled",
        plural(summary.total, "job", "jobs"),
        summary.running,
        summary.queued,
        summary.completed,
        summary.failed,
        summary.cancelled
    )
}

/// How many jobs a list shows.
#[must_use]
pub fn shown_of(shown: u64, total: u64) -> String {
    if shown == total {
        plural(total, "job", "jobs")
    } else {
        format!("{} of {}", count(shown), plural(total, "job", "jobs"))
    }
}

/// Said where the upstream holds only so many jobs.
#[must_use]
pub fn limit_note(limit: u32) -> String {
    format!("The upstream holds at most {limit} jobs.")
}

/// What the jobs run on.
#[must_use]
pub const fn upstream_label(capabilities: &Capabilities) -> &'static str {
    match capabilities.upstream {
        UpstreamKind::Engine => "Embedded engine",
        UpstreamKind::Openai => "OpenAI-compatible API",
        UpstreamKind::JobTrainingApi => "Job Training API",
    }
}

/// Names the button that downloads a tuned model.
#[must_use]
pub fn download_named(name: &str) -> String {
    format!("Download {name}")
}

/// Names a job's bar.
#[must_use]
pub fn progress_of(name: &str) -> String {
    format!("Progress of {name}")
}

/// A pace.
#[must_use]
pub fn tokens_per_second(pace: f64) -> String {
    format!("{} tokens/s", count(pace.round() as u64))
}

/// Under the ring's number.
#[must_use]
pub const fn jobs_unit(total: u64) -> &'static str {
    if total == 1 { "job" } else { "jobs" }
}

/// Follows a job's name.
#[must_use]
pub const fn failed_word() -> &'static str {
    " failed."
}

/// So many tokens.
#[must_use]
pub fn tokens(number: u64) -> String {
    plural(number, "token", "tokens")
}

/// How a job trains.
#[must_use]
pub fn method_label(method: &str) -> String {
    format!("{method} · LoRA")
}

/// All seven projections have an adapter.
#[must_use]
pub const fn all_targets() -> &'static str {
    "all seven"
}

/// `12 completed`.
#[must_use]
pub fn counted_status(number: u64, status: JobStatus) -> String {
    format!("{} {}", count(number), status_label(status).to_ascii_lowercase())
}

/// Who is signed in.
#[must_use]
pub fn signed_in_as(who: &str) -> String {
    format!("Signed in as {who}")
}
