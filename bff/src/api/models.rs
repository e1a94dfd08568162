//! `/api/models`: base models to choose from.

use crate::{guard::SignedIn, problem::ApiError, state::AppState};
use axum::{Json, extract::State};
use shared::model::ModelList;

/// Lists the base models.
#[utoipa::path(get, path = "/models", tag = "models", responses(
    (status = 200, description = "All of them", body = ModelList),
))]
pub(super) async fn list_models(
    State(state): State<AppState>,
    signed_in: SignedIn,
) -> Result<Json<ModelList>, ApiError> {
    Ok(Json(state.upstream.list_models(signed_in.subject()).await?))
}
