use super::*;
use crate::{
    config::ModelConfig,
    gguf::{
        TensorType,
        testing::{Plain, TEMPLATE, Writer, config, model, tensors},
    },
    model::read_config,
};
use half::{bf16, f16};
use safetensors::{Dtype, SafeTensors};
use serde_json::{Value, json};
use std::io::Write as _;
use tokenizers::Tokenizer;
use zip::{ZipWriter, write::SimpleFileOptions};

mod folders;
mod tokenizers_of_gguf;

fn prepare(writer: &Writer) -> (tempfile::TempDir, Result<ModelFacts, Error>) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("some.gguf"), writer.bytes()).unwrap();
    let facts = prepare_model(folder.path());
    (folder, facts)
}

fn refusal(change: impl FnOnce(&mut Writer)) -> Error {
    let config = config("llama", "");
    let mut writer = model(&config, &tensors(&config, true), TensorType::F16);
    change(&mut writer);
    prepare(&writer).1.unwrap_err()
}

/// Names, types and numbers of a folder's weights, read by the safetensors crate.
fn weights(folder: &Path) -> Vec<(String, Dtype, Vec<f32>)> {
    let bytes = fs::read(folder.join("model.safetensors")).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    file.iter()
        .map(|(name, tensor)| {
            let values = match tensor.dtype() {
                Dtype::F32 => {
                    let numbers = tensor.data().as_chunks::<4>().0.iter();
                    numbers.map(|bytes| f32::from_le_bytes(*bytes)).collect()
                }
                dtype => {
                    let numbers = tensor.data().as_chunks::<2>().0.iter();
                    numbers
                        .map(|bytes| match dtype {
                            Dtype::F16 => f16::from_le_bytes(*bytes).to_f32(),
                            _ => bf16::from_le_bytes(*bytes).to_f32(),
                        })
                        .collect()
                }
            };
            (name.to_owned(), tensor.dtype(), values)
        })
        .collect()
}

fn find<'a>(tensors: &'a [Plain], name: &str) -> &'a Plain {
    tensors.iter().find(|tensor| tensor.name == name).unwrap()
}

#[test]
fn a_gguf_file_becomes_the_folder_that_it_was_made_from() {
    for (family, more) in [
        ("llama", ""),
        (
            "llama",
            r#""tie_word_embeddings": true, "attention_bias": true, "mlp_bias": true,"#,
        ),
        ("qwen2", r#""tie_word_embeddings": true,"#),
        ("qwen3", ""),
    ] {
        let config = config(family, more);
        let expected = tensors(&config, true);
        for (kind, dtype, precision) in [
            (TensorType::F32, Dtype::F32, "f32"),
            (TensorType::F16, Dtype::F16, "f16"),
            (TensorType::Bf16, Dtype::BF16, "bf16"),
        ] {
            let (folder, facts) = prepare(&model(&config, &expected, kind));
            let facts = facts.unwrap();
            assert_eq!(
                (facts.architecture.as_str(), facts.precision.as_str()),
                (family, precision)
            );
            assert_eq!(facts.licence.as_deref(), Some("mit"));
            assert_eq!(facts.context_length, 128);
            let count: usize = expected.iter().map(|tensor| tensor.values.len()).sum();
            assert_eq!(facts.parameters, count as u64);
            let on_disk: u64 = fs::read_dir(folder.path())
                .unwrap()
                .map(|entry| entry.unwrap().metadata().unwrap().len())
                .sum();
            assert_eq!(facts.bytes, on_disk, "only what is needed is left");
            assert_eq!(read_config(folder.path()).unwrap(), config);
            let found = weights(folder.path());
            assert_eq!(found.len(), expected.len());
            for (name, found_dtype, values) in found {
                let tensor = find(&expected, &name);
                assert_eq!(values, tensor.values, "{family} {name}");
                let kept = if tensor.shape.len() == 2 {
                    dtype
                } else {
                    Dtype::F32
                };
                assert_eq!(found_dtype, kept, "{name}");
            }
            assert_eq!(
                prepare_model(folder.path()).unwrap(),
                facts,
                "again, it changes nothing"
            );
        }
    }
}

#[test]
fn quantised_matrices_become_f16() {
    let config = config("llama", "");
    let expected = tensors(&config, false);
    let (folder, facts) = prepare(&model(&config, &expected, TensorType::Q8_0));
    assert_eq!(facts.unwrap().precision, "f16");
    for (name, dtype, values) in weights(folder.path()) {
        let tensor = find(&expected, &name);
        if tensor.shape.len() == 2 {
            assert_eq!(dtype, Dtype::F16);
            let close = |(a, b): (&f32, &f32)| (a - b).abs() < 0.5 / 127.0;
            assert!(values.iter().zip(&tensor.values).all(close), "{name}");
        } else {
            assert_eq!(values, tensor.values);
        }
    }
}

#[test]
fn matrices_that_are_not_all_alike_become_f16() {
    let config = config("llama", "");
    let expected = tensors(&config, true);
    let mut writer = model(&config, &expected, TensorType::Q8_0);
    for (name, plain, kind) in [
        ("output.weight", "lm_head.weight", TensorType::F32),
        ("token_embd.weight", "model.embed_tokens.weight", TensorType::Bf16),
    ] {
        let place = writer
            .tensors
            .iter()
            .position(|tensor| tensor.name == name)
            .unwrap();
        let shape = writer.tensors.remove(place).shape;
        writer.tensor(name, &shape, kind, &find(&expected, plain).values);
    }
    let (folder, facts) = prepare(&writer);
    assert_eq!(facts.unwrap().precision, "f16");
    for (name, dtype, values) in weights(folder.path()) {
        let tensor = find(&expected, &name);
        let kept = [Dtype::F32, Dtype::F16][tensor.shape.len() - 1];
        assert_eq!(dtype, kept, "{name}");
        if name == "lm_head.weight" {
            assert!(
                values
                    .iter()
                    .zip(&tensor.values)
                    .all(|(a, b)| (a - b).abs() < 1e-3)
            );
        }
    }
}

#[test]
fn what_an_interrupted_conversion_left_is_written_anew() {
    let config = config("llama", "");
    let writer = model(&config, &tensors(&config, true), TensorType::F16);
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("some.gguf"), writer.bytes()).unwrap();
    fs::write(folder.path().join("model.safetensors"), [0; 100]).unwrap();
    fs::write(folder.path().join("tokenizer.json"), "{").unwrap();
    prepare_model(folder.path()).unwrap();
    assert!(!folder.path().join("some.gguf").exists());
}

#[test]
fn a_gguf_file_that_does_not_fit_itself_is_refused_with_the_reason() {
    assert_eq!(
        refusal(|writer| writer.text("general.architecture", "mamba")).code(),
        "unknown_architecture"
    );
    for (what, change) in [
        (
            "lacks the tensor `blk.1.ffn_up.weight`",
            (|writer| {
                writer
                    .tensors
                    .retain(|tensor| tensor.name != "blk.1.ffn_up.weight");
            }) as fn(&mut Writer),
        ),
        ("no use for", |writer| {
            writer.tensor("blk.0.attn_sinks.weight", &[4], TensorType::F32, &[0.0; 4]);
        }),
        ("layers are asked for", |writer| {
            writer.number("llama.block_count", 1_000);
        }),
        ("num_hidden_layers", |writer| {
            writer.number("llama.block_count", 1 << 29);
        }),
        ("no sensible size", |writer| {
            writer.number("llama.embedding_length", 0);
        }),
        ("lacks `llama.context_length`", |writer| {
            writer.remove("llama.context_length");
        }),
        ("can't be used", |writer| {
            writer.text("llama.context_length", "long");
        }),
        ("experts", |writer| writer.number("llama.expert_count", 8)),
        ("sliding", |writer| {
            writer.number("llama.attention.sliding_window", 64);
        }),
        ("several GGUF files", |writer| writer.number("split.count", 2)),
        ("width of its heads", |writer| {
            writer.number("llama.rope.dimension_count", 4);
        }),
        ("beyond its vocabulary", |writer| {
            writer.number("tokenizer.ggml.eos_token_id", 48);
        }),
        ("aren't finite", |writer| {
            let last = writer.tensors.last_mut().unwrap();
            last.bytes.truncate(0);
            last.bytes.resize(48 * 32 * 2, 0x7E);
        }),
        ("rotary embeddings of type `longrope`", |writer| {
            writer.text("llama.rope.scaling.type", "longrope");
        }),
    ] {
        let error = refusal(change);
        assert!(error.to_string().contains(what), "{what}: {error}");
    }
    let error = refusal(|writer| writer.number("llama.feed_forward_length", 65));
    assert_eq!(error.code(), "weight_shape_mismatch");
}

#[test]
fn stretched_rotary_frequencies_come_over() {
    let scaling = |change: fn(&mut Writer)| -> Value {
        let config = config("llama", "");
        let mut writer = model(&config, &tensors(&config, true), TensorType::F16);
        change(&mut writer);
        let (folder, facts) = prepare(&writer);
        facts.unwrap();
        let text = fs::read_to_string(folder.path().join("config.json")).unwrap();
        serde_json::from_str::<Value>(&text).unwrap()["rope_scaling"].take()
    };
    assert_eq!(
        scaling(|writer| writer.tensor("rope_freqs.weight", &[4], TensorType::F32, &[1.0; 4])),
        Value::Null
    );
    // Base 500,000 and 8 dimensions: two frequencies are high, one lies between, one is low.
    let llama3 = scaling(|writer| {
        writer.float("llama.rope.freq_base", 500_000.0);
        let between = {
            let turns = 8192.0 * 500_000.0_f64.powf(-0.5) / (2.0 * std::f64::consts::PI);
            let smooth = (turns - 1.0) / 3.0;
            (1.0 / ((1.0 - smooth) / 32.0 + smooth)) as f32
        };
        writer.tensor(
            "rope_freqs.weight",
            &[4],
            TensorType::F32,
            &[1.0, 1.0, between, 32.0],
        );
    });
    assert_eq!(llama3["rope_type"], "llama3");
    assert_eq!(llama3["factor"], 32.0);
    assert_eq!(llama3["original_max_position_embeddings"], 8192);
    let linear = scaling(|writer| {
        writer.text("llama.rope.scaling.type", "linear");
        writer.float("llama.rope.scaling.factor", 4.0);
    });
    assert_eq!(linear, json!({"rope_type": "linear", "factor": 4.0}));
    let yarn = scaling(|writer| {
        writer.text("llama.rope.scaling.type", "yarn");
        writer.float("llama.rope.scaling.factor", 4.0);
        writer.number("llama.rope.scaling.original_context_length", 32);
    });
    assert_eq!(
        (&yarn["rope_type"], &yarn["factor"]),
        (&json!("yarn"), &json!(4.0))
    );
    let error = refusal(|writer| {
        writer.tensor("rope_freqs.weight", &[4], TensorType::F32, &[1.0, 2.0, 3.0, 4.0]);
    });
    assert!(error.to_string().contains("rope_freqs.weight"), "{error}");
}
