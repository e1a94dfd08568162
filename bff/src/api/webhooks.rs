//! `/api/webhooks`: addresses that are told when a job ends.

use crate::{
    extract::{Json, Path},
    guard::SignedIn,
    problem::ApiError,
    state::AppState,
};
use axum::{extract::State, http::StatusCode};
use shared::{
    id::WebhookId,
    problem::Problem,
    webhook::{CreatedWebhook, Delivery, DeliveryList, NewWebhook, WebhookList},
};

/// Lists the webhooks, the oldest first.
#[utoipa::path(get, path = "/webhooks", tag = "webhooks", responses(
    (status = 200, description = "All of the subject's", body = WebhookList),
))]
pub(super) async fn list_webhooks(
    State(state): State<AppState>,
    signed_in: SignedIn,
) -> Result<Json<WebhookList>, ApiError> {
    Ok(Json(state.upstream.list_webhooks(signed_in.subject()).await?))
}

/// Makes a webhook. Its secret is in this answer and in no other.
#[utoipa::path(post, path = "/webhooks", tag = "webhooks", request_body = NewWebhook, responses(
    (status = 201, description = "It was made", body = CreatedWebhook),
    (status = 400, description = "Its address may not be told", body = Problem, content_type = "application/problem+json"),
    (status = 409, description = "There are as many as there may be", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn create_webhook(
    State(state): State<AppState>,
    signed_in: SignedIn,
    Json(webhook): Json<NewWebhook>,
) -> Result<(StatusCode, Json<CreatedWebhook>), ApiError> {
    let created = state
        .upstream
        .create_webhook(signed_in.subject(), webhook)
        .await?;
    Ok((StatusCode::CREATED, Json(created)))
}

/// Removes a webhook, and what it was to be told.
#[utoipa::path(delete, path = "/webhooks/{id}", tag = "webhooks",
    params(("id" = String, Path, description = "The webhook's id")),
    responses(
        (status = 204, description = "Removed"),
        (status = 404, description = "There is none", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn delete_webhook(
    State(state): State<AppState>,
    signed_in: SignedIn,
    Path(id): Path<WebhookId>,
) -> Result<StatusCode, ApiError> {
    state.upstream.delete_webhook(signed_in.subject(), &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Lists what a webhook was told and will be: the newest hundred, newest first.
#[utoipa::path(get, path = "/webhooks/{id}/deliveries", tag = "webhooks",
    params(("id" = String, Path, description = "The webhook's id")),
    responses(
        (status = 200, description = "The deliveries", body = DeliveryList),
        (status = 404, description = "There is none", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn list_deliveries(
    State(state): State<AppState>,
    signed_in: SignedIn,
    Path(id): Path<WebhookId>,
) -> Result<Json<DeliveryList>, ApiError> {
    Ok(Json(
        state.upstream.list_deliveries(signed_in.subject(), &id).await?,
    ))
}

/// Tells a webhook of a job that isn't there, once and now, and answers what came of it.
#[utoipa::path(post, path = "/webhooks/{id}/test", tag = "webhooks",
    params(("id" = String, Path, description = "The webhook's id")),
    responses(
        (status = 200, description = "What came of it, also where the address didn't take it", body = Delivery),
        (status = 404, description = "There is none", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn test_webhook(
    State(state): State<AppState>,
    signed_in: SignedIn,
    Path(id): Path<WebhookId>,
) -> Result<Json<Delivery>, ApiError> {
    Ok(Json(state.upstream.test_webhook(signed_in.subject(), &id).await?))
}
