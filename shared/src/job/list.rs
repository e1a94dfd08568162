//! Lists of jobs: what is asked for, a page of it, and the counts over all.

use super::{Job, is_false};
use crate::{status::JobStatus, timestamp::Timestamp};
use serde::{Deserialize, Serialize};

/// `GET /api/jobs`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct JobList {
    /// One page.
    pub jobs: Vec<Job>,
    /// Counts over everything that the filters other than status let through.
    pub summary: JobSummary,
    /// Where the next page starts, if there is one.
    pub next_cursor: Option<String>,
    /// When the newest of the jobs that `summary` counts was created: a list that is asked up to this instant stands
    /// still while newer jobs arrive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newest: Option<Timestamp>,
    /// The upstream has older jobs still, which this list, its filters and its counts leave out.
    #[serde(default, skip_serializing_if = "is_false")]
    pub incomplete: bool,
    /// How things go at large, where `week_from` or `month_from` asked for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outlook: Option<Outlook>,
}

/// How things go at large: figures over all of somebody's jobs and models, whatever a list's filters are. Each is there where it
/// was asked for and the upstream can tell it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Outlook {
    /// When the turn of the first of the queued jobs is likely to come; absent where none is queued, or where it isn't
    /// known how long those before it take.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_starts_in_ms: Option<u64>,
    /// Jobs that have succeeded since `week_from`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completed_in_week: Option<u64>,
    /// Jobs that have failed since `week_from`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed_in_week: Option<u64>,
    /// Trained tokens of the jobs that have ended since `month_from`, whenever they began, and of those that haven't ended,
    /// as far as they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trained_tokens_in_month: Option<u64>,
    /// Base models that there are, and models that were tuned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub models: Option<u64>,
}

/// Jobs by status: `running` counts pausing too, `queued` validating too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[expect(
    missing_docs,
    reason = "each is the count of jobs with the status that names it"
)]
pub struct JobSummary {
    pub running: u64,
    pub queued: u64,
    pub paused: u64,
    pub completed: u64,
    pub failed: u64,
    pub cancelled: u64,
    pub total: u64,
}

impl JobSummary {
    /// How many jobs have a status, or one that is counted with it.
    #[must_use]
    pub const fn of(&self, status: JobStatus) -> u64 {
        match status {
            JobStatus::Running | JobStatus::Pausing => self.running,
            JobStatus::Queued | JobStatus::ValidatingFiles => self.queued,
            JobStatus::Paused => self.paused,
            JobStatus::Succeeded => self.completed,
            JobStatus::Failed => self.failed,
            JobStatus::Cancelled => self.cancelled,
        }
    }

    /// Counts `count` more jobs of one status.
    pub fn add(&mut self, status: JobStatus, count: u64) {
        *self.count_of(status) += count;
        self.total += count;
    }

    /// Counts one job of a status less; a count that is 0 stays 0.
    pub fn remove(&mut self, status: JobStatus) {
        let count = self.count_of(status);
        *count = count.saturating_sub(1);
        self.total = self.total.saturating_sub(1);
    }

    const fn count_of(&mut self, status: JobStatus) -> &mut u64 {
        match status {
            JobStatus::Running | JobStatus::Pausing => &mut self.running,
            JobStatus::Queued | JobStatus::ValidatingFiles => &mut self.queued,
            JobStatus::Paused => &mut self.paused,
            JobStatus::Succeeded => &mut self.completed,
            JobStatus::Failed => &mut self.failed,
            JobStatus::Cancelled => &mut self.cancelled,
        }
    }
}

/// The query of `GET /api/jobs`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams))]
#[serde(default)]
pub struct JobQuery {
    /// Jobs a page, 1 to 200; 50 unless told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// From `next_cursor`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Jobs to skip, for a list that is entered in its middle; a cursor is what stays right while jobs come and go.
    #[serde(skip_serializing_if = "Option::is_none")]
    // The document's `int32` would end at half of what is taken.
    #[cfg_attr(feature = "openapi", param(value_type = Option<u64>, maximum = 4_294_967_295_u32))]
    pub offset: Option<u32>,
    /// Text to find in the name, the id or the base model, without case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub q: Option<String>,
    /// Statuses, separated by commas.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// A base model's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Only jobs created then or later, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_from: Option<Timestamp>,
    /// Only jobs created then or earlier, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_to: Option<Timestamp>,
    /// `created_at`, `name`, `status` or `base_model`; a leading `-` turns it round. `-created_at` unless told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sort: Option<String>,
    /// When the caller's week began, RFC 3339: the answer's `outlook` tells what has ended since.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub week_from: Option<Timestamp>,
    /// When the caller's month began, RFC 3339: the answer's `outlook` tells what was trained since.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub month_from: Option<Timestamp>,
}
