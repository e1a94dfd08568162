//! `/api/chat`: models answer messages, streamed.
//!
//! What can be told before the first word is an ordinary answer with its status; what goes wrong after that is the stream's
//! last event. Whoever closes the connection ends the answer.

use super::stream::{self, Follower};
use crate::{
    extract::Json,
    guard::SignedIn,
    problem::ApiError,
    state::AppState,
    upstream::{Answer, UpstreamError},
};
use axum::{Extension, extract::State, response::Response};
use bytes::Bytes;
use futures_util::{StreamExt as _, future::ready};
use serde::Serialize;
use shared::{
    chat::{ChatEvent, ChatModelList, ChatRequest},
    problem::Problem,
};
use tower_http::request_id::RequestId;

/// Lists what can be asked: base models, then what the subject's jobs made, newest first.
#[utoipa::path(get, path = "/chat/models", tag = "chat", responses(
    (status = 200, description = "All of them", body = ChatModelList),
    (status = 404, description = "This upstream has no chat", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn list_chat_models(
    State(state): State<AppState>,
    signed_in: SignedIn,
) -> Result<axum::Json<ChatModelList>, ApiError> {
    Ok(axum::Json(
        state.upstream.list_chat_models(signed_in.subject()).await?,
    ))
}

/// Asks a model to answer messages.
#[utoipa::path(post, path = "/chat", tag = "chat", request_body = ChatRequest, responses(
    (status = 200, description = "Server-sent events: `text` (a `ChatText`), then `done` (a `ChatDone`), or `error` (a `Problem`)", body = String, content_type = "text/event-stream"),
    (status = 400, description = "A value is at fault, or the model can't read that much", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "There is no such model, or this upstream has no chat", body = Problem, content_type = "application/problem+json"),
    (status = 429, description = "Too many requests wait", body = Problem, content_type = "application/problem+json"),
    (status = 503, description = "The model can't answer now", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn create_chat(
    State(state): State<AppState>,
    signed_in: SignedIn,
    request_id: Option<Extension<RequestId>>,
    Json(request): Json<ChatRequest>,
) -> Result<Response, ApiError> {
    let findings = request.findings();
    if !findings.is_empty() {
        return Err(ApiError::invalid(findings));
    }
    let request_id = request_id
        .and_then(|Extension(id)| id.header_value().to_str().ok().map(str::to_owned))
        .unwrap_or_default();
    let events = state.upstream.chat(signed_in.subject(), request).await?;
    let frames = events
        .scan(false, |ended, event| {
            // An error is the last.
            let over = std::mem::replace(ended, event.is_err());
            ready((!over).then_some(event))
        })
        .map(move |event| render(event, &request_id))
        .boxed();
    Ok(stream::response(Follower::new(state, &signed_in, frames)))
}

fn render(event: Answer<ChatEvent>, request_id: &str) -> Bytes {
    match event {
        Ok(ChatEvent::Text(text)) => frame("text", &text),
        Ok(ChatEvent::Done(done)) => frame("done", &done),
        Err(error) => frame("error", &problem(error, request_id)),
    }
}

fn problem(error: UpstreamError, request_id: &str) -> Problem {
    ApiError::from(error).into_problem(request_id)
}

fn frame(name: &str, data: &impl Serialize) -> Bytes {
    // JSON has no raw line breaks: one `data` line holds it.
    let data = serde_json::to_string(data).unwrap_or_default();
    Bytes::from(format!("event: {name}\ndata: {data}\n\n"))
}

#[cfg(test)]
mod tests;
