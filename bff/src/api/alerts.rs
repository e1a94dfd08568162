//! `/api/alerts` and `/api/jobs/{id}/alerts`: what jobs are watched for.

use crate::{
    extract::{Json, Path},
    guard::SignedIn,
    problem::ApiError,
    state::AppState,
};
use axum::extract::State;
use shared::{alert::AlertRules, id::JobId, problem::Problem};

/// Tells the rules that new jobs begin with.
#[utoipa::path(get, path = "/alerts", tag = "alerts", responses(
    (status = 200, description = "The subject's", body = AlertRules),
))]
pub(super) async fn find_alert_defaults(
    State(state): State<AppState>,
    signed_in: SignedIn,
) -> Result<Json<AlertRules>, ApiError> {
    Ok(Json(state.upstream.alert_defaults(signed_in.subject()).await?))
}

/// Sets the rules that new jobs begin with. Jobs that exist keep theirs.
#[utoipa::path(put, path = "/alerts", tag = "alerts", request_body = AlertRules, responses(
    (status = 200, description = "As they are now", body = AlertRules),
    (status = 400, description = "They can't be meant", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn set_alert_defaults(
    State(state): State<AppState>,
    signed_in: SignedIn,
    Json(rules): Json<AlertRules>,
) -> Result<Json<AlertRules>, ApiError> {
    let kept = state
        .upstream
        .set_alert_defaults(signed_in.subject(), rules)
        .await?;
    Ok(Json(kept))
}

/// Tells what a job is watched for.
#[utoipa::path(get, path = "/jobs/{id}/alerts", tag = "alerts",
    params(("id" = String, Path, description = "The job's id")),
    responses(
        (status = 200, description = "The job's rules", body = AlertRules),
        (status = 404, description = "There is no such job, or this upstream watches none", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn find_job_alerts(
    State(state): State<AppState>,
    signed_in: SignedIn,
    Path(id): Path<JobId>,
) -> Result<Json<AlertRules>, ApiError> {
    Ok(Json(state.upstream.job_alerts(signed_in.subject(), &id).await?))
}

/// Sets what a job is watched for, at once. What has come true is told once, whatever is set.
#[utoipa::path(put, path = "/jobs/{id}/alerts", tag = "alerts", request_body = AlertRules,
    params(("id" = String, Path, description = "The job's id")),
    responses(
        (status = 200, description = "As they are now", body = AlertRules),
        (status = 400, description = "They can't be meant", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is no such job, or this upstream watches none", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn set_job_alerts(
    State(state): State<AppState>,
    signed_in: SignedIn,
    Path(id): Path<JobId>,
    Json(rules): Json<AlertRules>,
) -> Result<Json<AlertRules>, ApiError> {
    let kept = state
        .upstream
        .set_job_alerts(signed_in.subject(), &id, rules)
        .await?;
    Ok(Json(kept))
}
