//! `/api`, one file a resource. Reading is described by a [`Query`](crate::query::Query) and done by the store; a
//! change is an async function here, called by the store as well.
//!
//! Every request carries `x-attune: 1` and the session's cookie, and goes where [`place`](crate::place) says.
//! Deliberately not here: an upstream's shape.

pub mod alerts;
pub mod artifacts;
pub(crate) mod browser_reports;
pub mod capabilities;
pub mod chat;
pub mod datasets;
pub mod jobs;
pub mod json;
pub mod keys;
pub mod models;
pub mod notifications;
pub mod session;
pub mod stream;
pub mod upload;
pub mod webhooks;

use crate::{browser, place};
use gloo_net::http::{Method, RequestBuilder, Response};
use js_sys::{Promise, Reflect};
use shared::problem::Problem;
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortSignal, RequestCredentials};

/// Why a request gave no answer that can be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ApiError {
    /// The server said no, and why.
    #[error("{} ({})", .0.detail.as_deref().unwrap_or(&.0.title), .0.code)]
    Problem(Box<Problem>),
    /// The server said no in words that aren't ours (a proxy on the way, for example).
    #[error("status {0} without an explanation")]
    Status(u16),
    /// No answer came.
    #[error("the server can't be reached")]
    Unreachable,
    /// The answer isn't what this build of the console understands.
    #[error("the answer can't be read: {0}")]
    Unreadable(String),
}

impl ApiError {
    /// The HTTP status, where there was an answer.
    #[must_use]
    pub const fn status(&self) -> Option<u16> {
        match self {
            Self::Problem(problem) => Some(problem.status),
            Self::Status(status) => Some(*status),
            Self::Unreachable | Self::Unreadable(_) => None,
        }
    }

    /// Nobody is signed in any more.
    #[must_use]
    pub fn is_signed_out(&self) -> bool {
        self.status() == Some(401)
    }

    /// The upstream can't do what was asked of it.
    #[must_use]
    pub fn is_unsupported(&self) -> bool {
        matches!(self, Self::Problem(problem) if problem.code == "not_supported")
    }

    /// Asking again may help by itself.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Unreachable)
            || self.status().is_some_and(|status| status >= 500 || status == 429)
    }
}

/// A successful answer as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) text: String,
}

/// Sends a request. `body` is JSON.
pub(crate) async fn fetch(
    method: Method,
    path: &str,
    body: Option<String>,
    headers: &[(&str, &str)],
    signal: Option<&AbortSignal>,
) -> Result<Response, ApiError> {
    let mut request = RequestBuilder::new(&place::of_api(path))
        .method(method)
        .credentials(RequestCredentials::Include)
        .abort_signal(signal)
        .header("x-attune", "1");
    for (name, value) in headers {
        request = request.header(name, value);
    }
    let request = match body {
        Some(body) => request.header("content-type", "application/json").body(body),
        None => request.build(),
    };
    let answer = request.map_err(|_| ApiError::Unreachable)?.send().await;
    answer.map_err(|_| ApiError::Unreachable)
}

/// The answer to a request that boot.js sent while this module was on its way. Each is taken once.
async fn early(path: &str) -> Option<Response> {
    let window = browser::window()?;
    let asked = Reflect::get(&window, &"attuneEarly".into()).ok()?;
    let name = JsValue::from_str(path);
    let promise = Reflect::get(&asked, &name).ok()?.dyn_into::<Promise>().ok()?;
    Reflect::set(&asked, &name, &JsValue::NULL).ok()?;
    let answer = JsFuture::from(promise).await.ok()?;
    Some(answer.unchecked_into::<web_sys::Response>().into())
}

/// Sends a request and reads its answer as text.
pub(crate) async fn send(
    method: Method,
    path: &str,
    body: Option<String>,
    headers: &[(&str, &str)],
    signal: Option<&AbortSignal>,
) -> Result<Answer, ApiError> {
    answer_of(&fetch(method, path, body, headers, signal).await?).await
}

async fn answer_of(response: &Response) -> Result<Answer, ApiError> {
    let text = response.text().await.map_err(|_| ApiError::Unreachable)?;
    let status = response.status();
    if response.ok() {
        Ok(Answer { status, text })
    } else {
        Err(refusal(status, &text))
    }
}

/// Reads a GET's answer.
pub(crate) async fn get(path: &str, signal: Option<&AbortSignal>) -> Result<String, ApiError> {
    let answer = match early(path).await {
        Some(response) => answer_of(&response).await,
        None => send(Method::GET, path, None, &[], signal).await,
    };
    answer.map(|answer| answer.text)
}

/// Reads JSON of an answer.
pub(crate) fn read<T: json::record::FromTree>(text: &str) -> Result<T, ApiError> {
    json::read(text).map_err(|error| ApiError::Unreadable(error.to_string()))
}

/// Writes a request's body.
pub(crate) fn write<T: serde::Serialize>(body: &T) -> Option<String> {
    json::write(body).ok()
}

/// What an error answer says.
pub(crate) fn refusal(status: u16, text: &str) -> ApiError {
    match json::read::<Problem>(text) {
        Ok(problem) => ApiError::Problem(Box::new(problem)),
        Err(_) => ApiError::Status(status),
    }
}

/// A query string of the parameters that are there, with its question mark.
pub(crate) fn query_string(parameters: &[(&str, Option<String>)]) -> String {
    let mut text = String::new();
    for (name, value) in parameters {
        if let Some(value) = value {
            text.push(if text.is_empty() { '?' } else { '&' });
            text.push_str(name);
            text.push('=');
            text.push_str(&shared::id::encode_segment(value));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_is_read_and_anything_else_keeps_its_status() {
        let problem = refusal(
            409,
            r#"{"title":"Conflict","status":409,"code":"job_running","detail":"cancel it first"}"#,
        );
        assert_eq!(problem.to_string(), "cancel it first (job_running)");
        assert_eq!(refusal(502, "<html>"), ApiError::Status(502));
        assert!(refusal(401, "").is_signed_out());
        assert!(ApiError::Unreachable.is_passing());
        assert!(!refusal(404, "").is_passing());
    }

    #[test]
    fn absent_parameters_leave_no_trace_and_others_are_encoded() {
        assert_eq!(query_string(&[("q", None)]), "");
        let text = query_string(&[
            ("q", Some("a&b c".into())),
            ("s", None),
            ("sort", Some("-name".into())),
        ]);
        assert_eq!(text, "?q=a%26b%20c&sort=-name");
    }
}
