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
