//! Trying again what storage refused: after longer and longer pauses.

use super::Service;
use crate::error::Error;
use std::time::Duration;

/// Tries before a storage error counts as one that stays.
const TRIES: u32 = 5;

const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// The pauses between the tries of one piece of work.
pub(crate) struct Backoff<'a> {
    service: &'a Service,
    failed: u32,
    pause: Duration,
}

impl<'a> Backoff<'a> {
    pub(crate) const fn new(service: &'a Service) -> Self {
        Self {
            service,
            failed: 0,
            pause: Duration::ZERO,
        }
    }

    /// Whether no try has failed before this one.
    pub(crate) const fn is_first(&self) -> bool {
        self.failed == 0
    }

    /// Whether another try may help against the error of this one.
    pub(crate) const fn may_help(&self, error: &Error) -> bool {
        error.is_internal() && self.failed + 1 < TRIES
    }

    /// Waits for the next try; false where the service goes down first.
    pub(crate) async fn wait(&mut self) -> bool {
        self.failed = self.failed.saturating_add(1);
        self.pause = (self.pause * 2).clamp(self.service.inner.config.restart_delay, LONGEST_PAUSE);
        tokio::select! {
            () = tokio::time::sleep(self.pause) => true,
            () = self.service.inner.stopping.cancelled() => false,
        }
    }
}
