//! Chat as the engine's answers.

use crate::upstream::{Answer, ChatStream};
use engine::{CompletionRequest, Piece, Service};
use futures_util::{StreamExt as _, future::ready};
use shared::{
    chat::{ChatDone, ChatEvent, ChatRequest, ChatRole, ChatText, DEFAULT_MAX_TOKENS},
    id::Subject,
    inference::{InferParameters, Prompt},
    training_line::{Message, Role},
};
use std::time::Instant;

/// Asks the engine; the times are those that whoever waits has seen.
pub(super) async fn chat(service: &Service, subject: &Subject, request: ChatRequest) -> Answer<ChatStream> {
    let begun = Instant::now();
    let elapsed = move || u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    let completion = service.complete(subject, as_completion(request)?).await?;
    let prompt_tokens = completion.prompt_tokens;
    let mut first_token_ms = None;
    let events = completion.pieces.map(move |piece| match piece? {
        Piece::Text { text, logprobs, .. } => {
            first_token_ms.get_or_insert_with(elapsed);
            Ok(ChatEvent::Text(ChatText { text, logprobs }))
        }
        Piece::Done {
            finish_reason,
            completion_tokens,
            ..
        } => Ok(ChatEvent::Done(ChatDone {
            finish_reason,
            prompt_tokens,
            completion_tokens,
            first_token_ms: first_token_ms.unwrap_or_else(elapsed),
            duration_ms: elapsed(),
        })),
    });
    Ok(events.filter(|event| ready(!is_empty(event))).boxed())
}

/// Whether an event tells nothing.
fn is_empty(event: &Answer<ChatEvent>) -> bool {
    matches!(event, Ok(ChatEvent::Text(text)) if text.text.is_empty() && text.logprobs.is_empty())
}

fn as_completion(request: ChatRequest) -> Answer<CompletionRequest> {
    let messages = request.messages.into_iter().map(|message| Message {
        role: match message.role {
            ChatRole::System => Role::System,
            ChatRole::User => Role::User,
            ChatRole::Assistant => Role::Assistant,
        },
        content: message.content,
        trained: true,
        tool_calls: None,
    });
    let seed = match request.seed {
        Some(seed) => seed.cast_unsigned(),
        None => engine::fresh_seed()?,
    };
    Ok(CompletionRequest {
        model: request.model,
        prompt: Prompt::Messages(messages.collect()),
        parameters: InferParameters {
            max_tokens: request.max_tokens.unwrap_or(DEFAULT_MAX_TOKENS),
            shorten: request.max_tokens.is_none(),
            temperature: request.temperature,
            top_p: request.top_p,
            seed,
            stop: request.stop,
            top_logprobs: Some(request.top_logprobs).filter(|count| *count > 0),
            ..InferParameters::default()
        },
        choices: 1,
    })
}
