//! `/v1/fine_tuning/jobs`.

use super::{
    error::ApiError,
    job_request::{JobRequest, MAX_METADATA, MAX_METADATA_KEY},
    objects,
    request::{Authorized, Pairs, Path, read_object},
};
use crate::{
    Error, Service, secret,
    service::job_create::{CreateJob, Idempotency, fresh_seed},
    store::{files::FINE_TUNE, job_list::MetadataFilter, jobs::JobRow},
};
use axum::{
    Json,
    extract::{Request, State},
    http::HeaderMap,
};
use serde_json::Value;
use shared::{
    dataset::DatasetStatus,
    id::{JobId, Subject},
    job::Job,
};
use std::collections::BTreeMap;

/// Jobs a page at most.
const MAX_PAGE: u32 = 1000;

async fn describe(service: &Service, row: &JobRow) -> Result<Value, ApiError> {
    let pairs = service.metadata_of(row).await?;
    Ok(objects::job(row, &pairs, service.now()))
}

/// The job's object as an action has left it, though somebody may have moved it on since.
async fn describe_as(service: &Service, subject: &Subject, job: &Job) -> Result<Json<Value>, ApiError> {
    let mut row = service.find_job_row(subject, &job.id).await?;
    job.status.as_str().clone_into(&mut row.status);
    describe(service, &row).await.map(Json)
}

/// `POST /fine_tuning/jobs`. The SDKs repeat a create whose answer was lost, and say so only by a count of
/// retries: then the same key and the same body mean the same job.
pub(crate) async fn create_job(
    State(service): State<Service>,
    Authorized(caller): Authorized,
    headers: HeaderMap,
    request: Request,
) -> Result<Json<Value>, ApiError> {
    let (object, bytes) = read_object(request).await?;
    let asked = JobRequest::read(object)?;
    let unknown_model = || {
        let message = format!("there is no base model `{}`: see `GET /v1/models`", asked.model);
        ApiError::param("model", message).with_code("model_not_found")
    };
    let model = service
        .find_model(&asked.model)
        .await?
        .ok_or_else(unknown_model)?;
    if model.is_untrainable() {
        let message = format!(
            "`{}` can't be trained on this machine: choose another model",
            asked.model
        );
        return Err(ApiError::param("model", message).with_code("model_not_trainable"));
    }
    check_file(&service, &caller.subject, "training_file", &asked.training_file).await?;
    if let Some(file) = &asked.validation_file {
        check_file(&service, &caller.subject, "validation_file", file).await?;
    }
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let retries = header("x-stainless-retry-count").and_then(|count| count.parse::<u32>().ok());
    let idempotency_key = header("idempotency-key").filter(|key| !key.is_empty());
    let request_hash = secret::hash(&format!("{}\n{}", caller.key_id, secret::hash_bytes(&bytes)));
    let create = CreateJob {
        id: None,
        name: asked
            .metadata
            .get("name")
            .or(asked.suffix.as_ref())
            .map(String::as_str),
        base_model: &asked.model,
        training_file: &asked.training_file,
        validation_file: asked.validation_file.as_deref(),
        parameters: asked.resolve(&model.model, fresh_seed()?)?,
        suffix: asked.suffix.as_deref(),
        metadata: asked.metadata.clone(),
        idempotency: idempotency_key.map(|key| Idempotency::new(key, &bytes)),
        request_hash: Some(&request_hash),
        is_retry: retries.is_some_and(|count| count > 0),
        parent: None,
        wandb: asked.wandb.clone(),
    };
    let inserted = match service.insert_job(&caller.subject, create).await {
        // It was removed since it was found.
        Err(Error::Invalid(findings)) if findings.contains_key("base_model") => return Err(unknown_model()),
        inserted => inserted?,
    };
    describe(&service, &inserted.row).await.map(Json)
}

async fn check_file(service: &Service, subject: &Subject, param: &str, id: &str) -> Result<(), ApiError> {
    let found = service.find_live_file(subject, id).await?;
    let file = found
        .filter(|file| file.status() != DatasetStatus::Uploading)
        .ok_or_else(|| {
            ApiError::param(param, format!("there is no file `{id}`")).with_code("file_not_found")
        })?;
    if file.purpose == FINE_TUNE {
        return Ok(());
    }
    let message = format!(
        "the purpose of `{id}` is `{}`: upload it with `fine-tune`",
        file.purpose
    );
    Err(ApiError::param(param, message).with_code("invalid_file_purpose"))
}

/// `GET /fine_tuning/jobs`, newest first.
pub(crate) async fn list_jobs(
    State(service): State<Service>,
    Authorized(caller): Authorized,
    pairs: Pairs,
) -> Result<Json<Value>, ApiError> {
    let limit = pairs.limit(20, MAX_PAGE)?;
    let after = pairs.get("after");
    let page = service
        .page_of_jobs(&caller.subject, metadata_filter(&pairs)?, after, limit)
        .await?
        .ok_or_else(|| ApiError::no_cursor(after, |id| format!("there is no job `{id}`")))?;
    let mut data = Vec::new();
    for row in &page.rows {
        data.push(describe(&service, row).await?);
    }
    Ok(Json(objects::list(&data, page.has_more)))
}

/// `metadata[k]=v` asks for the pair, the literal `metadata=null` for jobs without any.
fn metadata_filter(pairs: &Pairs) -> Result<MetadataFilter, ApiError> {
    if pairs.get("metadata") == Some("null") {
        return Ok(MetadataFilter::None);
    }
    let wanted = |(key, value): &(String, String)| {
        let name = key.strip_prefix("metadata[")?.strip_suffix(']')?;
        Some((name.to_owned(), value.clone()))
    };
    let wanted: BTreeMap<_, _> = pairs.0.iter().filter_map(wanted).collect();
    // `metadata[k][l]=v` is a value of another shape, not a pair.
    let is_key = |key: &String| (1..=MAX_METADATA_KEY).contains(&key.chars().count()) && !key.contains("][");
    if wanted.len() > MAX_METADATA || !wanted.keys().all(is_key) {
        let message = format!(
            "no job has such `metadata`: at most {MAX_METADATA} pairs are taken, whose keys have 1 to \
             {MAX_METADATA_KEY} characters"
        );
        return Err(ApiError::param("metadata", message));
    }
    Ok(if wanted.is_empty() {
        MetadataFilter::Any
    } else {
        MetadataFilter::Pairs(wanted)
    })
}

/// `GET /fine_tuning/jobs/{id}`.
pub(crate) async fn find_job(
    State(service): State<Service>,
    Authorized(caller): Authorized,
    Path(id): Path,
) -> Result<Json<Value>, ApiError> {
    let row = service.find_job_row(&caller.subject, &JobId::new(id)).await?;
    describe(&service, &row).await.map(Json)
}

/// `POST /fine_tuning/jobs/{id}/pause`.
pub(crate) async fn pause_job(
    State(service): State<Service>,
    Authorized(caller): Authorized,
    Path(id): Path,
) -> Result<Json<Value>, ApiError> {
    let id = JobId::new(id);
    let job = service.pause_job(&caller.subject, &id).await?;
    describe_as(&service, &caller.subject, &job).await
}

/// `POST /fine_tuning/jobs/{id}/resume`.
pub(crate) async fn resume_job(
    State(service): State<Service>,
    Authorized(caller): Authorized,
    Path(id): Path,
) -> Result<Json<Value>, ApiError> {
    let id = JobId::new(id);
    let job = service.resume_job(&caller.subject, &id).await?;
    describe_as(&service, &caller.subject, &job).await
}

/// `POST /fine_tuning/jobs/{id}/cancel`.
pub(crate) async fn cancel_job(
    State(service): State<Service>,
    Authorized(caller): Authorized,
    Path(id): Path,
) -> Result<Json<Value>, ApiError> {
    let id = JobId::new(id);
    let job = service.cancel_job(&caller.subject, &id).await?;
    describe_as(&service, &caller.subject, &job).await
}
