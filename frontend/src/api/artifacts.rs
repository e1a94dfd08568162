//! `/api/artifacts`: what training made.

use super::{ApiError, read, send};
use crate::query::{Query, Resource};
use gloo_net::http::Method;
use shared::{
    id::{ArtifactId, JobId, encode_segment},
    model::{ArtifactList, DownloadLink},
};

/// All artifacts, newest first.
#[must_use]
pub fn list() -> Query<ArtifactList> {
    Query::new("/api/artifacts", Resource::Artifacts)
}

/// Makes a link that downloads an ended job's run for Weights & Biases once.
///
/// # Errors
/// 409 where the job hasn't ended.
pub(crate) async fn wandb_link(id: &JobId) -> Result<DownloadLink, ApiError> {
    let path = format!("/api/jobs/{}/wandb/download", encode_segment(id.as_str()));
    read(&send(Method::POST, &path, None, &[], None).await?.text)
}

/// Makes a link that downloads the artifact once.
///
/// # Errors
/// 404 where it is gone.
pub(crate) async fn download_link(id: &ArtifactId) -> Result<DownloadLink, ApiError> {
    let path = format!("/api/artifacts/{}/download", encode_segment(id.as_str()));
    read(&send(Method::POST, &path, None, &[], None).await?.text)
}
