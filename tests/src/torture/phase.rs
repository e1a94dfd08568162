//! What a run is at, as its directory tells at an instant.

use super::Course;
use serde::{Deserialize, Serialize};
use std::{
    collections::HashSet,
    fs,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

/// What a victim was at when it was struck.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Phase {
    /// No step of this attempt is known: loading, going back to a checkpoint, or between two trainers.
    Starting,
    /// A step without validation.
    Training,
    /// A step with validation, which takes most of it.
    Evaluation,
    /// Within the writing of a checkpoint.
    Checkpoint,
    /// After the last step: the result, and its recording.
    Finalising,
}

impl Phase {
    pub(super) const ALL: [Self; 5] = [
        Self::Starting,
        Self::Training,
        Self::Evaluation,
        Self::Checkpoint,
        Self::Finalising,
    ];

    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Training => "training",
            Self::Evaluation => "evaluation",
            Self::Checkpoint => "checkpoint",
            Self::Finalising => "finalising",
        }
    }
}

/// Looks at one run again and again.
#[derive(Debug)]
pub(super) struct Lookout {
    run_dir: PathBuf,
    /// Half-written folders that earlier trainers left: inode and time of the last change.
    left_behind: HashSet<(u64, i64, i64)>,
}

impl Lookout {
    pub(super) fn new(run_dir: &Path) -> Self {
        Self {
            run_dir: run_dir.to_owned(),
            left_behind: HashSet::new(),
        }
    }

    /// What the run is at. `trains` tells that the newest attempt is known to have begun to train.
    pub(super) fn look(&mut self, course: &Course, trains: bool) -> Phase {
        let result = ["adapter", ".adapter.tmp", "result.json", ".result.json.tmp"];
        if result.iter().any(|name| self.run_dir.join(name).exists()) {
            return Phase::Finalising;
        }
        if self.is_writing() {
            return Phase::Checkpoint;
        }
        match self.last_step() {
            last if last >= course.total_steps => Phase::Finalising,
            _ if !trains => Phase::Starting,
            last if course.evaluates_at(last + 1) => Phase::Evaluation,
            _ => Phase::Training,
        }
    }

    /// Whether a checkpoint is half-written that no earlier look has seen.
    fn is_writing(&mut self) -> bool {
        let Ok(entries) = fs::read_dir(self.run_dir.join("checkpoints")) else {
            return false;
        };
        let pending = entries
            .flatten()
            .filter(|entry| entry.file_name().to_string_lossy().starts_with('.'));
        // Not short-circuited: every one of them is to be known next time.
        let fresh = pending
            .filter_map(|entry| entry.metadata().ok())
            .filter(|folder| {
                self.left_behind
                    .insert((folder.ino(), folder.mtime(), folder.mtime_nsec()))
            });
        fresh.count() > 0
    }

    /// The last step that is written down.
    fn last_step(&self) -> u64 {
        let text = fs::read_to_string(self.run_dir.join("metrics.jsonl")).unwrap_or_default();
        let whole = text.lines().rev().find_map(|line| {
            let line: serde_json::Value = serde_json::from_str(line).ok()?;
            line["step"].as_u64()
        });
        whole.unwrap_or(0)
    }
}

/// The number of the newest attempt; 0 before the first.
pub(super) fn attempt(run_dir: &Path) -> u32 {
    let Ok(entries) = fs::read_dir(run_dir.join("attempts")) else {
        return 0;
    };
    let numbers = entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    numbers.max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_tells_what_it_is_at() {
        let folder = tempfile::tempdir().unwrap();
        let course = Course {
            total_steps: 40,
            evaluated: vec![20, 40],
        };
        let mut lookout = Lookout::new(folder.path());
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        assert_eq!(lookout.look(&course, false), Phase::Starting);
        write("metrics.jsonl", "{\"step\":1}\n");
        assert_eq!(lookout.look(&course, true), Phase::Training);
        write("metrics.jsonl", "{\"step\":18}\n{\"step\":19}\n{\"ste");
        assert_eq!(lookout.look(&course, true), Phase::Evaluation);
        fs::create_dir_all(folder.path().join("checkpoints/.step-20.tmp")).unwrap();
        assert_eq!(lookout.look(&course, true), Phase::Checkpoint);
        assert_eq!(
            lookout.look(&course, true),
            Phase::Evaluation,
            "what an earlier trainer left is known"
        );
        write("metrics.jsonl", "{\"step\":40}\n");
        assert_eq!(lookout.look(&course, true), Phase::Finalising);
        fs::create_dir_all(folder.path().join("attempts/11")).unwrap();
        fs::create_dir_all(folder.path().join("attempts/9")).unwrap();
        assert_eq!(attempt(folder.path()), 11);
    }
}
