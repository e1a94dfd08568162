//! Answers that are streams of server-sent events although they were asked for as a whole: `FakeAI`'s are, always.

use reqwest::header::{CONTENT_TYPE, HeaderMap};
use std::time::Duration;

/// How long a stream may tell nothing before what has come counts as all there is.
pub(super) const PAUSE: Duration = Duration::from_secs(1);

/// Whether an answer is such a stream.
pub(super) fn is_stream(headers: &HeaderMap) -> bool {
    headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|kind| {
            kind.trim_start()
                .to_ascii_lowercase()
                .starts_with("text/event-stream")
        })
}
