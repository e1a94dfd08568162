//! A job's record: events, checkpoints and the live stream.

use crate::{
    id::{CheckpointId, EventId, JobId},
    job::Job,
    run::StepMetrics,
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

/// `GET /api/jobs/{id}/events`, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EventList {
    /// One page.
    pub events: Vec<JobEvent>,
    /// Where the next page starts, if there is one.
    pub next_cursor: Option<String>,
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
    /// Size of its files together.
    pub bytes: u64,
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
        #[cfg_attr(feature = "openapi", schema(value_type = Object))]
        metrics: StepMetrics,
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
