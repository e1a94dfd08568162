//! What every handler may use.

use crate::{
    clock::Clock,
    metrics::Metrics,
    origin::Origins,
    probes::{MetricsDoor, Readiness},
    secret::Secret,
    session::Sessions,
    sign_in::GuessLimit,
    upstream::Upstream,
};
use shared::cost::TokenPrice;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Shared by all requests; cloning it is cheap.
#[derive(Clone)]
pub struct AppState(Arc<Shared>);

/// What [`AppState`] holds.
pub struct Shared {
    /// The upstream.
    pub upstream: Arc<dyn Upstream>,
    /// Who is signed in.
    pub sessions: Sessions,
    /// The local sign-in token.
    pub local_token: Secret,
    /// Limits wrong guesses of it.
    pub guesses: GuessLimit,
    /// Which origins may change something.
    pub origins: Origins,
    /// Counts requests.
    pub metrics: Metrics,
    /// Who may read them.
    pub metrics_door: MetricsDoor,
    /// What `/readyz` found last.
    pub readiness: Readiness,
    /// The time.
    pub clock: Clock,
    /// Set when the server is about to stop: streams end.
    pub stopping: CancellationToken,
    /// What trained tokens cost, where that is set.
    pub price: Option<TokenPrice>,
    /// Largest dataset file in bytes.
    pub upload_bytes: u64,
    /// Largest other body in bytes.
    pub body_bytes: usize,
}

impl AppState {
    /// Wraps what is shared.
    #[must_use]
    pub fn new(shared: Shared) -> Self {
        Self(Arc::new(shared))
    }
}

impl std::ops::Deref for AppState {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}
