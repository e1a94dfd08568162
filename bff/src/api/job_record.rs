//! A job's record: events, checkpoints and metrics.

use crate::{
    downloads,
    extract::{Path, Query},
    guard::SignedIn,
    problem::ApiError,
    state::AppState,
};
use axum::{Json, extract::State, http::StatusCode, response::Response};
use shared::{
    attempt::AttemptList,
    event::{CheckpointList, EventList, EventQuery},
    id::JobId,
    metrics::{Metrics, MetricsQuery},
    model::DownloadLink,
    problem::Problem,
    step_examples::StepExamples,
    timeline::Timeline,
};

const MOST_EVENTS: u32 = 200;

/// Lists the trainers that were started on a job, oldest first.
#[utoipa::path(get, path = "/jobs/{id}/attempts", tag = "jobs",
    params(("id" = String, Path, description = "The job's id")),
    responses(
        (status = 200, description = "Each attempt and how it ended", body = AttemptList),
        (status = 404, description = "There is no such job, or this upstream has no attempts", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn list_attempts(
    State(state): State<AppState>,
    signed_in: SignedIn,
    Path(id): Path<JobId>,
) -> Result<Json<AttemptList>, ApiError> {
    Ok(Json(
        state.upstream.list_attempts(signed_in.subject(), &id).await?,
    ))
}

/// Tells when a job came to stand where, oldest first.
#[utoipa::path(get, path = "/jobs/{id}/timeline", tag = "jobs",
    params(("id" = String, Path, description = "The job's id")),
    responses(
        (status = 200, description = "Each phase of its life", body = Timeline),
        (status = 404, description = "There is no such job, or this upstream doesn't tell", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn find_timeline(
    State(state): State<AppState>,
    signed_in: SignedIn,
    Path(id): Path<JobId>,
) -> Result<Json<Timeline>, ApiError> {
    Ok(Json(
        state.upstream.find_timeline(signed_in.subject(), &id).await?,
    ))
}

/// Lists a job's events, newest first.
#[utoipa::path(get, path = "/jobs/{id}/events", tag = "jobs",
    params(("id" = String, Path, description = "The job's id"), EventQuery),
    responses(
        (status = 200, description = "One page", body = EventList),
        (status = 404, description = "There is no such job, or this upstream has no events", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn list_events(
    State(state): State<AppState>,
    signed_in: SignedIn,
    Path(id): Path<JobId>,
    Query(query): Query<EventQuery>,
) -> Result<Json<EventList>, ApiError> {
    if query
        .limit
        .is_some_and(|limit| !(1..=MOST_EVENTS).contains(&limit))
    {
        return Err(ApiError::new(
            StatusCode::BAD_REQUEST,
            "invalid_query",
            format!("`limit` must be 1 to {MOST_EVENTS}"),
        ));
    }
    Ok(Json(
        state
            .upstream
            .list_events(signed_in.subject(), &id, &query)
            .await?,
    ))
}

/// Lists a job's checkpoints, newest first.
#[utoipa::path(get, path = "/jobs/{id}/checkpoints", tag = "jobs",
    params(("id" = String, Path, description = "The job's id")),
    responses(
        (status = 200, description = "All that are kept", body = CheckpointList),
        (status = 404, description = "There is no such job, or this upstream has no checkpoints", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn list_checkpoints(
    State(state): State<AppState>,
    signed_in: SignedIn,
    Path(id): Path<JobId>,
) -> Result<Json<CheckpointList>, ApiError> {
    Ok(Json(
        state.upstream.list_checkpoints(signed_in.subject(), &id).await?,
    ))
}

/// Makes a link that downloads a checkpoint's adapter once, for a short time, without headers; while the job runs, too.
#[utoipa::path(post, path = "/jobs/{id}/checkpoints/{step}/download", tag = "jobs",
    params(("id" = String, Path, description = "The job's id"), ("step" = u64, Path, description = "The checkpoint's step")),
    responses(
        (status = 201, description = "The link", body = DownloadLink),
        (status = 404, description = "There is no such job, or the checkpoint isn't kept, or this upstream gives none out", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn create_checkpoint_download(
    State(state): State<AppState>,
    signed_in: SignedIn,
    Path((id, step)): Path<(JobId, u64)>,
) -> Result<(StatusCode, Json<DownloadLink>), ApiError> {
    let link = state
        .upstream
        .create_checkpoint_download(signed_in.subject(), &id, step);
    Ok((StatusCode::CREATED, Json(link.await?)))
}

/// Tells a job's curves over a range of steps, reduced so that no extreme is lost.
#[utoipa::path(get, path = "/jobs/{id}/metrics", tag = "jobs",
    params(("id" = String, Path, description = "The job's id"), MetricsQuery),
    responses(
        (status = 200, description = "The curves", body = Metrics),
        (status = 404, description = "There is no such job, or this upstream has no metrics", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn find_metrics(
    State(state): State<AppState>,
    signed_in: SignedIn,
    Path(id): Path<JobId>,
    Query(query): Query<MetricsQuery>,
) -> Result<Json<Metrics>, ApiError> {
    Ok(Json(
        state
            .upstream
            .job_metrics(signed_in.subject(), &id, query)
            .await?,
    ))
}

/// Tells which training examples a step was made of, in the trainer's order.
#[utoipa::path(get, path = "/jobs/{id}/steps/{step}/examples", tag = "jobs",
    params(("id" = String, Path, description = "The job's id"), ("step" = u64, Path, description = "The optimizer step, from 1")),
    responses(
        (status = 200, description = "The examples", body = StepExamples),
        (status = 404, description = "There is no such job, no such step is recorded, or this upstream doesn't know", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The training dataset was deleted", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "They can't be told now", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn list_step_examples(
    State(state): State<AppState>,
    signed_in: SignedIn,
    Path((id, step)): Path<(JobId, u64)>,
) -> Result<Json<StepExamples>, ApiError> {
    Ok(Json(
        state
            .upstream
            .step_examples(signed_in.subject(), &id, step)
            .await?,
    ))
}

/// Tells every step's metrics as CSV.
#[utoipa::path(get, path = "/jobs/{id}/metrics.csv", tag = "jobs",
    params(("id" = String, Path, description = "The job's id")),
    responses(
        (status = 200, description = "One line a step", body = String, content_type = "text/csv"),
        (status = 404, description = "There is no such job, or this upstream has no metrics", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn download_metrics(
    State(state): State<AppState>,
    signed_in: SignedIn,
    Path(id): Path<JobId>,
) -> Result<Response, ApiError> {
    downloads::attachment(state.upstream.metrics_csv(signed_in.subject(), &id).await?)
}
