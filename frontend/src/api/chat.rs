//! `/api/chat`: models that answer, and their answers as they come.

use super::{ApiError, fetch, read, refusal, stream::read_events, write};
use crate::{
    query::{Query, Resource},
    sse::SseEvent,
};
use gloo_net::http::Method;
use shared::chat::{ChatDone, ChatModelList, ChatRequest, ChatText};
use web_sys::AbortSignal;

/// Everything that can answer, base models first.
#[must_use]
pub fn models() -> Query<ChatModelList> {
    Query::new("/api/chat/models", Resource::ChatModels)
}

/// Something that came of an answer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Came {
    /// Some more text.
    Text(ChatText),
    /// The answer is whole.
    Done(ChatDone),
}

/// Asks a model and hands over what comes of its answer, until it is whole or `signal` gives it up.
///
/// # Errors
/// Where the model can't be asked, where it fails on the way, and where the answer ends early.
pub(crate) async fn ask(
    request: &ChatRequest,
    signal: &AbortSignal,
    mut take: impl FnMut(Came),
) -> Result<(), ApiError> {
    let headers = [("accept", "text/event-stream")];
    let response = fetch(Method::POST, "/api/chat", write(request), &headers, Some(signal)).await?;
    let mut ended = None;
    let mut take_all = |events: Vec<SseEvent>| {
        for event in events {
            match event.name.as_str() {
                "text" => take(Came::Text(read(&event.data).unwrap_or_default())),
                "done" => match read::<ChatDone>(&event.data) {
                    Ok(done) => {
                        ended = Some(Ok(()));
                        take(Came::Done(done));
                    }
                    Err(error) => ended = Some(Err(error)),
                },
                "error" => ended = Some(Err(refusal(0, &event.data))),
                _ => {}
            }
        }
    };
    read_events(&response, &mut take_all).await?;
    ended.unwrap_or(Err(ApiError::Unreachable))
}
