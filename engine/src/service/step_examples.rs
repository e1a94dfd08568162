//! The examples that an optimizer step was made of: asked of the trainer's own code in a child process, from the dataset's file and the
//! run's specification. Neither needs the job to be at work, or its run directory.

use super::Service;
use crate::{
    error::Error,
    executor::tool,
    models::FoundModel,
    store::{from_sql, jobs::JobRow, steps},
    supervise::prepare::{TRAINING, run_spec},
};
use shared::{
    id::{JobId, Subject},
    run::RunSpec,
    step_examples::StepExamples,
};
use std::time::Duration;
use tokio::{
    fs,
    sync::{Semaphore, SemaphorePermit},
};

/// Longest wait for one: reading through as large a file as anybody uploads.
const LIMIT: Duration = Duration::from_secs(30);

/// Whose turn it is: one at a time reads a dataset.
#[derive(Debug)]
pub(crate) struct Turn(Semaphore);

impl Turn {
    /// Waits for it; it is over when what this gives is dropped.
    pub(super) async fn wait(&self) -> Option<SemaphorePermit<'_>> {
        // It is never closed.
        self.0.acquire().await.ok()
    }
}

impl Default for Turn {
    fn default() -> Self {
        Self(Semaphore::new(1))
    }
}

impl Service {
    /// The training examples that a recorded step was made of, in the trainer's order.
    ///
    /// # Errors
    /// [`Error::NotFound`] of the job, or where no such step is recorded; [`Error::Conflict`] with `dataset_deleted`;
    /// [`Error::Unavailable`] with `examples_unavailable` where they can't be told.
    pub async fn step_examples(
        &self,
        subject: &Subject,
        id: &JobId,
        step: u64,
    ) -> Result<StepExamples, Error> {
        let row = self.find_job_row(subject, id).await?;
        let recorded = steps::range(self.inner.store.read(), subject, id).await?;
        if !recorded.is_some_and(|(first, last)| (first..=last).contains(&step)) {
            return Err(Error::NotFound("step"));
        }
        // The run directory keeps the lines as long as the job is there; whoever deletes a dataset wants them gone.
        let deleted = || {
            let message = "the training dataset was deleted: what its examples were is no longer known";
            Error::conflict("dataset_deleted", message)
        };
        let file = self.find_live_file(subject, &row.training_file).await?;
        let file = file.ok_or_else(deleted)?;
        let examples = file.examples.map_or(0, from_sql);
        let spec = self.spec_of(&row, examples).await?;
        let text = serde_json::to_vec(&spec)
            .map_err(|error| Error::storage("`spec.json` can't be written", error))?;
        let _turn = self.inner.step_examples.wait().await;
        // Removed when it is dropped, whoever stops waiting.
        let failed = |error| Error::storage("a step's data could not be laid out", error);
        let folder = tempfile::TempDir::new_in(self.inner.layout.estimates()).map_err(failed)?;
        let data = folder.path().join(TRAINING);
        if let Some(parent) = data.parent() {
            fs::create_dir_all(parent).await.map_err(failed)?;
        }
        fs::write(folder.path().join("spec.json"), text)
            .await
            .map_err(failed)?;
        self.inner.blobs.place(&row.training_file, &data).await?;
        let config = &self.inner.config;
        let mut command = config.step_examples.clone();
        command.extend(["--step".to_owned(), step.to_string()]);
        let output = tool::ask(&command, folder.path(), config.tool_limits, LIMIT)
            .await
            .map_err(|error| {
                tracing::info!(%error, "the examples of a step can't be told");
                unavailable()
            })?;
        serde_json::from_slice(&output.stdout).map_err(|_| {
            let said = String::from_utf8_lossy(&output.stderr);
            tracing::info!(said = said.trim(), "the examples of a step can't be told");
            unavailable()
        })
    }

    /// What the trainer read; where the run directory is gone, what it would be given today, which differs in nothing that
    /// decides the order. The base model is where it lies now.
    async fn spec_of(&self, row: &JobRow, examples: u64) -> Result<RunSpec, Error> {
        let model = self.find_model(&row.base_model).await?;
        let path = self.inner.layout.run(&row.id).join("spec.json");
        let kept = fs::read(path).await.ok();
        let kept: Option<RunSpec> = kept.and_then(|text| serde_json::from_slice(&text).ok());
        let spec = match (kept, &model, row.parameters()) {
            (Some(kept), ..) => kept,
            (None, Some(model), Some(parameters)) => {
                run_spec(&parameters, model, examples, &self.inner.config)
            }
            (None, ..) => return Err(unavailable()),
        };
        Ok(RunSpec {
            model_path: model.map_or(spec.model_path, |FoundModel { path, .. }| {
                path.display().to_string()
            }),
            training_file: TRAINING.to_owned(),
            validation_file: None,
            start_adapter: None,
            ..spec
        })
    }
}

fn unavailable() -> Error {
    Error::Unavailable {
        code: "examples_unavailable",
        message: "the examples of this step can't be told now: try again in a moment".to_owned(),
    }
}
