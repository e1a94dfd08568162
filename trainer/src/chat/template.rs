//! Chat templates: Jinja as transformers runs it.

use crate::Error;
use minijinja::{
    Environment, ErrorKind, Value as Jinja, context,
    syntax::SyntaxConfig,
    value::{Kwargs, Serde},
};
use serde::Serialize;
use serde_json::Value;
use shared::training_line::{Message, Role};
use std::{fs, path::Path};

/// A model's chat template. It sees no clock: `strftime_now` isn't defined, and templates fall back to a fixed date.
#[derive(Debug)]
pub(super) struct ChatTemplate {
    environment: Environment<'static>,
    bos_token: String,
    eos_token: String,
}

/// A message as templates see it.
#[derive(Serialize)]
struct View<'a> {
    role: Role,
    content: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_calls: Option<&'a Value>,
}

impl ChatTemplate {
    pub(super) fn load(folder: &Path) -> Result<Self, Error> {
        let path = folder.join("tokenizer_config.json");
        let config: Value = match fs::read_to_string(&path) {
            Ok(text) => serde_json::from_str(&text).map_err(|error| {
                Error::InvalidTokenizer(format!("`{}` is no JSON: {error}", path.display()))
            })?,
            Err(_) => Value::Null,
        };
        let token = |name: &str| match config.get(name) {
            Some(Value::String(token)) => token.clone(),
            Some(Value::Object(token)) => token
                .get("content")
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned(),
            _ => String::new(),
        };
        let source = match fs::read_to_string(folder.join("chat_template.jinja")) {
            Ok(source) => source,
            Err(_) => of_config(&config).ok_or_else(|| {
                Error::InvalidChatTemplate(format!(
                    "`{}` holds no chat template (`chat_template.jinja`, or `chat_template` in `tokenizer_config.json`); use an instruction-tuned model",
                    folder.display()
                ))
            })?,
        };
        Self::new(source, token("bos_token"), token("eos_token"))
    }

    pub(super) fn new(source: String, bos_token: String, eos_token: String) -> Result<Self, Error> {
        let mut environment = Environment::new();
        let syntax = SyntaxConfig::builder()
            .trim_blocks(true)
            .lstrip_blocks(true)
            .build();
        environment.set_syntax(syntax.map_err(|error| Error::InvalidChatTemplate(error.to_string()))?);
        environment.set_unknown_method_callback(minijinja_contrib::pycompat::unknown_method_callback);
        environment.add_filter("tojson", to_json);
        environment.add_function(
            "raise_exception",
            |message: String| -> Result<Jinja, minijinja::Error> {
                Err(minijinja::Error::new(ErrorKind::InvalidOperation, message))
            },
        );
        environment.add_template_owned("chat", source).map_err(|error| {
            Error::InvalidChatTemplate(format!("the chat template can't be read: {error}"))
        })?;
        Ok(Self {
            environment,
            bos_token,
            eos_token,
        })
    }

    /// The text of these messages; with `prompt`, followed by what asks the assistant to answer.
    pub(super) fn render(
        &self,
        messages: &[Message],
        tools: Option<&Value>,
        prompt: bool,
    ) -> Result<String, String> {
        let messages: Vec<View<'_>> = messages
            .iter()
            .map(|message| View {
                role: message.role,
                content: &message.content,
                tool_calls: message.tool_calls.as_ref(),
            })
            .collect();
        let refuse = |error: &minijinja::Error| {
            let what = error.detail().map_or_else(|| error.to_string(), str::to_owned);
            format!("the model's chat template refuses the example: {what}")
        };
        let template = self
            .environment
            .get_template("chat")
            .map_err(|error| refuse(&error))?;
        template
            .render(context! {
                messages => Jinja::from(Serde(messages)),
                tools => tools.map(|tools| Jinja::from(Serde(tools))),
                add_generation_prompt => prompt,
                bos_token => self.bos_token.as_str(),
                eos_token => self.eos_token.as_str(),
            })
            .map_err(|error| refuse(&error))
    }
}

fn of_config(config: &Value) -> Option<String> {
    match config.get("chat_template")? {
        Value::String(source) => Some(source.clone()),
        // Several named templates: the default one.
        Value::Array(list) => list
            .iter()
            .find(|entry| entry.get("name").and_then(Value::as_str) == Some("default"))
            .and_then(|entry| entry.get("template"))
            .and_then(Value::as_str)
            .map(str::to_owned),
        _ => None,
    }
}

/// Python's `json.dumps` with its default separators, as transformers' filter of that name gives it.
#[expect(
    clippy::needless_pass_by_value,
    reason = "a filter's arguments are handed over by value"
)]
fn to_json(Serde(value): Serde<Value>, options: Kwargs) -> Result<Jinja, minijinja::Error> {
    let indent: Option<usize> = options.get("indent")?;
    // Python's other options change nothing here: text is never escaped beyond what JSON needs.
    for name in ["ensure_ascii", "sort_keys", "separators"] {
        let _: Option<Jinja> = options.get(name)?;
    }
    options.assert_all_used()?;
    let mut out = String::new();
    write_json(&value, indent, 0, &mut out);
    Ok(Jinja::from_safe_string(out))
}

fn write_json(value: &Value, indent: Option<usize>, depth: usize, out: &mut String) {
    let newline = |out: &mut String, depth: usize| {
        if let Some(indent) = indent {
            out.push('\n');
            out.push_str(&" ".repeat(indent * depth));
        }
    };
    let comma = if indent.is_some() { "," } else { ", " };
    match value {
        Value::Array(list) if !list.is_empty() => {
            out.push('[');
            for (index, value) in list.iter().enumerate() {
                out.push_str(if index > 0 { comma } else { "" });
                newline(out, depth + 1);
                write_json(value, indent, depth + 1, out);
            }
            newline(out, depth);
            out.push(']');
        }
        Value::Object(map) if !map.is_empty() => {
            out.push('{');
            for (index, (key, value)) in map.iter().enumerate() {
                out.push_str(if index > 0 { comma } else { "" });
                newline(out, depth + 1);
                out.push_str(&Value::String(key.clone()).to_string());
                out.push_str(": ");
                write_json(value, indent, depth + 1, out);
            }
            newline(out, depth);
            out.push('}');
        }
        other => out.push_str(&other.to_string()),
    }
}
