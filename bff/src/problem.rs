//! Errors of `/api`: a public text apart from the internal context, so that internals can't leak by accident.
//!
//! A handler returns an [`ApiError`]; its answer carries the problem as an extension, and [`finish`], at the
//! boundary, gives it the request's id, writes the body and logs the internal context once.

use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use shared::{
    problem::{FieldCode, Problem},
    validate,
};
use std::{borrow::Cow, collections::BTreeMap, error::Error, sync::Arc};

/// An error as a client sees it, and what only the log may tell.
#[derive(Debug, Clone)]
pub struct ApiError {
    problem: Box<Problem>,
    retry_after: Option<u64>,
    internal: Option<Arc<str>>,
}

impl ApiError {
    /// An error with a status, a stable code and a sentence that says what to do.
    pub fn new(status: StatusCode, code: impl Into<Cow<'static, str>>, detail: impl Into<String>) -> Self {
        Self {
            problem: Box::new(Problem {
                kind: "about:blank".to_owned(),
                title: status.canonical_reason().unwrap_or("Error").to_owned(),
                status: status.as_u16(),
                detail: Some(detail.into()),
                code: code.into().into_owned(),
                request_id: None,
                fields: BTreeMap::new(),
                field_codes: BTreeMap::new(),
            }),
            retry_after: None,
            internal: None,
        }
    }

    /// 404: there is no such thing, or it is somebody else's.
    #[must_use]
    pub fn not_found(what: &str) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "not_found",
            format!("there is no such {what}"),
        )
    }

    /// 400 with our own findings by field.
    #[must_use]
    pub fn invalid(findings: BTreeMap<String, FieldCode>) -> Self {
        let mut error = Self::new(
            StatusCode::BAD_REQUEST,
            "validation_failed",
            "some fields need another value; see `fields`",
        );
        error.problem.fields = findings
            .iter()
            .map(|(field, code)| (field.clone(), validate::english(field, code)))
            .collect();
        error.problem.field_codes = findings;
        error
    }

    /// 500 whose cause only the log tells.
    pub fn internal(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal_error",
            "something went wrong on the server; its log tells more under this request's id",
        )
        .because(cause)
    }

    /// Adds messages by field.
    #[must_use]
    pub fn with_fields(mut self, fields: BTreeMap<String, String>) -> Self {
        self.problem.fields = fields;
        self
    }

    /// Adds our own findings by field.
    #[must_use]
    pub fn with_codes(mut self, codes: BTreeMap<String, FieldCode>) -> Self {
        self.problem.field_codes = codes;
        self
    }

    /// Adds `Retry-After` in seconds.
    #[must_use]
    pub const fn with_retry_after(mut self, seconds: Option<u64>) -> Self {
        self.retry_after = seconds;
        self
    }

    /// Adds what only the log may tell: the whole chain of causes.
    #[must_use]
    pub fn because(mut self, cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.internal = Some(chain(&*cause.into()).into());
        self
    }

    /// The problem as a stream's last event tells it; what only the log may tell is logged here.
    pub(crate) fn into_problem(self, request_id: &str) -> Problem {
        let mut problem = *self.problem;
        problem.request_id = Some(request_id.to_owned());
        if let Some(internal) = &self.internal {
            tracing::error!(
                request_id,
                status = problem.status,
                code = problem.code,
                cause = %internal,
                "request failed"
            );
        }
        problem
    }

    /// The status of the answer.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &str {
        &self.problem.code
    }
}

/// An error with all its causes on one line.
pub(crate) fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.ends_with(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        if let Some(seconds) = self.retry_after {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response.extensions_mut().insert(self);
        response
    }
}

/// At the boundary: writes the body of an [`ApiError`] and logs what only the log may tell.
pub(crate) fn finish(response: &mut Response, request_id: &str) {
    let Some(error) = response.extensions_mut().remove::<ApiError>() else {
        return;
    };
    let problem = error.into_problem(request_id);
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/problem+json"),
    );
    let body = serde_json::to_vec(&problem).unwrap_or_default();
    response
        .headers_mut()
        .insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
    *response.body_mut() = Body::from(body);
}
