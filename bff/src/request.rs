//! Every request gets a name, is measured, and leaves one line in the log.
//!
//! The line tells the matched route, never the query and never a path that carries a token: a route's pattern
//! stands for its values.

use crate::state::AppState;
use axum::{
    extract::{ConnectInfo, FromRequestParts, MatchedPath, Request, State},
    http::{HeaderName, HeaderValue, request::Parts},
    middleware::Next,
    response::Response,
};
use std::{
    convert::Infallible,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Instant,
};

/// The header that tells a request's id.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Names one request in log and answer. Always ours: a caller's could be anything.
#[derive(Debug, Clone)]
pub struct RequestId(Arc<str>);

impl RequestId {
    fn new() -> Self {
        Self(uuid::Uuid::new_v4().simple().to_string().into())
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Middleware: names, measures and logs a request.
pub async fn observe(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let id = RequestId::new();
    let method = request.method().clone();
    let matched = request.extensions().get::<MatchedPath>().cloned();
    request.extensions_mut().insert(id.clone());
    let value = HeaderValue::from_str(id.as_str()).ok();
    if let Some(value) = value.clone() {
        // The name by which `/v1` finds it.
        request
            .extensions_mut()
            .insert(tower_http::request_id::RequestId::new(value));
    }
    let mut response = next.run(request).await;
    let route = matched.as_ref().map_or("other", MatchedPath::as_str);
    let status = response.status();
    let duration = begun.elapsed();
    state.metrics.record(&method, route, status, duration);
    let duration_ms = duration.as_secs_f64() * 1000.0;
    if status.is_server_error() {
        tracing::warn!(request_id = id.as_str(), %method, route, status = status.as_u16(), duration_ms, "request");
    } else if route == "other" || matches!(route, "/healthz" | "/readyz" | "/metrics") {
        tracing::debug!(request_id = id.as_str(), %method, route, status = status.as_u16(), duration_ms, "request");
    } else {
        tracing::info!(request_id = id.as_str(), %method, route, status = status.as_u16(), duration_ms, "request");
    }
    if let Some(value) = value {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}

/// The address of the peer, as the socket tells it: no header is believed.
pub struct PeerAddress(pub IpAddr);

impl<S: Send + Sync> FromRequestParts<S> for PeerAddress {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        let peer = parts
            .extensions
            .get::<ConnectInfo<SocketAddr>>()
            .map(|ConnectInfo(peer)| peer.ip());
        Ok(Self(peer.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED))))
    }
}
