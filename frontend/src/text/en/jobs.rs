//! The job list.

use crate::{
    api::ApiError,
    text::format::{count, plural},
};

words! {
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
    /// Filter.
    any_model = "Any model";
    /// Filter.
    created_filter = "Created";
    /// Filter.
    any_time = "Any time";
    /// Filter.
    between_dates = "Between…";
    /// First day of a span.
    from_date = "From";
    /// Last day of a span.
    to_date = "To";
    /// Shows every status.
    all_statuses = "All";
    /// Selects every row that is loaded around the viewport.
    select_all_shown = "Select all shown";
    /// Gives the selection up.
    clear_selection = "Clear selection";
    /// Opens the list of keys.
    keyboard_shortcuts = "Keyboard shortcuts";
    /// Lets single letters act.
    single_keys = "Use single-key shortcuts";
    /// Closes the list of keys.
    close = "Close";
    /// Told where the browser forbids copying.
    copy_refused = "The browser doesn't allow copying here.";
}

/// Spans of time, in the order of the list's own words for them.
#[must_use]
pub fn span_labels() -> [&'static str; 3] {
    german!(span_labels());
    ["Last 24 hours", "Last 7 days", "Last 30 days"]
}

/// Orders of the list, in the order of the wire's words for them.
#[must_use]
pub fn sort_labels() -> [&'static str; 6] {
    german!(sort_labels());
    [
        "Newest first",
        "Oldest first",
        "Name A–Z",
        "Name Z–A",
        "Status",
        "Base model",
    ]
}

/// Keys of the list and what they do.
#[must_use]
pub fn keys() -> [(&'static str, &'static str); 6] {
    german!(keys());
    [
        ("↑ ↓", "Move between jobs"),
        ("Enter", "Open the job"),
        ("/", "Search"),
        ("n", "New job"),
        ("Esc", "Clear the selection, then search and filters"),
        ("?", "Show this list"),
    ]
}

/// `12 new jobs`: a button that shows them.
#[must_use]
pub fn new_jobs(number: u64) -> String {
    german!(new_jobs(number));
    plural(number, "new job", "new jobs")
}

/// `3 selected`.
#[must_use]
pub fn selected(number: u64) -> String {
    german!(selected(number));
    format!("{} selected", count(number))
}

/// Names a row's checkbox.
#[must_use]
pub fn select_named(name: &str) -> String {
    german!(select_named(name));
    format!("Select {name}")
}

/// Names a row's button.
#[must_use]
pub fn copy_id_of(name: &str) -> String {
    german!(copy_id_of(name));
    format!("Copy id of {name}")
}

/// Told after copying.
#[must_use]
pub fn copied_id(id: &str) -> String {
    german!(copied_id(id));
    format!("Copied {id}")
}

/// `Delete 3 jobs`: a button.
#[must_use]
pub fn delete_jobs(number: u64) -> String {
    german!(delete_jobs(number));
    format!("Delete {}", plural(number, "job", "jobs"))
}

/// Closes a list of names.
#[must_use]
pub fn and_more(number: u64) -> String {
    german!(and_more(number));
    format!("and {} more", count(number))
}

/// Said of jobs that have to be cancelled before they can be deleted.
#[must_use]
pub fn cancel_first(names: &[&str]) -> String {
    german!(cancel_first(names));
    let verb = if names.len() == 1 {
        "hasn't ended: cancel it first."
    } else {
        "haven't ended: cancel them first."
    };
    format!("{} {verb}", named(names))
}

/// Told after several were deleted.
#[must_use]
pub fn deleted_jobs(number: u64) -> String {
    german!(deleted_jobs(number));
    format!("{} deleted.", plural(number, "job was", "jobs were"))
}

/// Told of those that were refused, with the first one's reason.
#[must_use]
pub fn not_deleted(names: &[&str], error: &ApiError) -> String {
    german!(not_deleted(names, error));
    let verb = if names.len() == 1 { "wasn't" } else { "weren't" };
    format!("{} {verb} deleted. {}", named(names), super::error_line(error))
}

/// `a, b and 3 more`.
pub(in crate::text) fn named(names: &[&str]) -> String {
    const SHOWN: usize = 5;
    let listed = names.iter().take(SHOWN).copied().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(SHOWN) {
        0 => listed,
        more => format!("{listed} {}", and_more(more as u64)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refused_jobs_are_told_by_name() {
        let one = not_deleted(&["a"], &ApiError::Unreachable);
        assert!(one.starts_with("a wasn't deleted. "), "{one}");
        let names = ["a", "b", "c", "d", "e", "f", "g"];
        let many = not_deleted(&names, &ApiError::Unreachable);
        assert!(
            many.starts_with("a, b, c, d, e and 2 more weren't deleted. "),
            "{many}"
        );
        assert_eq!(
            cancel_first(&["a", "b"]),
            "a, b haven't ended: cancel them first."
        );
        assert_eq!(
            (deleted_jobs(1), deleted_jobs(1200)),
            ("1 job was deleted.".into(), "1,200 jobs were deleted.".into())
        );
    }
}
