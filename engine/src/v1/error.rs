//! OpenAI's error envelope: `{"error": {"message", "type", "param", "code"}}`, all four keys always there.

use crate::{Error, error::chain};
use axum::{
    Json,
    http::{Method, StatusCode},
    response::{IntoResponse, Response},
};
use serde_json::json;

/// An error as a caller of /v1 sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ApiError {
    status: StatusCode,
    message: String,
    param: Option<String>,
    code: Option<String>,
}

impl ApiError {
    fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
            param: None,
            code: None,
        }
    }

    /// A parameter that can't be taken as it is.
    pub(crate) fn param(param: &str, message: impl Into<String>) -> Self {
        Self {
            param: Some(param.to_owned()),
            ..Self::new(StatusCode::BAD_REQUEST, message)
        }
    }

    /// With a stable word that programs read.
    pub(crate) fn with_code(mut self, code: &str) -> Self {
        self.code = Some(code.to_owned());
        self
    }

    /// A body that isn't what it should be.
    pub(crate) fn bad_body(status: StatusCode, message: impl Into<String>) -> Self {
        Self::new(status, message)
    }

    pub(crate) fn no_route(method: &Method, path: &str) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            format!("there is nothing at {method} {path}: check the address"),
        )
        .with_code("unknown_url")
    }

    pub(crate) fn wrong_method(method: &Method, path: &str) -> Self {
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            format!("{path} does not take {method}"),
        )
        .with_code("method_not_allowed")
    }

    pub(crate) fn no_key() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "send your API key in the header `Authorization: Bearer KEY`",
        )
    }

    pub(crate) fn wrong_key() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "the API key is not known here: make one with `attune key create`",
        )
        .with_code("invalid_api_key")
    }

    pub(crate) fn internal() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "the server had an error: try again, and tell its operator",
        )
    }

    pub(crate) fn not_found(what: &str, id: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, format!("there is no {what} `{id}`")).with_code("not_found")
    }
}

impl From<Error> for ApiError {
    fn from(error: Error) -> Self {
        if error.is_internal() {
            tracing::error!(error = %chain(&error), "a call of /v1 failed");
        }
        let status = match &error {
            Error::NotFound(_) => StatusCode::NOT_FOUND,
            // The SDKs retry a 409, which helps nobody: what is illegal now stays illegal.
            Error::Invalid(_) | Error::Conflict { .. } | Error::Range { .. } | Error::Interrupted(_) => {
                StatusCode::BAD_REQUEST
            }
            Error::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Error::LinkExpired => StatusCode::GONE,
            Error::DiskFull(_) => StatusCode::INSUFFICIENT_STORAGE,
            Error::Stopping => StatusCode::SERVICE_UNAVAILABLE,
            Error::Storage { .. } => return Self::internal(),
        };
        let param = error.fields().into_keys().next();
        Self {
            param,
            ..Self::new(status, error.to_string())
        }
        .with_code(error.code())
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let kind = if self.status.is_server_error() {
            "server_error"
        } else {
            "invalid_request_error"
        };
        let envelope = json!({
            "error": { "message": self.message, "type": kind, "param": self.param, "code": self.code }
        });
        (self.status, Json(envelope)).into_response()
    }
}
