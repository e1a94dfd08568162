//! What jobs made.

use super::Service;
use crate::{error::Error, store::artifacts};
use shared::{
    id::{ArtifactId, Subject},
    model::{Artifact, ArtifactList},
};

/// The folder of the result in a run directory.
pub(crate) const ADAPTER: &str = "adapter";

impl Service {
    /// All of the subject's artifacts, newest first.
    ///
    /// # Errors
    /// Storage only.
    pub async fn list_artifacts(&self, subject: &Subject) -> Result<ArtifactList, Error> {
        let rows = artifacts::list(self.inner.store.read(), subject).await?;
        Ok(ArtifactList {
            artifacts: rows.iter().map(artifacts::ArtifactRow::to_artifact).collect(),
        })
    }

    /// One artifact of the subject's.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn find_artifact(&self, subject: &Subject, id: &ArtifactId) -> Result<Artifact, Error> {
        let row = artifacts::find(self.inner.store.read(), subject, id.as_str()).await?;
        row.map(|row| row.to_artifact())
            .ok_or(Error::NotFound("artifact"))
    }
}
