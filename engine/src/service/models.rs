//! Base models.

use super::Service;
use crate::{
    error::Error,
    models::{self, FoundModel, bundled},
};
use shared::model::ModelList;

impl Service {
    /// The base models to choose from; everybody sees the same.
    ///
    /// # Errors
    /// Storage only.
    pub async fn list_models(&self) -> Result<ModelList, Error> {
        let models = self
            .found_models()
            .await?
            .into_iter()
            .map(|found| found.model)
            .collect();
        Ok(ModelList { models })
    }

    /// One base model by its identifier.
    pub(crate) async fn find_model(&self, id: &str) -> Result<Option<FoundModel>, Error> {
        Ok(self
            .found_models()
            .await?
            .into_iter()
            .find(|found| found.model.id == id))
    }

    /// The base models with the places where they lie.
    pub(crate) async fn found_models(&self) -> Result<Vec<FoundModel>, Error> {
        self.unpack_models().await;
        let mut places = vec![self.inner.layout.models()];
        places.extend(self.inner.config.models_dir.clone());
        tokio::task::spawn_blocking(move || models::find_all(&places))
            .await
            .map_err(|error| Error::storage("looking for models was interrupted", error))
    }

    /// Unpacks the bundled model once; whoever needs it meanwhile waits here.
    pub(crate) async fn unpack_models(&self) {
        let models = self.inner.layout.models();
        self.inner
            .models_ready
            .get_or_init(|| async move {
                let unpacked = tokio::task::spawn_blocking(move || bundled::unpack(&models)).await;
                match unpacked {
                    Ok(Ok(())) => {}
                    Ok(Err(error)) => tracing::error!(%error, "the bundled model could not be unpacked"),
                    Err(error) => tracing::error!(%error, "unpacking the bundled model was interrupted"),
                }
            })
            .await;
    }
}
