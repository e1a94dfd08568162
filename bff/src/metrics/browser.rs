//! What browsers tell of how the page works for its users: `shared::browser_report`, counted.
//!
//! A report adds to a fixed set of series, whatever it says. Who said it is only known for as long as it takes to keep
//! one session from saying too much.

use super::text::{count, head, histogram, line};
use crate::session::SessionHash;
use shared::{
    browser_report::{BrowserErrorKind, BrowserMeasure, BrowserReport, LONGEST_MS, MOST_ERRORS, MOST_TIMES},
    histogram::Histogram,
    timestamp::Timestamp,
};
use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Upper bounds of the buckets, in seconds: a frame of the screen, and what people begin to notice.
const BUCKETS: &[f64] = &[0.008, 0.016, 0.033, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
/// Reports that a session may send in a minute: a page sends one every five seconds at most, and somebody may have several.
const MOST_REPORTS: u32 = 60;
const MINUTE_MS: i64 = 60_000;

/// Why a report isn't counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The session has sent too many.
    #[error("this session has reported often enough; try again in {0} seconds")]
    TooMany(u64),
    /// It says more than one report may.
    #[error("a report holds at most {MOST_TIMES} times and each kind of error once")]
    TooLong,
    /// A time that can't be.
    #[error("`duration_ms` must not be negative")]
    Negative,
}

/// Everything that browsers have told since the start.
pub struct BrowserFigures(Mutex<Counted>);

struct Counted {
    times: [Histogram; BrowserMeasure::ALL.len()],
    errors: [u64; BrowserErrorKind::ALL.len()],
    /// The minute that is counted, and the reports of each session in it.
    minute: i64,
    reports: HashMap<SessionHash, u32>,
}

impl Default for BrowserFigures {
    fn default() -> Self {
        Self(Mutex::new(Counted {
            times: std::array::from_fn(|_| Histogram::new(BUCKETS)),
            errors: [0; BrowserErrorKind::ALL.len()],
            minute: 0,
            reports: HashMap::new(),
        }))
    }
}

impl BrowserFigures {
    fn counted(&self) -> MutexGuard<'_, Counted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a report whole, or nothing of it.
    ///
    /// # Errors
    /// The session has sent too many, or the report is out of bounds.
    pub fn count(&self, session: SessionHash, now: Timestamp, report: &BrowserReport) -> Result<(), Refusal> {
        let is_repeated = |(place, errors): (usize, &shared::browser_report::BrowserErrors)| {
            report
                .errors
                .iter()
                .skip(place + 1)
                .any(|other| other.kind == errors.kind)
        };
        if report.times.len() > MOST_TIMES || report.errors.iter().enumerate().any(is_repeated) {
            return Err(Refusal::TooLong);
        }
        if report.times.iter().any(|time| time.duration_ms < 0.0) {
            return Err(Refusal::Negative);
        }
        let mut counted = self.counted();
        counted.admit(session, now)?;
        for time in &report.times {
            let seconds = time.duration_ms.min(LONGEST_MS) / 1000.0;
            if let Some(times) = counted.times.get_mut(time.measure as usize) {
                times.record(seconds);
            }
        }
        for errors in &report.errors {
            if let Some(total) = counted.errors.get_mut(errors.kind as usize) {
                *total += u64::from(errors.count.min(MOST_ERRORS));
            }
        }
        Ok(())
    }

    pub(super) fn render(&self, text: &mut String) {
        let counted = self.counted();
        let name = "attune_browser_duration_seconds";
        head(text, name, "histogram", "What browsers measured, by what it is.");
        for measure in BrowserMeasure::ALL {
            if let Some(times) = counted.times.get(measure as usize) {
                histogram(text, name, &format!("measure=\"{}\"", measure.as_str()), times);
            }
        }
        let name = "attune_browser_errors_total";
        head(
            text,
            name,
            "counter",
            "Errors that nobody caught in the page, by kind.",
        );
        for kind in BrowserErrorKind::ALL {
            let total = counted.errors.get(kind as usize).copied().unwrap_or(0);
            line(text, name, &format!("kind=\"{}\"", kind.as_str()), count(total));
        }
    }
}

impl Counted {
    /// Counts one more report of a session in this minute.
    fn admit(&mut self, session: SessionHash, now: Timestamp) -> Result<(), Refusal> {
        let minute = now.unix_ms().div_euclid(MINUTE_MS);
        if minute != self.minute {
            // So that only those are remembered who say something just now.
            self.reports.clear();
            self.minute = minute;
        }
        let reports = self.reports.entry(session).or_default();
        if *reports >= MOST_REPORTS {
            let left_ms = MINUTE_MS - now.unix_ms().rem_euclid(MINUTE_MS);
            return Err(Refusal::TooMany(left_ms.unsigned_abs().div_ceil(1000)));
        }
        *reports += 1;
        Ok(())
    }
}
