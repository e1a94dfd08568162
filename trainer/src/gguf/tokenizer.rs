//! `tokenizer.json` and `tokenizer_config.json` from the vocabulary of a GGUF file.
//!
//! A file has the tokens, their types and the merges, and only the name of how text is split before them. Known are
//! the byte-level models of `SmolLM`, Llama 3, Qwen2 and GPT-2, and `SentencePiece` models of the Llama 2 kind. The rules
//! of splitting are those that the `tokenizer.json` of these families have; where llama.cpp differs, they win.

use super::{GgufFile, config, sentence_piece, value::missing};
use crate::{Error, config::ModelConfig};
use serde_json::{Map, Value, json};
use std::collections::HashMap;

/// Longest token that is believed.
const MAX_TOKEN_BYTES: usize = 1 << 10;

/// Types of tokens, by their numbers in the file.
mod kind {
    pub(super) const NORMAL: i32 = 1;
    pub(super) const UNKNOWN: i32 = 2;
    pub(super) const CONTROL: i32 = 3;
    pub(super) const USER_DEFINED: i32 = 4;
    pub(super) const UNUSED: i32 = 5;
}

/// How Llama 3 splits text: words with a mark before them, up to three digits, marks, ends of lines, spaces.
const LLAMA3_WORDS: &str = concat!(
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}",
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
);

/// How Qwen2 does: the same, but digits one by one.
const QWEN2_WORDS: &str = concat!(
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}",
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
);

/// Both files' contents.
pub(super) struct TokenizerFiles {
    pub(super) tokenizer: Value,
    pub(super) config: Value,
    pub(super) pad_token_id: Option<u32>,
}

/// A vocabulary whose tokens are all different.
pub(super) struct Vocabulary<'a> {
    /// By their numbers; unused ones among them.
    pub(super) tokens: &'a [String],
    kinds: &'a [i32],
    /// Numbers by tokens, unused ones left out.
    pub(super) ids: HashMap<&'a str, u32>,
}

impl Vocabulary<'_> {
    pub(super) fn is_normal(&self, id: usize) -> bool {
        self.kinds[id] == kind::NORMAL
    }

    /// `vocab` of the model, in the order of the numbers.
    fn to_json(&self) -> Map<String, Value> {
        (0..self.tokens.len())
            .filter(|id| self.kinds[*id] != kind::UNUSED)
            .map(|id| (self.tokens[id].clone(), json!(id)))
            .collect()
    }

    /// The tokens that are found in a text before it's split.
    fn added(&self) -> Vec<Value> {
        (0..self.tokens.len())
            .filter_map(|id| {
                let special = match self.kinds[id] {
                    kind::CONTROL | kind::UNKNOWN => true,
                    kind::USER_DEFINED => false,
                    _ => return None,
                };
                Some(json!({
                    "id": id, "content": self.tokens[id], "single_word": false, "lstrip": false, "rstrip": false,
                    "normalized": false, "special": special
                }))
            })
            .collect()
    }
}

/// Rebuilds the tokenizer of a model.
///
/// # Errors
/// [`Error::InvalidTokenizer`] where it's of a kind that isn't known or doesn't fit, [`Error::InvalidModel`].
pub(super) fn read(file: &GgufFile, config: &ModelConfig) -> Result<TokenizerFiles, Error> {
    let metadata = &file.metadata;
    let vocabulary = vocabulary(file, config.vocab_size)?;
    let token = |name: &str| -> Result<Option<(u32, &str)>, Error> {
        let id = config::token(file, name, vocabulary.tokens.len())?;
        Ok(id.map(|id| (id, vocabulary.tokens[id as usize].as_str())))
    };
    let (bos, eos, pad, unknown) = (token("bos")?, token("eos")?, token("padding")?, token("unknown")?);
    let model = metadata
        .text("tokenizer.ggml.model")?
        .ok_or_else(|| missing("tokenizer.ggml.model"))?;
    let (mut tokenizer, adds_bos) = match model {
        "gpt2" => byte_level(file, &vocabulary)?,
        "llama" => (
            sentence_piece::tokenizer(file, &vocabulary, unknown.map(|(_, token)| token))?,
            true,
        ),
        other => {
            return Err(Error::InvalidTokenizer(format!(
                "a tokenizer of the kind `{other}` can't be rebuilt from a GGUF file; use the model's Hugging Face folder"
            )));
        }
    };
    tokenizer["version"] = json!("1.0");
    tokenizer["truncation"] = Value::Null;
    tokenizer["padding"] = Value::Null;
    tokenizer["added_tokens"] = vocabulary.added().into();
    tokenizer["model"]["vocab"] = vocabulary.to_json().into();
    let adds_bos = metadata.flag("tokenizer.ggml.add_bos_token")?.unwrap_or(adds_bos);
    tokenizer["post_processor"] = match bos {
        Some((id, token)) if adds_bos => beginning(id, token),
        _ => Value::Null,
    };
    let text = |token: Option<(u32, &str)>| token.map(|(_, token)| token.to_owned());
    let mut settings = json!({
        "tokenizer_class": "PreTrainedTokenizerFast",
        "add_bos_token": adds_bos && bos.is_some(),
        "add_eos_token": metadata.flag("tokenizer.ggml.add_eos_token")?.unwrap_or(false),
        "bos_token": text(bos),
        "eos_token": text(eos),
        "pad_token": text(pad),
        "unk_token": text(unknown),
        "clean_up_tokenization_spaces": false,
        "model_max_length": config.max_position_embeddings,
    });
    if let Some(template) = metadata.text("tokenizer.chat_template")? {
        settings["chat_template"] = template.into();
    }
    Ok(TokenizerFiles {
        tokenizer,
        config: settings,
        pad_token_id: pad.map(|(id, _)| id),
    })
}

fn vocabulary(file: &GgufFile, vocab_size: usize) -> Result<Vocabulary<'_>, Error> {
    let metadata = &file.metadata;
    let tokens = metadata
        .texts("tokenizer.ggml.tokens")?
        .ok_or_else(|| missing("tokenizer.ggml.tokens"))?;
    let kinds = metadata
        .integers("tokenizer.ggml.token_type")?
        .ok_or_else(|| missing("tokenizer.ggml.token_type"))?;
    if tokens.len() > vocab_size || kinds.len() != tokens.len() {
        return Err(Error::InvalidTokenizer(format!(
            "the GGUF file has {} tokens, {} types of tokens and {vocab_size} embeddings, which don't belong together",
            tokens.len(),
            kinds.len()
        )));
    }
    let mut ids = HashMap::new();
    for (id, token) in tokens.iter().enumerate() {
        if kinds[id] == kind::UNUSED {
            continue;
        }
        if token.len() > MAX_TOKEN_BYTES {
            return Err(Error::InvalidTokenizer(format!(
                "token {id} of the GGUF file is {} bytes long; at most {MAX_TOKEN_BYTES} can be read",
                token.len()
            )));
        }
        if let Some(first) = ids.insert(token.as_str(), id as u32) {
            return Err(Error::InvalidTokenizer(format!(
                "tokens {first} and {id} of the GGUF file are the same: `{token}`"
            )));
        }
    }
    Ok(Vocabulary { tokens, kinds, ids })
}

/// A byte-level model, and whether its texts begin with a mark unless the file says otherwise.
fn byte_level(file: &GgufFile, vocabulary: &Vocabulary<'_>) -> Result<(Value, bool), Error> {
    let metadata = &file.metadata;
    let bytes = |use_regex: bool| json!({"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": use_regex});
    let words = |pattern: &str| {
        let split =
            json!({"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": false});
        json!({"type": "Sequence", "pretokenizers": [split, bytes(false)]})
    };
    let name = metadata.text("tokenizer.ggml.pre")?;
    let (pre_tokenizer, normalizer, is_llama3) = match name {
        Some("smollm") => {
            let digits = json!({"type": "Digits", "individual_digits": true});
            let both = json!({"type": "Sequence", "pretokenizers": [digits, bytes(true)]});
            (both, Value::Null, false)
        }
        Some("llama-bpe" | "llama3" | "llama-v3") => (words(LLAMA3_WORDS), Value::Null, true),
        Some("qwen2") => (words(QWEN2_WORDS), json!({"type": "NFC"}), false),
        Some("gpt-2" | "default") => (bytes(true), Value::Null, false),
        other => {
            let what = other.map_or_else(
                || "`tokenizer.ggml.pre` is missing".to_owned(),
                |name| format!("`tokenizer.ggml.pre` is `{name}`"),
            );
            return Err(Error::InvalidTokenizer(format!(
                "how the GGUF file's tokenizer splits text isn't known ({what}; known are smollm, llama-bpe, qwen2 and gpt-2); use the model's Hugging Face folder"
            )));
        }
    };
    let merges: Vec<Value> = metadata
        .texts("tokenizer.ggml.merges")?
        .ok_or_else(|| missing("tokenizer.ggml.merges"))?
        .iter()
        .map(|merge| match merge.split_once(' ') {
            Some((left, right)) if [left, right].iter().all(|part| vocabulary.ids.contains_key(part)) => {
                Ok(json!([left, right]))
            }
            _ => Err(Error::InvalidTokenizer(format!(
                "the merge `{merge}` of the GGUF file doesn't fit its tokens"
            ))),
        })
        .collect::<Result<_, _>>()?;
    let model = json!({
        "type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": null,
        "end_of_word_suffix": null, "fuse_unk": false, "byte_fallback": false, "ignore_merges": is_llama3,
        "vocab": {}, "merges": merges
    });
    let tokenizer = json!({
        "normalizer": normalizer, "pre_tokenizer": pre_tokenizer, "decoder": bytes(true), "model": model
    });
    Ok((tokenizer, is_llama3))
}

/// What puts the token before each text.
fn beginning(id: u32, token: &str) -> Value {
    let mark = |part: u32| json!({"SpecialToken": {"id": token, "type_id": part}});
    let text = |name: &str, part: u32| json!({"Sequence": {"id": name, "type_id": part}});
    let mut tokens = Map::new();
    tokens.insert(
        token.to_owned(),
        json!({"id": token, "ids": [id], "tokens": [token]}),
    );
    json!({
        "type": "TemplateProcessing", "single": [mark(0), text("A", 0)],
        "pair": [mark(0), text("A", 0), mark(1), text("B", 1)], "special_tokens": tokens
    })
}
