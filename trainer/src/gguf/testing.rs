//! GGUF files for tests, put together in memory: a writer, and tiny models with a byte-level tokenizer.

use super::{names::gguf_name, tensor_type::TensorType};
use crate::{config::ModelConfig, model::Layout};
use half::{bf16, f16};

pub(crate) const TEMPLATE: &str = "{% for message in messages %}{{ ('<|bot|>' if message.role == 'assistant' else \
    '<|user|>') + message.content + '<|end|>' }}{% endfor %}{% if add_generation_prompt %}<|bot|>{% endif %}";

/// A tensor as Hugging Face has it.
#[derive(Debug, Clone)]
pub(crate) struct Plain {
    pub(crate) name: String,
    pub(crate) shape: Vec<usize>,
    pub(crate) values: Vec<f32>,
}

/// What a file is going to hold.
#[derive(Debug, Clone)]
pub(crate) struct Writer {
    pub(crate) version: u32,
    /// Keys, and types with values as they are written.
    pub(crate) entries: Vec<(String, Vec<u8>)>,
    pub(crate) tensors: Vec<Written>,
}

/// A tensor as the file has it.
#[derive(Debug, Clone)]
pub(crate) struct Written {
    pub(crate) name: String,
    /// Outermost dimension first.
    pub(crate) shape: Vec<usize>,
    pub(crate) kind: u32,
    pub(crate) bytes: Vec<u8>,
    /// Said instead of the true place.
    pub(crate) offset: Option<u64>,
}

impl Writer {
    pub(crate) fn set(&mut self, key: &str, kind: u32, value: &[u8]) {
        self.entries.retain(|(name, _)| name != key);
        let mut bytes = kind.to_le_bytes().to_vec();
        bytes.extend(value);
        self.entries.push((key.to_owned(), bytes));
    }

    pub(crate) fn remove(&mut self, key: &str) {
        self.entries.retain(|(name, _)| name != key);
    }

    pub(crate) fn number(&mut self, key: &str, value: usize) {
        self.set(key, 4, &(value as u32).to_le_bytes());
    }

    pub(crate) fn float(&mut self, key: &str, value: f32) {
        self.set(key, 6, &value.to_le_bytes());
    }

    pub(crate) fn flag(&mut self, key: &str, value: bool) {
        self.set(key, 7, &[value.into()]);
    }

    pub(crate) fn text(&mut self, key: &str, value: &str) {
        self.set(key, 8, &text(value));
    }

    pub(crate) fn texts(&mut self, key: &str, values: &[&str]) {
        self.array(key, 8, values.len(), values.iter().flat_map(|value| text(value)));
    }

    pub(crate) fn integers(&mut self, key: &str, values: &[i32]) {
        let bytes = values.iter().flat_map(|value| value.to_le_bytes());
        self.array(key, 5, values.len(), bytes);
    }

    pub(crate) fn floats(&mut self, key: &str, values: &[f32]) {
        let bytes = values.iter().flat_map(|value| value.to_le_bytes());
        self.array(key, 6, values.len(), bytes);
    }

    fn array(&mut self, key: &str, kind: u32, count: usize, values: impl Iterator<Item = u8>) {
        let mut bytes = kind.to_le_bytes().to_vec();
        bytes.extend((count as u64).to_le_bytes());
        bytes.extend(values);
        self.set(key, 9, &bytes);
    }

    pub(crate) fn tensor(&mut self, name: &str, shape: &[usize], kind: TensorType, values: &[f32]) {
        self.tensors.push(Written {
            name: name.to_owned(),
            shape: shape.to_vec(),
            kind: kind.id(),
            bytes: encode(kind, values),
            offset: None,
        });
    }

    /// The file.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut out = b"GGUF".to_vec();
        out.extend(self.version.to_le_bytes());
        out.extend((self.tensors.len() as u64).to_le_bytes());
        out.extend((self.entries.len() as u64).to_le_bytes());
        for (key, value) in &self.entries {
            out.extend(text(key));
            out.extend(value);
        }
        let mut data = Vec::new();
        for tensor in &self.tensors {
            data.resize(data.len().next_multiple_of(32), 0);
            out.extend(text(&tensor.name));
            out.extend((tensor.shape.len() as u32).to_le_bytes());
            for side in tensor.shape.iter().rev() {
                out.extend((*side as u64).to_le_bytes());
            }
            out.extend(tensor.kind.to_le_bytes());
            out.extend(tensor.offset.unwrap_or(data.len() as u64).to_le_bytes());
            data.extend(&tensor.bytes);
        }
        out.resize(out.len().next_multiple_of(32), 0);
        out.extend(data);
        out
    }
}

fn text(value: &str) -> Vec<u8> {
    let mut bytes = (value.len() as u64).to_le_bytes().to_vec();
    bytes.extend(value.as_bytes());
    bytes
}

fn encode(kind: TensorType, values: &[f32]) -> Vec<u8> {
    match kind {
        TensorType::F32 => values.iter().flat_map(|value| value.to_le_bytes()).collect(),
        TensorType::F16 => values
            .iter()
            .flat_map(|value| f16::from_f32(*value).to_le_bytes())
            .collect(),
        TensorType::Bf16 => values
            .iter()
            .flat_map(|value| bf16::from_f32(*value).to_le_bytes())
            .collect(),
        TensorType::Q8_0 => values
            .chunks(32)
            .flat_map(|block| {
                let most = block.iter().fold(0.0_f32, |most, value| most.max(value.abs()));
                let scale = f16::from_f32(most / 127.0);
                let numbers = block
                    .iter()
                    .map(move |value| (value / scale.to_f32()).round() as i8 as u8);
                scale.to_le_bytes().into_iter().chain(numbers)
            })
            .collect(),
        other => panic!("{} isn't written in tests", other.name()),
    }
}

/// The configuration of a tiny model; `more` is put between its fields.
pub(crate) fn config(family: &str, more: &str) -> ModelConfig {
    ModelConfig::parse(&format!(
        r#"{{"model_type": "{family}", "vocab_size": 48, "hidden_size": 32, "intermediate_size": 64,
            "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 8, {more}
            "max_position_embeddings": 128, "rms_norm_eps": 1e-5, "rope_theta": 500.0, "bos_token_id": 0,
            "eos_token_id": 3}}"#
    ))
    .unwrap()
}

/// All tensors of a configuration, their numbers all different and exact in 16 bits of either kind where `short`.
pub(crate) fn tensors(config: &ModelConfig, short: bool) -> Vec<Plain> {
    let mut state = 1_u64;
    let mut next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let value = (state >> 40) as f32 / (1 << 24) as f32 - 0.5;
        if short {
            bf16::from_f32(value).to_f32()
        } else {
            value
        }
    };
    Layout::new(config)
        .tensors(config)
        .into_iter()
        .map(|tensor| Plain {
            values: tensor.range.clone().map(|_| next()).collect(),
            name: tensor.name,
            shape: tensor.shape,
        })
        .collect()
}

/// A model's file as llama.cpp's converter writes it: matrices of this type, everything else as f32.
pub(crate) fn model(config: &ModelConfig, tensors: &[Plain], matrices: TensorType) -> Writer {
    let family = config.family.as_str();
    let mut writer = Writer {
        version: 3,
        entries: Vec::new(),
        tensors: Vec::new(),
    };
    writer.text("general.architecture", family);
    writer.text("general.license", "mit");
    for (key, value) in [
        ("block_count", config.num_hidden_layers),
        ("context_length", config.max_position_embeddings),
        ("embedding_length", config.hidden_size),
        ("feed_forward_length", config.intermediate_size),
        ("attention.head_count", config.num_attention_heads),
        ("attention.head_count_kv", config.num_key_value_heads),
        ("attention.key_length", config.head_dim),
        ("attention.value_length", config.head_dim),
    ] {
        writer.number(&format!("{family}.{key}"), value);
    }
    writer.float(
        &format!("{family}.attention.layer_norm_rms_epsilon"),
        config.rms_norm_eps,
    );
    writer.float(&format!("{family}.rope.freq_base"), config.rope_theta as f32);
    byte_level(&mut writer);
    for tensor in tensors {
        let name = gguf_name(&tensor.name).unwrap();
        let is_query_or_key = name.contains("attn_q.") || name.contains("attn_k.");
        let values = if family == "llama" && is_query_or_key {
            interleave(tensor, config.head_dim)
        } else {
            tensor.values.clone()
        };
        let kind = if tensor.shape.len() == 2 {
            matrices
        } else {
            TensorType::F32
        };
        writer.tensor(&name, &tensor.shape, kind, &values);
    }
    writer
}

/// llama.cpp's order of the rows of q and k: those of the two halves of a head in turn.
fn interleave(tensor: &Plain, head_dim: usize) -> Vec<f32> {
    let rows: Vec<&[f32]> = tensor
        .values
        .chunks(tensor.values.len() / tensor.shape[0])
        .collect();
    rows.chunks(head_dim)
        .flat_map(|head| (0..head_dim / 2).flat_map(|pair| [head[pair], head[pair + head_dim / 2]]))
        .flatten()
        .copied()
        .collect()
}

/// A tokenizer with 4 marks, letters, digits, and the word `Hello`.
fn byte_level(writer: &mut Writer) {
    let mut tokens: Vec<String> = [
        "<s>", "<|user|>", "<|bot|>", "<|end|>", "Ġ", "Ċ", "H", "He", "ll", "Hell", "Hello",
    ]
    .map(str::to_owned)
    .to_vec();
    tokens.extend(('a'..='z').chain('0'..='9').map(|letter| letter.to_string()));
    tokens.push("[PAD47]".to_owned());
    let mut kinds = vec![1; tokens.len()];
    kinds[..4].fill(3);
    kinds[47] = 5;
    let tokens: Vec<&str> = tokens.iter().map(String::as_str).collect();
    writer.text("tokenizer.ggml.model", "gpt2");
    writer.text("tokenizer.ggml.pre", "smollm");
    writer.texts("tokenizer.ggml.tokens", &tokens);
    writer.integers("tokenizer.ggml.token_type", &kinds);
    writer.texts("tokenizer.ggml.merges", &["H e", "l l", "He ll", "Hell o"]);
    writer.number("tokenizer.ggml.bos_token_id", 0);
    writer.number("tokenizer.ggml.eos_token_id", 3);
    writer.text("tokenizer.chat_template", TEMPLATE);
}
