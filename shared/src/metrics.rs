//! Curves as `/api/jobs/{id}/metrics` tells them.

use crate::job::is_false;
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

/// Some of the series; on the wire their words with commas between them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeriesSet(u32);

impl Default for SeriesSet {
    fn default() -> Self {
        Self::of(&Series::ALL)
    }
}

impl SeriesSet {
    /// These.
    #[must_use]
    pub const fn of(series: &[Series]) -> Self {
        let (mut bits, mut index) = (0, 0);
        while index < series.len() {
            bits |= 1 << series[index] as u32;
            index += 1;
        }
        Self(bits)
    }

    /// Those of the set, in the order of [`Series::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Series> {
        Series::ALL
            .into_iter()
            .filter(move |series| self.0 & (1 << *series as u32) != 0)
    }

    /// The words with commas between them.
    #[must_use]
    pub fn words(self) -> String {
        self.iter().map(Series::as_str).collect::<Vec<_>>().join(",")
    }
}

impl Serialize for SeriesSet {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.words())
    }
}

impl<'de> Deserialize<'de> for SeriesSet {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let words = String::deserialize(deserializer)?;
        let mut bits = 0;
        for word in words.split(',') {
            let named = Series::ALL.into_iter().find(|series| series.as_str() == word);
            let series =
                named.ok_or_else(|| serde::de::Error::custom(format!("there is no series `{word}`")))?;
            bits |= 1 << series as u32;
        }
        Ok(Self(bits))
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
    /// When the steps of the curves were recorded, where that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<Times>,
    /// The upstream has older steps, or may have, which the curves leave out.
    #[serde(default, skip_serializing_if = "is_false")]
    pub incomplete: bool,
}

/// When steps were recorded: those of the curves that come with it, those at both sides of where training was taken up again, and the
/// first and the last of the range.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Times {
    /// Optimizer steps, ascending.
    pub steps: Vec<u64>,
    /// Of each, the milliseconds since the job's first step was recorded, pauses included; never descending.
    pub elapsed_ms: Vec<u64>,
}

impl Times {
    /// From steps, ascending, with the instants (Unix milliseconds) at which they were recorded. `first` is the job's first step's.
    /// A clock that was set back doesn't turn the order round.
    #[must_use]
    pub fn since(first: i64, recorded: impl Iterator<Item = (u64, i64)>) -> Self {
        let mut times = Self::default();
        let mut latest = 0;
        for (step, at) in recorded {
            latest = u64::try_from(at.saturating_sub(first)).unwrap_or(0).max(latest);
            times.steps.push(step);
            times.elapsed_ms.push(latest);
        }
        times
    }
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
    /// The series that are wanted, with commas between them; all unless told.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", param(value_type = Option<String>))]
    pub series: Option<SeriesSet>,
    /// Also when the steps of the curves were recorded.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub times: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_count_from_the_first_step_and_never_go_back() {
        let recorded = [(1, 5_000), (2, 6_500), (3, 4_000), (9, 9_000)];
        let times = Times::since(5_000, recorded.into_iter());
        assert_eq!(times.steps, [1, 2, 3, 9]);
        assert_eq!(times.elapsed_ms, [0, 1_500, 1_500, 4_000]);
    }

    #[test]
    fn a_set_of_series_is_its_words_and_nothing_else() {
        let set = SeriesSet::of(&[Series::ValidLoss, Series::TrainLoss]);
        assert_eq!(set.words(), "train_loss,valid_loss");
        let json = serde_json::to_string(&set).expect("JSON");
        assert_eq!(serde_json::from_str::<SeriesSet>(&json).ok(), Some(set));
        assert!(serde_json::from_str::<SeriesSet>("\"train_loss,moon\"").is_err());
        assert_eq!(SeriesSet::default().iter().count(), Series::ALL.len());
    }
}
