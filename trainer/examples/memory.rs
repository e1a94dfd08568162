//! Measures the peak memory of real training processes beside what `trainer::estimate` told before, and fails where one is
//! off by more than 15 %.
//!
//!     cargo run --release -p trainer --example memory

use anyhow::{Context, Result, ensure};
use mimalloc::MiMalloc;
use serde_json::{Value, json};
use std::{fs, path::Path, process::Command};
use trainer::{
    Model, Precision,
    bench::peak_memory,
    config::ModelConfig,
    run::{Commands, RunOptions, run},
};

/// The program's own: what it keeps counts.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// The most that an estimate may be off.
const TOLERANCE: f64 = 0.15;

struct Case {
    model: &'static str,
    precision: Precision,
    batch: u64,
    words: usize,
    dropout: f64,
    checkpointing: &'static str,
}

const fn case(
    model: &'static str,
    precision: Precision,
    batch: u64,
    words: usize,
    dropout: f64,
    checkpointing: &'static str,
) -> Case {
    Case {
        model,
        precision,
        batch,
        words,
        dropout,
        checkpointing,
    }
}

const CASES: [Case; 10] = [
    case("135M", Precision::Bf16, 2, 60, 0.0, "off"),
    case("135M", Precision::Bf16, 2, 60, 0.0, "on"),
    case("135M", Precision::Bf16, 8, 250, 0.0, "off"),
    case("135M", Precision::Bf16, 8, 250, 0.0, "on"),
    case("135M", Precision::Bf16, 8, 250, 0.05, "off"),
    case("135M", Precision::Bf16, 8, 250, 0.05, "on"),
    case("135M", Precision::F32, 2, 250, 0.05, "off"),
    case("135M", Precision::F32, 4, 250, 0.0, "on"),
    case("6 layers", Precision::F32, 8, 250, 0.05, "off"),
    case("6 layers", Precision::Bf16, 16, 250, 0.0, "on"),
];

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [run_dir] = arguments.as_slice() {
        // The sender stays alive: a run whose commands have gone pauses.
        let (_sender, commands) = Commands::channel();
        let code = run(
            Path::new(run_dir),
            RunOptions::default(),
            commands,
            Box::new(std::io::sink()),
        );
        ensure!(code == 0, "the run ended with code {code}");
        println!(
            "{}",
            peak_memory().context("this system tells no peak of memory")?
        );
        return Ok(());
    }
    println!("model     weights  batch  tokens  dropout  checkpointing  estimated MB  measured MB  off by");
    let mut worst: f64 = 0.0;
    for case in &CASES {
        let dir = tempfile::tempdir()?;
        write(dir.path(), case)?;
        let spec = serde_json::from_slice(&fs::read(dir.path().join("spec.json"))?)?;
        let told = trainer::estimate(&spec, dir.path())?;
        let estimated = match case.checkpointing {
            "on" => told.memory_bytes_with_gradient_checkpointing,
            _ => told.memory_bytes,
        } as f64;
        let output = Command::new(std::env::current_exe()?).arg(dir.path()).output()?;
        let text = String::from_utf8(output.stdout)?;
        let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
        let measured: f64 = text.trim().parse().with_context(|| complaint)?;
        let off = estimated / measured - 1.0;
        worst = worst.max(off.abs());
        println!(
            "{:8}  {:8} {:5}  {:6}  {:7}  {:13}  {:12.0}  {:11.0}  {:+.1} %",
            case.model,
            case.precision.as_str(),
            case.batch,
            told.longest_tokens,
            case.dropout,
            case.checkpointing,
            estimated / 1e6,
            measured / 1e6,
            100.0 * off
        );
    }
    ensure!(worst <= TOLERANCE, "an estimate is off by {:.0} %", 100.0 * worst);
    Ok(())
}

/// A run directory of two steps and a validation.
fn write(dir: &Path, case: &Case) -> Result<()> {
    let (model, data) = (dir.join("model"), dir.join("data"));
    fs::create_dir_all(&model)?;
    fs::create_dir_all(&data)?;
    let config = config(case.model);
    let words = config["vocab_size"].as_u64().unwrap_or(0);
    Model::random(ModelConfig::parse(&config.to_string())?, 0)?.save(&model, case.precision)?;
    let vocabulary: serde_json::Map<String, Value> =
        (0..words).map(|word| (format!("w{word}"), json!(word))).collect();
    let tokenizer = json!({
        "version": "1.0", "truncation": null, "padding": null, "added_tokens": [], "normalizer": null,
        "pre_tokenizer": {"type": "WhitespaceSplit"}, "post_processor": null, "decoder": null,
        "model": {"type": "WordLevel", "vocab": vocabulary, "unk_token": "w0"}
    });
    fs::write(model.join("tokenizer.json"), tokenizer.to_string())?;
    let template = "{% for message in messages %}{{ ' ' + message.content + ' w3' }}{% endfor %}";
    let settings = json!({ "chat_template": template });
    fs::write(model.join("tokenizer_config.json"), settings.to_string())?;
    let line = |number: u64| {
        let text: Vec<String> = (0..case.words as u64)
            .map(|place| format!("w{}", 4 + (place * 131 + number * 977) % (words - 4)))
            .collect();
        let (question, answer) = text.split_at(case.words / 4);
        let messages = json!([
            {"role": "user", "content": question.join(" ")},
            {"role": "assistant", "content": answer.join(" ")},
        ]);
        json!({ "messages": messages }).to_string() + "\n"
    };
    let lines = |range: std::ops::Range<u64>| range.map(line).collect::<String>();
    fs::write(data.join("training.jsonl"), lines(0..2 * case.batch))?;
    fs::write(data.join("validation.jsonl"), lines(0..4))?;
    let spec = json!({
        "version": 1, "base_model": "random", "model_path": "model", "training_file": "data/training.jsonl",
        "validation_file": "data/validation.jsonl",
        "lora": {"rank": 16, "alpha": 32.0, "dropout": case.dropout,
                 "targets": ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]},
        "epochs": 1, "evaluation_epochs": 1, "warmup": {"ratio": 0.0}, "learning_rate": 1e-4,
        "schedule": "constant", "batch_size": case.batch, "max_sequence_length": 1024, "seed": 0,
        "checkpoints": {"every_steps": 1, "keep_last": 1},
        "gradient_checkpointing": case.checkpointing
    });
    fs::write(dir.join("spec.json"), spec.to_string())?;
    Ok(())
}

/// Like SmolLM2-135M, or the model of the example `bench`.
fn config(model: &str) -> Value {
    let (vocabulary, hidden, inner, layers, heads, key_heads) = match model {
        "135M" => (49_152, 576, 1536, 30, 9, 3),
        _ => (4096, 256, 704, 6, 8, 8),
    };
    json!({
        "model_type": "llama", "vocab_size": vocabulary, "hidden_size": hidden, "intermediate_size": inner,
        "num_hidden_layers": layers, "num_attention_heads": heads, "num_key_value_heads": key_heads,
        "rms_norm_eps": 1e-5, "tie_word_embeddings": true, "eos_token_id": 3
    })
}
