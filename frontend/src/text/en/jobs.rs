//! The job list.

use super::{count, plural, words};
use crate::api::ApiError;

words! {
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
    /// Names the first column.
    selection = "Selection";
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
pub const SPAN_LABELS: [&str; 3] = ["Last 24 hours", "Last 7 days", "Last 30 days"];

/// Keys of the list and what they do.
pub const KEYS: [(&str, &str); 6] = [
    ("↑ ↓", "Move between jobs"),
    ("Enter", "Open the job"),
    ("/", "Search"),
    ("n", "New job"),
    ("Esc", "Clear the selection, then search and filters"),
    ("?", "Show this list"),
];

/// `12 new jobs`: a button that shows them.
#[must_use]
pub fn new_jobs(number: u64) -> String {
    plural(number, "new job", "new jobs")
}

/// `3 selected`.
#[must_use]
pub fn selected(number: u64) -> String {
    format!("{} selected", count(number))
}

/// Names a row's checkbox.
#[must_use]
pub fn select_named(name: &str) -> String {
    format!("Select {name}")
}

/// Names a row's button.
#[must_use]
pub fn copy_id_of(name: &str) -> String {
    format!("Copy id of {name}")
}

/// Told after copying.
#[must_use]
pub fn copied_id(id: &str) -> String {
    format!("Copied {id}")
}

/// `Delete 3 jobs`: a button.
#[must_use]
pub fn delete_jobs(number: u64) -> String {
    format!("Delete {}", plural(number, "job", "jobs"))
}

/// Closes a list of names.
#[must_use]
pub fn and_more(number: u64) -> String {
    format!("and {} more", count(number))
}

/// Said of jobs that have to be cancelled before they can be deleted.
#[must_use]
pub fn cancel_first(names: &[&str]) -> String {
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
    format!("{} deleted.", plural(number, "job was", "jobs were"))
}

/// Told of those that were refused, with the first one's reason.
#[must_use]
pub fn not_deleted(names: &[&str], error: &ApiError) -> String {
    let verb = if names.len() == 1 { "wasn't" } else { "weren't" };
    format!("{} {verb} deleted. {}", named(names), super::error_line(error))
}

/// `a, b and 3 more`.
fn named(names: &[&str]) -> String {
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
