//! What a trainer tells: one JSON object a line.

use serde::{Deserialize, Serialize};

/// One line of the trainer's standard output. Every line carries the optimizer step that it belongs to
/// (0 before the first).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum RunEvent {
    /// A stage begins.
    Stage {
        /// Step at which it begins.
        step: u64,
        /// Which.
        stage: Stage,
        /// Number of optimizer steps of the whole run, once it is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        total_steps: Option<u64>,
    },
    /// One optimizer step was done.
    Metrics(StepMetrics),
    /// A checkpoint is whole on disk.
    Checkpoint {
        /// Steps done when it was taken.
        step: u64,
        /// Its folder, relative to the run directory.
        path: String,
        /// Size of its files together.
        bytes: u64,
        /// The validation loss measured at this very step, where one was.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        valid_loss: Option<f64>,
    },
    /// A checkpoint was removed, because newer or better ones are kept.
    CheckpointRemoved {
        /// Steps done when it was taken.
        step: u64,
    },
    /// What the run takes by the trainer's reckoning, once it has read the data.
    Estimate {
        /// Step at which the attempt begins.
        step: u64,
        /// Peak memory of its process, in the way that it trains.
        memory_bytes: u64,
        /// Target tokens of the whole run.
        trained_tokens: u64,
    },
    /// Something worth telling.
    Log {
        /// Steps done.
        step: u64,
        /// How grave it is.
        level: crate::event::Level,
        /// What to tell, one line.
        message: String,
    },
    /// The run is finished and `adapter/` is whole.
    Done {
        /// Steps done.
        step: u64,
        /// Target tokens trained on in all steps, those of earlier attempts too.
        trained_tokens: u64,
        /// False where `stop` ended it early.
        complete: bool,
    },
    /// A checkpoint was written and the trainer leaves as asked.
    Paused {
        /// Steps done.
        step: u64,
    },
    /// It is at work: told where a step or a validation takes long.
    Heartbeat {
        /// Steps done.
        step: u64,
    },
    /// The checkpoint that a pause asked for could not be written: training goes on.
    PauseFailed {
        /// Steps done.
        step: u64,
        /// Stable, `snake_case`, as those of `failed`.
        code: String,
        /// What happened and what to do, in English.
        message: String,
    },
    /// The run can't go on.
    Failed {
        /// Steps done.
        step: u64,
        /// Stable, `snake_case`, for example `nan_loss`, `invalid_model`, `invalid_training_file`, `disk_full`.
        code: String,
        /// What happened and what to do, in English.
        message: String,
        /// The line of the file at fault, from 1, where one is.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        line: Option<u64>,
    },
}

/// What was measured in one optimizer step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepMetrics {
    /// Steps done, from 1.
    pub step: u64,
    /// Steps of the whole run.
    pub total_steps: u64,
    /// Epochs done, with fraction.
    pub epoch: f64,
    /// Mean cross-entropy over the step's target tokens, in nats; under `dpo` the mean loss of the step's pairs.
    pub train_loss: f64,
    /// Share of target tokens whose most likely prediction was right, in [0, 1]; under `dpo` those of preferred answers.
    pub train_token_accuracy: f64,
    /// Learning rate of this step.
    pub learning_rate: f64,
    /// L2 norm of all adapter gradients before clipping.
    pub gradient_norm: f64,
    /// Tokens processed in this step, padding not counted.
    pub tokens: u64,
    /// Target tokens trained on so far, in all steps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trained_tokens: Option<u64>,
    /// Mean cross-entropy over all target tokens of the validation file, where validation ran after this step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_loss: Option<f64>,
    /// Token accuracy on the validation file, where validation ran after this step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_token_accuracy: Option<f64>,
    /// Under `dpo`, the rewards of the step's pairs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rewards: Option<Rewards>,
    /// Under `dpo`, the rewards of the validation file's pairs, where validation ran after this step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_rewards: Option<Rewards>,
}

/// Means over pairs of answers. An answer's reward is `beta` times what the policy's log-probability of it is above the
/// reference's.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Rewards {
    /// Reward of the preferred answers.
    pub chosen: f64,
    /// Reward of the others.
    pub rejected: f64,
    /// What `chosen` is above `rejected`.
    pub margin: f64,
    /// Share of pairs whose preferred answer has the higher reward, in [0, 1].
    pub accuracy: f64,
}

/// What a run is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Reading and tokenising the data.
    Preparing,
    /// Reading the base model and, on a resume, the checkpoint.
    Loading,
    /// Optimizer steps and validation.
    Training,
    /// Writing the result.
    Saving,
}
