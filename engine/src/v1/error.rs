//! OpenAI's error envelope: `{"error": {"message", "type", "param", "code"}}`, all four keys always there.

use crate::{Error, error::chain};
use axum::{
    Json,
    http::{HeaderValue, Method, StatusCode, header::RETRY_AFTER},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

/// An error as a caller of /v1 sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ApiError {
    status: StatusCode,
    message: String,
    param: Option<String>,
    code: Option<String>,
    /// Seconds to wait before another try.
    retry_after: Option<u64>,
}

impl ApiError {
    fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
            param: None,
            code: None,
            retry_after: None,
        }
    }

    /// A parameter that can't be taken as it is.
    pub(crate) fn param(param: &str, message: impl Into<String>) -> Self {
        Self {
            param: Some(param.to_owned()),
            ..Self::new(StatusCode::BAD_REQUEST, message)
        }
    }

    /// A list can't go on after what was never in it.
    pub(crate) fn no_cursor(after: Option<&str>, message: impl FnOnce(&str) -> String) -> Self {
        Self::param("after", message(after.unwrap_or_default()))
    }

    /// Something that nobody knows stands in a request: a `parameter`, a `part`.
    pub(crate) fn unknown(what: &str, name: &str) -> Self {
        Self::param(name, format!("the {what} `{name}` is not known")).with_code("unknown_parameter")
    }

    /// Of this parameter.
    pub(crate) fn of(mut self, param: &str) -> Self {
        self.param = Some(param.to_owned());
        self
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

    /// Something that this caller may not do.
    pub(crate) fn forbidden(code: &str, message: &str) -> Self {
        Self::new(StatusCode::FORBIDDEN, message).with_code(code)
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

impl ApiError {
    /// What was asked for isn't there.
    pub(crate) fn is_not_found(&self) -> bool {
        self.status == StatusCode::NOT_FOUND
    }
}

impl From<Error> for ApiError {
    fn from(error: Error) -> Self {
        if error.is_internal() {
            tracing::error!(error = %chain(&error), "a call of /v1 failed");
        }
        let status = match &error {
            Error::NotFound(_) | Error::ModelNotFound(_) => StatusCode::NOT_FOUND,
            Error::Busy { .. } => StatusCode::TOO_MANY_REQUESTS,
            // The SDKs retry a 409, which helps nobody: what is illegal now stays illegal.
            Error::Unanswerable { .. } => StatusCode::BAD_REQUEST,
            Error::Invalid(_) | Error::Conflict { .. } | Error::Range { .. } | Error::Interrupted(_) => {
                StatusCode::BAD_REQUEST
            }
            Error::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Error::LinkExpired => StatusCode::GONE,
            Error::DiskFull(_) => StatusCode::INSUFFICIENT_STORAGE,
            Error::Stopping | Error::Unavailable { .. } => StatusCode::SERVICE_UNAVAILABLE,
            Error::Storage { .. } => return Self::internal(),
        };
        let param = error.fields().into_keys().next();
        let retry_after = match error {
            Error::Busy { retry_after } => Some(retry_after),
            _ => None,
        };
        Self {
            param,
            retry_after,
            ..Self::new(status, error.to_string())
        }
        .with_code(error.code())
    }
}

impl ApiError {
    /// The body that tells it.
    pub(crate) fn envelope(&self) -> Value {
        let kind = match self.status {
            status if status.is_server_error() => "server_error",
            StatusCode::TOO_MANY_REQUESTS => "rate_limit_error",
            _ => "invalid_request_error",
        };
        json!({
            "error": { "message": self.message, "type": kind, "param": self.param, "code": self.code }
        })
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(self.envelope())).into_response();
        if let Some(seconds) = self.retry_after {
            response
                .headers_mut()
                .insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
