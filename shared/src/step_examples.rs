//! The training examples that one optimizer step was made of.

use crate::dataset::PreviewExample;
use serde::{Deserialize, Serialize};

/// `GET /api/jobs/{id}/steps/{step}/examples`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StepExamples {
    /// The optimizer step, from 1.
    pub step: u64,
    /// The epoch that it belongs to, from 1.
    pub epoch: u64,
    /// Optimizer steps of the whole run.
    pub total_steps: u64,
    /// In the order in which the trainer took them.
    pub examples: Vec<StepExample>,
}

/// One example of a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StepExample {
    /// Its line and what it says, as in a dataset's preview. Without messages where the examples before it are so long that
    /// the answer would become too large.
    pub example: PreviewExample,
    /// Tokens that the model reads of it, both chats of a preference pair together; absent where the base model that counted
    /// them is no longer there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens: Option<u64>,
    /// Those of them that the loss counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_tokens: Option<u64>,
}
