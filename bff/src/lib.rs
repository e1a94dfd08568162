//! The backend-for-frontend and the binary `attune`.
//!
//! A route authenticates, validates, forwards, or serves an asset. Architecture invariant: no job state is kept here.
//! How upstreams differ lives in [`upstream`] and nowhere else; the upstream's key and the sessions' secrets
//! are never logged, never serialised, and never reach the browser.

pub mod api;
pub mod assets;
pub mod cli;
pub mod clock;
pub mod config;
pub mod downloads;
pub mod extract;
pub mod guard;
pub mod headers;
pub mod listener;
pub mod logging;
pub mod metrics;
pub mod origin;
pub mod probes;
pub mod problem;
pub mod request;
pub mod router;
pub mod secret;
pub mod server;
pub mod session;
pub mod sign_in;
pub mod state;
pub mod upstream;

#[cfg(test)]
mod test_app;
