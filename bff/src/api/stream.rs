//! `/api/jobs/{id}/stream`: a job's life as server-sent events.
//!
//! Stored messages carry an id; a reconnect with `Last-Event-ID` gets exactly what it missed. The stream ends when
//! the job has ended, when the session has, and when the server is about to stop: then the browser reconnects.

use super::LAST_EVENT_ID;
use crate::{
    extract::{Path, Query},
    guard::SignedIn,
    listener::live::Live,
    problem::ApiError,
    session::{Ending, SessionHash},
    state::AppState,
    upstream::FrameStream,
};
use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse as _, Response},
};
use bytes::Bytes;
use futures_util::StreamExt as _;
use shared::{
    event::{StreamFrom, StreamQuery, StreamStart},
    id::JobId,
    problem::Problem,
    timestamp::Timestamp,
};
use std::{convert::Infallible, time::Duration};
use time::{OffsetDateTime, format_description::well_known::Rfc2822};

/// Every so often a comment is sent, so that nobody between takes the stream for dead, and the session is looked up.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// Follows a job live.
#[utoipa::path(get, path = "/jobs/{id}/stream", tag = "jobs",
    params(
        ("id" = String, Path, description = "The job's id"),
        StreamQuery,
        ("Last-Event-ID" = Option<String>, Header, description = "The id of the last message that arrived"),
    ),
    responses(
        (status = 200, description = "Server-sent events; each one's data is a `StreamMessage`", body = String, content_type = "text/event-stream"),
        (status = 404, description = "There is no such job, or this upstream has no streams", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn stream_job(
    State(state): State<AppState>,
    signed_in: SignedIn,
    Path(id): Path<JobId>,
    Query(query): Query<StreamQuery>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let last_event_id = headers
        .get(LAST_EVENT_ID)
        .and_then(|value| value.to_str().ok())
        .filter(|id| !id.is_empty());
    let start = match (last_event_id, query.from) {
        (Some(id), _) => StreamStart::After(id),
        (None, Some(StreamFrom::Now)) => StreamStart::Now,
        (None, None) => StreamStart::Beginning,
    };
    let messages = state.upstream.stream(signed_in.subject(), &id, start).await?;
    let date = state.clock.now();
    let mut response = response(Follower::new(state, &signed_in, messages));
    response.extensions_mut().insert(Live);
    if let Some(date) = http_date(date) {
        response.headers_mut().insert(header::DATE, date);
    }
    Ok(response)
}

/// The answer whose body is a stream of events.
pub(super) fn response(follower: Follower) -> Response {
    let body = futures_util::stream::unfold(follower, Follower::next);
    let mut response = Body::from_stream(body).into_response();
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/event-stream"),
    );
    // Some proxies hold back what they could compress or collect.
    response
        .headers_mut()
        .insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}

/// An instant as HTTP writes it.
fn http_date(instant: Timestamp) -> Option<HeaderValue> {
    let instant = OffsetDateTime::from_unix_timestamp(instant.unix_ms().div_euclid(1_000)).ok()?;
    let text = instant.format(&Rfc2822).ok()?.replace("+0000", "GMT");
    HeaderValue::try_from(text).ok()
}

/// A stream of events for as long as its reader's session lasts and the server stays, with a beat where it is silent.
pub(super) struct Follower {
    messages: FrameStream,
    state: AppState,
    session: SessionHash,
    ending: Ending,
    beat: tokio::time::Interval,
}

impl Follower {
    pub(super) fn new(state: AppState, signed_in: &SignedIn, messages: FrameStream) -> Self {
        Self {
            messages,
            ending: state.sessions.watch(signed_in.hash),
            state,
            session: signed_in.hash,
            beat: tokio::time::interval_at(tokio::time::Instant::now() + HEARTBEAT, HEARTBEAT),
        }
    }

    async fn next(mut self) -> Option<(Result<Bytes, Infallible>, Self)> {
        loop {
            let bytes = tokio::select! {
                biased;
                () = self.state.stopping.cancelled() => return None,
                () = self.ending.wait() => Bytes::new(),
                _ = self.beat.tick() => Bytes::from_static(b": still here\n\n"),
                message = self.messages.next() => return Some((Ok(message?), self)),
            };
            // In a box of its own, so that a stream that waits doesn't keep the room for it.
            let session = Box::pin(self.state.sessions.find(self.session)).await;
            if !matches!(session, Ok(Some(_))) {
                return None;
            }
            if !bytes.is_empty() {
                return Some((Ok(bytes), self));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_written_as_http_writes_it() {
        let date = http_date(Timestamp::from_unix_ms(784_111_777_999)).expect("a date");
        assert_eq!(date, "Sun, 06 Nov 1994 08:49:37 GMT");
    }
}
