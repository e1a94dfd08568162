//! What was done so far and what came of it, kept in a file so that a second call goes on.

use super::{phase::Phase, strike::Strike};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

/// Goal: milliseconds from a death to the job's training again, 99th percentile.
const GOAL_MS: f64 = 2_000.0;

/// The whole of what a torture has found.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Tally {
    /// Where the random numbers began.
    pub(super) seed: u64,
    /// Strikes by kind and by what the run was at.
    pub(super) strikes: BTreeMap<Strike, BTreeMap<Phase, u64>>,
    /// Milliseconds from each strike to the job's training again, where that was seen before the next.
    pub(super) recoveries: BTreeMap<Strike, Vec<f64>>,
    /// Jobs that were disturbed and then checked.
    pub(super) jobs: u64,
    /// Jobs that ran into a full disk, failed with it, and were tried again.
    pub(super) full_disks: u64,
    /// Everything that wasn't as it has to be.
    pub(super) mismatches: Vec<String>,
}

impl Tally {
    /// What an earlier call has left in the folder, or nothing yet.
    pub(super) fn open(folder: &Path, seed: u64) -> Self {
        match fs::read(file(folder)) {
            Ok(text) => serde_json::from_slice(&text).expect("what an earlier call has written"),
            Err(error) => {
                assert_eq!(error.kind(), io::ErrorKind::NotFound, "{error}");
                Self {
                    seed,
                    ..Self::default()
                }
            }
        }
    }

    /// Keeps it: the old file or the new one, whenever this call is ended.
    pub(super) fn save(&self, folder: &Path) {
        let fresh = file(folder).with_extension("new");
        let text = serde_json::to_vec_pretty(self).expect("plain data");
        fs::write(&fresh, text).expect("a file in the folder");
        fs::rename(&fresh, file(folder)).expect("a file in the folder");
    }

    /// Processes that were killed, or jobs whose processes were.
    #[must_use]
    pub fn kills(&self) -> u64 {
        let kills = self.strikes.iter().filter(|(strike, _)| strike.kills());
        kills.flat_map(|(_, phases)| phases.values()).sum()
    }

    /// What wasn't as it has to be.
    #[must_use]
    pub fn mismatches(&self) -> &[String] {
        &self.mismatches
    }

    /// How many strikes found a run at this.
    #[must_use]
    pub fn struck(&self, strike: &str) -> u64 {
        let of_kind = self.strikes.iter().filter(|(kind, _)| kind.title() == strike);
        of_kind.flat_map(|(_, phases)| phases.values()).sum()
    }

    pub(super) fn count(&mut self, strike: Strike, phase: Phase) {
        *self.strikes.entry(strike).or_default().entry(phase).or_default() += 1;
    }

    pub(super) fn recovered(&mut self, strike: Strike, after: Duration) {
        let samples = self.recoveries.entry(strike).or_default();
        samples.push(after.as_secs_f64() * 1_000.0);
    }

    /// The closing table.
    #[must_use]
    pub fn table(&self) -> String {
        let mut table = format!("{:<30}", "struck at random instants");
        for phase in Phase::ALL {
            let _ = write!(table, "{:>12}", phase.title());
        }
        let _ = writeln!(
            table,
            "{:>9}   {:>16} {:>9} {:>9} {:>7}",
            "all", "training again:", "p50 ms", "p99 ms", "of"
        );
        let mut columns = BTreeMap::<Phase, u64>::new();
        for (strike, phases) in &self.strikes {
            let _ = write!(table, "{:<30}", strike.title());
            for phase in Phase::ALL {
                let count = phases.get(&phase).copied().unwrap_or(0);
                *columns.entry(phase).or_default() += count;
                let _ = write!(table, "{count:>12}");
            }
            let _ = write!(table, "{:>9}", phases.values().sum::<u64>());
            if let Some(samples) = self.recoveries.get(strike) {
                let (median, p99) = (quantile(samples, 0.5), quantile(samples, 0.99));
                let _ = write!(
                    table,
                    "   {:>16} {median:>9.0} {p99:>9.0} {:>7}",
                    "",
                    samples.len()
                );
            }
            table.push('\n');
        }
        let _ = write!(table, "{:<30}", "all");
        for count in columns.values() {
            let _ = write!(table, "{count:>12}");
        }
        let _ = writeln!(table, "{:>9}", columns.values().sum::<u64>());
        let goals: Vec<String> = Strike::ALL
            .into_iter()
            .filter(|strike| strike.has_goal())
            .filter_map(|strike| {
                let p99 = quantile(self.recoveries.get(&strike)?, 0.99);
                Some(format!("{} {p99:.0} ms", strike.title()))
            })
            .collect();
        let _ = writeln!(
            table,
            "{} kills, {} jobs, {} full disks, {} mismatches; training again, p99: {} (goal {GOAL_MS:.0})",
            self.kills(),
            self.jobs,
            self.full_disks,
            self.mismatches.len(),
            goals.join(", ")
        );
        for mismatch in &self.mismatches {
            let _ = writeln!(table, "MISMATCH {mismatch}");
        }
        table
    }
}

fn file(folder: &Path) -> PathBuf {
    folder.join("progress.json")
}

/// The value below which that share of the samples lies; of none, NaN.
pub(super) fn quantile(samples: &[f64], share: f64) -> f64 {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    let place = (sorted.len() as f64 * share).ceil() as usize;
    sorted.get(place.saturating_sub(1)).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tally_goes_on_where_the_last_call_ended() {
        let folder = tempfile::tempdir().unwrap();
        let mut tally = Tally::open(folder.path(), 7);
        tally.count(Strike::Trainer, Phase::Checkpoint);
        tally.count(Strike::Asleep, Phase::Training);
        tally.recovered(Strike::Trainer, Duration::from_millis(80));
        tally.save(folder.path());
        let again = Tally::open(folder.path(), 8);
        assert_eq!(
            (again.seed, again.kills()),
            (7, 1),
            "a server asleep isn't killed"
        );
        assert_eq!(again.struck("trainer"), 1);
        assert!(again.table().contains("1 kills, 0 jobs"), "{}", again.table());
    }

    #[test]
    fn quantiles_are_samples() {
        let samples: Vec<f64> = (1..=100).rev().map(f64::from).collect();
        assert!((quantile(&samples, 0.99) - 99.0).abs() < f64::EPSILON);
        assert!((quantile(&samples, 0.5) - 50.0).abs() < f64::EPSILON);
        assert!(quantile(&[], 0.5).is_nan());
    }
}
