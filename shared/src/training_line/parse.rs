//! One line of text into one example.

use super::{
    Example, Finding, LineFormat, Message, ParsedLine, Role,
    message::{parse_messages, shown},
    preference,
};
use serde_json::{Map, Value};

/// Reads one line; `line` is its number in the file, from 1.
///
/// # Errors
/// The first thing that makes the line unusable.
pub fn parse_line(line: u64, text: &str) -> Result<ParsedLine, Finding> {
    let mut warnings = Vec::new();
    let text = match text.strip_prefix('\u{feff}') {
        Some(rest) if line == 1 => {
            let advice = "save the file as UTF-8 without a byte order mark";
            warnings.push(Finding::warning(
                line,
                "byte_order_mark",
                "the file starts with a byte order mark",
                advice,
            ));
            rest
        }
        _ => text,
    };
    let value: Value = serde_json::from_str(text).map_err(|error| invalid_json(line, text, &error))?;
    let Value::Object(object) = value else {
        let message = format!("the line is {}, not a JSON object", kind(&value));
        let advice = "write one JSON object a line, for example {\"messages\": [...]}";
        return Err(Finding::error(line, "not_an_object", message, advice));
    };
    let format = format_of(line, &object)?;
    let (messages, known) = match format {
        LineFormat::Preference => return preference::parse(line, &object, warnings),
        LineFormat::Chat => {
            let messages = parse_messages(line, "messages", object.get("messages"), &mut warnings)?;
            (messages, ["messages", "tools", "parallel_tool_calls"].as_slice())
        }
        LineFormat::Conversation => {
            check_conversation_id(line, &object)?;
            let messages = parse_messages(line, "turns", object.get("turns"), &mut warnings)?;
            (messages, ["conversation_id", "turns", "tools"].as_slice())
        }
        LineFormat::PromptCompletion => (
            prompt_completion(line, &object, &mut warnings)?,
            ["prompt", "completion"].as_slice(),
        ),
    };
    check_messages(line, &messages, &mut warnings)?;
    let tools = if known.contains(&"tools") {
        tools(line, &object)?
    } else {
        None
    };
    tell_unknown(line, &object, known, &mut warnings);
    Ok(ParsedLine {
        example: Example {
            messages,
            non_preferred: None,
            tools,
        },
        format,
        warnings,
    })
}

/// Warns of keys that nobody reads.
pub(super) fn tell_unknown(
    line: u64,
    object: &Map<String, Value>,
    known: &[&str],
    warnings: &mut Vec<Finding>,
) {
    for key in object.keys().filter(|key| !known.contains(&key.as_str())) {
        let message = format!("the key `{}` is not used", shown(key));
        warnings.push(Finding::warning(
            line,
            "unknown_key",
            message,
            "remove it, or check its spelling",
        ));
    }
}

fn invalid_json(line: u64, text: &str, error: &serde_json::Error) -> Finding {
    let column = error.column();
    // serde_json counts bytes; people count characters.
    let column = text
        .get(..column)
        .map_or(column, |before| before.chars().count())
        .max(1);
    let (what, advice) = if error.is_eof() {
        (
            "the JSON ends too early",
            "a whole object must stand on one line: look for a line break or a missing bracket",
        )
    } else {
        (
            "the line is not valid JSON",
            "look at that column for a missing comma, quote or bracket",
        )
    };
    let reason = error.to_string();
    let reason = reason.split(" at line ").next().unwrap_or_default();
    Finding::error(
        line,
        "invalid_json",
        format!("{what}, at column {column}: {reason}"),
        advice,
    )
}

fn format_of(line: u64, object: &Map<String, Value>) -> Result<LineFormat, Finding> {
    let has = |key: &str| object.contains_key(key);
    let unsupported =
        |message: &str, advice: &str| Err(Finding::error(line, "unsupported_format", message, advice));
    if preference::KEYS.iter().any(|key| has(key)) {
        return Ok(LineFormat::Preference);
    }
    if has("messages") {
        return Ok(LineFormat::Chat);
    }
    if has("turns") || has("conversation_id") {
        return Ok(LineFormat::Conversation);
    }
    if has("prompt") || has("completion") {
        return Ok(LineFormat::PromptCompletion);
    }
    if has("conversations") {
        return unsupported(
            "`conversations` with `from` and `value` is not understood",
            "rename it to `messages`, `from` to `role` (user or assistant) and `value` to `content`",
        );
    }
    if has("instruction") || has("text") {
        return unsupported(
            "the line is neither a chat nor a prompt with its completion",
            "write the input as a user message and the wanted answer as an assistant message",
        );
    }
    let message = "the line has none of `messages`, `turns`, `prompt`";
    let advice = "write {\"messages\": [{\"role\": \"user\", \"content\": ...}, {\"role\": \"assistant\", \"content\": ...}]}";
    Err(Finding::error(line, "unknown_format", message, advice))
}

fn check_conversation_id(line: u64, object: &Map<String, Value>) -> Result<(), Finding> {
    match object.get("conversation_id") {
        Some(Value::String(_) | Value::Number(_)) => Ok(()),
        Some(other) => {
            let message = format!("`conversation_id` is {}", kind(other));
            Err(Finding::error(
                line,
                "invalid_conversation_id",
                message,
                "make it a string",
            ))
        }
        None => {
            let message = "`turns` stands without `conversation_id`";
            Err(Finding::error(
                line,
                "missing_conversation_id",
                message,
                "add a `conversation_id`, or call the list `messages`",
            ))
        }
    }
}

fn prompt_completion(
    line: u64,
    object: &Map<String, Value>,
    warnings: &mut Vec<Finding>,
) -> Result<Vec<Message>, Finding> {
    let text = |key: &str| match object.get(key) {
        Some(Value::String(text)) => Ok(text.clone()),
        Some(other) => {
            let message = format!("`{key}` is {}, not a string", kind(other));
            Err(Finding::error(
                line,
                "invalid_content",
                message,
                format!("make `{key}` a string"),
            ))
        }
        None => {
            let message = format!("`{key}` is missing");
            Err(Finding::error(
                line,
                "missing_key",
                message,
                "give both `prompt` and `completion`",
            ))
        }
    };
    let (prompt, completion) = (text("prompt")?, text("completion")?);
    if prompt.trim().is_empty() {
        let advice = "write what the completion answers to";
        warnings.push(Finding::warning(
            line,
            "empty_content",
            "the prompt is empty",
            advice,
        ));
    }
    let message = |role, content| Message {
        role,
        content,
        trained: true,
        tool_calls: None,
    };
    Ok(vec![
        message(Role::User, prompt),
        message(Role::Assistant, completion),
    ])
}

fn check_messages(line: u64, messages: &[Message], warnings: &mut Vec<Finding>) -> Result<(), Finding> {
    let trained = messages
        .iter()
        .filter(|message| message.role == Role::Assistant && message.trained);
    let mut count = 0;
    for message in trained {
        count += 1;
        if message.content.trim().is_empty() && message.tool_calls.is_none() {
            let advice = "write the answer that the model should learn, or give the message \"weight\": 0";
            return Err(Finding::error(
                line,
                "empty_answer",
                "an assistant message to learn from is empty",
                advice,
            ));
        }
    }
    if count == 0 {
        let (code, message) = if messages.iter().any(|message| message.role == Role::Assistant) {
            (
                "nothing_to_learn",
                "every assistant message has weight 0, so there is nothing to learn",
            )
        } else {
            (
                "no_assistant_message",
                "there is no assistant message to learn from",
            )
        };
        let advice = "end the example with the assistant message that the model should learn";
        return Err(Finding::error(line, code, message, advice));
    }
    if messages
        .last()
        .is_some_and(|message| message.role != Role::Assistant)
    {
        let message = "messages after the last assistant message have no effect";
        warnings.push(Finding::warning(
            line,
            "trailing_message",
            message,
            "remove them, or add the answer",
        ));
    }
    tell_late_system(line, messages, warnings);
    Ok(())
}

/// Warns of a system message that isn't the first.
pub(super) fn tell_late_system(line: u64, messages: &[Message], warnings: &mut Vec<Finding>) {
    let later_system = messages
        .iter()
        .skip(1)
        .any(|message| matches!(message.role, Role::System | Role::Developer));
    if later_system {
        let message = "a system message stands after other messages";
        warnings.push(Finding::warning(
            line,
            "system_not_first",
            message,
            "most models expect it first",
        ));
    }
}

pub(super) fn tools(line: u64, object: &Map<String, Value>) -> Result<Option<Value>, Finding> {
    match object.get("tools") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Array(list)) if list.iter().all(Value::is_object) => {
            Ok((!list.is_empty()).then(|| Value::Array(list.clone())))
        }
        Some(_) => {
            let message = "`tools` is not a list of objects";
            Err(Finding::error(
                line,
                "invalid_tools",
                message,
                "give the tool definitions as a list of JSON objects",
            ))
        }
    }
}

/// What a value is, in words.
pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
