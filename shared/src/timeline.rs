//! A job's life as it was: when it came to stand where.

use crate::{status::JobStatus, timestamp::Timestamp};
use serde::{Deserialize, Serialize};

/// One stretch of a job's life. It lasts until the next begins; the last one of a job that hasn't ended goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Phase {
    /// Where the job stood.
    pub status: JobStatus,
    /// Since when.
    pub started_at: Timestamp,
}

/// `GET /api/jobs/{id}/timeline`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Timeline {
    /// Oldest first, the first 1,000 of very many; none of a job that is older than this record of it.
    pub phases: Vec<Phase>,
}

impl Timeline {
    /// Each phase with the milliseconds that it took by `now_ms`; an end takes none.
    pub fn durations(&self, now_ms: i64) -> impl Iterator<Item = (Phase, Option<u64>)> {
        let ends = self.phases.iter().skip(1).map(|next| next.started_at.unix_ms());
        let ends = ends.chain([now_ms]);
        self.phases.iter().zip(ends).map(|(phase, end)| {
            let took = u64::try_from(end - phase.started_at.unix_ms()).unwrap_or(0);
            (*phase, (!phase.status.is_terminal()).then_some(took))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phase_lasts_until_the_next_and_the_last_until_now() {
        let at = |status, ms| Phase {
            status,
            started_at: Timestamp::from_unix_ms(ms),
        };
        let mut timeline = Timeline {
            phases: vec![at(JobStatus::ValidatingFiles, 100), at(JobStatus::Running, 350)],
        };
        let took =
            |timeline: &Timeline, now| -> Vec<_> { timeline.durations(now).map(|(_, took)| took).collect() };
        assert_eq!(took(&timeline, 1_350), [Some(250), Some(1_000)]);
        assert_eq!(took(&timeline, 340), [Some(250), Some(0)], "two clocks differ");
        timeline.phases.push(at(JobStatus::Succeeded, 2_000));
        assert_eq!(took(&timeline, 9_999), [Some(250), Some(1_650), None]);
        assert_eq!(took(&Timeline { phases: Vec::new() }, 5), []);
    }
}
