//! `/api/artifacts`: what training made.

use crate::{extract::Path, guard::SignedIn, problem::ApiError, state::AppState};
use axum::{Json, extract::State, http::StatusCode};
use shared::{
    id::ArtifactId,
    model::{Artifact, ArtifactList, DownloadLink},
    problem::Problem,
};

/// Lists what training made, newest first.
#[utoipa::path(get, path = "/artifacts", tag = "artifacts", responses(
    (status = 200, description = "All of the subject's", body = ArtifactList),
))]
pub(super) async fn list_artifacts(
    State(state): State<AppState>,
    signed_in: SignedIn,
) -> Result<Json<ArtifactList>, ApiError> {
    Ok(Json(state.upstream.list_artifacts(signed_in.subject()).await?))
}

/// Finds an artifact.
#[utoipa::path(get, path = "/artifacts/{id}", tag = "artifacts",
    params(("id" = String, Path, description = "The artifact's id")),
    responses(
        (status = 200, description = "The artifact", body = Artifact),
        (status = 404, description = "There is none", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn find_artifact(
    State(state): State<AppState>,
    signed_in: SignedIn,
    Path(id): Path<ArtifactId>,
) -> Result<Json<Artifact>, ApiError> {
    Ok(Json(
        state.upstream.find_artifact(signed_in.subject(), &id).await?,
    ))
}

/// Makes a link that downloads an artifact once, for a short time, without headers.
#[utoipa::path(post, path = "/artifacts/{id}/download", tag = "artifacts",
    params(("id" = String, Path, description = "The artifact's id")),
    responses(
        (status = 201, description = "The link", body = DownloadLink),
        (status = 404, description = "There is none", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn create_download(
    State(state): State<AppState>,
    signed_in: SignedIn,
    Path(id): Path<ArtifactId>,
) -> Result<(StatusCode, Json<DownloadLink>), ApiError> {
    Ok((
        StatusCode::CREATED,
        Json(state.upstream.create_download(signed_in.subject(), &id).await?),
    ))
}
