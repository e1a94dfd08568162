//! Fine-tuning jobs as `/api` shows and takes them.

mod list;

pub use list::{JobList, JobQuery, JobSummary, Outlook};

use crate::{
    attempt::{FailureCause, RetryJob},
    id::{ArtifactId, DatasetId, JobId},
    queue::Priority,
    run::{GradientCheckpointing, LoraSpec, Method, Schedule, Stage},
    status::JobStatus,
    timestamp::Timestamp,
    wandb::Wandb,
};
use serde::{Deserialize, Serialize};

/// One job. `id`, `name`, `base_model`, `status` and `created_at` are always there, the rest where the upstream
/// has it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Job {
    /// Names the job; opaque.
    pub id: JobId,
    /// What its owner called it.
    pub name: String,
    /// The base model's name.
    pub base_model: String,
    /// Where it stands.
    pub status: JobStatus,
    /// When it was created.
    pub created_at: Timestamp,
    /// When a trainer first started on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<Timestamp>,
    /// Passes over the training data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epochs: Option<u32>,
    /// Epochs after which validation runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evaluation_epochs: Option<u32>,
    /// Epochs in which the learning rate rises.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warmup_epochs: Option<u32>,
    /// Peak learning rate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub learning_rate: Option<f64>,
    /// What it trains on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub training_dataset: Option<DatasetRef>,
    /// What it is validated on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation_dataset: Option<DatasetRef>,
    /// The resolved hyperparameters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hyperparameters: Option<Hyperparameters>,
    /// How far it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<Progress>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<JobFailure>,
    /// How often a trainer was started on it; 0 before the first.
    #[serde(default)]
    pub attempt: u32,
    /// Target tokens trained on so far.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trained_tokens: Option<u64>,
    /// What the trainer reckoned that it takes, once it had read the data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub estimate: Option<JobEstimate>,
    /// The most memory that its trainer had so far, where that is measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peak_memory_bytes: Option<u64>,
    /// The tuned model's name on /v1, once there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fine_tuned_model: Option<String>,
    /// What it made, once it has succeeded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact: Option<ArtifactId>,
    /// How many queued jobs are before it; 0 is next. Only while queued.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue_position: Option<u32>,
    /// When its turn is likely to come, from what jobs like those before it took. Only of a single job, while queued.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts_in_ms: Option<u64>,
    /// The newest entry of its record: a stream that is opened with it as `Last-Event-ID` tells all that was recorded since
    /// this answer. Only of a single job that hasn't ended, where the upstream has streams.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_event_id: Option<String>,
    /// Which of its owner's waiting jobs go first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<Priority>,
    /// Somebody asked it to end early and to keep what is trained; of a job that has succeeded: that is how it ended.
    #[serde(default, skip_serializing_if = "is_false")]
    pub stopped: bool,
    /// The job that it is a retry of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<JobId>,
    /// The parent's checkpoint that it started from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_step: Option<u64>,
    /// Where its curves are to be shown at Weights & Biases; once it has ended, its run can be downloaded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wandb: Option<Wandb>,
    /// Where it was trained, of a job that was taken over from elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub imported: Option<Imported>,
}

impl Job {
    /// Nobody gave it a name, as on `/v1` without a suffix: its id stands there.
    #[must_use]
    pub fn is_nameless(&self) -> bool {
        self.name == self.id.as_str()
    }

    /// What people are shown: its name, or where nobody gave it one the base model and what it trains on.
    #[must_use]
    pub fn title(&self) -> String {
        if !self.is_nameless() {
            return self.name.clone();
        }
        let dataset = self.training_dataset.as_ref();
        match dataset.filter(|dataset| dataset.name != dataset.id.as_str()) {
            Some(dataset) => format!("{} · {}", self.base_model, dataset.name),
            None => self.base_model.clone(),
        }
    }

    /// The title, with the id where others may have the same: for what must not be mistaken.
    #[must_use]
    pub fn title_of_its_own(&self) -> String {
        if self.is_nameless() {
            format!("{} ({})", self.title(), self.id)
        } else {
            self.name.clone()
        }
    }
}

/// Where a job was trained that was taken over from an account elsewhere. Its weights stayed there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Imported {
    /// The host, with its port where that isn't the usual one.
    pub host: String,
    /// Names the job there.
    pub id: String,
    /// The tuned model's name there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fine_tuned_model: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
pub(crate) const fn is_false(value: &bool) -> bool {
    !*value
}

/// A dataset as a job names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DatasetRef {
    /// Names the dataset.
    pub id: DatasetId,
    /// What its owner called it.
    pub name: String,
}

/// Hyperparameters beyond the wizard's four, after `auto` was resolved; each where the upstream tells it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Hyperparameters {
    /// `supervised`, `dpo`, or what else an upstream trains by.
    pub method: String,
    /// How strongly answers are held to the base model's, under the method `dpo`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beta: Option<f64>,
    /// Examples in one optimizer step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch_size: Option<u32>,
    /// Micro-batches in one optimizer step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gradient_accumulation: Option<u32>,
    /// The learning rate as a multiple of one that the upstream alone knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub learning_rate_multiplier: Option<f64>,
    /// What the learning rate does after warm-up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Schedule>,
    /// The adapter's shape.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lora: Option<LoraSpec>,
    /// Longest example in tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_sequence_length: Option<u32>,
    /// Keys all randomness.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// Names of the values that were chosen by the engine rather than by the caller.
    #[serde(default)]
    pub auto: Vec<String>,
}

/// How far a job is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Progress {
    /// What it is doing.
    pub stage: Stage,
    /// Optimizer steps done.
    pub step: u64,
    /// Optimizer steps of the whole run; 0 while unknown.
    pub total_steps: u64,
    /// Epochs done, with fraction.
    pub epoch: f64,
    /// Time left, from the measured pace of this attempt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remaining_ms: Option<u64>,
    /// Measured pace of this attempt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens_per_second: Option<f64>,
    /// Training loss of the newest step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub train_loss: Option<f64>,
    /// The newest validation loss.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_loss: Option<f64>,
}

/// What a job takes, reckoned before its first step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct JobEstimate {
    /// Target tokens of the whole run.
    pub trained_tokens: u64,
    /// Peak memory of its trainer.
    pub memory_bytes: u64,
    /// Milliseconds of training, where jobs with its base model told a pace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<u64>,
}

/// Why a job failed and what to do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct JobFailure {
    /// Stable, `snake_case`.
    pub code: String,
    /// What happened and what to do, in English.
    pub message: String,
    /// The field at fault, for example `training_file`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub param: Option<String>,
    /// The line of that file at fault, from 1, where one is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// What stood behind it, where that shows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<FailureCause>,
    /// What a retry had better change, where trying again may help.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<RetryJob>,
}

impl JobFailure {
    /// A failure by its code and what happened.
    #[must_use]
    pub fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            message: message.into(),
            param: None,
            line: None,
            cause: None,
            change: None,
        }
    }

    /// With the field at fault.
    #[must_use]
    pub fn of(mut self, param: impl Into<String>) -> Self {
        self.param = Some(param.into());
        self
    }

    /// With the line at fault of the file that the field names, where one is.
    #[must_use]
    pub const fn at_line(mut self, line: Option<u64>) -> Self {
        self.line = line;
        self
    }

    /// With what stood behind it.
    #[must_use]
    pub const fn because(mut self, cause: FailureCause) -> Self {
        self.cause = Some(cause);
        self
    }
}

/// What a request for a new job came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Created {
    /// The job.
    pub job: Job,
    /// It stood already, by the same idempotency key: this request created nothing.
    pub repeated: bool,
}

/// The body of `POST /api/jobs`. Absent numbers of the second half are the base model's own defaults.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewJob {
    /// 3 to 50 letters, digits and dashes, not ending in a dash.
    pub name: String,
    /// A base model's id.
    pub base_model: String,
    /// Passes over the training data.
    pub epochs: u32,
    /// Epochs after which validation runs.
    pub evaluation_epochs: u32,
    /// Epochs in which the learning rate rises.
    pub warmup_epochs: u32,
    /// Peak learning rate, in (0, 1].
    pub learning_rate: f64,
    /// What to train on; required where the upstream has datasets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub training_dataset: Option<DatasetId>,
    /// What to validate on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation_dataset: Option<DatasetId>,
    /// How to train; supervised unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<Method>,
    /// How strongly answers are held to the base model's, in (0, 2]; only under the method `dpo`, 0.1 unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beta: Option<f64>,
    /// Examples in one optimizer step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch_size: Option<u32>,
    /// The adapter's shape.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lora: Option<LoraSpec>,
    /// What the learning rate does after warm-up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Schedule>,
    /// Keys all randomness.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// Whether activations are computed again instead of kept; by itself only where they would not fit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gradient_checkpointing: Option<GradientCheckpointing>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_without_a_name_goes_by_its_base_model_and_its_data() {
        let job = |name: &str, dataset: &str| -> Job {
            let json = format!(
                r#"{{"id":"ftjob-1","name":"{name}","base_model":"m","status":"running","attempt":1,
                "created_at":"2027-01-15T07:59:00Z"{dataset}}}"#
            );
            serde_json::from_str(&json).expect("a job")
        };
        let of = |dataset: &str| format!(r#","training_dataset":{{"id":"file-1","name":"{dataset}"}}"#);
        let named = job("triage", &of("mails.jsonl"));
        assert_eq!(
            (named.title(), named.title_of_its_own()),
            ("triage".into(), "triage".into())
        );
        let nameless = job("ftjob-1", &of("mails.jsonl"));
        assert_eq!(nameless.title(), "m · mails.jsonl");
        assert_eq!(nameless.title_of_its_own(), "m · mails.jsonl (ftjob-1)");
        for dataset in [of("file-1"), String::new()] {
            assert_eq!(
                job("ftjob-1", &dataset).title(),
                "m",
                "an id tells nobody anything"
            );
        }
    }
}
