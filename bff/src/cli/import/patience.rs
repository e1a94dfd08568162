//! Trying again where that may help, and waiting as long as the API asks for.

use super::report::Progress;
use crate::upstream::{Answer, UpstreamError};
use std::time::Duration;

/// Tries of what an API refuses for now, and of what fails.
const TRIES_WHEN_LIMITED: u32 = 8;
const TRIES_WHEN_FAILED: u32 = 4;
/// The longest wait, whatever is asked for.
const LONGEST_WAIT: u64 = 120;

/// How long to wait before the next try after so many; nothing where another try won't help.
fn wait(error: &UpstreamError, tries: u32) -> Option<u64> {
    let doubling = 1_u64 << tries.saturating_sub(1).min(6);
    match error {
        UpstreamError::Refused {
            status: 429,
            retry_after,
            ..
        } => (tries < TRIES_WHEN_LIMITED).then(|| retry_after.unwrap_or(doubling).min(LONGEST_WAIT)),
        UpstreamError::Unreachable(_)
        | UpstreamError::TimedOut
        | UpstreamError::BrokenOff
        | UpstreamError::Failed(500 | 502..) => (tries < TRIES_WHEN_FAILED).then_some(doubling),
        _ => None,
    }
}

/// Makes a call, again and again where that may help.
pub(super) async fn patiently<T>(progress: &Progress, mut call: impl AsyncFnMut() -> Answer<T>) -> Answer<T> {
    let mut tries = 0;
    loop {
        let error = match call().await {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        tries += 1;
        let Some(seconds) = wait(&error, tries) else {
            return Err(error);
        };
        progress.waits(seconds, &super::told(&error));
        tokio::time::sleep(Duration::from_secs(seconds)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limited(retry_after: Option<u64>) -> UpstreamError {
        UpstreamError::Refused {
            status: 429,
            code: "upstream_limit",
            detail: String::new(),
            retry_after,
        }
    }

    #[test]
    fn what_is_asked_for_is_waited_within_reason() {
        assert_eq!(wait(&limited(Some(7)), 1), Some(7));
        assert_eq!(wait(&limited(Some(86_400)), 1), Some(LONGEST_WAIT));
        assert_eq!(wait(&limited(None), 3), Some(4));
        assert_eq!(wait(&limited(Some(1)), TRIES_WHEN_LIMITED), None);
    }

    #[test]
    fn what_another_try_may_mend_is_tried_and_nothing_else() {
        assert_eq!(wait(&UpstreamError::Failed(503), 1), Some(1));
        assert_eq!(wait(&UpstreamError::BrokenOff, 2), Some(2));
        assert_eq!(wait(&UpstreamError::TimedOut, TRIES_WHEN_FAILED), None);
        for error in [
            UpstreamError::KeyRejected,
            UpstreamError::NotFound("job"),
            UpstreamError::Failed(501),
            UpstreamError::InvalidResponse(String::new()),
        ] {
            assert_eq!(wait(&error, 1), None, "{error}");
        }
    }
}
