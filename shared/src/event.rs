//! A job's record: events, checkpoints and the live stream.

use crate::{
    id::{CheckpointId, EventId, JobId},
    job::{Job, is_false},
    metrics::Series,
    run::{Rewards, StepMetrics},
    timestamp::Timestamp,
};
use serde::{Deserialize, Serialize};

/// How grave an event is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// For the record.
    Info,
    /// Somebody may want to look.
    Warn,
    /// Something went wrong.
    Error,
}

/// Where a job's live stream begins; `Id` names what was told last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreamStart<Id> {
    /// With the first thing in the job's record.
    Beginning,
    /// Behind something that was told before: what was missed comes first.
    After(Id),
    /// With what is recorded from now on.
    Now,
}

/// The query of `GET /api/jobs/{id}/stream`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams))]
#[serde(default, deny_unknown_fields)]
pub struct StreamQuery {
    /// `now`: only what is recorded from now on; the whole record first unless told. `Last-Event-ID` goes before it.
    #[cfg_attr(feature = "openapi", param(inline))]
    pub from: Option<StreamFrom>,
}

/// What a stream leaves out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum StreamFrom {
    /// Everything that is in the record already.
    Now,
}

/// One entry of a job's event log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct JobEvent {
    /// Names the event.
    pub id: EventId,
    /// When it happened.
    pub created_at: Timestamp,
    /// How grave it is.
    pub level: Level,
    /// What happened, in English.
    pub message: String,
}

impl JobEvent {
    /// Whether it is as grave as asked for or graver, and has the words, in any case.
    #[must_use]
    pub fn fits(&self, least: Level, words: &str) -> bool {
        self.level >= least && self.message.to_lowercase().contains(&words.trim().to_lowercase())
    }
}

/// The query of `GET /api/jobs/{id}/events`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams))]
#[serde(default)]
pub struct EventQuery {
    /// Events a page, 1 to 200; 50 unless told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// From `next_cursor`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Only events that are as grave or graver; all unless told.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", param(inline))]
    pub level: Option<Level>,
    /// Text to find in the message, without case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub q: Option<String>,
}

impl EventQuery {
    /// The lowest level that is wanted.
    #[must_use]
    pub fn least(&self) -> Level {
        self.level.unwrap_or(Level::Info)
    }

    /// The text that is wanted; empty where any is.
    #[must_use]
    pub fn words(&self) -> &str {
        self.q.as_deref().unwrap_or_default().trim()
    }
}

/// `GET /api/jobs/{id}/events`, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EventList {
    /// One page.
    pub events: Vec<JobEvent>,
    /// Where the next page starts, if there is one.
    pub next_cursor: Option<String>,
    /// How many events fit the query on all pages.
    #[serde(default)]
    pub total: u64,
    /// The upstream has older events, or may have, which this list and its total leave out.
    #[serde(default, skip_serializing_if = "is_false")]
    pub incomplete: bool,
}

/// A saved state of a job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Checkpoint {
    /// Names the checkpoint.
    pub id: CheckpointId,
    /// Optimizer steps done when it was taken.
    pub step: u64,
    /// When it was recorded.
    pub created_at: Timestamp,
    /// Size of its files together, where the upstream tells it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// Training loss of the last step before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub train_loss: Option<f64>,
    /// The newest validation loss at or before its step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_loss: Option<f64>,
}

/// `GET /api/jobs/{id}/checkpoints`, newest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CheckpointList {
    /// All that are kept.
    pub checkpoints: Vec<Checkpoint>,
    /// How many of the newest stay, besides the one with the lowest validation loss; absent where all stay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep_last: Option<u32>,
}

/// What was measured in one optimizer step, each where the upstream measures it and where it is a number. The units are
/// those of [`StepMetrics`].
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[expect(missing_docs, reason = "the names are those of `run::StepMetrics`")]
pub struct MeasuredStep {
    pub step: u64,
    /// 0 while unknown.
    pub total_steps: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epoch: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub train_loss: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub train_token_accuracy: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub learning_rate: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gradient_norm: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_loss: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_token_accuracy: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rewards: Option<Rewards>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_rewards: Option<Rewards>,
}

impl MeasuredStep {
    /// What it has of a series.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
    pub fn value(&self, series: Series) -> Option<f64> {
        let (rewards, valid) = (self.rewards.as_ref(), self.valid_rewards.as_ref());
        match series {
            Series::TrainLoss => self.train_loss,
            Series::TrainTokenAccuracy => self.train_token_accuracy,
            Series::LearningRate => self.learning_rate,
            Series::GradientNorm => self.gradient_norm,
            Series::Tokens => self.tokens.map(|tokens| tokens as f64),
            Series::ValidLoss => self.valid_loss,
            Series::ValidTokenAccuracy => self.valid_token_accuracy,
            Series::RewardMargin => rewards.map(|rewards| rewards.margin),
            Series::RewardAccuracy => rewards.map(|rewards| rewards.accuracy),
            Series::RewardChosen => rewards.map(|rewards| rewards.chosen),
            Series::RewardRejected => rewards.map(|rewards| rewards.rejected),
            Series::ValidRewardMargin => valid.map(|rewards| rewards.margin),
            Series::ValidRewardAccuracy => valid.map(|rewards| rewards.accuracy),
            Series::ValidRewardChosen => valid.map(|rewards| rewards.chosen),
            Series::ValidRewardRejected => valid.map(|rewards| rewards.rejected),
        }
    }
}

impl From<StepMetrics> for MeasuredStep {
    fn from(step: StepMetrics) -> Self {
        let number = |value: f64| value.is_finite().then_some(value);
        Self {
            step: step.step,
            total_steps: step.total_steps,
            epoch: number(step.epoch),
            train_loss: number(step.train_loss),
            train_token_accuracy: number(step.train_token_accuracy),
            learning_rate: number(step.learning_rate),
            gradient_norm: number(step.gradient_norm),
            // Of none there is nothing to learn: the step comes from where they aren't counted.
            tokens: Some(step.tokens).filter(|tokens| *tokens > 0),
            valid_loss: step.valid_loss.and_then(number),
            valid_token_accuracy: step.valid_token_accuracy.and_then(number),
            rewards: step.rewards,
            valid_rewards: step.valid_rewards,
        }
    }
}

/// One message of `GET /api/jobs/{id}/stream`. The server-sent event's name is the tag, its data this object.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum StreamMessage {
    /// The job as it is now; sent first and after every change of status or stage.
    Job {
        /// The whole job.
        job: Box<Job>,
    },
    /// One optimizer step was recorded. Stored: carries an id to resume from.
    Metrics {
        /// What was measured.
        metrics: MeasuredStep,
    },
    /// An event was recorded. Stored.
    Event {
        /// The entry.
        event: JobEvent,
    },
    /// A checkpoint was recorded. Stored.
    Checkpoint {
        /// The checkpoint.
        checkpoint: Checkpoint,
    },
    /// A checkpoint was removed. Stored.
    CheckpointRemoved {
        /// Its step.
        step: u64,
    },
    /// The job has ended and everything stored was sent: the server closes the stream.
    End {
        /// Which job.
        job_id: JobId,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn graver_events_fit_and_words_are_found_in_any_case() {
        let event = |level: Level| JobEvent {
            id: EventId::new("ev"),
            created_at: Timestamp::from_unix_ms(0),
            level,
            message: "Resumed from step 3".into(),
        };
        assert!(event(Level::Error).fits(Level::Warn, ""));
        assert!(!event(Level::Info).fits(Level::Warn, ""));
        assert!(event(Level::Info).fits(Level::Info, " resumed FROM "));
        assert!(!event(Level::Info).fits(Level::Info, "step 4"));
    }
}
