//! The messages of a chat or the turns of a conversation.

use super::{Finding, Message, Role, parse::kind};
use serde_json::{Map, Value};

const KNOWN: [&str; 6] = ["role", "content", "weight", "tool_calls", "tool_call_id", "name"];

/// A list, message by message. `name` is what findings call it.
pub(super) fn parse_messages(
    line: u64,
    name: &str,
    list: Option<&Value>,
    warnings: &mut Vec<Finding>,
) -> Result<Vec<Message>, Finding> {
    let error = |message: String| {
        Finding::error(
            line,
            "invalid_messages",
            message,
            "give a list of objects with `role` and `content`",
        )
    };
    let list = match list {
        Some(Value::Array(list)) if list.is_empty() => return Err(error(format!("`{name}` is empty"))),
        Some(Value::Array(list)) => list,
        Some(other) => return Err(error(format!("`{name}` is {}, not a list", kind(other)))),
        None => return Err(error(format!("`{name}` is missing"))),
    };
    let mut messages = Vec::with_capacity(list.len());
    for (index, value) in list.iter().enumerate() {
        let place = Place {
            line,
            name: format!("{name}[{index}]"),
        };
        let Value::Object(message) = value else {
            return Err(error(format!(
                "`{}` is {}, not an object",
                place.name,
                kind(value)
            )));
        };
        messages.push(place.message(message, warnings)?);
    }
    Ok(messages)
}

/// Text of the file as a finding shows it: short, on one line.
pub(super) fn shown(text: &str) -> String {
    let mut short: String = text
        .chars()
        .take(40)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

/// Where a message stands, for its findings.
struct Place {
    line: u64,
    name: String,
}

impl Place {
    fn error(&self, code: &str, what: &str, advice: impl Into<String>) -> Finding {
        Finding::error(self.line, code, format!("`{}` {what}", self.name), advice)
    }

    fn message(&self, message: &Map<String, Value>, warnings: &mut Vec<Finding>) -> Result<Message, Finding> {
        let role = self.role(message.get("role"))?;
        let tool_calls = self.tool_calls(role, message.get("tool_calls"))?;
        let content = self.content(role, message.get("content"), tool_calls.is_some())?;
        let trained = self.weight(role, message.get("weight"), warnings)?;
        if message.contains_key("function_call") {
            let advice = "write the call as an entry of `tool_calls`";
            return Err(self.error("function_call", "has the retired key `function_call`", advice));
        }
        for key in message.keys().filter(|key| !KNOWN.contains(&key.as_str())) {
            let what = format!("`{}` has the key `{}`, which is not used", self.name, shown(key));
            warnings.push(Finding::warning(
                self.line,
                "unknown_key",
                what,
                "remove it, or check its spelling",
            ));
        }
        if matches!(role, Role::User | Role::Tool) && content.trim().is_empty() {
            let what = format!("`{}` is empty", self.name);
            warnings.push(Finding::warning(
                self.line,
                "empty_content",
                what,
                "write its text, or remove the message",
            ));
        }
        Ok(Message {
            role,
            content,
            trained,
            tool_calls,
        })
    }

    fn role(&self, role: Option<&Value>) -> Result<Role, Finding> {
        let advice = "use one of system, developer, user, assistant, tool";
        let word = match role {
            Some(Value::String(word)) => word,
            Some(other) => {
                return Err(self.error(
                    "invalid_role",
                    &format!("has a role that is {}", kind(other)),
                    advice,
                ));
            }
            None => return Err(self.error("missing_role", "has no `role`", advice)),
        };
        let instead = match word.as_str() {
            "system" => return Ok(Role::System),
            "developer" => return Ok(Role::Developer),
            "user" => return Ok(Role::User),
            "assistant" => return Ok(Role::Assistant),
            "tool" => return Ok(Role::Tool),
            other => match other.trim().to_lowercase().as_str() {
                "human" | "customer" | "prompter" | "input" | "user" => "user",
                "ai" | "bot" | "chatbot" | "gpt" | "model" | "agent" | "output" | "assistant" => "assistant",
                "function" | "observation" | "tool" => "tool",
                "instruction" | "context" | "system" => "system",
                "developer" => "developer",
                _ => {
                    return Err(self.error(
                        "invalid_role",
                        &format!("has the role `{}`", shown(word)),
                        advice,
                    ));
                }
            },
        };
        let what = format!("has the role `{}`", shown(word));
        Err(self.error("invalid_role", &what, format!("write `{instead}` instead")))
    }

    fn content(&self, role: Role, content: Option<&Value>, has_calls: bool) -> Result<String, Finding> {
        match content {
            Some(Value::String(text)) => Ok(text.clone()),
            Some(Value::Array(parts)) => parts.iter().map(|part| self.part(part)).collect(),
            None | Some(Value::Null) if role == Role::Assistant && has_calls => Ok(String::new()),
            None | Some(Value::Null) => {
                let advice = "write its text; only an assistant message with `tool_calls` can do without";
                Err(self.error("missing_content", "has no `content`", advice))
            }
            Some(other) => {
                let what = format!("has a content that is {}", kind(other));
                Err(self.error("invalid_content", &what, "make `content` a string"))
            }
        }
    }

    fn part(&self, part: &Value) -> Result<String, Finding> {
        let kind = part.get("type").and_then(Value::as_str);
        match (kind, part.get("text")) {
            (Some("text"), Some(Value::String(text))) => Ok(text.clone()),
            (Some(other), _) if other != "text" => {
                let what = format!("has a content part of type `{}`", shown(other));
                Err(self.error(
                    "unsupported_content",
                    &what,
                    "use text parts only: {\"type\": \"text\", \"text\": ...}",
                ))
            }
            _ => {
                let advice =
                    "write each part as {\"type\": \"text\", \"text\": ...}, or make `content` a string";
                Err(self.error("invalid_content", "has a content part without text", advice))
            }
        }
    }

    fn weight(
        &self,
        role: Role,
        weight: Option<&Value>,
        warnings: &mut Vec<Finding>,
    ) -> Result<bool, Finding> {
        let Some(weight) = weight else { return Ok(true) };
        let trained = match weight.as_f64() {
            Some(0.0) => false,
            Some(1.0) => true,
            _ => {
                let advice = "use 0 (leave it out of the loss) or 1";
                return Err(self.error("invalid_weight", "has a `weight` other than 0 and 1", advice));
            }
        };
        if role != Role::Assistant {
            let what = format!(
                "`{}` has a `weight`, but only assistant messages are learnt",
                self.name
            );
            warnings.push(Finding::warning(
                self.line,
                "weight_without_effect",
                what,
                "remove it",
            ));
            return Ok(true);
        }
        Ok(trained)
    }

    fn tool_calls(&self, role: Role, calls: Option<&Value>) -> Result<Option<Value>, Finding> {
        let list = match calls {
            None | Some(Value::Null) => return Ok(None),
            Some(Value::Array(list)) if list.iter().all(Value::is_object) => list,
            Some(_) => {
                let advice = "give the calls as a list of JSON objects";
                return Err(self.error(
                    "invalid_tool_calls",
                    "has `tool_calls` that are not a list of objects",
                    advice,
                ));
            }
        };
        if list.is_empty() {
            return Ok(None);
        }
        if role != Role::Assistant {
            let advice = "move them to the assistant message that makes the calls";
            return Err(self.error(
                "invalid_tool_calls",
                "has `tool_calls` but is not an assistant message",
                advice,
            ));
        }
        Ok(Some(Value::Array(list.clone())))
    }
}
