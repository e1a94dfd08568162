//! `/api/browser-reports`: the page tells how quick it is and what broke in it, for `/metrics`.

use crate::{extract::Json, guard::SignedIn, metrics::browser::Refusal, problem::ApiError, state::AppState};
use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
};
use shared::{browser_report::BrowserReport, problem::Problem};

/// Largest body in bytes: 64 times with their names are less than this.
pub(super) const MOST_BYTES: usize = 6 * 1024;

/// Counts what a page has measured. Where the browser says that its user doesn't want to be followed (`Sec-GPC`, `DNT`),
/// nothing is.
#[utoipa::path(post, path = "/browser-reports", tag = "browser", request_body = BrowserReport, responses(
    (status = 204, description = "It is counted, or not wanted by its user"),
    (status = 400, description = "It says more than it may", body = Problem, content_type = "application/problem+json"),
    (status = 403, description = "The operator wants none", body = Problem, content_type = "application/problem+json"),
    (status = 429, description = "This session has reported often enough", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn create_browser_report(
    State(state): State<AppState>,
    signed_in: SignedIn,
    headers: HeaderMap,
    Json(report): Json<BrowserReport>,
) -> Result<StatusCode, ApiError> {
    let Some(figures) = state.metrics.browser() else {
        return Err(ApiError::new(
            StatusCode::FORBIDDEN,
            "browser_reports_off",
            "the operator of this server wants no reports (`ATTUNE_BROWSER_METRICS`)",
        ));
    };
    let objects = |name| headers.get(name).is_some_and(|value| value == "1");
    if objects("sec-gpc") || objects("dnt") {
        return Ok(StatusCode::NO_CONTENT);
    }
    match figures.count(signed_in.hash, state.clock.now(), &report) {
        Ok(()) => Ok(StatusCode::NO_CONTENT),
        Err(refusal @ Refusal::TooMany(seconds)) => {
            let status = StatusCode::TOO_MANY_REQUESTS;
            Err(ApiError::new(status, "too_many_reports", refusal.to_string())
                .with_retry_after(Some(seconds)))
        }
        Err(refusal @ (Refusal::TooLong | Refusal::Negative)) => Err(ApiError::new(
            StatusCode::BAD_REQUEST,
            "invalid_report",
            refusal.to_string(),
        )),
    }
}

#[cfg(test)]
mod tests;
