//! What several tests need: tiny random models.

use crate::{config::ModelConfig, model::Model};

/// A random model of a family with two layers, whose weights are large enough that gradients are, too.
pub(crate) fn tiny_model(family: &str, seed: u64) -> Model {
    let tied = family == "qwen2";
    let text = format!(
        r#"{{"model_type": "{family}", "vocab_size": 48, "hidden_size": 16, "intermediate_size": 24,
            "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 6,
            "rms_norm_eps": 1e-5, "rope_theta": 100.0, "tie_word_embeddings": {tied}, "eos_token_id": 2}}"#
    );
    let mut model = Model::random(ModelConfig::parse(&text).unwrap(), seed).unwrap();
    for weight in &mut model.weights {
        if *weight != 1.0 {
            *weight *= 10.0;
        }
    }
    model
}
