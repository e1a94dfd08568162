//! Curves as `/api/jobs/{id}/metrics` tells them.

use serde::{Deserialize, Serialize};

/// What is measured over the steps of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[expect(
    missing_docs,
    reason = "the names are those of `run::StepMetrics` and `run::Rewards`, which tell their units"
)]
pub enum Series {
    TrainLoss,
    TrainTokenAccuracy,
    LearningRate,
    GradientNorm,
    Tokens,
    ValidLoss,
    ValidTokenAccuracy,
    RewardMargin,
    RewardAccuracy,
    RewardChosen,
    RewardRejected,
    ValidRewardMargin,
    ValidRewardAccuracy,
    ValidRewardChosen,
    ValidRewardRejected,
}

impl Series {
    /// All of them.
    pub const ALL: [Self; 15] = [
        Self::TrainLoss,
        Self::TrainTokenAccuracy,
        Self::LearningRate,
        Self::GradientNorm,
        Self::Tokens,
        Self::ValidLoss,
        Self::ValidTokenAccuracy,
        Self::RewardMargin,
        Self::RewardAccuracy,
        Self::RewardChosen,
        Self::RewardRejected,
        Self::ValidRewardMargin,
        Self::ValidRewardAccuracy,
        Self::ValidRewardChosen,
        Self::ValidRewardRejected,
    ];

    /// The word on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TrainLoss => "train_loss",
            Self::TrainTokenAccuracy => "train_token_accuracy",
            Self::LearningRate => "learning_rate",
            Self::GradientNorm => "gradient_norm",
            Self::Tokens => "tokens",
            Self::ValidLoss => "valid_loss",
            Self::ValidTokenAccuracy => "valid_token_accuracy",
            Self::RewardMargin => "reward_margin",
            Self::RewardAccuracy => "reward_accuracy",
            Self::RewardChosen => "reward_chosen",
            Self::RewardRejected => "reward_rejected",
            Self::ValidRewardMargin => "valid_reward_margin",
            Self::ValidRewardAccuracy => "valid_reward_accuracy",
            Self::ValidRewardChosen => "valid_reward_chosen",
            Self::ValidRewardRejected => "valid_reward_rejected",
        }
    }
}

/// One curve, reduced by M4 (see [`crate::decimate`]).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Curve {
    /// What it shows.
    pub series: Series,
    /// How many points lie in the range before reduction.
    pub total_points: u64,
    /// Optimizer steps, ascending.
    pub steps: Vec<u64>,
    /// One value a step; `null` where it is not a number.
    pub values: Vec<Option<f64>>,
}

/// `GET /api/jobs/{id}/metrics`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Metrics {
    /// Smallest step of the range.
    pub from: u64,
    /// Largest step of the range.
    pub to: u64,
    /// Only series that have points.
    pub curves: Vec<Curve>,
}

/// The query of `GET /api/jobs/{id}/metrics`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams))]
#[serde(default)]
pub struct MetricsQuery {
    /// First step; the first there is unless told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<u64>,
    /// Last step; the last there is unless told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<u64>,
    /// Pixel columns to reduce to, 1 to 4000; 800 unless told. At most four points a column are kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub points: Option<u32>,
}
