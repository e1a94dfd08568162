//! What went wrong and what to do.

use super::words;
use crate::api::ApiError;

words! {
    /// Shown over an answer that could not be renewed.
    outdated = "This may be out of date.";
    /// What an unreachable server means.
    unreachable = "The server can't be reached";
}

/// What happened, as a title.
#[must_use]
pub fn error_title(error: &ApiError) -> String {
    match error {
        ApiError::Unreachable => unreachable().to_owned(),
        ApiError::Unreadable(_) => "The answer can't be read".to_owned(),
        ApiError::Status(status) => format!("The server answered {status}"),
        ApiError::Problem(problem) => match problem.status {
            404 => "This doesn't exist".to_owned(),
            403 => "That isn't allowed".to_owned(),
            429 => "That is too much for now".to_owned(),
            504 => "The upstream is too slow".to_owned(),
            502 if problem.code == "upstream_key_rejected" => {
                "The upstream refuses the server's key".to_owned()
            }
            502 => "The upstream has trouble".to_owned(),
            _ => problem.title.clone(),
        },
    }
}

/// What to do about it.
#[must_use]
pub fn error_advice(error: &ApiError) -> String {
    match error {
        ApiError::Unreachable => "Is `attune serve` still running? It is tried again by itself.".to_owned(),
        ApiError::Unreadable(_) => {
            "The console and the server don't fit together. Reload the page; if that doesn't help, update the server."
                .to_owned()
        }
        ApiError::Status(_) => "Something between this page and the server answered instead of it.".to_owned(),
        ApiError::Problem(problem) => sentence(problem.detail.as_deref().unwrap_or(&problem.title)),
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
    use super::sentence;

    #[test]
    fn a_message_becomes_one_sentence() {
        assert_eq!(sentence("cancel the job first"), "Cancel the job first.");
        assert_eq!(sentence("Too many jobs."), "Too many jobs.");
        assert_eq!(sentence(""), "");
    }
}
