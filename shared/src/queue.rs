//! Where a job waits: its priority, and moves among its owner's own.

use serde::{Deserialize, Serialize};

/// Which of its owner's waiting jobs go first. It says nothing about other people's jobs: owners are served in turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// Behind everything else.
    Low,
    /// Unless told.
    #[default]
    Normal,
    /// Before everything else.
    High,
}

impl Priority {
    /// Every priority, the lowest first.
    pub const ALL: [Self; 3] = [Self::Low, Self::Normal, Self::High];

    /// The word on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Normal => "normal",
            Self::High => "high",
        }
    }

    /// The priority of a word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|priority| priority.as_str() == word)
    }
}

/// A move among those of its owner's queued jobs that have the same priority.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum QueueMove {
    /// Before all of them.
    First,
    /// Before the one that is before it.
    Earlier,
    /// Behind the one that is behind it.
    Later,
    /// Behind all of them.
    Last,
}

/// The body of `PATCH /api/jobs/{id}`. The priority is set before the move is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default, deny_unknown_fields)]
pub struct JobChange {
    /// What it has from now on; a job that has ended keeps what it had.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<Priority>,
    /// Where to in the queue.
    #[serde(rename = "move", skip_serializing_if = "Option::is_none")]
    pub queue_move: Option<QueueMove>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_priority_is_read_as_it_is_written() {
        for priority in Priority::ALL {
            assert_eq!(Priority::parse(priority.as_str()), Some(priority));
            assert_eq!(
                serde_json::to_value(priority).ok(),
                Some(priority.as_str().into())
            );
        }
        assert_eq!(Priority::parse("urgent"), None);
        assert!(Priority::High > Priority::default() && Priority::default() > Priority::Low);
    }

    #[test]
    fn a_change_names_what_it_changes_and_nothing_else() {
        let change: Option<JobChange> = serde_json::from_str(r#"{"priority":"high","move":"first"}"#).ok();
        let expected = JobChange {
            priority: Some(Priority::High),
            queue_move: Some(QueueMove::First),
        };
        assert_eq!(change, Some(expected));
        assert_eq!(
            serde_json::to_string(&JobChange::default()).ok().as_deref(),
            Some("{}")
        );
        assert!(serde_json::from_str::<JobChange>(r#"{"place":1}"#).is_err());
    }
}
