//! Everything that the listener answers, put together.

use crate::{
    api, assets, downloads,
    headers::{self, SecurityHeaders},
    probes,
    problem::{self, ApiError},
    request,
    state::AppState,
};
use axum::{
    Router, middleware,
    response::{IntoResponse as _, Response},
    routing::get,
};
use std::any::Any;
use tower::ServiceBuilder;
use tower_http::catch_panic::CatchPanicLayer;

/// The whole router. `v1` is the engine's HTTP surface, where there is one.
pub fn router(state: &AppState, security: SecurityHeaders, v1: Option<Router>) -> Router {
    let v1 = v1.unwrap_or_else(|| Router::new().fallback(no_v1));
    Router::new()
        .route("/healthz", get(probes::healthz))
        .route("/readyz", get(probes::readyz))
        .route("/metrics", get(probes::metrics))
        .route(
            "/downloads/{token}",
            get(downloads::open_download).head(downloads::refuse_head),
        )
        .nest("/api", api::router(state))
        .with_state(state.clone())
        .merge(Router::new().nest("/v1", v1))
        .fallback(assets::serve)
        // One stack rather than a layer at a time: each layer of the router's own is boxed, and copied for each request.
        // The first one sees the request first.
        .layer(
            ServiceBuilder::new()
                .layer(middleware::from_fn_with_state(state.clone(), request::observe))
                .layer(middleware::from_fn_with_state(security, headers::add))
                .layer(middleware::from_fn(problem::finish))
                .layer(CatchPanicLayer::custom(after_panic)),
        )
}

async fn no_v1() -> ApiError {
    ApiError::not_found("path: `/v1` is served with the embedded engine only")
}

/// A panic is a bug: the log has its text, the client a problem like any other.
#[expect(clippy::needless_pass_by_value, reason = "the signature is the layer's")]
fn after_panic(panic: Box<dyn Any + Send + 'static>) -> Response {
    let text = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("a panic without a text");
    ApiError::internal(format!("panic: {text}")).into_response()
}

#[cfg(test)]
mod tests;
