//! A base model so small that hundreds of steps take a second or two: random weights, the bundled model's tokenizer.

use crate::random::Random;
use serde_json::{Map, Value, json};
use std::{fs, path::Path};

/// What the model is called: its folder's name.
pub(super) const NAME: &str = "torture-tiny";

const VOCABULARY: usize = 1024;
const HIDDEN: usize = 64;
const INNER: usize = 160;
const LAYERS: usize = 2;

/// Writes the model's folder below `models`; the same bytes each time.
pub(super) fn write(models: &Path) {
    let folder = models.join(NAME);
    fs::create_dir_all(&folder).expect("a folder");
    let bundled = Path::new(env!("CARGO_MANIFEST_DIR")).join("../engine/assets/attune-tiny");
    for name in ["tokenizer.json", "tokenizer_config.json"] {
        fs::copy(bundled.join(name), folder.join(name)).expect("the bundled model's tokenizer");
    }
    let config = fs::read_to_string(bundled.join("config.json")).expect("the bundled model's configuration");
    let mut config: Map<String, Value> = serde_json::from_str(&config).expect("JSON");
    for (name, value) in [
        ("hidden_size", HIDDEN),
        ("intermediate_size", INNER),
        ("num_hidden_layers", LAYERS),
        ("num_attention_heads", 2),
        ("num_key_value_heads", 2),
        ("vocab_size", VOCABULARY),
    ] {
        config.insert(name.to_owned(), json!(value));
    }
    fs::write(folder.join("config.json"), json!(config).to_string()).expect("a file");
    fs::write(folder.join("model.safetensors"), weights()).expect("a file");
}

/// The tensors by name and shape, in the order in which they lie in the file.
fn tensors() -> Vec<(String, Vec<usize>)> {
    let mut tensors = vec![("model.embed_tokens.weight".to_owned(), vec![VOCABULARY, HIDDEN])];
    for layer in 0..LAYERS {
        for (name, shape) in [
            ("input_layernorm", vec![HIDDEN]),
            ("self_attn.q_proj", vec![HIDDEN, HIDDEN]),
            ("self_attn.k_proj", vec![HIDDEN, HIDDEN]),
            ("self_attn.v_proj", vec![HIDDEN, HIDDEN]),
            ("self_attn.o_proj", vec![HIDDEN, HIDDEN]),
            ("post_attention_layernorm", vec![HIDDEN]),
            ("mlp.gate_proj", vec![INNER, HIDDEN]),
            ("mlp.up_proj", vec![INNER, HIDDEN]),
            ("mlp.down_proj", vec![HIDDEN, INNER]),
        ] {
            tensors.push((format!("model.layers.{layer}.{name}.weight"), shape));
        }
    }
    tensors.push(("model.norm.weight".to_owned(), vec![HIDDEN]));
    tensors
}

/// A safetensors file: the header's length, the header, the values.
fn weights() -> Vec<u8> {
    let mut random = Random::seeded(1);
    let (mut header, mut values) = (Map::new(), Vec::new());
    for (name, shape) in tensors() {
        let from = values.len();
        for _ in 0..shape.iter().product() {
            // Norms scale by one; everything else is spread evenly within ±0.1.
            let value = if shape.len() == 1 {
                1.0
            } else {
                (random.below(2_001) as f32 - 1_000.0) / 10_000.0
            };
            values.extend(value.to_le_bytes());
        }
        let entry = json!({"dtype": "F32", "shape": shape, "data_offsets": [from, values.len()]});
        header.insert(name, entry);
    }
    let header = Value::Object(header).to_string();
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend(header.as_bytes());
    file.extend(values);
    file
}
