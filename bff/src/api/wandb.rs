//! `/api/jobs/{id}/wandb`: a job's run for Weights & Biases.

use crate::{extract::Path, guard::SignedIn, problem::ApiError, state::AppState};
use axum::{Json, extract::State, http::StatusCode};
use shared::{id::JobId, model::DownloadLink, problem::Problem};

/// Makes a link that downloads an ended job's run once, for a short time, without headers: a zip for `wandb sync`.
#[utoipa::path(post, path = "/jobs/{id}/wandb/download", tag = "jobs",
    params(("id" = String, Path, description = "The job's id")),
    responses(
        (status = 201, description = "The link", body = DownloadLink),
        (status = 404, description = "There is no such job, or none was asked for", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The job hasn't ended", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn create_wandb_download(
    State(state): State<AppState>,
    signed_in: SignedIn,
    Path(id): Path<JobId>,
) -> Result<(StatusCode, Json<DownloadLink>), ApiError> {
    let link = state
        .upstream
        .create_wandb_download(signed_in.subject(), &id)
        .await?;
    Ok((StatusCode::CREATED, Json(link)))
}
