//! Base models to choose from, and what training made.

use crate::{
    id::{ArtifactId, JobId},
    run::LoraSpec,
    timestamp::Timestamp,
};
use serde::{Deserialize, Serialize};

/// One base model of `GET /api/models`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BaseModel {
    /// What `base_model` takes.
    pub id: String,
    /// What people call it.
    pub display_name: String,
    /// `llama`, `qwen2` or `qwen3`, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub architecture: Option<String>,
    /// Number of weights, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameters: Option<u64>,
    /// Longest text in tokens, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context_length: Option<u32>,
    /// What the wizard proposes for it.
    #[serde(default)]
    pub defaults: JobDefaults,
    /// What is known of a model that lies on this machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub installed: Option<InstalledModel>,
}

/// A base model on this machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct InstalledModel {
    /// Size of its files together.
    pub bytes: u64,
    /// Its licence as its makers name it, such as `apache-2.0`, where they do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub licence: Option<String>,
    /// Memory that training it takes with its own proposals and texts of 256 tokens, where that can be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub training_memory_bytes: Option<u64>,
    /// Why it can't be trained here, where that is known beforehand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub obstacle: Option<ModelObstacle>,
    /// It was added here and can be removed; the bundled model can't.
    pub removable: bool,
}

/// Why a model can't be trained on this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ModelObstacle {
    /// Its architecture is none of those that can be trained.
    UnknownArchitecture,
    /// Its weights are quantised in a way that can't be undone.
    Quantised,
    /// This machine has less memory than its training takes at the least.
    NotEnoughMemory,
}

/// `POST /api/models`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct AddModel {
    /// `hf:OWNER/NAME`, or `hf:OWNER/NAME@REVISION`.
    pub source: String,
}

/// A base model that is being added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ModelAddition {
    /// The identifier that it will have.
    pub id: String,
    /// Where it comes from.
    pub source: String,
    /// How far it is.
    pub stage: AdditionStage,
    /// Bytes that have arrived.
    pub bytes_done: u64,
    /// Bytes in all, once they are known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes_total: Option<u64>,
    /// Why it failed, where it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<AdditionFailure>,
}

/// What is being done about a model that is being added.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum AdditionStage {
    /// Another one is being added.
    #[default]
    Waiting,
    /// Its files come.
    Fetching,
    /// They are read, and brought into the form that training reads.
    Preparing,
    /// It failed.
    Failed,
}

/// Why a model could not be added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AdditionFailure {
    /// Stable, `snake_case`.
    pub code: String,
    /// What happened and what to do, in English.
    pub message: String,
}

/// What preparing a folder with a model's files came to: what the trainer's tool prints.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum PreparedModel {
    /// It can be trained.
    Ready(ModelFacts),
    /// It can't.
    Refused {
        /// Stable, `snake_case`.
        code: String,
        /// Why and what to do, in English.
        message: String,
    },
}

/// A model worth having that can be fetched from the Hugging Face Hub.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CatalogueEntry {
    /// What `POST /api/models` takes.
    pub source: String,
    /// The identifier that it will have.
    pub id: String,
    /// What people call it.
    pub display_name: String,
    /// Number of weights.
    pub parameters: u64,
    /// What has to be fetched, about.
    pub bytes: u64,
    /// Its licence as its makers name it.
    pub licence: String,
}

/// A model's folder that can be trained.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelFacts {
    /// `llama`, `qwen2` or `qwen3`.
    pub architecture: String,
    /// Number of weights; tied ones count once.
    pub parameters: u64,
    /// How its matrices are stored: `f32`, `f16` or `bf16`; `f32` where they aren't all alike.
    pub precision: String,
    /// Longest text in tokens.
    pub context_length: u32,
    /// Size of the files that are needed, together.
    pub bytes: u64,
    /// Its licence, where its files tell it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub licence: Option<String>,
}

/// What the wizard proposes; a model folder may carry its own in `attune.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct JobDefaults {
    /// Passes over the training data.
    pub epochs: u32,
    /// Epochs after which validation runs.
    pub evaluation_epochs: u32,
    /// Epochs in which the learning rate rises.
    pub warmup_epochs: u32,
    /// Peak learning rate.
    pub learning_rate: f64,
    /// Examples in one optimizer step.
    pub batch_size: u32,
    /// The adapter's shape.
    pub lora: LoraSpec,
}

impl Default for JobDefaults {
    /// The preset "balanced", its 5 % of warm-up rounded down to whole epochs.
    fn default() -> Self {
        Self {
            epochs: 3,
            evaluation_epochs: 3,
            warmup_epochs: 0,
            learning_rate: 2e-4,
            batch_size: 8,
            lora: LoraSpec {
                rank: 16,
                alpha: 32.0,
                dropout: 0.05,
                targets: crate::run::Projection::ALL.to_vec(),
            },
        }
    }
}

/// `GET /api/models`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ModelList {
    /// All of them.
    pub models: Vec<BaseModel>,
    /// Those that are being added.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub additions: Vec<ModelAddition>,
    /// Those that could be fetched, small first; none that is there already.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub catalogue: Vec<CatalogueEntry>,
    /// Memory that a trainer may take on this machine, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_bytes: Option<u64>,
}

impl ModelList {
    /// Models alone.
    #[must_use]
    pub const fn of(models: Vec<BaseModel>) -> Self {
        Self {
            models,
            additions: Vec::new(),
            catalogue: Vec::new(),
            memory_bytes: None,
        }
    }
}

/// What a finished job made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Artifact {
    /// Names the artifact.
    pub id: ArtifactId,
    /// The job that made it.
    pub job_id: JobId,
    /// That job's name.
    pub name: String,
    /// The tuned model's name on /v1.
    pub fine_tuned_model: String,
    /// The base model's name.
    pub base_model: String,
    /// When it was recorded.
    pub created_at: Timestamp,
    /// Size of its files together.
    pub bytes: u64,
    /// The files of the adapter, in PEFT's format.
    pub files: Vec<ArtifactFile>,
}

/// One file of an artifact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ArtifactFile {
    /// Its name, for example `adapter_model.safetensors`.
    pub name: String,
    /// Its size.
    pub bytes: u64,
    /// SHA-256 in hexadecimal.
    pub sha256: String,
}

/// `GET /api/artifacts`, newest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ArtifactList {
    /// All of the subject's.
    pub artifacts: Vec<Artifact>,
}

/// The answer of `POST /api/artifacts/{id}/download`: a link that works once, for a short time, without headers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DownloadLink {
    /// Relative to the server's address.
    pub url: String,
    /// When it stops working.
    pub expires_at: Timestamp,
}
