//! `/api`, the browser's API: one file a resource, handlers named as their operations.

mod alerts;
mod artifacts;
mod browser_reports;
mod capabilities;
mod chat;
mod datasets;
mod estimate;
mod job_record;
mod jobs;
mod keys;
mod models;
mod notifications;
mod session;
mod stream;
mod uploads;
mod wandb;
mod webhooks;

use crate::{guard, problem::ApiError, state::AppState};

#[cfg(feature = "embedded")]
pub(crate) use session::LOCAL_SUBJECT;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::{HeaderName, HeaderValue, Method, header},
    middleware,
};
use shared::problem::Problem;
use std::time::Duration;
use tower::ServiceBuilder;
use tower_http::{
    compression::{CompressionLayer, predicate::Predicate, predicate::SizeAbove},
    cors::{AllowOrigin, CorsLayer},
};
use utoipa::{
    OpenApi,
    openapi::{Content, PathItem, Ref, ResponseBuilder},
};
use utoipa_axum::{router::OpenApiRouter, routes};

/// A header that makes a repeated create give the first job.
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Attune /api",
        description = "The API of Attune's own browser application. Every request carries the header `x-attune: 1`; \
                       all but the sign-in need the session cookie. Errors are problem details (RFC 9457) with a \
                       stable `code`.",
        license(name = "MIT OR Apache-2.0")
    ),
    components(schemas(
        Problem,
        shared::event::StreamMessage,
        shared::chat::ChatText,
        shared::chat::ChatDone
    ))
)]
struct Document;

/// What needs no session.
fn open_routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(session::create_session))
}

/// What needs one.
fn closed_routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(session::find_session, session::delete_session))
        .routes(routes!(capabilities::find_capabilities))
        .merge(
            OpenApiRouter::new()
                .routes(routes!(browser_reports::create_browser_report))
                .layer(DefaultBodyLimit::max(browser_reports::MOST_BYTES)),
        )
        .routes(routes!(jobs::list_jobs, jobs::create_job))
        .routes(routes!(jobs::find_job, jobs::change_job, jobs::delete_job))
        .routes(routes!(jobs::cancel_job))
        .routes(routes!(jobs::pause_job))
        .routes(routes!(jobs::resume_job))
        .routes(routes!(jobs::stop_job))
        .routes(routes!(jobs::retry_job))
        .routes(routes!(job_record::list_attempts))
        .routes(routes!(job_record::find_timeline))
        .routes(routes!(job_record::list_events))
        .routes(routes!(job_record::list_checkpoints))
        .routes(routes!(job_record::create_checkpoint_download))
        .routes(routes!(job_record::find_metrics))
        .routes(routes!(job_record::download_metrics))
        .routes(routes!(job_record::list_step_examples))
        .routes(routes!(wandb::create_wandb_download))
        .routes(routes!(models::list_models, models::add_model))
        .routes(routes!(models::remove_model))
        .routes(routes!(estimate::find_estimate))
        .routes(routes!(chat::list_chat_models))
        .routes(routes!(artifacts::list_artifacts))
        .routes(routes!(artifacts::find_artifact))
        .routes(routes!(artifacts::create_download))
        .routes(routes!(datasets::list_datasets, datasets::create_dataset))
        .routes(routes!(datasets::create_example_datasets))
        .routes(routes!(datasets::find_dataset, datasets::delete_dataset))
        .routes(routes!(datasets::confirm_dataset))
        .routes(routes!(datasets::find_report))
        .routes(routes!(datasets::find_preview))
        .routes(routes!(uploads::find_upload, uploads::write_upload))
        .routes(routes!(webhooks::list_webhooks, webhooks::create_webhook))
        .routes(routes!(webhooks::delete_webhook))
        .routes(routes!(webhooks::list_deliveries))
        .routes(routes!(webhooks::test_webhook))
        .routes(routes!(keys::list_keys, keys::create_key))
        .routes(routes!(keys::delete_key))
        .routes(routes!(notifications::list_notifications))
        .routes(routes!(notifications::read_notification))
        .routes(routes!(notifications::read_all_notifications))
        .routes(routes!(alerts::find_alert_defaults, alerts::set_alert_defaults))
        .routes(routes!(alerts::find_job_alerts, alerts::set_job_alerts))
}

/// What needs one, and goes on for as long as somebody reads.
fn live_routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(stream::stream_job))
        .routes(routes!(chat::create_chat))
}

/// The `OpenAPI` document, as it is checked in.
#[must_use]
pub fn document() -> utoipa::openapi::OpenApi {
    let mut document = OpenApiRouter::with_openapi(Document::openapi())
        .nest("/api", open_routes().merge(closed_routes()).merge(live_routes()))
        .into_openapi();
    // The crate's own version would make the document stale with every release.
    "1".clone_into(&mut document.info.version);
    document.paths.paths.values_mut().for_each(tell_of_refusals);
    document
}

/// Adds to every operation that whatever else may be refused (no session, a body that is no JSON or too large) is a problem
/// too.
fn tell_of_refusals(path: &mut PathItem) {
    let operations = [
        &mut path.get,
        &mut path.put,
        &mut path.post,
        &mut path.patch,
        &mut path.delete,
    ];
    for operation in operations.into_iter().flatten() {
        let problem = Content::new(Some(Ref::from_schema_name("Problem")));
        let refusal = ResponseBuilder::new()
            .description("Any other refusal")
            .content("application/problem+json", problem)
            .build();
        operation
            .responses
            .responses
            .entry("default".to_owned())
            .or_insert_with(|| refusal.into());
    }
}

/// The routes below `/api`, with their door.
pub fn router(state: &AppState) -> Router<AppState> {
    let (open, _) = open_routes().split_for_parts();
    let (closed, _) = closed_routes().split_for_parts();
    let (live, _) = live_routes().split_for_parts();
    let session = middleware::from_fn_with_state(state.clone(), guard::require_session);
    let live = live
        .method_not_allowed_fallback(method_not_allowed)
        .layer(session.clone());
    let closed = closed
        .method_not_allowed_fallback(method_not_allowed)
        .fallback(no_such_path)
        .layer(ServiceBuilder::new().layer(session).layer(compression()));
    // A path of both halves (`/session`) must stand in one router: methods are told apart there.
    Router::new().merge(open).merge(closed).merge(live).layer(
        ServiceBuilder::new()
            .layer(cors(state))
            .layer(middleware::from_fn_with_state(state.clone(), guard::check_caller))
            .layer(DefaultBodyLimit::max(state.body_bytes)),
    )
}

/// Compresses what gains by it. Every body that this layer passes on takes the room of an encoder, 6 KiB, though it is
/// compressed by none: so live streams stay outside of it.
fn compression() -> CompressionLayer<impl Predicate> {
    CompressionLayer::new()
        .quality(tower_http::CompressionLevel::Fastest)
        .compress_when(SizeAbove::new(860).and(compressible))
}

/// Text that gains by it.
fn compressible(
    _status: axum::http::StatusCode,
    _version: axum::http::Version,
    headers: &axum::http::HeaderMap,
    _extensions: &axum::http::Extensions,
) -> bool {
    let kind = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or("");
    ["application/json", "application/problem+json", "text/csv"]
        .iter()
        .any(|text| kind.starts_with(text))
}

fn cors(state: &AppState) -> CorsLayer {
    let origins: Vec<HeaderValue> = state
        .origins
        .elsewhere()
        .iter()
        .filter_map(|origin| HeaderValue::from_str(origin).ok())
        .collect();
    if origins.is_empty() {
        return CorsLayer::new();
    }
    CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins))
        .allow_credentials(true)
        .allow_methods([
            Method::GET,
            Method::HEAD,
            Method::POST,
            Method::PUT,
            Method::PATCH,
            Method::DELETE,
        ])
        .allow_headers([
            guard::HEADER,
            header::CONTENT_TYPE,
            header::CONTENT_RANGE,
            IDEMPOTENCY_KEY,
            LAST_EVENT_ID,
        ])
        .expose_headers([crate::request::REQUEST_ID, header::RETRY_AFTER])
        // As long as any browser remembers it. A delisted origin is refused by the answers themselves, at once.
        .max_age(Duration::from_secs(7_200))
}

async fn no_such_path() -> ApiError {
    ApiError::not_found("path under `/api`")
}

async fn method_not_allowed() -> ApiError {
    ApiError::new(
        axum::http::StatusCode::METHOD_NOT_ALLOWED,
        "method_not_allowed",
        "this path does not take this method; `allow` lists those it takes",
    )
}

#[cfg(test)]
mod tests {
    /// Where the document is checked in.
    const CHECKED_IN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/openapi.json");

    #[test]
    fn the_checked_in_document_is_the_codes() {
        let current = super::document().to_pretty_json().expect("a document") + "\n";
        if std::env::var_os("ATTUNE_WRITE_OPENAPI").is_some() {
            std::fs::write(CHECKED_IN, &current).expect("writes");
        }
        let checked_in = std::fs::read_to_string(CHECKED_IN).unwrap_or_default();
        assert!(
            checked_in == current,
            "docs/openapi.json is stale: run `cargo xtask openapi`, or this test with ATTUNE_WRITE_OPENAPI=1"
        );
    }

    #[test]
    fn operations_are_named_after_their_handlers_and_no_two_alike() {
        let document = serde_json::to_value(super::document()).expect("a document");
        assert!(
            document["openapi"]
                .as_str()
                .is_some_and(|version| version.starts_with("3.1"))
        );
        let mut names: Vec<&str> = document["paths"]
            .as_object()
            .expect("paths")
            .values()
            .flat_map(|methods| methods.as_object().expect("methods").values())
            .map(|operation| operation["operationId"].as_str().expect("a name"))
            .collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
        assert!(
            names.contains(&"list_jobs") && names.contains(&"stream_job"),
            "{names:?}"
        );
    }
}
