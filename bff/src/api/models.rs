//! `/api/models`: base models to choose from, those on their way, and those that could be had.

use crate::{
    extract::{Json, Path},
    guard::SignedIn,
    problem::ApiError,
    state::AppState,
};
use axum::{extract::State, http::StatusCode};
use shared::{
    model::{AddModel, ModelAddition, ModelList},
    problem::Problem,
};

/// Lists the base models.
#[utoipa::path(get, path = "/models", tag = "models", responses(
    (status = 200, description = "All of them", body = ModelList),
))]
pub(super) async fn list_models(
    State(state): State<AppState>,
    signed_in: SignedIn,
) -> Result<axum::Json<ModelList>, ApiError> {
    Ok(axum::Json(state.upstream.list_models(signed_in.subject()).await?))
}

/// Starts to fetch a base model; the list tells how far it is.
#[utoipa::path(post, path = "/models", tag = "models", request_body = AddModel, responses(
    (status = 202, description = "It is being fetched", body = ModelAddition),
    (status = 400, description = "The source is no repository of the Hub", body = Problem, content_type = "application/problem+json"),
    (status = 409, description = "A model of this name is there", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn add_model(
    State(state): State<AppState>,
    signed_in: SignedIn,
    Json(model): Json<AddModel>,
) -> Result<(StatusCode, axum::Json<ModelAddition>), ApiError> {
    let addition = state.upstream.add_model(signed_in.subject(), model).await?;
    Ok((StatusCode::ACCEPTED, axum::Json(addition)))
}

/// Removes a base model, or gives up one that is being fetched.
#[utoipa::path(delete, path = "/models/{id}", tag = "models",
    params(("id" = String, Path, description = "The model's identifier, as one segment")),
    responses(
        (status = 204, description = "Removed"),
        (status = 404, description = "There is none", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "It is needed, or comes with Attune", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn remove_model(
    State(state): State<AppState>,
    signed_in: SignedIn,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    state.upstream.remove_model(signed_in.subject(), &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
