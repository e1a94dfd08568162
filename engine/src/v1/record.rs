//! A job's events, checkpoints and run for Weights & Biases on /v1.

use super::{
    error::ApiError,
    objects,
    request::{Authorized, Pairs, Path},
};
use crate::{
    Error, Service,
    store::{checkpoints, events, steps, to_sql},
};
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
    service.find_job_row(&caller.subject, &id).await?;
    let before = match pairs.get("after") {
        None => i64::MAX,
        Some(after) => to_sql(
            events::parse_event_id(&id, after)
                .ok_or_else(|| ApiError::param("after", format!("`{after}` is not an event of this job")))?,
        ),
    };
    let (read, asked) = (service.inner.store.read(), i64::from(limit) + 1);
    let logged = events::list_before(read, &caller.subject, &id, before, asked)
        .await
        .map_err(Error::from)?;
    let measured = steps::list_before_seq(read, &caller.subject, &id, before, asked)
        .await
        .map_err(Error::from)?;
    let mut all: Vec<(i64, Value)> = logged
        .iter()
        .map(|row| (row.seq, objects::message_event(row)))
        .collect();
    all.extend(
        measured
            .iter()
            .map(|row| (row.seq, objects::step_event(&id, row))),
    );
    all.sort_by_key(|(seq, _)| std::cmp::Reverse(*seq));
    let has_more = all.len() > limit as usize;
    all.truncate(limit as usize);
    let data: Vec<_> = all.into_iter().map(|(_, event)| event).collect();
    Ok(Json(objects::list(&data, has_more)))
}

/// `GET /fine_tuning/jobs/{id}/checkpoints`: those that are kept, newest first.
pub(crate) async fn list_checkpoints(
    State(service): State<Service>,
    Authorized(caller): Authorized,
    Path(id): Path,
    pairs: Pairs,
) -> Result<Json<Value>, ApiError> {
    let limit = pairs.limit(10, MAX_PAGE)? as usize;
    let id = JobId::new(id);
    let job = service.find_job_row(&caller.subject, &id).await?;
    let read = service.inner.store.read();
    let rows = checkpoints::list(read, &caller.subject, &id)
        .await
        .map_err(Error::from)?;
    let start = match pairs.get("after") {
        None => 0,
        Some(after) => {
            // It may have been removed since the page that it ended.
            let step = checkpoints::step_of(read, &caller.subject, &id, after)
                .await
                .map_err(Error::from)?;
            let message = format!("`{after}` is not a checkpoint of this job");
            let step = step.ok_or_else(|| ApiError::param("after", message))?;
            rows.partition_point(|row| row.step >= step)
        }
    };
    let rest = rows.get(start..).unwrap_or_default();
    let mut data = Vec::new();
    for row in rest.iter().take(limit) {
        let found = steps::list_after_step(read, &caller.subject, &id, row.step - 1, 1)
            .await
            .map_err(Error::from)?;
        let step = found.first().filter(|step| step.step == row.step);
        data.push(objects::checkpoint(&job, row, step));
    }
    Ok(Json(objects::list_with_ends(&data, rest.len() > limit)))
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
