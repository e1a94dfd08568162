//! The lines that the engine and its decoding child process (`attune infer`) say to each other, one JSON object each.
//!
//! The engine asks on the child's standard input, the child answers on its standard output, one request at a time in the
//! order in which they came. At the end of its input the child leaves.

use crate::{
    chat::{FinishReason, TokenLogprob},
    training_line::Message,
};
use serde::{Deserialize, Serialize};

/// One line to the child.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum InferCommand {
    /// Answer this.
    Complete(Box<InferRequest>),
    /// Nobody wants the answer any more. One that has ended already is passed over.
    Cancel {
        /// Which request.
        id: u64,
    },
}

/// What is to be answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InferRequest {
    /// Names the request in all that concerns it.
    pub id: u64,
    /// The base model's folder.
    pub model: String,
    /// The folder of a PEFT adapter on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adapter: Option<String>,
    /// What the model reads.
    pub prompt: Prompt,
    /// How it answers.
    pub parameters: InferParameters,
    /// The most memory that the child may take; without it, nothing is refused for want of memory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_limit_bytes: Option<u64>,
}

/// What the model reads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Prompt {
    /// A conversation, written by the model's chat template with the prompt to answer.
    Messages(Vec<Message>),
    /// Text, as it is.
    Text(String),
}

/// How an answer is found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct InferParameters {
    /// Most tokens of the answer.
    pub max_tokens: u32,
    /// Fewer where the model's context or the memory hasn't the room; else that is refused.
    pub shorten: bool,
    /// 0 always takes the most likely token.
    pub temperature: f64,
    /// Draws only from the most likely tokens that together have this probability, in (0, 1].
    pub top_p: f64,
    /// Draws only from so many of the most likely tokens; 0 from all.
    pub top_k: u32,
    /// Taken from a token's score for each time that the answer has it.
    pub frequency_penalty: f64,
    /// Taken from a token's score once the answer has it.
    pub presence_penalty: f64,
    /// Keys what is drawn, together with `choice`.
    pub seed: u64,
    /// Tells the answers to one request apart.
    pub choice: u32,
    /// The answer ends before the first of these.
    pub stop: Vec<String>,
    /// Alternatives to tell of each token; nothing tells no probabilities at all.
    pub top_logprobs: Option<u32>,
}

impl Default for InferParameters {
    fn default() -> Self {
        Self {
            max_tokens: crate::chat::DEFAULT_MAX_TOKENS,
            shorten: true,
            temperature: 0.0,
            top_p: 1.0,
            top_k: 0,
            frequency_penalty: 0.0,
            presence_penalty: 0.0,
            seed: 0,
            choice: 0,
            stop: Vec::new(),
            top_logprobs: None,
        }
    }
}

/// One line from the child.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum InferEvent {
    /// The model is there and the request can be answered.
    Started {
        /// Which request.
        id: u64,
        /// Tokens that the model reads.
        prompt_tokens: u32,
    },
    /// Some more of the prompt was read; told so that a long one isn't taken for a standstill.
    Reading {
        /// Which request.
        id: u64,
    },
    /// Some more of the answer.
    Text {
        /// Which request.
        id: u64,
        /// What comes next; whole characters.
        text: String,
        /// Its tokens, where they were asked for.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        logprobs: Vec<TokenLogprob>,
    },
    /// The answer is whole.
    Done {
        /// Which request.
        id: u64,
        /// Why it ended.
        finish_reason: FinishReason,
        /// Tokens of the answer; the mark that ends it isn't counted.
        completion_tokens: u32,
    },
    /// There is no answer, or no more of it.
    Failed {
        /// Which request.
        id: u64,
        /// Stable, `snake_case`, for example `context_length_exceeded`, `invalid_prompt`, `not_enough_memory`.
        code: String,
        /// What happened and what to do, in English.
        message: String,
    },
    /// It was cancelled as asked.
    Cancelled {
        /// Which request.
        id: u64,
    },
}

impl InferEvent {
    /// Which request it concerns.
    #[must_use]
    pub const fn id(&self) -> u64 {
        match self {
            Self::Started { id, .. }
            | Self::Reading { id }
            | Self::Text { id, .. }
            | Self::Done { id, .. }
            | Self::Failed { id, .. }
            | Self::Cancelled { id } => *id,
        }
    }

    /// Whether nothing more comes for this request.
    #[must_use]
    pub const fn is_last(&self) -> bool {
        matches!(
            self,
            Self::Done { .. } | Self::Failed { .. } | Self::Cancelled { .. }
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_back_from_their_text() {
        let text =
            r#"{"type":"complete","id":3,"model":"m","prompt":{"text":"a"},"parameters":{"max_tokens":5}}"#;
        let Ok(InferCommand::Complete(request)) = serde_json::from_str(text) else {
            panic!("a request");
        };
        assert_eq!(
            (request.parameters.max_tokens, request.parameters.top_p),
            (5, 1.0)
        );
        let again = serde_json::to_string(&InferCommand::Complete(request.clone())).expect("JSON");
        assert_eq!(
            serde_json::from_str(&again).ok(),
            Some(InferCommand::Complete(request))
        );
        let done = InferEvent::Done {
            id: 3,
            finish_reason: FinishReason::Length,
            completion_tokens: 5,
        };
        let text = serde_json::to_string(&done).expect("JSON");
        assert!(text.contains(r#""finish_reason":"length""#), "{text}");
        assert!(done.is_last() && done.id() == 3);
    }
}
