//! `/api/keys`: who may call `/v1` on the subject's behalf.

use crate::{
    extract::{Json, Path},
    guard::SignedIn,
    problem::ApiError,
    state::AppState,
};
use axum::{extract::State, http::StatusCode};
use shared::{
    api_key::{ApiKeyList, CreatedApiKey, NewApiKey},
    id::ApiKeyId,
    problem::Problem,
};

/// Lists the keys that are valid, the oldest first.
#[utoipa::path(get, path = "/keys", tag = "keys", responses(
    (status = 200, description = "All of the subject's", body = ApiKeyList),
))]
pub(super) async fn list_keys(
    State(state): State<AppState>,
    signed_in: SignedIn,
) -> Result<Json<ApiKeyList>, ApiError> {
    Ok(Json(state.upstream.list_keys(signed_in.subject()).await?))
}

/// Makes a key. Its secret is in this answer and in no other.
#[utoipa::path(post, path = "/keys", tag = "keys", request_body = NewApiKey, responses(
    (status = 201, description = "It was made", body = CreatedApiKey),
    (status = 400, description = "It can't be called so", body = Problem, content_type = "application/problem+json"),
    (status = 409, description = "There are as many as there may be", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn create_key(
    State(state): State<AppState>,
    signed_in: SignedIn,
    Json(key): Json<NewApiKey>,
) -> Result<(StatusCode, Json<CreatedApiKey>), ApiError> {
    let created = state.upstream.create_key(signed_in.subject(), key).await?;
    Ok((StatusCode::CREATED, Json(created)))
}

/// Removes a key: from then on `/v1` refuses it.
#[utoipa::path(delete, path = "/keys/{id}", tag = "keys",
    params(("id" = String, Path, description = "The key's id, not its secret")),
    responses(
        (status = 204, description = "Removed"),
        (status = 404, description = "There is none", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn delete_key(
    State(state): State<AppState>,
    signed_in: SignedIn,
    Path(id): Path<ApiKeyId>,
) -> Result<StatusCode, ApiError> {
    state.upstream.delete_key(signed_in.subject(), &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
