//! `/api/notifications`: what somebody should know about their jobs.

use crate::{
    extract::{Json, Path, Query},
    guard::SignedIn,
    problem::ApiError,
    state::AppState,
};
use axum::{extract::State, http::StatusCode};
use shared::{
    notification::{NotificationList, NotificationQuery},
    problem::Problem,
};

/// Lists notifications, newest first, and tells how many are unread.
#[utoipa::path(get, path = "/notifications", tag = "notifications", params(NotificationQuery), responses(
    (status = 200, description = "One page of the subject's", body = NotificationList),
    (status = 400, description = "The query can't be meant", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn list_notifications(
    State(state): State<AppState>,
    signed_in: SignedIn,
    Query(query): Query<NotificationQuery>,
) -> Result<Json<NotificationList>, ApiError> {
    let list = state
        .upstream
        .list_notifications(signed_in.subject(), &query)
        .await?;
    Ok(Json(list))
}

/// Marks a notification as read; one that was read stays so.
#[utoipa::path(post, path = "/notifications/{id}/read", tag = "notifications",
    params(("id" = String, Path, description = "The notification's id")),
    responses(
        (status = 204, description = "It is read"),
        (status = 404, description = "There is none", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn read_notification(
    State(state): State<AppState>,
    signed_in: SignedIn,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    state.upstream.read_notification(signed_in.subject(), &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Marks all notifications as read.
#[utoipa::path(post, path = "/notifications/read-all", tag = "notifications", responses(
    (status = 204, description = "All of the subject's are read"),
))]
pub(super) async fn read_all_notifications(
    State(state): State<AppState>,
    signed_in: SignedIn,
) -> Result<StatusCode, ApiError> {
    state.upstream.read_all_notifications(signed_in.subject()).await?;
    Ok(StatusCode::NO_CONTENT)
}
