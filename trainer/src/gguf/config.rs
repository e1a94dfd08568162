//! `config.json` from what a GGUF file says about its model.

use super::{GgufFile, rope, value::missing};
use crate::{
    Error,
    config::{Family, ModelConfig},
};

/// Everything that decides the forward pass.
pub(super) fn read(file: &GgufFile) -> Result<ModelConfig, Error> {
    let metadata = &file.metadata;
    let prefix = metadata
        .text("general.architecture")?
        .ok_or_else(|| missing("general.architecture"))?;
    let family = match prefix {
        "llama" => Family::Llama,
        "qwen2" => Family::Qwen2,
        "qwen3" => Family::Qwen3,
        other => return Err(Error::UnknownArchitecture(other.to_owned())),
    };
    refuse_what_differs(file, prefix)?;
    let size = |name: &str| -> Result<usize, Error> {
        let name = format!("{prefix}.{name}");
        checked(&name, metadata.needed(&name)?)
    };
    let optional_size = |name: &str| -> Result<Option<usize>, Error> {
        let name = format!("{prefix}.{name}");
        metadata
            .integer(&name)?
            .map(|value| checked(&name, value))
            .transpose()
    };
    let hidden_size = size("embedding_length")?;
    let num_attention_heads = size("attention.head_count")?;
    let head_dim = match optional_size("attention.key_length")? {
        Some(size) => size,
        None => hidden_size / num_attention_heads,
    };
    for name in ["attention.value_length", "rope.dimension_count"] {
        if optional_size(name)?.is_some_and(|size| size != head_dim) {
            return Err(Error::InvalidModel(format!(
                "a model whose `{prefix}.{name}` isn't the width of its heads ({head_dim}) can't be trained here"
            )));
        }
    }
    let max_position_embeddings = size("context_length")?;
    let rope_theta = metadata
        .float(&format!("{prefix}.rope.freq_base"))?
        .unwrap_or(10_000.0);
    let has = |name: &str| file.tensors.contains_key(name);
    let embedding = file.tensors.get("token_embd.weight").ok_or_else(|| {
        Error::InvalidModel("the GGUF file lacks the tensor `token_embd.weight`".to_owned())
    })?;
    let vocab_size = embedding.shape[0];
    let mut config = ModelConfig {
        family,
        vocab_size,
        hidden_size,
        intermediate_size: size("feed_forward_length")?,
        num_hidden_layers: size("block_count")?,
        num_attention_heads,
        num_key_value_heads: optional_size("attention.head_count_kv")?.unwrap_or(num_attention_heads),
        head_dim,
        max_position_embeddings,
        rms_norm_eps: metadata
            .float(&format!("{prefix}.attention.layer_norm_rms_epsilon"))?
            .ok_or_else(|| missing(&format!("{prefix}.attention.layer_norm_rms_epsilon")))?
            as f32,
        rope_theta,
        rope_scaling: crate::rope::RopeScaling::Default,
        tie_word_embeddings: !has("output.weight"),
        qkv_bias: has("blk.0.attn_q.bias"),
        output_bias: has("blk.0.attn_output.bias"),
        mlp_bias: has("blk.0.ffn_down.bias"),
        bos_token_id: token(file, "bos", vocab_size)?,
        eos_token_ids: Vec::new(),
    };
    config.check()?;
    config.rope_scaling = rope::scaling(file, prefix, rope_theta, head_dim, max_position_embeddings)?;
    for name in ["eos", "eot", "eom"] {
        if let Some(id) = token(file, name, vocab_size)?
            && !config.eos_token_ids.contains(&id)
        {
            config.eos_token_ids.push(id);
        }
    }
    Ok(config)
}

fn checked(name: &str, value: u64) -> Result<usize, Error> {
    match value {
        1..=0x4000_0000 => Ok(value as usize),
        _ => Err(Error::InvalidModel(format!(
            "`{name}` in the GGUF file is no sensible size: {value}"
        ))),
    }
}

/// One of the tokens that have a part to play, by its short name.
pub(super) fn token(file: &GgufFile, name: &str, vocab_size: usize) -> Result<Option<u32>, Error> {
    let name = format!("tokenizer.ggml.{name}_token_id");
    let id = file.metadata.token(&name)?;
    // Old files say 2³² − 1 for none.
    match id.filter(|id| *id != u32::MAX) {
        Some(id) if id as usize >= vocab_size => Err(Error::InvalidModel(format!(
            "`{name}` ({id}) in the GGUF file is beyond its vocabulary of {vocab_size}"
        ))),
        id => Ok(id),
    }
}

fn refuse_what_differs(file: &GgufFile, prefix: &str) -> Result<(), Error> {
    let refuse = |what: &str| Err(Error::InvalidModel(format!("{what} can't be trained here")));
    let metadata = &file.metadata;
    if metadata.integer("split.count")?.is_some_and(|count| count > 1) {
        return Err(Error::InvalidModel(
            "the model is split over several GGUF files; put them together with `llama-gguf-split --merge`"
                .to_owned(),
        ));
    }
    if metadata
        .integer(&format!("{prefix}.expert_count"))?
        .is_some_and(|count| count > 0)
    {
        return refuse("a mixture of experts");
    }
    if metadata.contains(&format!("{prefix}.attention.sliding_window")) {
        return refuse("a model with sliding-window attention");
    }
    Ok(())
}
