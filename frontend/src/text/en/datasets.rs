//! Datasets.

use crate::text::format;
use shared::{
    dataset::{Dataset, DatasetReport, DatasetStatus},
    training_line::{LineFormat, Severity},
};

words! {
    /// Under the title.
    datasets_sub = "Files of examples: one JSON object a line.";
    /// The place to drop a file.
    drop_here = "Drop a .jsonl file here";
    /// The place to drop a file.
    drop_or = "or choose one from this computer";
    /// Button.
    choose_file = "Choose file";
    /// Empty list.
    no_datasets_title = "No datasets yet";
    /// Empty list.
    no_datasets_body = "Upload a file of chats in JSON lines, or begin with the example.";
    /// Table head.
    examples = "Examples";
    /// Table head.
    used_by = "Used by";
    /// Section.
    findings = "Findings";
    /// Section.
    statistics = "Statistics";
    /// Section.
    preview = "Preview";
    /// Table head.
    line = "Line";
    /// Nothing to complain about.
    no_findings = "No problems were found.";
    /// The preferred answer of a pair.
    preferred = "preferred";
    /// The other answer of a pair.
    non_preferred = "not preferred";
    /// No example.
    no_preview = "There is no example to show.";
    /// Leads from a line back to the first examples.
    show_beginning = "Show the beginning";
    /// Above a line as it stands.
    no_example = "Not an example. The line as it stands:";
    /// Statistics.
    format_name = "Format";
    /// Statistics.
    lines = "Lines";
    /// Statistics.
    messages = "Messages";
    /// Statistics.
    duplicates = "Duplicates";
    /// Statistics.
    errors = "Errors";
    /// Statistics.
    warnings = "Warnings";
    /// Body of the dialog.
    delete_dataset_body = "Its file is removed from the server. This can't be undone.";
    /// Why a dataset stays.
    dataset_in_use = "A job that hasn't ended uses this dataset, so it stays. Cancel the job, or wait until it ends.";
    /// While the file is read.
    being_read = "The file is being read…";
    /// Whole-file findings.
    whole_file = "file";
    /// While bytes go.
    uploading = "Uploading";
    /// Leads to the wizard.
    train_on_this = "Train on this";
    /// Said before anything is sent.
    empty_file = "The file is empty.";
    /// Names the place to drop a file.
    upload_dataset = "Upload dataset";
    /// Names the file input.
    dataset_file = "Dataset file";
    /// Findings that stop a job.
    findings_stop = "These lines must be mended before a job can use the file.";
}

/// Leads to a line of the file.
#[must_use]
pub fn show_line(line: u64) -> String {
    german!(show_line(line));
    format!("Show line {}", format::count(line))
}

/// The address names a line that the file doesn't have.
#[must_use]
pub fn no_such_line(line: u64) -> String {
    german!(no_such_line(line));
    format!("The file has no line {}.", format::count(line))
}

/// The label of a dataset's status.
#[must_use]
pub fn dataset_status_label(status: DatasetStatus) -> &'static str {
    german!(dataset_status_label(status));
    match status {
        DatasetStatus::Uploading => "Uploading",
        DatasetStatus::Validating => "Validating",
        DatasetStatus::Ready => "Ready",
        DatasetStatus::Error => "Unusable",
    }
}

/// The label of a line format.
#[must_use]
pub fn line_format_label(line_format: LineFormat) -> &'static str {
    german!(line_format_label(line_format));
    match line_format {
        LineFormat::Chat => "Chat messages",
        LineFormat::Conversation => "Conversations",
        LineFormat::PromptCompletion => "Prompt and completion",
        LineFormat::Preference => "Preference pairs",
    }
}

/// The label of a finding's severity.
#[must_use]
pub fn severity_label(severity: Severity) -> &'static str {
    german!(severity_label(severity));
    match severity {
        Severity::Error => "Error",
        Severity::Warning => "Warning",
    }
}

/// How far an upload is.
#[must_use]
pub fn uploaded(sent: u64, total: u64) -> String {
    german!(uploaded(sent, total));
    format!("{} of {}", format::bytes(sent), format::bytes(total))
}

/// Told when an upload has ended.
#[must_use]
pub fn upload_done(name: &str) -> String {
    german!(upload_done(name));
    format!("{name} was uploaded.")
}

/// Said before anything is sent.
#[must_use]
pub fn too_large(limit: u64) -> String {
    german!(too_large(limit));
    format!(
        "The file is larger than the {} that this server takes.",
        format::bytes(limit)
    )
}

/// How many findings are shown, where there are any.
#[must_use]
pub fn findings_shown(report: &DatasetReport) -> String {
    let all = report.errors + report.warnings;
    match report.findings.len() as u64 {
        0 => String::new(),
        shown if shown < all => first_of(shown, all),
        _ => format::count(all),
    }
}

/// So many of all findings are shown.
#[must_use]
pub fn first_of(shown: u64, all: u64) -> String {
    german!(first_of(shown, all));
    format!("the first {} of {}", format::count(shown), format::count(all))
}

/// `1 example`, `2 examples`.
#[must_use]
pub fn counted_examples(number: u64) -> String {
    german!(counted_examples(number));
    format::plural(number, "example", "examples")
}

/// Names the file that is being sent.
#[must_use]
pub fn uploading_named(name: &str) -> String {
    german!(uploading_named(name));
    format!("{} {name}", uploading())
}

/// One line about a dataset.
#[must_use]
pub fn dataset_line(dataset: &Dataset) -> String {
    let size = format::bytes(dataset.bytes);
    match dataset.examples {
        Some(examples) => format!("{} · {size}", counted_examples(examples)),
        None => size,
    }
}

/// A dataset's file, before the time when it came.
#[must_use]
pub fn file_line(dataset: &Dataset) -> String {
    format!("{} · {} · ", dataset.filename, format::bytes(dataset.bytes))
}

/// How many jobs name a dataset.
#[must_use]
pub fn used_by_jobs(jobs: u64) -> String {
    if jobs == 0 {
        super::none().to_owned()
    } else {
        super::counted_jobs(jobs)
    }
}
