//! What can go wrong with an upstream, and how `/api` tells it.

use crate::problem::ApiError;
use axum::http::StatusCode;
use shared::problem::FieldCode;
use std::{collections::BTreeMap, sync::Arc};

/// Why an upstream gave no answer that can be used.
#[derive(Debug, Clone, thiserror::Error)]
pub enum UpstreamError {
    /// There is no such thing, or it is somebody else's.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// The upstream doesn't offer this.
    #[error("the upstream does not offer this")]
    Unsupported,
    /// A value is at fault; messages by field, in `/api`'s names.
    #[error("{detail}")]
    Invalid {
        /// What is wrong, in one sentence.
        detail: String,
        /// Field → English text.
        fields: BTreeMap<String, String>,
        /// Field → code with parameters, where the finding is ours.
        codes: BTreeMap<String, FieldCode>,
    },
    /// A refusal that keeps its status.
    #[error("{detail}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// Stable, `snake_case`.
        code: &'static str,
        /// What happened and what to do.
        detail: String,
        /// Seconds to wait before trying again.
        retry_after: Option<u64>,
    },
    /// The upstream doesn't take the operator's key.
    #[error("the upstream does not take the configured key")]
    KeyRejected,
    /// It can't be reached.
    #[error("the upstream can't be reached")]
    Unreachable(#[source] Cause),
    /// It took too long.
    #[error("the upstream took too long to answer")]
    TimedOut,
    /// Its answer can't be read; the text says why and names the field.
    #[error("the upstream's answer can't be read: {0}")]
    InvalidResponse(String),
    /// Its answer ended before it was whole.
    #[error("the upstream's answer broke off")]
    BrokenOff,
    /// It answered with a status of the five hundreds.
    #[error("the upstream failed with status {0}")]
    Failed(u16),
    /// No space is left.
    #[error("{detail}")]
    Full {
        /// What happened and what to do.
        detail: String,
        /// For the log.
        #[source]
        cause: Cause,
    },
    /// Something of ours went wrong; only the log tells.
    #[error("internal error")]
    Internal(#[source] Cause),
}

/// A cause that several waiters may hold.
#[derive(Debug, Clone)]
pub struct Cause(Arc<dyn std::error::Error + Send + Sync>);

impl Cause {
    /// Wraps a cause.
    pub fn new(error: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self(Arc::new(error))
    }
}

impl std::fmt::Display for Cause {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(formatter)
    }
}

impl std::error::Error for Cause {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source()
    }
}

impl UpstreamError {
    /// Whether the change that was asked for may have happened all the same.
    #[must_use]
    pub const fn outcome_unknown(&self) -> bool {
        matches!(
            self,
            Self::TimedOut
                | Self::InvalidResponse(_)
                | Self::BrokenOff
                | Self::Failed(_)
                | Self::Unreachable(_)
        )
    }
}

impl From<UpstreamError> for ApiError {
    fn from(error: UpstreamError) -> Self {
        match error {
            UpstreamError::NotFound(what) => Self::not_found(what),
            UpstreamError::Unsupported => Self::new(
                StatusCode::NOT_FOUND,
                "not_supported",
                "the upstream behind this console does not offer this; see `GET /api/capabilities`",
            ),
            UpstreamError::Invalid {
                detail,
                fields,
                codes,
            } => Self::new(StatusCode::BAD_REQUEST, "validation_failed", detail)
                .with_fields(fields)
                .with_codes(codes),
            UpstreamError::Refused {
                status,
                code,
                detail,
                retry_after,
            } => Self::new(
                StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST),
                code,
                detail,
            )
            .with_retry_after(retry_after),
            UpstreamError::KeyRejected => Self::new(
                StatusCode::BAD_GATEWAY,
                "upstream_key_rejected",
                "the upstream does not take this server's key; its operator has to set a valid one",
            ),
            UpstreamError::Unreachable(cause) => Self::new(
                StatusCode::BAD_GATEWAY,
                "upstream_unreachable",
                "the upstream can't be reached; try again in a moment",
            )
            .because(cause),
            UpstreamError::TimedOut => Self::new(
                StatusCode::GATEWAY_TIMEOUT,
                "upstream_timeout",
                "the upstream took too long to answer; try again in a moment",
            ),
            UpstreamError::InvalidResponse(reason) => Self::new(
                StatusCode::BAD_GATEWAY,
                "upstream_invalid_response",
                format!("the upstream's answer can't be read: {reason}"),
            ),
            UpstreamError::BrokenOff => Self::new(
                StatusCode::BAD_GATEWAY,
                "upstream_invalid_response",
                "the upstream's answer can't be read: it breaks off in the middle",
            ),
            UpstreamError::Failed(status) => Self::new(
                StatusCode::BAD_GATEWAY,
                "upstream_error",
                format!("the upstream failed with status {status}; try again in a moment"),
            ),
            UpstreamError::Full { detail, cause } => {
                Self::new(StatusCode::INSUFFICIENT_STORAGE, "disk_full", detail).because(cause)
            }
            UpstreamError::Internal(cause) => Self::internal(cause),
        }
    }
}
