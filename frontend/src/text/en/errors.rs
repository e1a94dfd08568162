//! What went wrong and what to do.

use super::words;
use crate::{api::ApiError, browser};

words! {
    /// Shown over an answer that could not be renewed.
    outdated = "This may be out of date.";
    /// What an unreachable server means.
    unreachable = "The server can't be reached";
    /// What it means where the browser itself has no network.
    offline = "You are offline";
    /// A submit failed: the workspace has no place left.
    workspace_full = "The workspace is full";
    /// Sends a failed submit again.
    try_again = "Try again";
    /// Leads to the list where jobs can be deleted.
    make_room = "Choose jobs to delete";
    /// Lets the draft's values become another job.
    another_job = "Make it another job";
}

/// What happened, as a title.
#[must_use]
pub fn error_title(error: &ApiError) -> String {
    match error {
        ApiError::Unreachable if browser::is_offline() => offline().to_owned(),
        ApiError::Unreachable => unreachable().to_owned(),
        ApiError::Unreadable(_) => "The answer can't be read".to_owned(),
        ApiError::Status(status) => format!("The server answered {status}"),
        ApiError::Problem(problem) => match (problem.status, problem.code.as_str()) {
            (404, _) => "This doesn't exist".to_owned(),
            (403, _) => "That isn't allowed".to_owned(),
            (429, _) => "That is too much for now".to_owned(),
            (504, _) => "The upstream is too slow".to_owned(),
            (502, "upstream_key_rejected") => "The upstream refuses the server's key".to_owned(),
            (502, "upstream_unreachable") => "The upstream can't be reached".to_owned(),
            (502, "upstream_invalid_response") => "The upstream's answer makes no sense".to_owned(),
            (502, _) => "The upstream has trouble".to_owned(),
            _ => problem.title.clone(),
        },
    }
}

/// What to do about it.
#[must_use]
pub fn error_advice(error: &ApiError) -> String {
    match error {
        ApiError::Unreachable if browser::is_offline() => {
            "This browser has no network. It is tried again by itself when it is back.".to_owned()
        }
        ApiError::Unreachable => "Is `attune serve` still running? It is tried again by itself.".to_owned(),
        ApiError::Unreadable(_) => {
            "The console and the server don't fit together. Reload the page; if that doesn't help, update the server."
                .to_owned()
        }
        ApiError::Status(_) => "Something between this page and the server answered instead of it.".to_owned(),
        ApiError::Problem(problem) => sentence(problem.detail.as_deref().unwrap_or(&problem.title)),
    }
}

/// Why a job wasn't created, as a title.
#[must_use]
pub fn submit_title(error: &ApiError) -> String {
    match error.status() {
        Some(403) => "The server's key may not create jobs".to_owned(),
        Some(409) => "This draft was already started".to_owned(),
        _ => error_title(error),
    }
}

/// What a failed submit means for the draft, and what to do.
#[must_use]
pub fn submit_advice(error: &ApiError) -> String {
    const KEPT: &str = "Your draft is kept.";
    const ONCE: &str = "trying again never makes a second job.";
    match error {
        ApiError::Unreachable if browser::is_offline() => {
            format!("This browser has no network. {KEPT} Try again when it is back.")
        }
        ApiError::Unreachable => {
            format!("Is `attune serve` still running? {KEPT} It is safe to repeat: {ONCE}")
        }
        ApiError::Problem(problem) => {
            let said = error_advice(error);
            match (problem.status, problem.code.as_str()) {
                (403, _) => {
                    format!("{said} Whoever runs this server can give its key that permission. {KEPT}")
                }
                (504, _) => format!("{said} {KEPT} Whether the job was made is looked up first: {ONCE}"),
                (502, "upstream_key_rejected") => format!("{said} {KEPT}"),
                (502 | 500, _) => format!("{said} {KEPT} It is safe to repeat: {ONCE}"),
                _ => format!("{said} {KEPT}"),
            }
        }
        other => format!("{} {KEPT}", error_advice(other)),
    }
}

/// Both in one line, for a notice.
#[must_use]
pub fn error_line(error: &ApiError) -> String {
    match error {
        ApiError::Problem(_) => error_advice(error),
        other => format!("{}. {}", error_title(other), error_advice(other)),
    }
}

/// A server's lower-case message as a sentence.
#[must_use]
pub fn sentence(message: &str) -> String {
    let mut text = message.trim().to_owned();
    if let Some(first) = text.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    if !text.ends_with(['.', '!', '?', ':']) && !text.is_empty() {
        text.push('.');
    }
    text
}

/// The page on a static host can't learn where its server is.
#[must_use]
pub fn no_config(reason: &str) -> String {
    format!("The file config.json, which says where this page's server is, can't be read: {reason}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_failure_of_a_submit_has_words_of_its_own_and_keeps_the_draft() {
        let problem = |status: u16, code: &str| {
            let json =
                format!(r#"{{"title":"t","status":{status},"code":"{code}","detail":"what happened"}}"#);
            ApiError::Problem(Box::new(serde_json::from_str(&json).expect("this is a problem")))
        };
        let failures = [
            problem(403, "upstream_forbidden"),
            problem(409, "idempotency_key_reused"),
            problem(429, "upstream_limit"),
            problem(502, "upstream_key_rejected"),
            problem(502, "upstream_unreachable"),
            problem(502, "upstream_invalid_response"),
            problem(502, "upstream_error"),
            problem(504, "upstream_timeout"),
            ApiError::Unreachable,
            ApiError::Unreadable("x".to_owned()),
            ApiError::Status(500),
        ];
        let titles: std::collections::BTreeSet<String> = failures.iter().map(submit_title).collect();
        assert_eq!(titles.len(), failures.len(), "{titles:?}");
        for failure in &failures {
            let advice = submit_advice(failure);
            assert!(advice.contains("Your draft is kept."), "{advice}");
        }
    }

    #[test]
    fn a_message_becomes_one_sentence() {
        assert_eq!(sentence("cancel the job first"), "Cancel the job first.");
        assert_eq!(sentence("Too many jobs."), "Too many jobs.");
        assert_eq!(sentence(""), "");
    }
}
