//! `/api/jobs/{id}/stream`: server-sent events, read with fetch so that the request can carry our headers.

use super::{ApiError, fetch, jobs, refusal};
use crate::sse::{SseEvent, SseReader};
use gloo_net::http::{Method, Response};
use js_sys::{Reflect, Uint8Array};
use shared::id::JobId;
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortSignal, ReadableStreamDefaultReader};

/// Reads a job's stream from `last_event_id` on, or from now on, and hands over the events of each chunk, until the server closes it
/// or `signal` aborts it.
///
/// # Errors
/// Where the stream doesn't open or breaks.
pub(crate) async fn follow(
    id: &JobId,
    last_event_id: Option<&str>,
    signal: &AbortSignal,
    mut take: impl FnMut(Vec<SseEvent>),
) -> Result<(), ApiError> {
    let headers = [
        ("accept", "text/event-stream"),
        ("last-event-id", last_event_id.unwrap_or_default()),
    ];
    let headers = if last_event_id.is_some() {
        &headers[..]
    } else {
        &headers[..1]
    };
    let response = fetch(Method::GET, &jobs::stream_path(id), None, headers, Some(signal)).await?;
    read_events(&response, &mut take).await
}

/// Hands over the events of an answer, those of each chunk together, until the server closes it.
///
/// # Errors
/// Where the server refuses, or the stream breaks.
pub(crate) async fn read_events(
    response: &Response,
    take: &mut impl FnMut(Vec<SseEvent>),
) -> Result<(), ApiError> {
    if !response.ok() {
        return Err(refusal(
            response.status(),
            &response.text().await.unwrap_or_default(),
        ));
    }
    let body = response.body().ok_or(ApiError::Unreachable)?;
    let reader: ReadableStreamDefaultReader = body.get_reader().unchecked_into();
    let mut events = SseReader::default();
    loop {
        let chunk = JsFuture::from(reader.read())
            .await
            .map_err(|_| ApiError::Unreachable)?;
        let field = |name: &str| Reflect::get(&chunk, &JsValue::from_str(name)).unwrap_or(JsValue::UNDEFINED);
        if field("done").is_truthy() {
            return Ok(());
        }
        let bytes: Uint8Array = field("value").unchecked_into();
        let complete = events.feed(&bytes.to_vec());
        if !complete.is_empty() {
            take(complete);
        }
    }
}
