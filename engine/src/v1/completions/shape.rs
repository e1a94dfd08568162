//! OpenAI's objects of answers: whole ones and chunks, of chats and of texts.

use serde_json::{Map, Value, json};
use shared::chat::{FinishReason, TokenLogprob};

/// Which of the two calls is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Chat,
    Text,
}

impl Kind {
    pub(super) const fn id_prefix(self) -> &'static str {
        match self {
            Self::Chat => "chatcmpl-",
            Self::Text => "cmpl-",
        }
    }

    /// The parameter that holds what the model reads.
    pub(super) const fn prompt(self) -> &'static str {
        match self {
            Self::Chat => "messages",
            Self::Text => "prompt",
        }
    }
}

/// What all objects of an answer have in common.
#[derive(Debug)]
pub(super) struct Shape {
    pub(super) kind: Kind,
    pub(super) id: String,
    pub(super) created: i64,
    pub(super) model: String,
    pub(super) fingerprint: String,
    pub(super) prompt_tokens: u32,
}

/// One answer that was waited for.
#[derive(Debug, Clone, Default)]
pub(super) struct Collected {
    pub(super) text: String,
    pub(super) logprobs: Vec<TokenLogprob>,
    pub(super) finish_reason: Option<FinishReason>,
    pub(super) tokens: u32,
}

impl Shape {
    /// The whole answer.
    pub(super) fn whole(&self, choices: Vec<Collected>) -> Value {
        let tokens = choices.iter().map(|choice| choice.tokens).sum();
        let choices: Vec<Value> = choices
            .into_iter()
            .enumerate()
            .map(|(index, choice)| {
                let logprobs = self.logprobs(&choice.logprobs, 0);
                match self.kind {
                    Kind::Chat => json!({
                        "index": index,
                        "message": { "role": "assistant", "content": choice.text, "refusal": null },
                        "logprobs": logprobs,
                        "finish_reason": choice.finish_reason,
                    }),
                    Kind::Text => json!({
                        "index": index,
                        "text": choice.text,
                        "logprobs": logprobs,
                        "finish_reason": choice.finish_reason,
                    }),
                }
            })
            .collect();
        let object = match self.kind {
            Kind::Chat => "chat.completion",
            Kind::Text => "text_completion",
        };
        let mut whole = self.object(object, &json!(choices));
        whole["usage"] = self.usage(tokens);
        whole
    }

    /// What a stream of a chat begins an answer with.
    pub(super) fn opening(&self, choice: u32) -> Option<Value> {
        (self.kind == Kind::Chat).then(|| {
            self.chunk(&json!([{
                "index": choice,
                "delta": { "role": "assistant", "content": "", "refusal": null },
                "logprobs": null,
                "finish_reason": null,
            }]))
        })
    }

    /// Some more of an answer that has so many characters already.
    pub(super) fn text(&self, choice: u32, text: &str, logprobs: &[TokenLogprob], told: usize) -> Value {
        let logprobs = self.logprobs(logprobs, told);
        self.chunk(&match self.kind {
            Kind::Chat => json!([{
                "index": choice, "delta": { "content": text }, "logprobs": logprobs, "finish_reason": null
            }]),
            Kind::Text => json!([{
                "index": choice, "text": text, "logprobs": logprobs, "finish_reason": null
            }]),
        })
    }

    /// The end of an answer.
    pub(super) fn end(&self, choice: u32, finish_reason: FinishReason) -> Value {
        self.chunk(&match self.kind {
            Kind::Chat => json!([{
                "index": choice, "delta": {}, "logprobs": null, "finish_reason": finish_reason
            }]),
            Kind::Text => json!([{
                "index": choice, "text": "", "logprobs": null, "finish_reason": finish_reason
            }]),
        })
    }

    /// What all of it took, at the end of a stream.
    pub(super) fn usage_alone(&self, completion_tokens: u32) -> Value {
        let mut chunk = self.chunk(&json!([]));
        chunk["usage"] = self.usage(completion_tokens);
        chunk
    }

    fn chunk(&self, choices: &Value) -> Value {
        let object = match self.kind {
            Kind::Chat => "chat.completion.chunk",
            Kind::Text => "text_completion",
        };
        self.object(object, choices)
    }

    fn object(&self, object: &str, choices: &Value) -> Value {
        json!({
            "id": self.id,
            "object": object,
            "created": self.created,
            "model": self.model,
            "system_fingerprint": self.fingerprint,
            "choices": choices,
        })
    }

    fn usage(&self, completion_tokens: u32) -> Value {
        json!({
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": completion_tokens,
            "total_tokens": self.prompt_tokens.saturating_add(completion_tokens),
        })
    }

    fn logprobs(&self, tokens: &[TokenLogprob], told: usize) -> Value {
        if tokens.is_empty() {
            return Value::Null;
        }
        match self.kind {
            Kind::Chat => json!({ "content": tokens, "refusal": null }),
            Kind::Text => text_logprobs(tokens, told),
        }
    }
}

/// The older form: lists side by side.
fn text_logprobs(tokens: &[TokenLogprob], told: usize) -> Value {
    let mut offset = told;
    let (mut names, mut chances, mut tops, mut offsets) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for token in tokens {
        let name = &token.chosen.token;
        names.push(json!(name));
        chances.push(json!(token.chosen.logprob));
        let top = token
            .top_logprobs
            .iter()
            .map(|other| (other.token.clone(), json!(other.logprob)));
        tops.push(Value::Object(top.collect::<Map<_, _>>()));
        offsets.push(json!(offset));
        offset += name.chars().count();
    }
    json!({ "tokens": names, "token_logprobs": chances, "top_logprobs": tops, "text_offset": offsets })
}
