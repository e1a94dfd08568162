//! Why a base model could not be added or removed. `Display` is the public text; causes are for the log.

use crate::error::{Cause, Error};
use shared::model::AdditionFailure;
use std::{io, path::Path};

/// Why a base model could not be added or removed.
#[derive(Debug, thiserror::Error)]
pub enum AddError {
    /// The source can't be understood.
    #[error("{0}")]
    InvalidSource(String),
    /// The identifier can't be a folder's name.
    #[error(
        "`{0}` can't name a model: use letters, digits, `.`, `_`, `-` and `+`, with at most one `/` between two names (`attune model add` takes \
         another with `--name`)"
    )]
    InvalidName(String),
    /// A model of this identifier is there.
    #[error("a model named `{0}` is there already: remove it first, or add this one under another name")]
    Exists(String),
    /// The name leads into a model's folder, or is that of a folder of models.
    #[error(
        "`{0}` would lie in another model's folder or in the place of several: add it under another name"
    )]
    Taken(String),
    /// Somebody else is adding it.
    #[error("`{0}` is being added already")]
    Busy(String),
    /// There is no model of this identifier.
    #[error("there is no base model named `{0}`")]
    Unknown(String),
    /// It comes with Attune, or the operator put it there.
    #[error(
        "`{0}` was not added by Attune: it comes with it, or was put into its folder by hand, and is taken away there"
    )]
    NotAdded(String),
    /// A job or an artifact needs it.
    #[error("`{id}` is needed by {needed_by}: it can't be removed")]
    InUse {
        /// The model.
        id: String,
        /// How many jobs and tuned models, in words.
        needed_by: String,
    },
    /// The Hub has no such repository or revision.
    #[error("`{0}` isn't on the Hub, or is private: check its name, or set `HF_TOKEN`")]
    NotOnHub(String),
    /// The Hub wants a token, or another one.
    #[error(
        "the Hub gives `{0}` only to those who were granted it: accept its conditions there, and set `HF_TOKEN`"
    )]
    Gated(String),
    /// The Hub doesn't know the token.
    #[error("the Hub refuses the token in `HF_TOKEN`: it is wrong or has expired")]
    BadToken,
    /// The Hub could not be reached, or the connection broke again and again.
    #[error("the connection to `{host}` failed: what has arrived is kept, try again to go on from there")]
    Unreachable {
        /// Whose address.
        host: String,
        /// Why, for the log.
        #[source]
        source: Option<Cause>,
    },
    /// The Hub said something that makes no sense here.
    #[error("`{host}` {problem}")]
    HubAnswer {
        /// Whose address.
        host: String,
        /// What it did.
        problem: String,
    },
    /// A file isn't the one that was announced.
    #[error("`{file}` arrived damaged ({problem}) and was dropped: try again")]
    Damaged {
        /// Which.
        file: String,
        /// What differs.
        problem: String,
    },
    /// The model can't be trained here.
    #[error("{message}")]
    Refused {
        /// Stable, `snake_case`.
        code: String,
        /// Why and what to do.
        message: String,
    },
    /// The disk has no room for it.
    #[error("`{path}` lacks room: {needed_mb} MB are needed and {free_mb} MB are free")]
    NoSpace {
        /// Where.
        path: String,
        /// How much is to be written.
        needed_mb: u64,
        /// How much there is.
        free_mb: u64,
    },
    /// The folder of models, or the source, can't be used by this process.
    #[error("`{path}` can't be used: {source}")]
    Files {
        /// Which file or folder.
        path: String,
        /// Why not.
        source: io::Error,
    },
    /// The program that prepares models could not do so.
    #[error("the model could not be prepared: {0}")]
    Tool(String),
    /// Whoever asked for it changed their mind, or the server is going down.
    #[error("adding the model was stopped: what has arrived is kept, the same again goes on from there")]
    Stopped,
    /// The engine's own storage failed.
    #[error("{0}")]
    Storage(#[from] Error),
}

impl AddError {
    /// What an error of the file system about a path comes to.
    pub(crate) fn files(path: &Path) -> impl Fn(io::Error) -> Self + '_ {
        |source| Self::Files {
            path: path.display().to_string(),
            source,
        }
    }

    /// Stable, `snake_case`.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::InvalidSource(_) => "invalid_source",
            Self::InvalidName(_) => "invalid_name",
            Self::Exists(_) => "model_exists",
            Self::Busy(_) => "model_busy",
            Self::Unknown(_) => "not_found",
            Self::Taken(_) => "name_taken",
            Self::NotAdded(_) => "model_not_added",
            Self::InUse { .. } => "model_in_use",
            Self::NotOnHub(_) => "not_on_hub",
            Self::Gated(_) => "gated",
            Self::BadToken => "bad_token",
            Self::Unreachable { .. } => "unreachable",
            Self::HubAnswer { .. } => "hub_answer",
            Self::Damaged { .. } => "damaged",
            Self::Refused { code, .. } => code,
            Self::NoSpace { .. } => "disk_full",
            Self::Files { source, .. } => match source.kind() {
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "disk_full",
                io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => "no_permission",
                _ => "files",
            },
            Self::Tool(_) => "prepare_failed",
            Self::Stopped => "stopped",
            Self::Storage(error) => error.code(),
        }
    }

    /// Whether what has arrived so far is worth keeping for the next try.
    pub(crate) const fn keeps_what_arrived(&self) -> bool {
        matches!(self, Self::Unreachable { .. })
    }

    /// As the console shows it.
    pub(crate) fn to_failure(&self) -> AdditionFailure {
        AdditionFailure {
            code: self.code().to_owned(),
            message: self.to_string(),
        }
    }
}

/// What the API answers where the request itself is at fault; what befalls the work later is told with the addition.
impl From<AddError> for Error {
    fn from(error: AddError) -> Self {
        match error {
            AddError::InvalidSource(_) | AddError::InvalidName(_) => Self::field("source", "invalid_source"),
            AddError::Exists(_) => Self::conflict("model_exists", error.to_string()),
            AddError::Busy(_) => Self::conflict("model_busy", error.to_string()),
            AddError::Taken(_) => Self::conflict("name_taken", error.to_string()),
            AddError::NotAdded(_) => Self::conflict("model_not_added", error.to_string()),
            AddError::InUse { .. } => Self::conflict("model_in_use", error.to_string()),
            AddError::Unknown(_) => Self::NotFound("base model"),
            AddError::Storage(error) => error,
            AddError::Stopped => Self::Stopping,
            other => Self::storage("a base model could not be added or removed", other),
        }
    }
}
