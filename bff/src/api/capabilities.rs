//! `/api/capabilities`: what the upstream can do.

use crate::{guard::SignedIn, state::AppState};
use axum::{Json, extract::State};
use shared::capabilities::Capabilities;

/// Tells what the upstream can do and within which bounds.
#[utoipa::path(get, path = "/capabilities", tag = "capabilities", responses(
    (status = 200, description = "What the console may show and ask", body = Capabilities),
))]
pub(super) async fn find_capabilities(
    State(state): State<AppState>,
    _signed_in: SignedIn,
) -> Json<Capabilities> {
    Json(Capabilities {
        price: state.price.clone(),
        browser_reports: state.metrics.browser().is_some(),
        ..state.upstream.capabilities().await
    })
}
