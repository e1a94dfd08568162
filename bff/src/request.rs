//! Every request gets a name, is measured, and leaves one line in the log.
//!
//! The line tells the matched route, never the query and never a path that carries a token: a route's pattern
//! stands for its values.

use crate::state::AppState;
use axum::{
    extract::{ConnectInfo, FromRequestParts, MatchedPath, Request},
    http::{HeaderName, HeaderValue, Method, request::Parts},
    response::Response,
};
use std::{
    convert::Infallible,
    hash::{BuildHasher as _, RandomState},
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};
use tower_http::request_id::RequestId;

/// The header that tells a request's id.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// A request on its way: its name and when it came.
pub(crate) struct Observed {
    id: HeaderValue,
    begun: Instant,
    method: Method,
    matched: Option<MatchedPath>,
}

impl Observed {
    /// Names a request. The name is always ours: a caller's could be anything.
    pub(crate) fn begin(request: &mut Request) -> Self {
        let id = new_id();
        // The name by which `/v1` finds it.
        request.extensions_mut().insert(RequestId::new(id.clone()));
        Self {
            id,
            begun: Instant::now(),
            method: request.method().clone(),
            matched: request.extensions().get().cloned(),
        }
    }

    /// The name.
    pub(crate) fn id(&self) -> &str {
        self.id.to_str().unwrap_or_default()
    }

    /// Measures and logs a request that is answered, and tells its name.
    pub(crate) fn end(self, state: &AppState, response: &mut Response) {
        let route = self.matched.as_ref().map_or("other", MatchedPath::as_str);
        let (request_id, method) = (self.id(), &self.method);
        let status = response.status();
        let duration = self.begun.elapsed();
        state.metrics.record(method, route, status, duration);
        let duration_ms = duration.as_secs_f64() * 1000.0;
        if status.is_server_error() {
            tracing::warn!(request_id, %method, route, status = status.as_u16(), duration_ms, "request");
        } else if route == "other" || matches!(route, "/healthz" | "/readyz" | "/metrics") {
            tracing::debug!(request_id, %method, route, status = status.as_u16(), duration_ms, "request");
        } else {
            tracing::info!(request_id, %method, route, status = status.as_u16(), duration_ms, "request");
        }
        response.headers_mut().insert(REQUEST_ID, self.id);
    }
}

/// As good as random, without asking the system each time: a count, hashed under keys that this process drew.
fn new_id() -> HeaderValue {
    static KEYS: LazyLock<RandomState> = LazyLock::new(RandomState::new);
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let half = |half: u8| KEYS.hash_one((count, half));
    let id = uuid::Uuid::from_u64_pair(half(0), half(1));
    let mut text = [0; uuid::fmt::Simple::LENGTH];
    // Hexadecimal digits: always a header's value.
    HeaderValue::from_str(id.simple().encode_lower(&mut text)).unwrap_or(HeaderValue::from_static(""))
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
