//! The run directory: the whole of the interface between the engine and a trainer.
//!
//! `spec.json` holds a [`RunSpec`]; the trainer prints one [`RunEvent`] a line on its standard output and reads
//! one [`RunCommand`] word a line from its standard input. docs/RUNS.md tells the layout field by field.

mod event;
mod method;

pub use event::{Rewards, RunEvent, Stage, StepMetrics};
pub use method::{DEFAULT_BETA, MAX_BETA, Method, MethodSpec, is_beta};

use serde::{Deserialize, Serialize};

/// The version of `spec.json` that this build reads and writes.
pub const SPEC_VERSION: u32 = 1;

/// The ways a trainer process ends, as its exit code.
pub mod exit_code {
    /// The run is finished; `adapter/` is whole.
    pub const DONE: u8 = 0;
    /// A panic: a bug.
    pub const BUG: u8 = 101;
    /// The run directory, the model or the data can't be used as they are; trying again won't help.
    pub const REFUSED: u8 = 2;
    /// Training itself failed (loss became NaN or infinite).
    pub const DIVERGED: u8 = 3;
    /// Another process holds `run.lock`.
    pub const LOCKED: u8 = 4;
    /// Something could not be written (disk full, permission).
    pub const STORAGE: u8 = 5;
    /// A checkpoint was written and the trainer left as asked (`pause`, or end of standard input).
    pub const PAUSED: u8 = 10;
}

/// Everything that decides the result of a run. Paths are relative to the run directory unless absolute.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunSpec {
    /// [`SPEC_VERSION`].
    pub version: u32,
    /// The base model's name, written into `adapter_config.json`.
    pub base_model: String,
    /// The folder of the base model, in Hugging Face format.
    pub model_path: String,
    /// Training lines, one chat a line.
    pub training_file: String,
    /// Validation lines; without them no validation runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation_file: Option<String>,
    /// A PEFT adapter folder to start from instead of a fresh one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_adapter: Option<String>,
    /// What is minimised.
    // Left out at its default, so that digests of specifications stay what they were.
    #[serde(default, skip_serializing_if = "MethodSpec::is_supervised")]
    pub method: MethodSpec,
    /// The adapter's shape.
    pub lora: LoraSpec,
    /// Passes over the training data, ≥ 1.
    pub epochs: u32,
    /// Validation runs at the end of this many epochs, spread evenly, the last among them.
    pub evaluation_epochs: u32,
    /// How long the learning rate rises linearly from 0.
    pub warmup: Warmup,
    /// Peak learning rate, in (0, 1].
    pub learning_rate: f64,
    /// What the learning rate does after warm-up.
    pub schedule: Schedule,
    /// Examples in one optimizer step, ≥ 1.
    pub batch_size: u32,
    /// Micro-batches that make up one optimizer step, ≥ 1 and ≤ `batch_size`.
    #[serde(default = "one")]
    pub gradient_accumulation: u32,
    /// Gradients are scaled down to this L2 norm; 0 turns clipping off.
    #[serde(default = "default_max_gradient_norm")]
    pub max_gradient_norm: f64,
    /// AdamW's decoupled weight decay.
    #[serde(default)]
    pub weight_decay: f64,
    /// Longest example in tokens; a longer one is refused by line, never cut.
    pub max_sequence_length: u32,
    /// Keys the counter-based randomness (initialisation, order, dropout).
    pub seed: u64,
    /// Whether each epoch visits the examples in a new order.
    #[serde(default = "yes")]
    pub shuffle: bool,
    /// When checkpoints are written besides those asked for on standard input, and how many stay.
    pub checkpoints: CheckpointSpec,
    /// Worker threads; 0 takes as many as the machine has.
    #[serde(default)]
    pub threads: u32,
    /// Also write `merged/`: the base model with the adapter added in.
    #[serde(default)]
    pub merge: bool,
    /// Whether the forward pass of each layer is run again in the backward pass instead of being kept.
    // Left out at its default, so that digests of specifications stay what they were.
    #[serde(default, skip_serializing_if = "GradientCheckpointing::is_auto")]
    pub gradient_checkpointing: GradientCheckpointing,
    /// The most memory that the trainer may take; without it, nothing is refused for want of memory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_limit_bytes: Option<u64>,
}

/// Less memory for about a third more work; changes no byte of the result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum GradientCheckpointing {
    /// On only where the run would not fit `memory_limit_bytes` without.
    #[default]
    Auto,
    /// Always.
    On,
    /// Never.
    Off,
}

impl GradientCheckpointing {
    const fn is_auto(&self) -> bool {
        matches!(self, Self::Auto)
    }
}

/// What a run will take, told before it begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RunEstimate {
    /// Peak memory of the trainer's process.
    pub memory_bytes: u64,
    /// The same with gradient checkpointing.
    pub memory_bytes_with_gradient_checkpointing: u64,
    /// Optimizer steps of the whole run.
    pub total_steps: u64,
    /// Tokens of the training examples, which is what one epoch processes.
    pub training_tokens: u64,
    /// Target tokens of the training examples: what one epoch is trained on.
    pub target_tokens: u64,
    /// Tokens of the longest example.
    pub longest_tokens: u64,
}

const fn one() -> u32 {
    1
}
const fn yes() -> bool {
    true
}
const fn default_max_gradient_norm() -> f64 {
    1.0
}

/// The adapter's shape, PEFT's words.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct LoraSpec {
    /// Inner dimension r, ≥ 1.
    pub rank: u32,
    /// The update is scaled by alpha ÷ rank.
    pub alpha: f64,
    /// Probability that an input of the adapter is dropped in training, in [0, 1).
    #[serde(default)]
    pub dropout: f64,
    /// Projections that get an adapter, without duplicates.
    pub targets: Vec<Projection>,
}

/// The seven projections of a decoder layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[expect(
    missing_docs,
    reason = "the names are PEFT's module names and need no more words"
)]
pub enum Projection {
    QProj,
    KProj,
    VProj,
    OProj,
    GateProj,
    UpProj,
    DownProj,
}

impl Projection {
    /// All seven, in the order of the forward pass.
    pub const ALL: [Self; 7] = [
        Self::QProj,
        Self::KProj,
        Self::VProj,
        Self::OProj,
        Self::GateProj,
        Self::UpProj,
        Self::DownProj,
    ];

    /// PEFT's module name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::QProj => "q_proj",
            Self::KProj => "k_proj",
            Self::VProj => "v_proj",
            Self::OProj => "o_proj",
            Self::GateProj => "gate_proj",
            Self::UpProj => "up_proj",
            Self::DownProj => "down_proj",
        }
    }
}

/// Length of warm-up: in epochs (the wizard) or as a share of all steps (/v1 and presets), never both.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Warmup {
    /// This many epochs' worth of steps.
    Epochs(u32),
    /// This share of all steps, in [0, 1], rounded up to whole steps.
    Ratio(f64),
}

/// The learning rate after warm-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Schedule {
    /// Stays at its peak.
    Constant,
    /// Falls in a straight line to 0 at the last step.
    #[default]
    Linear,
    /// Falls along half a cosine to 0 at the last step.
    Cosine,
}

/// When checkpoints are written and how many stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckpointSpec {
    /// After every so many steps; 0 writes only those asked for. The last step always has one.
    pub every_steps: u32,
    /// How many of the newest stay besides the one with the best validation loss; 0 keeps all.
    pub keep_last: u32,
}

/// One word a line on the trainer's standard input. End of file means that the engine is gone: as `pause`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunCommand {
    /// Write a checkpoint after this step and go on.
    Checkpoint,
    /// Write a checkpoint after this step and leave.
    Pause,
    /// End early: what is trained so far becomes the result.
    Stop,
}

impl RunCommand {
    /// The word on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Checkpoint => "checkpoint",
            Self::Pause => "pause",
            Self::Stop => "stop",
        }
    }

    /// Reads one line.
    #[must_use]
    pub fn parse(line: &str) -> Option<Self> {
        [Self::Checkpoint, Self::Pause, Self::Stop]
            .into_iter()
            .find(|command| command.as_str() == line.trim())
    }
}
