//! What several tests need: tiny random models, their folders, and run directories.

use crate::{Precision, config::ModelConfig, model::Model};
use serde_json::{Value, json};
use std::{fs, path::Path};

const WORDS: [&str; 14] = [
    "<s>", "<|user|>", "<|bot|>", "<|end|>", "\n", " ", "red", "green", "blue", "one", "two", "three", "say",
    "count",
];

/// A random model of a family with two layers, whose weights are large enough that gradients are, too.
pub(crate) fn tiny_model(family: &str, seed: u64) -> Model {
    let tied = family == "qwen2";
    let text = format!(
        r#"{{"model_type": "{family}", "vocab_size": 48, "hidden_size": 16, "intermediate_size": 24,
            "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 6,
            "rms_norm_eps": 1e-5, "rope_theta": 100.0, "tie_word_embeddings": {tied}, "eos_token_id": 3}}"#
    );
    let mut model = Model::random(ModelConfig::parse(&text).unwrap(), seed).unwrap();
    for weight in &mut model.weights.full {
        if *weight != 1.0 {
            *weight *= 10.0;
        }
    }
    model
}

/// Writes a model's folder with a word-level tokenizer and a chat template.
pub(crate) fn write_model(folder: &Path) {
    tiny_model("llama", 7).save(folder, Precision::F32).unwrap();
    let vocab: serde_json::Map<String, Value> = WORDS
        .iter()
        .enumerate()
        .map(|(id, word)| ((*word).to_owned(), json!(id)))
        .collect();
    let marks: Vec<Value> = (0..4)
        .map(|id| {
            json!({"id": id, "content": WORDS[id], "special": true, "single_word": false, "lstrip": false,
                   "rstrip": false, "normalized": false})
        })
        .collect();
    let tokenizer = json!({
        "version": "1.0", "truncation": null, "padding": null, "added_tokens": marks, "normalizer": null,
        "pre_tokenizer": {"type": "Split", "pattern": {"Regex": "\\s"}, "behavior": "Isolated", "invert": false},
        "post_processor": null, "decoder": null,
        "model": {"type": "WordLevel", "vocab": vocab, "unk_token": " "}
    });
    let template = "{% for message in messages %}{{ ('<|bot|>' if message.role == 'assistant' else '<|user|>') \
                    + message.content + '<|end|>' }}{% endfor %}{% if add_generation_prompt %}<|bot|>{% endif %}";
    fs::write(folder.join("tokenizer.json"), tokenizer.to_string()).unwrap();
    fs::write(
        folder.join("tokenizer_config.json"),
        json!({"chat_template": template}).to_string(),
    )
    .unwrap();
}

/// Chats in which a colour is answered by a number.
pub(crate) fn lines(count: usize) -> String {
    (0..count)
        .map(|index| {
            let (colour, number) = (WORDS[6 + index % 3], WORDS[9 + index % 3]);
            let verb = WORDS[12 + index / 3 % 2];
            let messages = json!([
                {"role": "user", "content": format!("{verb} {colour}")},
                {"role": "assistant", "content": format!("{number} {number}")},
            ]);
            json!({ "messages": messages }).to_string() + "\n"
        })
        .collect()
}

/// Pairs of answers: to a colour, one number is better than another.
pub(crate) fn pair_lines(count: usize) -> String {
    (0..count)
        .map(|index| {
            let colour = WORDS[6 + index % 3];
            let verb = WORDS[12 + index / 3 % 2];
            let answer = |number: usize| {
                let word = WORDS[9 + (index + number) % 3];
                json!([{"role": "assistant", "content": format!("{word} {word}")}])
            };
            let question = json!({"role": "user", "content": format!("{verb} {colour}")});
            let pair = json!({
                "input": {"messages": [question]},
                "preferred_output": answer(0),
                "non_preferred_output": answer(1 + index / 6 % 2),
            });
            pair.to_string() + "\n"
        })
        .collect()
}

/// The same short run over pairs.
pub(crate) fn preference_spec() -> Value {
    let mut spec = spec();
    spec["method"] = json!({"dpo": {"beta": 0.5}});
    spec
}

/// The settings of a short run: 2 epochs of 6 steps.
pub(crate) fn spec() -> Value {
    json!({
        "version": 1, "base_model": "tiny", "model_path": "model", "training_file": "data/train.jsonl",
        "validation_file": "data/valid.jsonl",
        "lora": {"rank": 2, "alpha": 4.0, "dropout": 0.1, "targets": ["q_proj", "v_proj", "down_proj"]},
        "epochs": 2, "evaluation_epochs": 2, "warmup": {"ratio": 0.1}, "learning_rate": 0.02, "schedule": "cosine",
        "batch_size": 2, "gradient_accumulation": 2, "max_sequence_length": 32, "seed": 5,
        "checkpoints": {"every_steps": 2, "keep_last": 2}, "threads": 1
    })
}

/// A run directory that is ready to train, with the model inside.
pub(crate) fn run_dir(spec: &Value) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("model")).unwrap();
    fs::create_dir_all(folder.path().join("data")).unwrap();
    write_model(&folder.path().join("model"));
    let lines = if spec["method"].is_object() {
        pair_lines
    } else {
        lines
    };
    fs::write(folder.path().join("data/train.jsonl"), lines(11)).unwrap();
    fs::write(folder.path().join("data/valid.jsonl"), lines(4)).unwrap();
    fs::write(folder.path().join("spec.json"), spec.to_string()).unwrap();
    folder
}
