//! `/api/estimate`: what a job would take, asked before it is created.

use crate::{extract::Query, guard::SignedIn, problem::ApiError, state::AppState};
use axum::{Json, extract::State};
use shared::{
    estimate::{Estimate, EstimateQuery},
    problem::Problem,
};

/// Tells what a job would take in steps, tokens and memory.
#[utoipa::path(get, path = "/estimate", tag = "jobs", params(EstimateQuery), responses(
    (status = 200, description = "What it would take", body = Estimate),
    (status = 400, description = "Model or data can't be used", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn find_estimate(
    State(state): State<AppState>,
    signed_in: SignedIn,
    Query(query): Query<EstimateQuery>,
) -> Result<Json<Estimate>, ApiError> {
    Ok(Json(state.upstream.estimate(signed_in.subject(), &query).await?))
}
