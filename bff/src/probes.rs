//! `/healthz`, `/readyz` and `/metrics`: for whoever operates the server. They need no session and tell no names.
//!
//! The first two are asked by load balancers and container platforms, which can't sign in: they answer everybody, in
//! words that help nobody else, and ask the upstream at most once a second however often they are asked. `/metrics`
//! tells how much is done here, so it is open only where nobody but this machine can ask, and else for a token.

use crate::{config::Config, problem::ApiError, secret::Secret, state::AppState, upstream::UpstreamError};
use axum::{
    Json,
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use serde::Serialize;
use shared::timestamp::Timestamp;
use tokio::sync::Mutex;

/// How long what `/readyz` found is told again.
const LIFETIME_MS: i64 = 1_000;

/// Who may read `/metrics`.
pub enum MetricsDoor {
    /// Everybody who reaches the listener.
    Open,
    /// Who has this token.
    Token(Secret),
    /// Nobody.
    Shut,
}

impl MetricsDoor {
    /// With a token, for that. Without one open on loopback alone, and shut where a public address tells that a
    /// reverse proxy hands strangers on.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        match &config.metrics_token {
            Some(token) => Self::Token(token.clone()),
            None if config.is_local() && config.public_url.is_none() => Self::Open,
            None => Self::Shut,
        }
    }

    fn check(&self, headers: &HeaderMap) -> Result<(), ApiError> {
        let refuse = |status, detail| Err(ApiError::new(status, "metrics_refused", detail));
        match self {
            Self::Open => Ok(()),
            Self::Token(token) if bearer(headers).is_some_and(|shown| token.matches(shown)) => Ok(()),
            Self::Token(_) => refuse(
                StatusCode::UNAUTHORIZED,
                "send the token of `ATTUNE_METRICS__TOKEN` as `authorization: Bearer TOKEN`",
            ),
            Self::Shut => refuse(
                StatusCode::FORBIDDEN,
                "others can reach this server: set `ATTUNE_METRICS__TOKEN` and send it as `authorization: Bearer TOKEN`",
            ),
        }
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers
        .get(header::AUTHORIZATION)?
        .to_str()
        .ok()?
        .split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// What was found last, and when.
#[derive(Default)]
pub struct Readiness(Mutex<Option<(Timestamp, Found)>>);

#[derive(Clone, Copy)]
struct Found {
    sessions: &'static str,
    upstream: &'static str,
}

impl Readiness {
    /// Looks, unless somebody has just looked. Who asks meanwhile waits for the same answer.
    async fn look(&self, state: &AppState) -> Found {
        let mut last = self.0.lock().await;
        let now = state.clock.now();
        if let Some((at, found)) = *last
            && (0..LIFETIME_MS).contains(&(now.unix_ms() - at.unix_ms()))
        {
            return found;
        }
        let found = Found::look(state).await;
        *last = Some((now, found));
        found
    }
}

impl Found {
    async fn look(state: &AppState) -> Self {
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
        Self { sessions, upstream }
    }
}

/// What `/readyz` answers.
#[derive(Debug, Serialize)]
struct Answer {
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
    let Found { sessions, upstream } = state.readiness.look(&state).await;
    let ready = sessions == "ok" && upstream == "ok" && !state.stopping.is_cancelled();
    let status = if ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    let word = if ready { "ready" } else { "not_ready" };
    let mut response = (
        status,
        Json(Answer {
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
///
/// # Errors
/// The caller has no right to them.
pub async fn metrics(State(state): State<AppState>, headers: HeaderMap) -> Result<Response, ApiError> {
    state.metrics_door.check(&headers)?;
    let figures = state.upstream.figures().await.ok();
    let mut response = plain("");
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8"),
    );
    *response.body_mut() = state.metrics.render(figures.as_ref()).into();
    Ok(response)
}

fn plain(text: &'static str) -> Response {
    let mut response = text.into_response();
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response.headers_mut().remove(header::CONTENT_LENGTH);
    response
}
