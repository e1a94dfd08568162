//! What a job would take: the trainer's own reckoning, by a child process that reads the data as a run would.

use super::Service;
use crate::{
    error::{Error, one_finding},
    executor::tool,
    parameters::Parameters,
    secret,
    store::{
        files::{self, FileRow},
        queue,
    },
    supervise::prepare::{TRAINING, VALIDATION, run_spec},
};
use shared::{
    dataset::DatasetStatus,
    estimate::{Estimate, EstimateQuery},
    id::{DatasetId, Subject},
    job::NewJob,
    run::{Method, RunEstimate, RunSpec},
    training_line::LineFormat,
};
use std::{
    collections::HashMap,
    path::Path,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{fs, sync::Semaphore};

/// Longest wait for one: tokenising as much as anybody uploads.
const LIMIT: Duration = Duration::from_secs(60);
/// The form's own bounds lie below; nobody else's may make the reckoning long.
const MOST: u32 = 256;
/// Answers that are kept.
const KEPT: usize = 64;

/// Answers that were found before, and whose turn it is.
#[derive(Debug)]
pub(crate) struct Estimates {
    /// By specification, data and the state of the model's files.
    known: Mutex<HashMap<String, RunEstimate>>,
    /// One at a time: each reads a whole dataset.
    turn: Semaphore,
}

impl Default for Estimates {
    fn default() -> Self {
        Self {
            known: Mutex::default(),
            turn: Semaphore::new(1),
        }
    }
}

impl Estimates {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, RunEstimate>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Service {
    /// What a job would take in steps, tokens and memory.
    ///
    /// # Errors
    /// [`Error::Invalid`] by field: `unknown_model`, `unknown_file`, `has_errors`, `not_uploaded`; `cannot_estimate` of
    /// the base model where the trainer can't read model or data.
    pub async fn estimate(&self, subject: &Subject, query: &EstimateQuery) -> Result<Estimate, Error> {
        let Some(model) = self.find_model(&query.base_model).await? else {
            return Err(Error::field("base_model", "unknown_model"));
        };
        let file = self
            .ready(subject, "training_dataset", &query.training_dataset)
            .await?;
        // Its lines are for one method, so nobody has to say which.
        let method = file.format().map(LineFormat::method);
        if let Some(validation) = &query.validation_dataset {
            self.ready(subject, "validation_dataset", validation).await?;
        }
        let examples = file.examples.map_or(0, crate::store::from_sql);
        let mut parameters = Parameters::resolve(&as_job(query, method), &model.model, 0);
        if let Some(rank) = query.lora_rank {
            parameters.lora.rank = rank.clamp(1, MOST);
        }
        let spec = RunSpec {
            validation_file: query.validation_dataset.as_ref().map(|_| VALIDATION.to_owned()),
            ..run_spec(&parameters, &model, examples, &self.inner.config)
        };
        let estimate = self.estimate_of(&spec, query, &model.path).await?;
        let pace = queue::pace(self.inner.store.read(), &query.base_model).await?;
        let epochs = parameters.epochs;
        Ok(Estimate {
            duration_ms: pace.map(|example_ms| (example_ms * f64::from(epochs) * examples as f64) as u64),
            ..self.decide(&estimate, epochs)
        })
    }

    /// How the trainer would decide.
    fn decide(&self, estimate: &RunEstimate, epochs: u32) -> Estimate {
        let available = self.inner.config.memory_bytes;
        let is_beyond = |bytes: u64| available.is_some_and(|available| bytes > available);
        let gradient_checkpointing = is_beyond(estimate.memory_bytes);
        let memory_bytes = if gradient_checkpointing {
            estimate.memory_bytes_with_gradient_checkpointing
        } else {
            estimate.memory_bytes
        };
        Estimate {
            memory_bytes,
            available_bytes: available,
            gradient_checkpointing,
            fits: !is_beyond(memory_bytes),
            total_steps: estimate.total_steps,
            training_tokens: estimate.training_tokens,
            trained_tokens: estimate.target_tokens * u64::from(epochs),
            longest_tokens: estimate.longest_tokens,
            duration_ms: None,
        }
    }

    /// A dataset, if it can be trained on.
    async fn ready(&self, subject: &Subject, field: &str, id: &DatasetId) -> Result<FileRow, Error> {
        let file = self.find_live_file(subject, id.as_str()).await?;
        let Some(file) = file.filter(|file| file.purpose == files::FINE_TUNE) else {
            return Err(Error::field(field, "unknown_file"));
        };
        match file.status() {
            DatasetStatus::Ready => Ok(file),
            DatasetStatus::Error => Err(Error::field(field, "has_errors")),
            DatasetStatus::Uploading | DatasetStatus::Validating => Err(Error::field(field, "not_uploaded")),
        }
    }

    async fn estimate_of(
        &self,
        spec: &RunSpec,
        query: &EstimateQuery,
        model: &Path,
    ) -> Result<RunEstimate, Error> {
        let text = serde_json::to_vec(spec)
            .map_err(|error| Error::storage("`spec.json` can't be written", error))?;
        let data = [Some(&query.training_dataset), query.validation_dataset.as_ref()];
        let key = format!("{} {data:?} {}", secret::hash_bytes(&text), state_of(model).await);
        let estimates = &self.inner.estimates;
        let _turn = estimates.turn.acquire().await;
        if let Some(known) = estimates.lock().get(&key) {
            return Ok(*known);
        }
        // Removed when it is dropped, whoever stops waiting.
        let folder = tempfile::TempDir::new_in(self.inner.layout.estimates())
            .map_err(|error| Error::storage("the data of an estimate could not be laid out", error))?;
        let estimate = self.reckon(folder.path(), &text, query).await?;
        let mut known = estimates.lock();
        if known.len() >= KEPT {
            known.clear();
        }
        known.insert(key, estimate);
        Ok(estimate)
    }

    async fn reckon(&self, folder: &Path, spec: &[u8], query: &EstimateQuery) -> Result<RunEstimate, Error> {
        let failed = |error| Error::storage("the data of an estimate could not be laid out", error);
        fs::create_dir_all(folder.join("data")).await.map_err(failed)?;
        fs::write(folder.join("spec.json"), spec).await.map_err(failed)?;
        let blobs = &self.inner.blobs;
        blobs
            .place(query.training_dataset.as_str(), &folder.join(TRAINING))
            .await?;
        if let Some(validation) = &query.validation_dataset {
            blobs.place(validation.as_str(), &folder.join(VALIDATION)).await?;
        }
        let config = &self.inner.config;
        let output = tool::ask(&config.estimate_run, folder, config.tool_limits, LIMIT)
            .await
            .map_err(|error| {
                tracing::info!(%error, "a run can't be estimated");
                Error::field("training_dataset", "cannot_estimate")
            })?;
        serde_json::from_slice(&output.stdout).map_err(|_| {
            let said = String::from_utf8_lossy(&output.stderr);
            tracing::info!(said = said.trim(), "a run can't be estimated");
            Error::Invalid(one_finding("base_model", "cannot_estimate", &[]))
        })
    }
}

/// Tells one state of a model's files from another: a model of the same name may have come in its place.
pub(crate) async fn state_of(model: &Path) -> String {
    let mut state = String::new();
    for name in ["config.json", "model.safetensors", "model.safetensors.index.json"] {
        if let Ok(known) = fs::metadata(model.join(name)).await {
            let changed = known.modified().ok();
            state.push_str(&format!("{} {changed:?} ", known.len()));
        }
    }
    state
}

/// The query as a job, whose open values are resolved as a job's are.
fn as_job(query: &EstimateQuery, method: Option<Method>) -> NewJob {
    NewJob {
        name: String::new(),
        base_model: query.base_model.clone(),
        epochs: query.epochs.clamp(1, MOST),
        evaluation_epochs: 1,
        warmup_epochs: 0,
        learning_rate: 1e-4,
        training_dataset: Some(query.training_dataset.clone()),
        validation_dataset: query.validation_dataset.clone(),
        method,
        beta: None,
        batch_size: query.batch_size.map(|size| size.clamp(1, MOST)),
        lora: None,
        schedule: None,
        gradient_checkpointing: None,
        seed: None,
    }
}
