//! What a job would take, asked before it is created.

use crate::id::DatasetId;
use serde::{Deserialize, Serialize};

/// The query of `GET /api/estimate`: what of a job decides about its steps and its memory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams))]
#[cfg_attr(feature = "openapi", into_params(parameter_in = Query))]
#[serde(deny_unknown_fields)]
pub struct EstimateQuery {
    /// The base model's identifier.
    pub base_model: String,
    /// What it would train on.
    #[cfg_attr(feature = "openapi", param(value_type = String))]
    pub training_dataset: DatasetId,
    /// What it would be validated on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", param(value_type = Option<String>))]
    pub validation_dataset: Option<DatasetId>,
    /// Passes over the training data.
    pub epochs: u32,
    /// Examples in one optimizer step; the model's proposal unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch_size: Option<u32>,
    /// The adapter's rank; the model's proposal unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lora_rank: Option<u32>,
}

/// What a job would take: `GET /api/estimate`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Estimate {
    /// Peak memory of its trainer, in the way that it would train.
    pub memory_bytes: u64,
    /// Memory that a trainer may take on this machine, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub available_bytes: Option<u64>,
    /// It would compute activations again instead of keeping them, because they would not fit.
    pub gradient_checkpointing: bool,
    /// Whether it fits.
    pub fits: bool,
    /// Optimizer steps of the whole run.
    pub total_steps: u64,
    /// Tokens of the training examples, which is what one epoch processes.
    pub training_tokens: u64,
    /// Target tokens of the whole run: what it is trained on.
    #[serde(default)]
    pub trained_tokens: u64,
    /// Tokens of the longest example.
    pub longest_tokens: u64,
    /// How long its trainer would work, where jobs with this base model have told a pace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<u64>,
}
