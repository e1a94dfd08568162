//! What can go wrong, with a text for the public apart from what only the log may see.
//!
//! `Display` is the public text. The internal context is the error's source: callers log the chain once, at
//! the boundary, and never send it.

use shared::{attempt::FailureCause, job::JobFailure, problem::FieldCode, validate::Findings};
use std::collections::BTreeMap;

/// A boxed cause, for the log only.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why a call of [`crate::Service`] failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such thing, or it belongs to somebody else.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// Fields are at fault; each finding has a code and parameters (see [`Error::fields`]).
    #[error("{}", first_finding(.0))]
    Invalid(Findings),
    /// The state of things doesn't allow it.
    #[error("{message}")]
    Conflict {
        /// Stable, `snake_case`.
        code: &'static str,
        /// What stands in the way and what to do, in English.
        message: String,
    },
    /// More bytes than are taken.
    #[error("the file is larger than the {limit} bytes that are taken")]
    TooLarge {
        /// How many are taken.
        limit: u64,
    },
    /// An upload's bytes don't fit what was announced or what is there already.
    #[error("{message}")]
    Range {
        /// Bytes that are safe on the server.
        received: u64,
        /// What doesn't fit and what to do, in English.
        message: String,
    },
    /// The link was used, has expired, or never was.
    #[error("the link was used or has expired: ask for a new one")]
    LinkExpired,
    /// The sender of a body went away or broke the transfer.
    #[error("the transfer was cut: send the rest again")]
    Interrupted(#[source] Cause),
    /// No space is left.
    #[error("the disk is full: free some space and try again")]
    DiskFull(#[source] Cause),
    /// There is no such model, or it belongs to somebody else.
    #[error("there is no model `{0}`: see the list of models")]
    ModelNotFound(String),
    /// A model can't be asked this.
    #[error("{message}")]
    Unanswerable {
        /// Stable, `snake_case`.
        code: &'static str,
        /// What is wrong and what to do, in English.
        message: String,
    },
    /// Too many requests wait to be answered.
    #[error("too many requests wait to be answered: try again in a moment")]
    Busy {
        /// Seconds to wait.
        retry_after: u64,
    },
    /// It could be answered, but not now or not here.
    #[error("{message}")]
    Unavailable {
        /// Stable, `snake_case`.
        code: &'static str,
        /// What happened and what to do, in English.
        message: String,
    },
    /// The service is going down.
    #[error("the server is stopping: try again in a moment")]
    Stopping,
    /// Storage failed in a way that the public need not know.
    #[error("the server could not reach its storage")]
    Storage {
        /// What was being done, for the log.
        context: &'static str,
        /// The cause, for the log.
        #[source]
        source: Cause,
    },
}

fn first_finding(fields: &Findings) -> String {
    let Some((field, code)) = fields.iter().next() else {
        return "the request is invalid".to_owned();
    };
    english(field, code)
}

impl Error {
    /// A storage failure; one that says that the disk is full becomes [`Error::DiskFull`].
    pub(crate) fn storage(context: &'static str, source: impl Into<Cause>) -> Self {
        let source = source.into();
        if is_disk_full(source.as_ref()) {
            Self::DiskFull(source)
        } else {
            Self::Storage { context, source }
        }
    }

    /// One field at fault, with a code and no parameters.
    pub(crate) fn field(field: &str, code: &str) -> Self {
        Self::Invalid(one_finding(field, code, &[]))
    }

    /// A state that doesn't allow what was asked.
    pub(crate) fn conflict(code: &'static str, message: impl Into<String>) -> Self {
        Self::Conflict {
            code,
            message: message.into(),
        }
    }

    /// Stable, `snake_case`: what programs read.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotFound(_) => "not_found",
            Self::Invalid(_) => "invalid_request",
            Self::Conflict { code, .. }
            | Self::Unanswerable { code, .. }
            | Self::Unavailable { code, .. } => code,
            Self::ModelNotFound(_) => "model_not_found",
            Self::Busy { .. } => "too_many_requests",
            Self::TooLarge { .. } => "too_large",
            Self::Range { .. } => "range_mismatch",
            Self::LinkExpired => "link_expired",
            Self::Interrupted(_) => "interrupted",
            Self::DiskFull(_) => "disk_full",
            Self::Stopping => "stopping",
            Self::Storage { .. } => "storage",
        }
    }

    /// Field → English text, where fields are at fault.
    #[must_use]
    pub fn fields(&self) -> BTreeMap<String, String> {
        match self {
            Self::Invalid(findings) => findings
                .iter()
                .map(|(field, code)| (field.clone(), english(field, code)))
                .collect(),
            _ => BTreeMap::new(),
        }
    }

    /// As the reason why a job failed that it befell.
    pub(crate) fn to_failure(&self) -> JobFailure {
        let cause = if matches!(self, Self::DiskFull(_)) {
            FailureCause::DiskFull
        } else {
            FailureCause::Storage
        };
        JobFailure::new(self.code(), self.to_string()).because(cause)
    }

    /// Internal: nobody outside can mend it, so it belongs into the log.
    #[must_use]
    pub const fn is_internal(&self) -> bool {
        matches!(self, Self::Storage { .. } | Self::DiskFull(_))
    }
}

impl From<sqlx::Error> for Error {
    fn from(source: sqlx::Error) -> Self {
        Self::storage("the database did not answer", source)
    }
}

/// Findings about one field.
pub(crate) fn one_finding(field: &str, code: &str, params: &[(&str, &str)]) -> Findings {
    let params = params
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    Findings::from([(
        field.to_owned(),
        FieldCode {
            code: code.to_owned(),
            params,
        },
    )])
}

/// A finding as an English sentence: the engine's own codes here, every other one is `shared`'s.
#[must_use]
pub fn english(field: &str, code: &FieldCode) -> String {
    let sentence = match code.code.as_str() {
        "unknown_model" => "there is no such base model",
        "model_not_trainable" => "it can't be trained on this machine: see the models' page for the reason",
        "invalid_source" => "write `hf:OWNER/NAME`, or `hf:OWNER/NAME@REVISION`",
        "cannot_estimate" => "what a job of this model and data takes can't be told",
        "unknown_file" => "there is no such file",
        "wrong_purpose" => "the file must have the purpose `fine-tune`",
        "not_uploaded" => "the file has not been uploaded completely",
        "has_errors" => "the file has lines that can't be used: see its report",
        "wrong_format" if code.params.get("method").is_some_and(|method| method == "dpo") => {
            "the file holds chats, but the method `dpo` compares pairs of answers: take the method `supervised`"
        }
        "wrong_format" => {
            "the file holds preference pairs, which the method `supervised` can't use: take the method `dpo`"
        }
        "invalid_cursor" => "the cursor isn't one of this list",
        "unknown_status" => {
            "statuses are `validating_files`, `queued`, `running`, `pausing`, `paused`, `succeeded`, `failed`, `cancelled`"
        }
        "unknown_sort" => {
            "sort by `created_at`, `name`, `status` or `base_model`, with a leading `-` to turn it round"
        }
        "name_length" => "must have 1 to 200 characters",
        "key_name_length" => "the key's name must have 1 to 100 characters, no control characters",
        "filename_length" => "must have 1 to 255 characters and no control characters",
        "invalid_url" => "write `https://HOST/PATH`, without a user or a password",
        "https_required" => {
            "must begin with `https://`, unless the operator has listed the host in `webhooks.private_hosts`"
        }
        "private_address" => {
            "leads into a private network, which the operator has to allow with `webhooks.private_hosts`"
        }
        "unknown_parameter" => {
            return match (code.params.get("parameter"), code.params.get("condition")) {
                (Some(parameter), Some(condition)) => {
                    format!("the condition `{condition}` has no parameter `{parameter}`")
                }
                _ => "the condition has no such parameter".to_owned(),
            };
        }
        "parameter_out_of_range" => {
            return match (code.params.get("parameter"), code.params.get("condition")) {
                (Some(parameter), Some(condition)) => {
                    format!(
                        "the parameter `{parameter}` of the condition `{condition}` is outside its bounds"
                    )
                }
                _ => "a parameter is outside its bounds".to_owned(),
            };
        }
        "action_not_possible" => {
            "a job whose loss is not a number has failed, so there is nothing to pause: `notify`"
        }
        "no_bytes" => "the file is empty",
        "unknown_checkpoint" => "the job keeps no checkpoint of this step: see its checkpoints",
        "fixed_by_checkpoint" => {
            "rank, alpha and projections are the checkpoint's: leave them out, or start from the beginning"
        }
        _ => return shared::validate::english(field, code),
    };
    sentence.to_owned()
}

/// An error with its causes, for the log.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(current) = cause {
        text.push_str(": ");
        text.push_str(&current.to_string());
        cause = current.source();
    }
    text
}

/// Whether an error, or one that it stems from, is "no space left".
fn is_disk_full(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(current) = cause {
        if let Some(io) = current.downcast_ref::<std::io::Error>()
            && matches!(
                io.kind(),
                std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded
            )
        {
            return true;
        }
        // SQLITE_FULL, as the driver tells it.
        if let Some(sqlx::Error::Database(database)) = current.downcast_ref::<sqlx::Error>()
            && database.code().as_deref() == Some("13")
        {
            return true;
        }
        cause = current.source();
    }
    false
}

/// Why the service could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Another server works in the data folder.
    #[error(
        "the data folder `{path}` is in use by another server: stop it, or choose another with `--data-dir`"
    )]
    InUse {
        /// The folder.
        path: String,
    },
    /// A newer build has worked in the data folder.
    #[error(
        "the data folder `{path}` was written by a newer version of attune: upgrade this one, or choose another folder"
    )]
    Newer {
        /// The folder.
        path: String,
    },
    /// The data folder can't be used.
    #[error("the data folder `{path}` can't be used: {reason}")]
    DataFolder {
        /// The folder.
        path: String,
        /// Why not.
        reason: String,
    },
    /// The database in it can't be used.
    #[error("the database in `{path}` can't be opened")]
    Database {
        /// The folder.
        path: String,
        /// Why not.
        #[source]
        source: Cause,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_recognised_below_other_errors() {
        let io = std::io::Error::from(std::io::ErrorKind::StorageFull);
        assert_eq!(Error::storage("writing", io).code(), "disk_full");
        let wrapped = sqlx::Error::Io(std::io::Error::from(std::io::ErrorKind::StorageFull));
        assert_eq!(Error::from(wrapped).code(), "disk_full");
    }

    #[test]
    fn internal_causes_are_not_in_the_public_text() {
        let error = Error::storage("reading a row", std::io::Error::other("/secret/path"));
        assert!(!error.to_string().contains("secret"));
        assert!(error.is_internal());
    }
}
