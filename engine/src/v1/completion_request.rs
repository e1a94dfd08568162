//! The bodies of `POST /v1/chat/completions` and `/v1/completions`, read value by value so that each fault names its
//! parameter. What models here can't do is refused rather than passed over.

use super::error::ApiError;
use crate::{inference::CompletionRequest, service::job_create::fresh_seed};
use serde_json::{Map, Value};
use shared::{
    chat::{MAX_STOP_BYTES, MAX_STOPS, MAX_TEMPERATURE, MAX_TOP_LOGPROBS},
    inference::{InferParameters, Prompt},
    training_line::{Message, Role},
};

/// Most answers to one request.
const MAX_CHOICES: u64 = 8;

/// Most alternatives that `/completions` tells of a token.
const MAX_LOGPROBS: u64 = 5;

/// Tokens of an answer of `/completions` unless told, as OpenAI has it.
const COMPLETION_TOKENS: u32 = 16;

/// What changes nothing here, and needn't be refused.
const WITHOUT_EFFECT: [&str; 9] = [
    "user",
    "metadata",
    "store",
    "service_tier",
    "safety_identifier",
    "prompt_cache_key",
    "prompt_cache_retention",
    "parallel_tool_calls",
    "reasoning_effort",
];

/// A request that was read.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Asked {
    pub(crate) completion: CompletionRequest,
    pub(crate) stream: bool,
    /// Whether the stream ends with what it took.
    pub(crate) include_usage: bool,
}

/// A body whose keys are taken one after the other: what is left at the end is unknown.
struct Body(Map<String, Value>);

/// Reads the body of `POST /chat/completions`.
pub(crate) fn read_chat(object: Map<String, Value>) -> Result<Asked, ApiError> {
    let mut body = Body(object);
    let messages = body.messages()?;
    let max_completion_tokens = body.whole("max_completion_tokens", 1, u64::from(u32::MAX))?;
    let max_tokens = body.whole("max_tokens", 1, u64::from(u32::MAX))?;
    let logprobs = body.flag("logprobs")?;
    let alternatives = body.whole("top_logprobs", 0, u64::from(MAX_TOP_LOGPROBS))?;
    if alternatives.is_some_and(|count| count > 0) && !logprobs {
        return Err(ApiError::param(
            "top_logprobs",
            "`top_logprobs` needs `logprobs: true`",
        ));
    }
    body.is_text("response_format")?;
    body.has_only_text("modalities")?;
    for absent in [
        "tools",
        "tool_choice",
        "functions",
        "function_call",
        "audio",
        "prediction",
        "web_search_options",
    ] {
        body.absent(absent)?;
    }
    let longest = max_completion_tokens.or(max_tokens);
    let parameters = InferParameters {
        max_tokens: longest.map_or(u32::MAX, clamped),
        shorten: longest.is_none(),
        top_logprobs: logprobs.then(|| clamped(alternatives.unwrap_or(0))),
        ..InferParameters::default()
    };
    body.finish(Prompt::Messages(messages), &parameters)
}

/// Reads the body of `POST /completions`.
pub(crate) fn read_text(object: Map<String, Value>) -> Result<Asked, ApiError> {
    let mut body = Body(object);
    let prompt = body.prompt()?;
    let max_tokens = body.whole("max_tokens", 1, u64::from(u32::MAX))?;
    let logprobs = body.whole("logprobs", 0, MAX_LOGPROBS)?;
    if body.flag("echo")? {
        return Err(unsupported("echo", "`echo` can't be done here: leave it out"));
    }
    if body.whole("best_of", 1, 20)?.is_some_and(|best_of| best_of > 1) {
        return Err(unsupported(
            "best_of",
            "`best_of` above 1 can't be done here: ask for `n` answers",
        ));
    }
    body.absent("suffix")?;
    let parameters = InferParameters {
        max_tokens: max_tokens.map_or(COMPLETION_TOKENS, clamped),
        shorten: max_tokens.is_none(),
        top_logprobs: logprobs.map(clamped),
        ..InferParameters::default()
    };
    body.finish(Prompt::Text(prompt), &parameters)
}

fn clamped(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn unsupported(param: &str, message: &str) -> ApiError {
    ApiError::param(param, message).with_code("unsupported_parameter")
}

impl Body {
    /// A value; null is none.
    fn take(&mut self, name: &str) -> Option<Value> {
        self.0.remove(name).filter(|value| !value.is_null())
    }

    /// Reads what both have in common; nothing is left then.
    fn finish(mut self, prompt: Prompt, parameters: &InferParameters) -> Result<Asked, ApiError> {
        let model = match self.take("model") {
            Some(Value::String(model)) if !model.is_empty() => model,
            _ => {
                return Err(ApiError::param(
                    "model",
                    "`model` must name a model: see `GET /v1/models`",
                ));
            }
        };
        let parameters = InferParameters {
            temperature: self.number("temperature", 0.0, MAX_TEMPERATURE)?.unwrap_or(1.0),
            top_p: self.top_p()?,
            top_k: self.whole("top_k", 0, u64::from(u32::MAX))?.map_or(0, clamped),
            frequency_penalty: self.number("frequency_penalty", -2.0, 2.0)?.unwrap_or(0.0),
            presence_penalty: self.number("presence_penalty", -2.0, 2.0)?.unwrap_or(0.0),
            seed: self.seed()?,
            stop: self.stop()?,
            ..parameters.clone()
        };
        let choices = self.whole("n", 1, MAX_CHOICES)?.map_or(1, clamped);
        let stream = self.flag("stream")?;
        let include_usage = self.stream_options(stream)?;
        match self.take("logit_bias") {
            None => {}
            Some(Value::Object(bias)) if bias.is_empty() => {}
            Some(_) => {
                return Err(unsupported(
                    "logit_bias",
                    "`logit_bias` can't be done here: leave it out",
                ));
            }
        }
        for name in WITHOUT_EFFECT {
            self.0.remove(name);
        }
        if let Some((name, _)) = self.0.iter().find(|(_, value)| !value.is_null()) {
            return Err(ApiError::unknown("parameter", name));
        }
        Ok(Asked {
            completion: CompletionRequest {
                model,
                prompt,
                parameters,
                choices,
            },
            stream,
            include_usage,
        })
    }

    fn whole(&mut self, name: &str, min: u64, max: u64) -> Result<Option<u64>, ApiError> {
        let Some(value) = self.take(name) else {
            return Ok(None);
        };
        let number = value.as_u64().filter(|number| (min..=max).contains(number));
        let bounds = if max >= u64::from(u32::MAX) {
            format!("from {min} on")
        } else {
            format!("from {min} to {max}")
        };
        let refuse = || ApiError::param(name, format!("`{name}` must be a whole number {bounds}"));
        number.map(Some).ok_or_else(refuse)
    }

    fn number(&mut self, name: &str, min: f64, max: f64) -> Result<Option<f64>, ApiError> {
        let Some(value) = self.take(name) else {
            return Ok(None);
        };
        let number = value.as_f64().filter(|number| (min..=max).contains(number));
        let refuse = || ApiError::param(name, format!("`{name}` must be a number from {min} to {max}"));
        number.map(Some).ok_or_else(refuse)
    }

    fn top_p(&mut self) -> Result<f64, ApiError> {
        match self.number("top_p", 0.0, 1.0)? {
            Some(0.0) => Err(ApiError::param("top_p", "`top_p` must be above 0")),
            given => Ok(given.unwrap_or(1.0)),
        }
    }

    fn flag(&mut self, name: &str) -> Result<bool, ApiError> {
        match self.take(name) {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(flag),
            Some(_) => Err(ApiError::param(name, format!("`{name}` must be true or false"))),
        }
    }

    fn seed(&mut self) -> Result<u64, ApiError> {
        match self.take("seed") {
            None => Ok(fresh_seed()?),
            Some(value) => value
                .as_i64()
                .map(i64::cast_unsigned)
                .ok_or_else(|| ApiError::param("seed", "`seed` must be a whole number of 64 bits")),
        }
    }

    fn stop(&mut self) -> Result<Vec<String>, ApiError> {
        let refuse = |message: String| Err(ApiError::param("stop", message));
        let stops = match self.take("stop") {
            None => return Ok(Vec::new()),
            Some(Value::String(stop)) => vec![stop],
            Some(Value::Array(list)) => {
                let texts = list.iter().map(|stop| stop.as_str().map(str::to_owned));
                match texts.collect::<Option<Vec<_>>>() {
                    Some(stops) => stops,
                    None => return refuse("`stop` must be a text or a list of texts".to_owned()),
                }
            }
            Some(_) => return refuse("`stop` must be a text or a list of texts".to_owned()),
        };
        if stops.len() > MAX_STOPS {
            return refuse(format!("`stop` must have at most {MAX_STOPS} texts"));
        }
        if stops
            .iter()
            .any(|stop| stop.is_empty() || stop.len() > MAX_STOP_BYTES)
        {
            return refuse(format!(
                "each text of `stop` must have 1 to {MAX_STOP_BYTES} bytes"
            ));
        }
        Ok(stops)
    }

    fn stream_options(&mut self, stream: bool) -> Result<bool, ApiError> {
        let refuse = |message: &str| Err(ApiError::param("stream_options", message));
        match self.take("stream_options") {
            None => Ok(false),
            Some(_) if !stream => refuse("`stream_options` needs `stream: true`"),
            Some(Value::Object(options)) => {
                let mut options = Self(options);
                // Padding against eavesdroppers of lengths; there is none here.
                options.flag("include_obfuscation")?;
                options
                    .flag("include_usage")
                    .or_else(|_| refuse("`include_usage` must be true or false"))
            }
            Some(_) => refuse("`stream_options` must be an object"),
        }
    }

    /// Refuses what models here can't do; what says the same as nothing passes.
    fn absent(&mut self, name: &str) -> Result<(), ApiError> {
        match self.take(name) {
            None => Ok(()),
            Some(Value::Array(list)) if list.is_empty() => Ok(()),
            Some(Value::String(word)) if name == "tool_choice" && word == "none" => Ok(()),
            Some(_) => Err(unsupported(
                name,
                &format!("`{name}` can't be done here: leave it out"),
            )),
        }
    }

    fn is_text(&mut self, name: &str) -> Result<(), ApiError> {
        match self.take(name) {
            None => Ok(()),
            Some(format) if format["type"] == "text" => Ok(()),
            Some(_) => Err(unsupported(
                name,
                "answers are text here: leave `response_format` out",
            )),
        }
    }

    fn has_only_text(&mut self, name: &str) -> Result<(), ApiError> {
        match self.take(name) {
            None => Ok(()),
            Some(Value::Array(list)) if list.iter().all(|kind| kind == "text") => Ok(()),
            Some(_) => Err(unsupported(name, "answers are text here: leave `modalities` out")),
        }
    }

    fn prompt(&mut self) -> Result<String, ApiError> {
        let one = match self.take("prompt") {
            Some(Value::Array(mut list)) if list.len() == 1 => list.pop(),
            other => other,
        };
        match one {
            Some(Value::String(prompt)) => Ok(prompt),
            _ => Err(ApiError::param(
                "prompt",
                "`prompt` must be one text: send a request for each of several, and text instead of tokens",
            )),
        }
    }

    fn messages(&mut self) -> Result<Vec<Message>, ApiError> {
        let list = match self.take("messages") {
            Some(Value::Array(list)) if !list.is_empty() => list,
            _ => {
                return Err(ApiError::param(
                    "messages",
                    "`messages` must be a list with at least one message",
                ));
            }
        };
        list.iter()
            .enumerate()
            .map(|(index, message)| read_message(&format!("messages[{index}]"), message))
            .collect()
    }
}

fn read_message(place: &str, message: &Value) -> Result<Message, ApiError> {
    let role = match message["role"].as_str() {
        Some("system") => Role::System,
        Some("developer") => Role::Developer,
        Some("user") => Role::User,
        Some("assistant") => Role::Assistant,
        Some("tool" | "function") => {
            let message = format!("`{place}.role`: models here call no tools");
            return Err(unsupported(&format!("{place}.role"), &message));
        }
        _ => {
            let message = format!("`{place}.role` must be `system`, `developer`, `user` or `assistant`");
            return Err(ApiError::param(&format!("{place}.role"), message));
        }
    };
    for name in ["tool_calls", "function_call", "audio"] {
        if !message[name].is_null() {
            let param = format!("{place}.{name}");
            return Err(unsupported(
                &param,
                &format!("`{param}` can't be done here: leave it out"),
            ));
        }
    }
    let param = format!("{place}.content");
    let content = match &message["content"] {
        Value::String(text) => text.clone(),
        Value::Array(parts) if !parts.is_empty() => {
            let mut text = String::new();
            for (index, part) in parts.iter().enumerate() {
                match (part["type"].as_str(), part["text"].as_str()) {
                    (Some("text"), Some(more)) => text.push_str(more),
                    _ => {
                        let param = format!("{param}[{index}]");
                        return Err(unsupported(
                            &param,
                            &format!("`{param}` must be a part of the type `text`"),
                        ));
                    }
                }
            }
            text
        }
        _ => {
            return Err(ApiError::param(
                &param,
                format!("`{param}` must be a text or a list of text parts"),
            ));
        }
    };
    Ok(Message {
        role,
        content,
        trained: true,
        tool_calls: None,
    })
}
