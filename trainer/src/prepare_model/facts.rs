//! Whether a Hugging Face folder can be trained, and what is told of it.

use super::licence;
use crate::{Error, Precision, chat::ChatTokenizer, model};
use shared::{
    model::ModelFacts,
    training_line::{Example, Message, Role},
};
use std::{fs, path::Path};

/// Files beside the weights that a model's folder needs or is used with.
const SMALL_FILES: [&str; 9] = [
    "config.json",
    "generation_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "chat_template.jinja",
    "model.safetensors.index.json",
    "attune.json",
    "README.md",
];

/// Checks configuration, weights, tokenizer and chat template.
pub(super) fn read(folder: &Path) -> Result<ModelFacts, Error> {
    let config = model::read_config(folder)?;
    if let Some(name) = weights_of_other_formats(folder) {
        return Err(Error::InvalidModel(format!(
            "the weights are in `{name}` only, which can run code when it's read; use a revision of the model with `.safetensors` files"
        )));
    }
    let stored = model::stored(folder)?;
    let tokenizer = ChatTokenizer::load(folder, &config)?;
    let tokens = tokenizer
        .example(&small_talk())
        .map_err(Error::InvalidChatTemplate)?;
    if tokens.targets() == 0 {
        return Err(Error::InvalidChatTemplate(
            "the chat template leaves answers out; use an instruction-tuned model".to_owned(),
        ));
    }
    let small = SMALL_FILES.iter().map(|name| folder.join(name));
    let bytes = small
        .chain(stored.files)
        .filter_map(|path| fs::metadata(path).ok())
        .map(|found| found.len())
        .sum();
    Ok(ModelFacts {
        architecture: config.family.as_str().to_owned(),
        parameters: stored.parameters,
        precision: match stored.precision {
            Precision::F32 => "f32",
            Precision::F16 => "f16",
            Precision::Bf16 => "bf16",
        }
        .to_owned(),
        context_length: config.max_position_embeddings as u32,
        bytes,
        licence: licence::read(folder),
    })
}

/// A file of weights that isn't read, where no other is there.
fn weights_of_other_formats(folder: &Path) -> Option<&'static str> {
    if ["model.safetensors", "model.safetensors.index.json"]
        .iter()
        .any(|name| folder.join(name).exists())
    {
        return None;
    }
    ["pytorch_model.bin", "pytorch_model.bin.index.json"]
        .into_iter()
        .find(|name| folder.join(name).exists())
}

/// The least that every training file has: a question and its answer.
fn small_talk() -> Example {
    let message = |role, content: &str| Message {
        role,
        content: content.to_owned(),
        trained: true,
        tool_calls: None,
    };
    Example {
        messages: vec![message(Role::User, "Hello"), message(Role::Assistant, "Hello")],
        non_preferred: None,
        tools: None,
    }
}
