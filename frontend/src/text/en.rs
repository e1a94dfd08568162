//! English.

mod alerts;
mod attempt;
mod charts;
mod curves;
mod dashboard;
mod datasets;
mod errors;
mod job;
mod jobs;
mod keys;
mod models;
mod playground;
mod progress;
mod settings;
mod step_examples;
mod units;
mod webhooks;
mod wizard;

pub use alerts::*;
pub use attempt::*;
pub use charts::*;
pub use curves::*;
pub use dashboard::*;
pub use datasets::*;
pub use errors::*;
pub use job::*;
pub use jobs::*;
pub use keys::*;
pub use models::*;
pub use playground::*;
pub use progress::*;
pub use settings::*;
pub use step_examples::*;
pub use units::*;
pub use webhooks::*;
pub use wizard::*;

use super::format::{count, plural};
use crate::route::Section;
use shared::status::JobStatus;

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
    /// Heads the page that stands in the app's place when it breaks.
    crash_title = "Something in the console broke";
    /// What that means.
    crash_body = "Your jobs are not affected: they run on the server. Your draft is kept in this browser.";
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
    /// Unknown address.
    not_found_title = "There is nothing here";
    /// Unknown address.
    not_found_body = "The address may be mistyped, or what it showed was deleted.";
    /// Unknown address.
    go_to_dashboard = "Go to the dashboard";
    /// After copying.
    copied = "Copied";
}

/// The label of a status.
#[must_use]
pub fn status_label(status: JobStatus) -> &'static str {
    german!(status_label(status));
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
pub fn section_label(section: Section) -> &'static str {
    german!(section_label(section));
    match section {
        Section::Dashboard => "Dashboard",
        Section::Jobs => "Jobs",
        Section::Datasets => "Datasets",
        Section::Models => "Models",
        Section::Playground => "Playground",
        Section::Settings => "Settings",
    }
}

/// The title of a page as the browser shows it.
#[must_use]
pub fn page_title(title: &str) -> String {
    format!("{title} · Attune")
}

/// The name of a row's button.
#[must_use]
pub fn delete_named(name: &str) -> String {
    german!(delete_named(name));
    format!("Delete {name}")
}

/// Title of a dialog.
#[must_use]
pub fn delete_title(name: &str) -> String {
    german!(delete_title(name));
    format!("Delete {name}?")
}

/// Body of the dialog.
#[must_use]
pub fn delete_job_body(has_artifacts: bool) -> &'static str {
    german!(delete_job_body(has_artifacts));
    if has_artifacts {
        "Its curves, events, checkpoints and its adapter go with it. This can't be undone."
    } else {
        "This can't be undone."
    }
}

/// Told after a deletion.
#[must_use]
pub fn deleted(name: &str) -> String {
    german!(deleted(name));
    format!("{name} was deleted.")
}

/// `1 job`, `2 jobs`.
#[must_use]
pub fn counted_jobs(number: u64) -> String {
    german!(counted_jobs(number));
    plural(number, "job", "jobs")
}

/// How many jobs a list shows.
#[must_use]
pub fn shown_of(shown: u64, total: u64) -> String {
    german!(shown_of(shown, total));
    if shown == total {
        counted_jobs(total)
    } else {
        format!("{} of {}", count(shown), counted_jobs(total))
    }
}

/// Names the button that downloads a tuned model.
#[must_use]
pub fn download_named(name: &str) -> String {
    german!(download_named(name));
    format!("Download {name}")
}

/// So many tokens.
#[must_use]
pub fn tokens(number: u64) -> String {
    german!(tokens(number));
    plural(number, "token", "tokens")
}

/// The fixed words of all files.
#[cfg(test)]
pub(super) const ALL_WORDS: &[&[super::Word]] = &[
    WORDS,
    alerts::WORDS,
    attempt::WORDS,
    charts::WORDS,
    curves::WORDS,
    dashboard::WORDS,
    datasets::WORDS,
    errors::WORDS,
    job::WORDS,
    jobs::WORDS,
    keys::WORDS,
    models::WORDS,
    playground::WORDS,
    progress::WORDS,
    settings::WORDS,
    step_examples::WORDS,
    units::WORDS,
    webhooks::WORDS,
    wizard::WORDS,
];
