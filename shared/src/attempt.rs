//! Attempts at a job: each trainer that was started on it, how it ended, and what to change for another job.

use crate::{
    run::{LoraSpec, Schedule},
    timestamp::Timestamp,
};
use serde::{Deserialize, Serialize};

/// One trainer's work on a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Attempt {
    /// Counts from 1.
    pub attempt: u32,
    /// When it began.
    pub started_at: Timestamp,
    /// Steps that were done when it began to train; absent where it never did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_step: Option<u64>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// How it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<AttemptOutcome>,
    /// What happened, in English, where it ended badly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The last lines of the trainer's log, where it ended badly.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub log: Vec<String>,
}

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum AttemptOutcome {
    /// With the result.
    Done,
    /// Paused as asked, with a checkpoint.
    Paused,
    /// Its server went down in good order and gave the job back to the queue.
    Requeued,
    /// Its server was lost.
    Lost,
    /// Unexpectedly; another attempt followed.
    Died,
    /// For good.
    Failed,
    /// Somebody cancelled the job.
    Cancelled,
}

impl AttemptOutcome {
    /// Every outcome.
    pub const ALL: [Self; 7] = [
        Self::Done,
        Self::Paused,
        Self::Requeued,
        Self::Lost,
        Self::Died,
        Self::Failed,
        Self::Cancelled,
    ];

    /// The word on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Paused => "paused",
            Self::Requeued => "requeued",
            Self::Lost => "lost",
            Self::Died => "died",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Reads the word on the wire.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.as_str() == word)
    }
}

/// `GET /api/jobs/{id}/attempts`, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AttemptList {
    /// All of them.
    pub attempts: Vec<Attempt>,
}

/// What stood behind a failure, as far as it shows from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum FailureCause {
    /// The trainer was ended by a signal.
    Signal,
    /// The memory didn't suffice.
    OutOfMemory,
    /// No space was left.
    DiskFull,
    /// Something else could not be read or written.
    Storage,
    /// A line of the data can't be used.
    BadData,
    /// The loss became NaN or infinite.
    Diverged,
    /// The trainer told nothing for too long.
    Unresponsive,
    /// The model or the settings can't be used as they are.
    Unusable,
    /// A defect of the trainer.
    Bug,
}

impl FailureCause {
    /// Every cause.
    pub const ALL: [Self; 9] = [
        Self::Signal,
        Self::OutOfMemory,
        Self::DiskFull,
        Self::Storage,
        Self::BadData,
        Self::Diverged,
        Self::Unresponsive,
        Self::Unusable,
        Self::Bug,
    ];

    /// The word on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Signal => "signal",
            Self::OutOfMemory => "out_of_memory",
            Self::DiskFull => "disk_full",
            Self::Storage => "storage",
            Self::BadData => "bad_data",
            Self::Diverged => "diverged",
            Self::Unresponsive => "unresponsive",
            Self::Unusable => "unusable",
            Self::Bug => "bug",
        }
    }

    /// Reads the word on the wire.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cause| cause.as_str() == word)
    }
}

/// The body of `POST /api/jobs/{id}/retry`: what is to be different in the new job. What is absent stays.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default, deny_unknown_fields)]
pub struct RetryJob {
    /// What to call it; the parent's name with `-retry` unless told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The parent's checkpoint to start from: with nothing else changed the run goes on from there, else its adapter
    /// is where the new run begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from_step: Option<u64>,
    /// Passes over the training data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub epochs: Option<u32>,
    /// Epochs after which validation runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evaluation_epochs: Option<u32>,
    /// Epochs in which the learning rate rises.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warmup_epochs: Option<u32>,
    /// Peak learning rate, in (0, 1].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub learning_rate: Option<f64>,
    /// Examples in one optimizer step.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub batch_size: Option<u32>,
    /// The adapter's shape.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lora: Option<LoraSpec>,
    /// What the learning rate does after warm-up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Schedule>,
    /// Keys all randomness.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_read_as_it_is_written() {
        for outcome in AttemptOutcome::ALL {
            assert_eq!(serde_json::to_value(outcome).ok(), Some(outcome.as_str().into()));
            assert_eq!(AttemptOutcome::parse(outcome.as_str()), Some(outcome));
        }
        for cause in FailureCause::ALL {
            assert_eq!(serde_json::to_value(cause).ok(), Some(cause.as_str().into()));
            assert_eq!(FailureCause::parse(cause.as_str()), Some(cause));
        }
    }

    #[test]
    fn a_retry_that_changes_nothing_has_an_empty_body_and_a_misspelt_one_is_refused() {
        assert_eq!(
            serde_json::to_string(&RetryJob::default()).ok().as_deref(),
            Some("{}")
        );
        assert_eq!(
            serde_json::from_str::<RetryJob>("{}").ok(),
            Some(RetryJob::default())
        );
        assert!(serde_json::from_str::<RetryJob>(r#"{"batchsize":2}"#).is_err());
    }
}
