//! What is counted of answers, for `/metrics`.

use crate::Error;
use shared::histogram::Histogram;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::time::Instant;

/// Upper bounds of waits, in seconds.
const WAITS: &[f64] = &[
    0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0,
];
/// Upper bounds of speeds, in tokens a second.
const SPEEDS: &[f64] = &[0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0];

/// What became of requests, and how quick it went, since the start.
#[derive(Debug, Clone, PartialEq)]
pub struct DecodingFigures {
    /// Requests that got their whole answer.
    pub answered: u64,
    /// Requests at fault: no such model, or a prompt that can't be answered.
    pub refused: u64,
    /// Requests that came when too many waited.
    pub busy: u64,
    /// Requests whose caller went away, or that the end of the server cut off.
    pub cancelled: u64,
    /// Requests that failed on our side.
    pub failed: u64,
    /// Decoding processes started.
    pub starts: u64,
    /// Those of them that took the place of one that had died.
    pub restarts: u64,
    /// Seconds from a request until its turn.
    pub queue_seconds: Histogram,
    /// Seconds from a request until its first text.
    pub first_token_seconds: Histogram,
    /// Tokens a second of each answer, from its first text to its end.
    pub tokens_per_second: Histogram,
}

impl Default for DecodingFigures {
    fn default() -> Self {
        Self {
            answered: 0,
            refused: 0,
            busy: 0,
            cancelled: 0,
            failed: 0,
            starts: 0,
            restarts: 0,
            queue_seconds: Histogram::new(WAITS),
            first_token_seconds: Histogram::new(WAITS),
            tokens_per_second: Histogram::new(SPEEDS),
        }
    }
}

impl DecodingFigures {
    /// Counts what became of a request.
    pub(super) fn end(&mut self, outcome: Result<(), &Error>) {
        *match outcome {
            Ok(()) => &mut self.answered,
            Err(Error::ModelNotFound(_) | Error::Unanswerable { .. }) => &mut self.refused,
            Err(Error::Busy { .. }) => &mut self.busy,
            Err(Error::Stopping) => &mut self.cancelled,
            Err(_) => &mut self.failed,
        } += 1;
    }
}

/// Where it is counted.
#[derive(Debug, Default)]
pub(crate) struct Figures(Mutex<DecodingFigures>);

impl Figures {
    pub(super) fn now(&self) -> MutexGuard<'_, DecodingFigures> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is counted so far.
    pub(crate) fn snapshot(&self) -> DecodingFigures {
        self.now().clone()
    }
}

/// When an answer's first text came, and how much came with the last.
pub(super) struct Pace<'a> {
    figures: &'a Figures,
    first: Option<Instant>,
}

impl<'a> Pace<'a> {
    pub(super) const fn new(figures: &'a Figures) -> Self {
        Self { figures, first: None }
    }

    /// Some text came. `asked` is there for the first answer of a request.
    pub(super) fn text(&mut self, asked: Option<Instant>) {
        if self.first.is_none() {
            let now = Instant::now();
            self.first = Some(now);
            if let Some(asked) = asked {
                let seconds = (now - asked).as_secs_f64();
                self.figures.now().first_token_seconds.record(seconds);
            }
        }
    }

    /// The answer is whole, with so many tokens. The first of them took as long as the prompt did, and doesn't count.
    pub(super) fn done(&self, tokens: u32) {
        let Some(first) = self.first.filter(|_| tokens > 1) else {
            return;
        };
        let speed = f64::from(tokens - 1) / first.elapsed().as_secs_f64();
        self.figures.now().tokens_per_second.record(speed);
    }
}
