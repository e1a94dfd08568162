//! `/api/jobs`: list, create, find, change, delete, and what moves a job: cancel, pause, resume, stop, retry.

use super::IDEMPOTENCY_KEY;
use crate::{
    extract::{Json, Path, Query, Written},
    guard::SignedIn,
    problem::ApiError,
    state::AppState,
};
use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
};
use shared::{
    attempt::RetryJob,
    id::JobId,
    job::{Created, Job, JobList, JobQuery, NewJob},
    problem::Problem,
    queue::JobChange,
    validate::validate_new_job,
};

/// Longest key taken; a draft's id is far shorter.
const LONGEST_KEY: usize = 200;

/// Lists jobs.
#[utoipa::path(get, path = "/jobs", tag = "jobs", params(JobQuery), responses(
    (status = 200, description = "One page, and the counts by status", body = JobList),
    (status = 400, description = "The query means nothing", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn list_jobs(
    State(state): State<AppState>,
    signed_in: SignedIn,
    Query(query): Query<JobQuery>,
) -> Result<Written, ApiError> {
    let list = state.upstream.list_jobs_json(signed_in.subject(), &query).await?;
    Ok(Written(list))
}

/// Creates a job. The same `Idempotency-Key` again gives the first job.
#[utoipa::path(post, path = "/jobs", tag = "jobs", request_body = NewJob,
    params(("Idempotency-Key" = Option<String>, Header, description = "The draft's id")),
    responses(
        (status = 200, description = "The job that this key has created before; nothing is new", body = Job),
        (status = 201, description = "The job", body = Job),
        (status = 400, description = "Some fields need another value", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The key was used for a job of other values", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "The upstream takes no more jobs", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn create_job(
    State(state): State<AppState>,
    signed_in: SignedIn,
    headers: HeaderMap,
    Json(job): Json<NewJob>,
) -> Result<(StatusCode, Json<Job>), ApiError> {
    let key = idempotency_key(&headers)?;
    let findings = validate_new_job(&job, &state.upstream.capabilities().await);
    if !findings.is_empty() {
        return Err(ApiError::invalid(findings));
    }
    let made = state.upstream.create_job(signed_in.subject(), job, key).await?;
    Ok(created(made))
}

/// 201 for what this request made, 200 for what an earlier one did.
fn created(made: Created) -> (StatusCode, Json<Job>) {
    let status = if made.repeated {
        StatusCode::OK
    } else {
        StatusCode::CREATED
    };
    (status, Json(made.job))
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<&str>, ApiError> {
    let Some(value) = headers.get(IDEMPOTENCY_KEY) else {
        return Ok(None);
    };
    match value.to_str().map(str::trim) {
        Ok(key) if !key.is_empty() && key.len() <= LONGEST_KEY => Ok(Some(key)),
        _ => Err(ApiError::new(
            StatusCode::BAD_REQUEST,
            "invalid_idempotency_key",
            format!("`Idempotency-Key` takes 1 to {LONGEST_KEY} printable characters"),
        )),
    }
}

/// Finds a job.
#[utoipa::path(get, path = "/jobs/{id}", tag = "jobs", params(("id" = String, Path, description = "The job's id")), responses(
    (status = 200, description = "The job", body = Job),
    (status = 404, description = "There is none", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn find_job(
    State(state): State<AppState>,
    signed_in: SignedIn,
    Path(id): Path<JobId>,
) -> Result<Json<Job>, ApiError> {
    Ok(Json(state.upstream.find_job(signed_in.subject(), &id).await?))
}

/// Changes the turn of a job that waits: its priority, its place among its owner's others.
#[utoipa::path(patch, path = "/jobs/{id}", tag = "jobs", request_body = JobChange, params(("id" = String, Path, description = "The job's id")), responses(
    (status = 200, description = "The job, where it stands now", body = Job),
    (status = 400, description = "The body means nothing", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "There is none", body = Problem, content_type = "application/problem+json"),
    (status = 409, description = "It doesn't wait", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn change_job(
    State(state): State<AppState>,
    signed_in: SignedIn,
    Path(id): Path<JobId>,
    Json(change): Json<JobChange>,
) -> Result<Json<Job>, ApiError> {
    let changed = state.upstream.change_job(signed_in.subject(), &id, change);
    Ok(Json(changed.await?))
}

/// Deletes a job that isn't running.
#[utoipa::path(delete, path = "/jobs/{id}", tag = "jobs", params(("id" = String, Path, description = "The job's id")), responses(
    (status = 204, description = "Deleted"),
    (status = 404, description = "There is none", body = Problem, content_type = "application/problem+json"),
    (status = 409, description = "It is running; cancel it first", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn delete_job(
    State(state): State<AppState>,
    signed_in: SignedIn,
    Path(id): Path<JobId>,
) -> Result<StatusCode, ApiError> {
    state.upstream.delete_job(signed_in.subject(), &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Cancels a job.
#[utoipa::path(post, path = "/jobs/{id}/cancel", tag = "jobs", params(("id" = String, Path, description = "The job's id")), responses(
    (status = 200, description = "The job, cancelled", body = Job),
    (status = 404, description = "There is none", body = Problem, content_type = "application/problem+json"),
    (status = 409, description = "It has ended already", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn cancel_job(
    State(state): State<AppState>,
    signed_in: SignedIn,
    Path(id): Path<JobId>,
) -> Result<Json<Job>, ApiError> {
    Ok(Json(state.upstream.cancel_job(signed_in.subject(), &id).await?))
}

/// Pauses a job. One that is trained on is `pausing` until its checkpoint is recorded.
#[utoipa::path(post, path = "/jobs/{id}/pause", tag = "jobs", params(("id" = String, Path, description = "The job's id")), responses(
    (status = 200, description = "The job, paused or pausing", body = Job),
    (status = 404, description = "There is none", body = Problem, content_type = "application/problem+json"),
    (status = 409, description = "It can't be paused in this state", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn pause_job(
    State(state): State<AppState>,
    signed_in: SignedIn,
    Path(id): Path<JobId>,
) -> Result<Json<Job>, ApiError> {
    Ok(Json(state.upstream.pause_job(signed_in.subject(), &id).await?))
}

/// Puts a paused job back into the queue; it goes on from its checkpoint.
#[utoipa::path(post, path = "/jobs/{id}/resume", tag = "jobs", params(("id" = String, Path, description = "The job's id")), responses(
    (status = 200, description = "The job, queued", body = Job),
    (status = 404, description = "There is none", body = Problem, content_type = "application/problem+json"),
    (status = 409, description = "It isn't paused", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn resume_job(
    State(state): State<AppState>,
    signed_in: SignedIn,
    Path(id): Path<JobId>,
) -> Result<Json<Job>, ApiError> {
    Ok(Json(state.upstream.resume_job(signed_in.subject(), &id).await?))
}

/// Ends a job early: what is trained so far becomes its result.
#[utoipa::path(post, path = "/jobs/{id}/stop", tag = "jobs", params(("id" = String, Path, description = "The job's id")), responses(
    (status = 200, description = "The job, which ends soon", body = Job),
    (status = 404, description = "There is none", body = Problem, content_type = "application/problem+json"),
    (status = 409, description = "Nothing is trained yet, or it has ended", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn stop_job(
    State(state): State<AppState>,
    signed_in: SignedIn,
    Path(id): Path<JobId>,
) -> Result<Json<Job>, ApiError> {
    Ok(Json(state.upstream.stop_job(signed_in.subject(), &id).await?))
}

/// Tries a job again as a new one. The same `Idempotency-Key` again gives that one.
#[utoipa::path(post, path = "/jobs/{id}/retry", tag = "jobs", request_body = RetryJob,
    params(("id" = String, Path, description = "The job's id"), ("Idempotency-Key" = Option<String>, Header, description = "Any text")),
    responses(
        (status = 200, description = "The job that this key has created before; nothing is new", body = Job),
        (status = 201, description = "The new job", body = Job),
        (status = 400, description = "Some fields need another value", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is none", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "It is still at work, or the key was used for another job", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn retry_job(
    State(state): State<AppState>,
    signed_in: SignedIn,
    Path(id): Path<JobId>,
    headers: HeaderMap,
    Json(retry): Json<RetryJob>,
) -> Result<(StatusCode, Json<Job>), ApiError> {
    let key = idempotency_key(&headers)?;
    let retried = state
        .upstream
        .retry_job(signed_in.subject(), &id, retry, key)
        .await?;
    Ok(created(retried))
}

#[cfg(test)]
mod tests;
