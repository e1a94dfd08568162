//! `/api/jobs/{id}/stream`: server-sent events, read with fetch so that the request can carry our headers.

use super::{ApiError, jobs, refusal};
use crate::sse::{SseEvent, SseReader};
use gloo_net::http::RequestBuilder;
use js_sys::{Reflect, Uint8Array};
use shared::id::JobId;
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortSignal, ReadableStreamDefaultReader, RequestCredentials};

/// Reads a job's stream from `last_event_id` on and hands over the events of each chunk, until the server closes it
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
    let mut builder = RequestBuilder::new(&jobs::stream_path(id))
        .credentials(RequestCredentials::SameOrigin)
        .abort_signal(Some(signal))
        .header("x-attune", "1")
        .header("accept", "text/event-stream");
    if let Some(last) = last_event_id {
        builder = builder.header("last-event-id", last);
    }
    let response = builder.send().await.map_err(|_| ApiError::Unreachable)?;
    if !response.ok() {
        let text = response.text().await.unwrap_or_default();
        return Err(refusal(response.status(), &text));
    }
    let body = response.body().ok_or(ApiError::Unreachable)?;
    let reader: ReadableStreamDefaultReader =
        body.get_reader().dyn_into().map_err(|_| ApiError::Unreachable)?;
    let mut events = SseReader::default();
    loop {
        let chunk = JsFuture::from(reader.read())
            .await
            .map_err(|_| ApiError::Unreachable)?;
        let field = |name: &str| Reflect::get(&chunk, &JsValue::from_str(name)).unwrap_or(JsValue::UNDEFINED);
        if field("done").is_truthy() {
            return Ok(());
        }
        let bytes: Uint8Array = field("value").dyn_into().map_err(|_| ApiError::Unreachable)?;
        let complete = events.feed(&bytes.to_vec());
        if !complete.is_empty() {
            take(complete);
        }
    }
}
