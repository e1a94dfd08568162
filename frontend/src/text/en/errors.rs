//! What went wrong and what to do.

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
    /// Title.
    answer_unreadable = "The answer can't be read";
    /// Title.
    not_there = "This doesn't exist";
    /// Title.
    not_allowed = "That isn't allowed";
    /// Title.
    too_much = "That is too much for now";
    /// Title.
    upstream_slow = "The upstream is too slow";
    /// Title.
    upstream_refuses = "The upstream refuses the server's key";
    /// Title.
    upstream_unreachable = "The upstream can't be reached";
    /// Title.
    upstream_senseless = "The upstream's answer makes no sense";
    /// Title.
    upstream_trouble = "The upstream has trouble";
    /// Title of a failed submit.
    may_not_create = "The server's key may not create jobs";
    /// Advice.
    offline_advice = "This browser has no network. It is tried again by itself when it is back.";
    /// Advice.
    unreachable_advice = "Is `attune serve` still running? It is tried again by itself.";
    /// Advice.
    unreadable_advice = "The console and the server don't fit together. Reload the page; if that doesn't help, update the server.";
    /// Advice.
    status_advice = "Something between this page and the server answered instead of it.";
    /// Of a failed submit.
    draft_kept = "Your draft is kept.";
    /// Of a failed submit.
    no_network = "This browser has no network.";
    /// Of a failed submit.
    when_back = "Try again when it is back.";
    /// Of a failed submit.
    still_running = "Is `attune serve` still running?";
    /// Of a failed submit.
    safe_to_repeat = "It is safe to repeat: trying again never makes a second job.";
    /// Of a failed submit.
    looked_up_first = "Whether the job was made is looked up first: trying again never makes a second job.";
    /// Of a failed submit.
    permission_advice = "Whoever runs this server can give its key that permission.";
}

/// What happened, as a title.
#[must_use]
pub fn error_title(error: &ApiError) -> String {
    let known = match error {
        ApiError::Unreachable if browser::is_offline() => offline(),
        ApiError::Unreachable => unreachable(),
        ApiError::Unreadable(_) => answer_unreadable(),
        ApiError::Status(status) => return server_answered(*status),
        ApiError::Problem(problem) => match (problem.status, problem.code.as_str()) {
            (404, _) => not_there(),
            (403, _) => not_allowed(),
            (429, _) => too_much(),
            (504, _) => upstream_slow(),
            (502, "upstream_key_rejected") => upstream_refuses(),
            (502, "upstream_unreachable") => upstream_unreachable(),
            (502, "upstream_invalid_response") => upstream_senseless(),
            (502, _) => upstream_trouble(),
            _ => return problem.title.clone(),
        },
    };
    known.to_owned()
}

/// An answer that says nothing but its status.
#[must_use]
pub fn server_answered(status: u16) -> String {
    german!(server_answered(status));
    format!("The server answered {status}")
}

/// What to do about it.
#[must_use]
pub fn error_advice(error: &ApiError) -> String {
    let known = match error {
        ApiError::Unreachable if browser::is_offline() => offline_advice(),
        ApiError::Unreachable => unreachable_advice(),
        ApiError::Unreadable(_) => unreadable_advice(),
        ApiError::Status(_) => status_advice(),
        ApiError::Problem(problem) => {
            return sentence(problem.detail.as_deref().unwrap_or(&problem.title));
        }
    };
    known.to_owned()
}

/// Why a job wasn't created, as a title.
#[must_use]
pub fn submit_title(error: &ApiError) -> String {
    match error.status() {
        Some(403) => may_not_create().to_owned(),
        Some(409) => super::used_up_title().to_owned(),
        _ => error_title(error),
    }
}

/// What a failed submit means for the draft, and what to do.
#[must_use]
pub fn submit_advice(error: &ApiError) -> String {
    let kept = draft_kept();
    let said = error_advice(error);
    match error {
        ApiError::Unreachable if browser::is_offline() => {
            format!("{} {kept} {}", no_network(), when_back())
        }
        ApiError::Unreachable => format!("{} {kept} {}", still_running(), safe_to_repeat()),
        ApiError::Problem(problem) => match (problem.status, problem.code.as_str()) {
            (403, _) => format!("{said} {} {kept}", permission_advice()),
            (504, _) => format!("{said} {kept} {}", looked_up_first()),
            (502, "upstream_key_rejected") => format!("{said} {kept}"),
            (502 | 500, _) => format!("{said} {kept} {}", safe_to_repeat()),
            _ => format!("{said} {kept}"),
        },
        ApiError::Unreadable(_) | ApiError::Status(_) => format!("{said} {kept}"),
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
    german!(no_config(reason));
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
