//! Time as an argument: nothing in the engine asks the machine for it except [`SystemClock`].

use shared::timestamp::Timestamp;
use std::{
    sync::atomic::{AtomicI64, Ordering},
    time::{SystemTime, UNIX_EPOCH},
};

/// Tells the time in UTC.
pub trait Clock: Send + Sync + 'static {
    /// The instant that it is.
    fn now(&self) -> Timestamp;
}

/// The machine's own clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_unix_ms(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
    }
}

/// Hands out instants that never repeat and never go back, so that an order by creation is the order of creation.
#[derive(Debug, Default)]
pub(crate) struct Distinct(AtomicI64);

impl Distinct {
    /// `now`, or one millisecond after the last answer, whichever is later.
    pub(crate) fn after(&self, now: Timestamp) -> Timestamp {
        let previous = self
            .0
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |last| {
                Some(now.unix_ms().max(last + 1))
            })
            .unwrap_or_default();
        Timestamp::from_unix_ms(now.unix_ms().max(previous + 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_distinct_even_when_the_clock_stands_or_goes_back() {
        let distinct = Distinct::default();
        let times = [10, 10, 9, 30].map(|ms| distinct.after(Timestamp::from_unix_ms(ms)).unix_ms());
        assert_eq!(times, [10, 11, 12, 30]);
    }
}
