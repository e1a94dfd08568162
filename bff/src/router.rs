//! Everything that the listener answers, put together.

use crate::{
    api, assets, downloads,
    headers::SecurityHeaders,
    probes,
    problem::{self, ApiError},
    request::Observed,
    state::AppState,
};
use axum::{
    Router,
    extract::{Request, State},
    middleware::{self, Next},
    response::{IntoResponse as _, Response},
    routing::get,
};
use futures_util::FutureExt as _;
use std::{any::Any, panic::AssertUnwindSafe};

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
        .layer(middleware::from_fn_with_state((state.clone(), security), answer))
}

/// Middleware: what is done to every request and to every answer, whoever gives it.
///
/// One for all of it: each of the router's own is boxed, and copied for each request.
async fn answer(
    State((state, security)): State<(AppState, SecurityHeaders)>,
    mut request: Request,
    next: Next,
) -> Response {
    let observed = Observed::begin(&mut request);
    let mut response = AssertUnwindSafe(next.run(request))
        .catch_unwind()
        .await
        .unwrap_or_else(after_panic);
    problem::finish(&mut response, observed.id());
    security.add(response.headers_mut());
    observed.end(&state, &mut response);
    response
}

async fn no_v1() -> ApiError {
    ApiError::not_found("path: `/v1` is served with the embedded engine only")
}

/// A panic is a bug: the log has its text, the client a problem like any other.
#[expect(clippy::needless_pass_by_value, reason = "as it was caught")]
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
