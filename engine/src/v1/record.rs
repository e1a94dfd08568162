//! A job's events, checkpoints and run for Weights & Biases on /v1.

use super::{
    error::ApiError,
    objects,
    request::{Authorized, Pairs, Path},
};
use crate::{Service, service::pages::Entry};
use axum::{
    Json,
    body::Body,
    extract::State,
    http::header::{CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_TYPE},
    response::{IntoResponse as _, Response},
};
use serde_json::Value;
use shared::id::JobId;

/// Entries a page at most.
const MAX_PAGE: u32 = 1000;

/// `GET /fine_tuning/jobs/{id}/events`: log entries and steps, newest first. A cursor is a place in the job's
/// record, so it stays right while newer entries arrive.
pub(crate) async fn list_events(
    State(service): State<Service>,
    Authorized(caller): Authorized,
    Path(id): Path,
    pairs: Pairs,
) -> Result<Json<Value>, ApiError> {
    let limit = pairs.limit(20, MAX_PAGE)?;
    let id = JobId::new(id);
    let after = pairs.get("after");
    let page = service
        .page_of_record(&caller.subject, &id, after, limit)
        .await?
        .ok_or_else(|| {
            ApiError::no_cursor(after, |event| format!("`{event}` is not an event of this job"))
        })?;
    let entries = page.rows.iter().map(|entry| match entry {
        Entry::Message(row) => objects::message_event(row),
        Entry::Step(row) => objects::step_event(&id, row),
    });
    let data: Vec<_> = entries.collect();
    Ok(Json(objects::list(&data, page.has_more)))
}

/// `GET /fine_tuning/jobs/{id}/checkpoints`: those that are kept, newest first.
pub(crate) async fn list_checkpoints(
    State(service): State<Service>,
    Authorized(caller): Authorized,
    Path(id): Path,
    pairs: Pairs,
) -> Result<Json<Value>, ApiError> {
    let limit = pairs.limit(10, MAX_PAGE)?;
    let job = service.find_job_row(&caller.subject, &JobId::new(id)).await?;
    let after = pairs.get("after");
    let page = service
        .page_of_checkpoints(&job, after, limit)
        .await?
        .ok_or_else(|| {
            ApiError::no_cursor(after, |checkpoint| {
                format!("`{checkpoint}` is not a checkpoint of this job")
            })
        })?;
    let described = page.rows.iter();
    let data: Vec<_> = described
        .map(|(row, step)| objects::checkpoint(&job, row, step.as_ref()))
        .collect();
    Ok(Json(objects::list_with_ends(&data, page.has_more)))
}

/// `GET /fine_tuning/jobs/{id}/wandb`: a zip of the job's offline run, for `wandb sync`.
pub(crate) async fn wandb_run(
    State(service): State<Service>,
    Authorized(caller): Authorized,
    Path(id): Path,
) -> Result<Response, ApiError> {
    let run = service.wandb_run(&caller.subject, &JobId::new(id)).await?;
    let headers = [
        (CONTENT_TYPE, "application/zip".to_owned()),
        (CONTENT_LENGTH, run.bytes.to_string()),
        (
            CONTENT_DISPOSITION,
            format!("attachment; filename=\"{}\"", run.filename),
        ),
    ];
    Ok((headers, Body::from_stream(run.content)).into_response())
}
