//! Answers of models to messages: what the playground sends to `POST /api/chat` and what streams back.

use crate::{id::JobId, problem::FieldCode, timestamp::Timestamp, validate::Findings};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Tokens of an answer unless told, where the model's context has the room.
pub const DEFAULT_MAX_TOKENS: u32 = 256;

/// Most alternatives that are told of a token.
pub const MAX_TOP_LOGPROBS: u32 = 20;

/// Most texts that end an answer.
pub const MAX_STOPS: usize = 4;

/// Longest of them in bytes.
pub const MAX_STOP_BYTES: usize = 1024;

/// Highest temperature.
pub const MAX_TEMPERATURE: f64 = 2.0;

/// Who says a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ChatRole {
    /// Whoever sets the scene.
    System,
    /// Whoever asks.
    User,
    /// The model.
    Assistant,
}

/// One message of a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ChatMessage {
    /// Who says it.
    pub role: ChatRole,
    /// What they say.
    pub content: String,
}

/// `POST /api/chat`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ChatRequest {
    /// A base model, a tuned model or a checkpoint: an `id` of `GET /api/chat/models`.
    pub model: String,
    /// The conversation so far; the model answers the last message.
    pub messages: Vec<ChatMessage>,
    /// Most tokens of the answer; 256 unless told, or what the model's context has room for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<u32>,
    /// 0 always takes the most likely token, 1 draws by the model's own probabilities; 0 to 2, 0 unless told.
    #[serde(default)]
    pub temperature: f64,
    /// Draws only from the most likely tokens that together have this probability; above 0, at most 1, 1 unless told.
    #[serde(default = "one")]
    pub top_p: f64,
    /// The same seed draws the same answer; a fresh one unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<i64>,
    /// The answer ends before the first of these texts; at most 4.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stop: Vec<String>,
    /// Alternatives to tell of each token, 0 to 20; with 0, no probabilities are told.
    #[serde(default)]
    pub top_logprobs: u32,
}

const fn one() -> f64 {
    1.0
}

impl ChatRequest {
    /// What is wrong with the values, by field; which models there are and how long their contexts are isn't known here.
    #[must_use]
    pub fn findings(&self) -> Findings {
        let mut findings = Findings::new();
        let mut find = |field: &str, code: &str, params: &[(&str, String)]| {
            let params = params
                .iter()
                .map(|(name, value)| ((*name).to_owned(), value.clone()));
            let code = FieldCode {
                code: code.to_owned(),
                params: BTreeMap::from_iter(params),
            };
            findings.insert(field.to_owned(), code);
        };
        if self.model.is_empty() {
            find("model", "required", &[]);
        }
        if self.messages.is_empty() {
            find("messages", "required", &[]);
        }
        if self.max_tokens == Some(0) {
            find("max_tokens", "too_small", &[("min", "1".to_owned())]);
        }
        if !(0.0..=MAX_TEMPERATURE).contains(&self.temperature) {
            find(
                "temperature",
                "out_of_range",
                &[("min", "0".to_owned()), ("max", "2".to_owned())],
            );
        }
        if !(self.top_p > 0.0 && self.top_p <= 1.0) {
            find(
                "top_p",
                "out_of_range",
                &[("above", "0".to_owned()), ("max", "1".to_owned())],
            );
        }
        if self.stop.len() > MAX_STOPS {
            find("stop", "too_many", &[("max", MAX_STOPS.to_string())]);
        } else if self
            .stop
            .iter()
            .any(|stop| stop.is_empty() || stop.len() > MAX_STOP_BYTES)
        {
            find("stop", "text_length", &[("max", MAX_STOP_BYTES.to_string())]);
        }
        if self.top_logprobs > MAX_TOP_LOGPROBS {
            find(
                "top_logprobs",
                "too_large",
                &[("max", MAX_TOP_LOGPROBS.to_string())],
            );
        }
        findings
    }
}

/// A token and how likely it was.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TopLogprob {
    /// Its text; of a part of a character, the replacement character.
    pub token: String,
    /// Natural logarithm of its probability under the model, whatever temperature and `top_p` are.
    pub logprob: f64,
    /// Its bytes in UTF-8, where they are known.
    #[serde(default)]
    pub bytes: Option<Vec<u8>>,
}

/// A token of an answer, how likely it was, and what else could have stood there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TokenLogprob {
    /// The token itself.
    #[serde(flatten)]
    pub chosen: TopLogprob,
    /// The most likely tokens at its place, the likeliest first.
    #[serde(default)]
    pub top_logprobs: Vec<TopLogprob>,
}

/// The data of `event: text`: some more of the answer.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ChatText {
    /// What comes next.
    pub text: String,
    /// Its tokens, where they were asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub logprobs: Vec<TokenLogprob>,
}

/// Why an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum FinishReason {
    /// The model ended it, or one of the texts came that end it.
    Stop,
    /// It has as many tokens as it may have.
    Length,
}

/// The data of `event: done`: the answer is whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ChatDone {
    /// Why it ended.
    pub finish_reason: FinishReason,
    /// Tokens of the conversation as the model read it.
    pub prompt_tokens: u32,
    /// Tokens of the answer.
    pub completion_tokens: u32,
    /// From the request to the first text, queue and loading included.
    pub first_token_ms: u64,
    /// From the request to the end.
    pub duration_ms: u64,
}

/// One event of the stream that `POST /api/chat` answers; its name is the variant's, its data what is in it. A failure
/// after the start is `event: error` with a [`crate::problem::Problem`].
#[derive(Debug, Clone, PartialEq)]
pub enum ChatEvent {
    /// Some more of the answer.
    Text(ChatText),
    /// The answer is whole; the last event.
    Done(ChatDone),
}

/// What kind of model it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ChatModelKind {
    /// As it came.
    Base,
    /// What a finished job made.
    Tuned,
    /// A state that a job saved on its way, of a running job too.
    Checkpoint,
}

/// A model that can answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ChatModel {
    /// What `model` takes, here and on /v1.
    pub id: String,
    /// What it is.
    pub kind: ChatModelKind,
    /// What people call it: of a base model its own name, of others their job's.
    pub name: String,
    /// The base model's identifier.
    pub base_model: String,
    /// The job that made it, unless it is a base model.
    pub job_id: Option<JobId>,
    /// The optimizer step of a checkpoint.
    pub step: Option<u64>,
    /// When it was made; of a base model, when its files came.
    pub created_at: Timestamp,
}

/// `GET /api/chat/models`: base models first, then the newest first; of very many checkpoints the newest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ChatModelList {
    /// Everything of the subject's that can answer.
    pub models: Vec<ChatModel>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn request(change: &serde_json::Value) -> ChatRequest {
        let mut request = json!({"model": "m", "messages": [{"role": "user", "content": "hello"}]});
        for (name, value) in change.as_object().into_iter().flatten() {
            request[name] = value.clone();
        }
        serde_json::from_value(request).expect("a request")
    }

    #[test]
    fn model_and_messages_are_enough() {
        let least = request(&json!({}));
        assert_eq!(
            (least.temperature, least.top_p, least.max_tokens),
            (0.0, 1.0, None)
        );
        assert!(least.findings().is_empty());
    }

    #[test]
    fn bounds_hold_to_the_last_value() {
        let five = ["a"; 5];
        let (fits, long) = ("x".repeat(MAX_STOP_BYTES), "x".repeat(MAX_STOP_BYTES + 1));
        for (field, good, bad) in [
            ("max_tokens", json!(1), json!(0)),
            ("temperature", json!(2.0), json!(2.001)),
            ("temperature", json!(0.0), json!(-0.001)),
            ("top_p", json!(1.0), json!(1.001)),
            ("top_p", json!(0.001), json!(0.0)),
            ("stop", json!(five[..4]), json!(five)),
            ("stop", json!([fits]), json!([long])),
            ("stop", json!(["a"]), json!([""])),
            ("top_logprobs", json!(20), json!(21)),
            ("messages", json!([{"role": "system", "content": ""}]), json!([])),
            ("model", json!("m"), json!("")),
        ] {
            let fields = |value| {
                request(&json!({ field: value }))
                    .findings()
                    .into_keys()
                    .collect::<Vec<_>>()
            };
            assert!(fields(good.clone()).is_empty(), "{field} {good}");
            assert_eq!(fields(bad.clone()), [field], "{bad}");
        }
    }

    #[test]
    fn a_token_and_its_probability_lie_flat() {
        let one = TopLogprob {
            token: "a".to_owned(),
            logprob: -0.5,
            bytes: Some(vec![97]),
        };
        let token = TokenLogprob {
            chosen: one.clone(),
            top_logprobs: vec![one],
        };
        let value = serde_json::to_value(&token).expect("JSON");
        assert_eq!(value["token"], "a");
        assert_eq!(value["top_logprobs"][0]["bytes"], json!([97]));
        assert_eq!(serde_json::from_value::<TokenLogprob>(value).ok(), Some(token));
    }
}
