//! `/healthz`, `/readyz` and `/metrics`: for whoever operates the server. They need no session and tell no names.

use crate::{state::AppState, upstream::UpstreamError};
use axum::{
    Json,
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use serde::Serialize;

/// What `/readyz` answers.
#[derive(Debug, Serialize)]
pub struct Readiness {
    status: &'static str,
    sessions: &'static str,
    upstream: &'static str,
}

/// The process is up.
pub async fn healthz() -> Response {
    plain("ok\n")
}

/// The session store and the upstream can be reached, and the upstream takes our key.
pub async fn readyz(State(state): State<AppState>) -> Response {
    let sessions = match state.sessions.ping().await {
        Ok(()) => "ok",
        Err(error) => {
            tracing::error!(%error, "the session store does not answer");
            "failed"
        }
    };
    let upstream = match state.upstream.ping().await {
        Ok(()) => "ok",
        Err(error) => {
            let reason = reason(&error);
            tracing::warn!(%error, reason, "the upstream is not ready");
            reason
        }
    };
    let ready = sessions == "ok" && upstream == "ok" && !state.stopping.is_cancelled();
    let status = if ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    let word = if ready { "ready" } else { "not_ready" };
    let mut response = (
        status,
        Json(Readiness {
            status: word,
            sessions,
            upstream,
        }),
    )
        .into_response();
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

const fn reason(error: &UpstreamError) -> &'static str {
    match error {
        UpstreamError::KeyRejected => "key_rejected",
        UpstreamError::Unreachable(_) => "unreachable",
        UpstreamError::TimedOut => "timeout",
        UpstreamError::InvalidResponse(_) | UpstreamError::BrokenOff => "invalid_response",
        UpstreamError::NotFound(_)
        | UpstreamError::Unsupported
        | UpstreamError::Invalid { .. }
        | UpstreamError::Full { .. }
        | UpstreamError::Refused { .. }
        | UpstreamError::Failed(_)
        | UpstreamError::Internal(_) => "failed",
    }
}

/// Counters for Prometheus.
pub async fn metrics(State(state): State<AppState>) -> Response {
    let figures = state.upstream.figures().await.ok();
    let mut response = plain("");
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8"),
    );
    *response.body_mut() = state.metrics.render(figures.as_ref()).into();
    response
}

fn plain(text: &'static str) -> Response {
    let mut response = text.into_response();
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response.headers_mut().remove(header::CONTENT_LENGTH);
    response
}
