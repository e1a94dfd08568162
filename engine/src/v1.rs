//! The HTTP surface that the OpenAI SDKs and their users' scripts speak: files, fine-tuning jobs, models,
//! and answers of models.
//!
//! A thin layer: routes authenticate a key, read the request, call [`Service`], and tell the answer in OpenAI's
//! shapes. Every answer carries `x-request-id`, every error OpenAI's envelope, those of the framework too.

mod completion_request;
mod completions;
mod error;
mod files;
mod job_request;
mod jobs;
mod models;
mod objects;
mod permissions;
mod record;
mod request;
#[cfg(test)]
mod tests;
mod uploads;

use crate::{Service, secret};
use axum::{
    Router,
    extract::{DefaultBodyLimit, Request},
    http::{HeaderName, HeaderValue},
    middleware::{Next, from_fn},
    response::{IntoResponse as _, Response},
    routing::{delete, get, post},
};
use error::ApiError;
use tower_http::{catch_panic::CatchPanicLayer, request_id::RequestId};

/// Largest body of a request that isn't a file.
const MAX_JSON_BYTES: usize = 1 << 20;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The routes, without their prefix: nest them under `/v1`. Paths and methods that don't exist are answered here too.
pub fn router(service: Service) -> Router {
    Router::new()
        .route(
            "/files",
            get(files::list_files)
                .post(files::create_file)
                .layer(DefaultBodyLimit::disable()),
        )
        .route("/files/{id}", get(files::find_file).delete(files::delete_file))
        .route("/files/{id}/content", get(files::file_content))
        .route("/fine_tuning/jobs", get(jobs::list_jobs).post(jobs::create_job))
        .route("/fine_tuning/jobs/{id}", get(jobs::find_job))
        .route("/fine_tuning/jobs/{id}/cancel", post(jobs::cancel_job))
        .route("/fine_tuning/jobs/{id}/pause", post(jobs::pause_job))
        .route("/fine_tuning/jobs/{id}/resume", post(jobs::resume_job))
        .route("/fine_tuning/jobs/{id}/events", get(record::list_events))
        .route(
            "/fine_tuning/jobs/{id}/checkpoints",
            get(record::list_checkpoints),
        )
        .route("/fine_tuning/jobs/{id}/wandb", get(record::wandb_run))
        .route("/chat/completions", post(completions::create_chat_completion))
        .route("/completions", post(completions::create_completion))
        .route("/uploads", post(uploads::create_upload))
        .route(
            "/uploads/{id}/parts",
            post(uploads::add_part).layer(DefaultBodyLimit::disable()),
        )
        .route("/uploads/{id}/complete", post(uploads::complete_upload))
        .route("/uploads/{id}/cancel", post(uploads::cancel_upload))
        .route(
            "/fine_tuning/checkpoints/{checkpoint}/permissions",
            get(permissions::list_permissions).post(permissions::create_permissions),
        )
        .route(
            "/fine_tuning/checkpoints/{checkpoint}/permissions/{id}",
            delete(permissions::delete_permission),
        )
        .route("/models", get(models::list_models))
        .route(
            "/models/{*id}",
            get(models::find_model).delete(models::delete_model),
        )
        .fallback(async |request: Request| ApiError::no_route(request.method(), request.uri().path()))
        .method_not_allowed_fallback(async |request: Request| {
            ApiError::wrong_method(request.method(), request.uri().path())
        })
        .layer(DefaultBodyLimit::max(MAX_JSON_BYTES))
        .layer(CatchPanicLayer::custom(|_| ApiError::internal().into_response()))
        .layer(from_fn(name_request))
        .with_state(service)
}

/// Puts the request's identifier on the answer: the one that an outer layer gave it, else a fresh one.
async fn name_request(request: Request, next: Next) -> Response {
    let given = request
        .extensions()
        .get::<RequestId>()
        .map(|id| id.header_value().clone());
    let id = given.or_else(|| HeaderValue::from_str(&secret::new_id("req_").ok()?).ok());
    let mut response = next.run(request).await;
    if let Some(id) = id {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}
