//! The life of a job in one word, the words of the OpenAI fine-tuning API.

use serde::{Deserialize, Serialize};

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum JobStatus {
    /// The training files are being read and checked.
    ValidatingFiles,
    /// Waiting for a trainer.
    Queued,
    /// A trainer is working on it.
    Running,
    /// A pause was asked for; the checkpoint isn't recorded yet.
    Pausing,
    /// Stopped with a whole checkpoint recorded; can be resumed.
    Paused,
    /// Ended with a result.
    Succeeded,
    /// Ended without one, for a reason that the job tells.
    Failed,
    /// Ended because somebody asked for it.
    Cancelled,
}

impl JobStatus {
    /// Every status, in the order of a job's life.
    pub const ALL: [Self; 8] = [
        Self::ValidatingFiles,
        Self::Queued,
        Self::Running,
        Self::Pausing,
        Self::Paused,
        Self::Succeeded,
        Self::Failed,
        Self::Cancelled,
    ];

    /// The word on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ValidatingFiles => "validating_files",
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Pausing => "pausing",
            Self::Paused => "paused",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Reads the word on the wire.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }

    /// Nothing moves a job out of this status.
    #[must_use]
    pub const fn is_terminal(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled)
    }

    /// The job changes by itself, so a view of it has to refresh.
    #[must_use]
    pub const fn is_active(self) -> bool {
        matches!(
            self,
            Self::ValidatingFiles | Self::Queued | Self::Running | Self::Pausing
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_is_read_by_its_word_on_the_wire() {
        for status in JobStatus::ALL {
            assert_eq!(JobStatus::parse(status.as_str()), Some(status));
            assert_eq!(serde_json::to_value(status).ok(), Some(status.as_str().into()));
        }
        assert_eq!(JobStatus::parse("completed"), None);
        assert_eq!(JobStatus::parse("Running"), None);
    }

    #[test]
    fn only_a_paused_job_neither_moves_nor_has_ended() {
        for status in JobStatus::ALL {
            assert!(!(status.is_terminal() && status.is_active()), "{status:?}");
            assert_eq!(
                !status.is_terminal() && !status.is_active(),
                status == JobStatus::Paused,
                "{status:?}"
            );
        }
    }

    #[test]
    fn a_summary_counts_every_status_once() {
        let mut summary = crate::job::JobSummary::default();
        for status in JobStatus::ALL {
            summary.add(status, 1);
        }
        assert_eq!((summary.running, summary.queued, summary.total), (2, 2, 8));
        let parts = summary.running + summary.queued + summary.paused + summary.completed;
        assert_eq!(parts + summary.failed + summary.cancelled, summary.total);
    }
}
