//! `POST /v1/chat/completions` and `POST /v1/completions`: whole, or as server-sent events.

mod shape;

use super::{
    completion_request::{self, Asked},
    error::ApiError,
    request::{Authorized, read_object},
};
use crate::{
    Error, Service,
    inference::{Completion, Piece},
    secret,
};
use axum::{
    Json,
    body::Body,
    extract::{Request, State},
    http::header,
    response::{IntoResponse as _, Response},
};
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use serde_json::Value;
use shape::{Collected, Kind, Shape};
use std::convert::Infallible;

/// `POST /chat/completions`.
pub(crate) async fn create_chat_completion(
    State(service): State<Service>,
    Authorized(caller): Authorized,
    request: Request,
) -> Result<Response, ApiError> {
    let (object, _) = read_object(request).await?;
    let asked = completion_request::read_chat(object)?;
    answer(&service, &caller.subject, asked, Kind::Chat).await
}

/// `POST /completions`.
pub(crate) async fn create_completion(
    State(service): State<Service>,
    Authorized(caller): Authorized,
    request: Request,
) -> Result<Response, ApiError> {
    let (object, _) = read_object(request).await?;
    let asked = completion_request::read_text(object)?;
    answer(&service, &caller.subject, asked, Kind::Text).await
}

async fn answer(
    service: &Service,
    subject: &shared::id::Subject,
    asked: Asked,
    kind: Kind,
) -> Result<Response, ApiError> {
    let Asked {
        completion,
        stream,
        include_usage,
    } = asked;
    let choices = completion.choices;
    let model = completion.model.clone();
    let at_fault = |error: Error| match error {
        // The public name of what the model reads.
        Error::Unanswerable { code, message } => ApiError::param(kind.prompt(), message).with_code(code),
        Error::ModelNotFound(_) => ApiError::from(error).of("model"),
        other => other.into(),
    };
    let completion = service.complete(subject, completion).await.map_err(at_fault)?;
    let shape = Shape {
        kind,
        id: secret::new_id(kind.id_prefix())?,
        created: service.now().unix_seconds(),
        model,
        fingerprint: completion.fingerprint.clone(),
        prompt_tokens: completion.prompt_tokens,
    };
    if stream {
        return Ok(events(shape, completion, choices, include_usage));
    }
    let mut collected = vec![Collected::default(); choices as usize];
    let mut pieces = completion.pieces;
    while let Some(piece) = pieces.next().await {
        collect(&mut collected, piece?);
    }
    Ok(Json(shape.whole(collected)).into_response())
}

fn collect(collected: &mut [Collected], piece: Piece) {
    match piece {
        Piece::Text {
            choice,
            text,
            logprobs,
        } => {
            if let Some(collected) = collected.get_mut(choice as usize) {
                collected.text.push_str(&text);
                collected.logprobs.extend(logprobs);
            }
        }
        Piece::Done {
            choice,
            finish_reason,
            completion_tokens,
        } => {
            if let Some(collected) = collected.get_mut(choice as usize) {
                collected.finish_reason = Some(finish_reason);
                collected.tokens = completion_tokens;
            }
        }
    }
}

/// The answer as events, ended by `[DONE]`, or by an error where it breaks off.
fn events(shape: Shape, completion: Completion, choices: u32, include_usage: bool) -> Response {
    let opening: Vec<Value> = (0..choices).filter_map(|choice| shape.opening(choice)).collect();
    let mut writer = Writer {
        shape,
        include_usage,
        completion_tokens: 0,
        told: 0,
        failed: false,
    };
    let first = stream::iter(
        opening
            .into_iter()
            .map(|chunk| writer_event(include_usage, chunk))
            .collect::<Vec<_>>(),
    );
    let pieces = completion
        .pieces
        .map(Some)
        // Nothing more comes: the end is told.
        .chain(stream::iter([None]))
        .map(move |piece| writer.write(piece));
    let body = Body::from_stream(first.chain(pieces).map(Ok::<_, Infallible>));
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    let mut response = (headers, body).into_response();
    // Some proxies hold back what they could collect.
    response
        .headers_mut()
        .insert("x-accel-buffering", header::HeaderValue::from_static("no"));
    response
}

/// Writes pieces as they come.
struct Writer {
    shape: Shape,
    include_usage: bool,
    completion_tokens: u32,
    /// Characters told of the answer under way.
    told: usize,
    failed: bool,
}

impl Writer {
    fn write(&mut self, piece: Option<Result<Piece, Error>>) -> Bytes {
        match piece {
            Some(Ok(Piece::Text { text, logprobs, .. })) if text.is_empty() && logprobs.is_empty() => {
                Bytes::new()
            }
            Some(Ok(Piece::Text {
                choice,
                text,
                logprobs,
            })) => {
                let chunk = self.shape.text(choice, &text, &logprobs, self.told);
                self.told += text.chars().count();
                writer_event(self.include_usage, chunk)
            }
            Some(Ok(Piece::Done {
                choice,
                finish_reason,
                completion_tokens,
            })) => {
                self.completion_tokens = self.completion_tokens.saturating_add(completion_tokens);
                self.told = 0;
                writer_event(self.include_usage, self.shape.end(choice, finish_reason))
            }
            Some(Err(error)) => {
                self.failed = true;
                event(&ApiError::from(error).envelope())
            }
            None if self.failed => Bytes::new(),
            None => {
                let mut last = Vec::new();
                if self.include_usage {
                    last.extend_from_slice(&event(&self.shape.usage_alone(self.completion_tokens)));
                }
                last.extend_from_slice(b"data: [DONE]\n\n");
                Bytes::from(last)
            }
        }
    }
}

/// With usage asked for, each other event says that it tells none.
fn writer_event(include_usage: bool, mut chunk: Value) -> Bytes {
    if include_usage {
        chunk["usage"] = Value::Null;
    }
    event(&chunk)
}

fn event(data: &Value) -> Bytes {
    // JSON has no raw line breaks: one `data` line holds it.
    Bytes::from(format!("data: {data}\n\n"))
}
