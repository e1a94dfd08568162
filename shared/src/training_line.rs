//! The formats of training lines, read one at a time with findings that name the line and say what to do.
//!
//! Understood: OpenAI's supervised format (`messages`), conversations (`conversation_id`, `turns`), the legacy
//! `prompt` and `completion`, and OpenAI's preference pairs (`input`, `preferred_output`, `non_preferred_output`).
//! Deliberately not here: reading files, and counting tokens.

mod file;
mod message;
mod parse;
mod preference;

pub use file::FileCheck;
pub use parse::parse_line;

use crate::run::Method;
use serde::{Deserialize, Serialize};

/// A file with fewer examples than this can't be trained on.
pub const MIN_EXAMPLES: u64 = 10;

/// A line longer than this many bytes is refused unread.
pub const MAX_LINE_BYTES: usize = 10 << 20;

/// A line that is an example, and what is worth a look in it.
#[derive(Debug, Clone, PartialEq)]
pub struct ParsedLine {
    /// What it says.
    pub example: Example,
    /// How it says it.
    pub format: LineFormat,
    /// Findings that don't make it unusable.
    pub warnings: Vec<Finding>,
}

/// Which format a line is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum LineFormat {
    /// `{"messages": [{"role", "content", "weight"?}], …}`.
    Chat,
    /// `{"conversation_id", "turns": [{"role", "content"}]}`.
    Conversation,
    /// `{"prompt", "completion"}`.
    PromptCompletion,
    /// `{"input": {"messages"}, "preferred_output": […], "non_preferred_output": […]}`.
    Preference,
}

impl LineFormat {
    /// The method that lines of this format are for.
    #[must_use]
    pub const fn method(self) -> Method {
        match self {
            Self::Chat | Self::Conversation | Self::PromptCompletion => Method::Supervised,
            Self::Preference => Method::Dpo,
        }
    }

    /// What is wrong with a file of this format for another method, and what to do; nothing where it is the right one.
    #[must_use]
    pub const fn fault_for(self, method: Method) -> Option<(&'static str, &'static str)> {
        match (self.method(), method) {
            (Method::Dpo, Method::Supervised) => Some((
                "holds preference pairs, which the method `supervised` can't use",
                "take the method `dpo`, or write each preferred answer as the assistant message of a `messages` list",
            )),
            (Method::Supervised, Method::Dpo) => Some((
                "holds chats, but the method `dpo` compares pairs of answers",
                "take the method `supervised`, or give `input`, `preferred_output` and `non_preferred_output` on each line",
            )),
            (Method::Supervised, Method::Supervised) | (Method::Dpo, Method::Dpo) => None,
        }
    }
}

/// One example, whatever its format was.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Example {
    /// Its messages in order; the last that counts is an assistant's. Of a pair they end in the preferred answer.
    pub messages: Vec<Message>,
    /// Of a preference pair, the answer that is not preferred to the last message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub non_preferred: Option<Message>,
    /// Tool definitions, handed to the chat template as they came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tools: Option<serde_json::Value>,
}

impl Example {
    /// Of a preference pair, the chat that ends in the answer that is not preferred.
    #[must_use]
    pub fn with_non_preferred(&self) -> Option<Self> {
        let answer = self.non_preferred.clone()?;
        let mut messages = self.messages.clone();
        messages.pop();
        messages.push(answer);
        Some(Self {
            messages,
            non_preferred: None,
            tools: self.tools.clone(),
        })
    }
}

/// One message of an example.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// Who speaks.
    pub role: Role,
    /// What they say; empty where there are only tool calls.
    pub content: String,
    /// False leaves an assistant message out of the loss (`"weight": 0`).
    #[serde(default = "yes", skip_serializing_if = "is_true")]
    pub trained: bool,
    /// Tool calls, handed to the chat template as they came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool_calls: Option<serde_json::Value>,
}

const fn yes() -> bool {
    true
}
#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature is serde's")]
fn is_true(value: &bool) -> bool {
    *value
}

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names are the wire's words")]
pub enum Role {
    System,
    Developer,
    User,
    Assistant,
    Tool,
}

/// How grave a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The file can't be used until it is mended.
    Error,
    /// Worth a look.
    Warning,
}

/// What is wrong with one line, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Finding {
    /// The line in the file, from 1; 0 speaks of the file as a whole.
    pub line: u64,
    /// How grave it is.
    pub severity: Severity,
    /// Stable, `snake_case`.
    pub code: String,
    /// What is wrong, in English.
    pub message: String,
    /// What to do, in English.
    pub advice: String,
}

impl Finding {
    pub(crate) fn error(
        line: u64,
        code: &str,
        message: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        let code = code.to_owned();
        Self {
            line,
            severity: Severity::Error,
            code,
            message: message.into(),
            advice: advice.into(),
        }
    }

    pub(crate) fn warning(
        line: u64,
        code: &str,
        message: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(line, code, message, advice)
        }
    }
}

#[cfg(test)]
mod tests;
