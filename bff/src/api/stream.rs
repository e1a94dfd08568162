//! `/api/jobs/{id}/stream`: a job's life as server-sent events.
//!
//! Stored messages carry an id; a reconnect with `Last-Event-ID` gets exactly what it missed. The stream ends when
//! the job has ended, when the session has, and when the server is about to stop: then the browser reconnects.

use super::LAST_EVENT_ID;
use crate::{
    extract::Path,
    guard::SignedIn,
    problem::ApiError,
    session::{Ending, SessionHash},
    state::AppState,
    upstream::StreamItem,
};
use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse as _, Response},
};
use bytes::Bytes;
use futures_util::{StreamExt as _, stream::BoxStream};
use shared::{event::StreamMessage, id::JobId, problem::Problem};
use std::{convert::Infallible, time::Duration};

/// Every so often a comment is sent, so that nobody between takes the stream for dead, and the session is looked up.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// Follows a job live.
#[utoipa::path(get, path = "/jobs/{id}/stream", tag = "jobs",
    params(
        ("id" = String, Path, description = "The job's id"),
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
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let last_event_id = headers
        .get(LAST_EVENT_ID)
        .and_then(|value| value.to_str().ok())
        .filter(|id| !id.is_empty());
    let messages = state
        .upstream
        .stream(signed_in.subject(), &id, last_event_id)
        .await?;
    let follower = Follower {
        messages,
        ending: state.sessions.watch(signed_in.hash),
        state,
        session: signed_in.hash,
        beat: tokio::time::interval_at(tokio::time::Instant::now() + HEARTBEAT, HEARTBEAT),
    };
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
    Ok(response)
}

struct Follower {
    messages: BoxStream<'static, StreamItem>,
    state: AppState,
    session: SessionHash,
    ending: Ending,
    beat: tokio::time::Interval,
}

impl Follower {
    async fn next(mut self) -> Option<(Result<Bytes, Infallible>, Self)> {
        loop {
            let bytes = tokio::select! {
                biased;
                () = self.state.stopping.cancelled() => return None,
                () = self.ending.wait() => Bytes::new(),
                _ = self.beat.tick() => Bytes::from_static(b": still here\n\n"),
                item = self.messages.next() => return Some((Ok(frame(&item?)), self)),
            };
            if !matches!(self.state.sessions.find(self.session).await, Ok(Some(_))) {
                return None;
            }
            if !bytes.is_empty() {
                return Some((Ok(bytes), self));
            }
        }
    }
}

/// One message as it travels.
fn frame(item: &StreamItem) -> Bytes {
    let mut text = String::new();
    // An id with a line break would be two fields.
    if let Some(id) = item.id.as_deref().filter(|id| !id.contains(['\n', '\r', '\0'])) {
        text.push_str("id: ");
        text.push_str(id);
        text.push('\n');
    }
    text.push_str("event: ");
    text.push_str(name(&item.message));
    text.push_str("\ndata: ");
    // JSON has no raw line breaks: one `data` line holds it.
    text.push_str(&serde_json::to_string(&item.message).unwrap_or_default());
    text.push_str("\n\n");
    Bytes::from(text)
}

const fn name(message: &StreamMessage) -> &'static str {
    match message {
        StreamMessage::Job { .. } => "job",
        StreamMessage::Metrics { .. } => "metrics",
        StreamMessage::Event { .. } => "event",
        StreamMessage::Checkpoint { .. } => "checkpoint",
        StreamMessage::CheckpointRemoved { .. } => "checkpoint_removed",
        StreamMessage::End { .. } => "end",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_one_frame_named_by_its_tag() {
        let item = StreamItem {
            id: Some("41".to_owned()),
            message: StreamMessage::CheckpointRemoved { step: 7 },
        };
        assert_eq!(
            frame(&item),
            "id: 41\nevent: checkpoint_removed\ndata: {\"type\":\"checkpoint_removed\",\"step\":7}\n\n"
        );
    }

    #[test]
    fn an_id_can_not_smuggle_a_field() {
        let item = StreamItem {
            id: Some("1\ndata: evil".to_owned()),
            message: StreamMessage::End {
                job_id: JobId::from("a"),
            },
        };
        assert!(frame(&item).starts_with(b"event: end\n"));
    }
}
