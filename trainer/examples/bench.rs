//! Measures LoRA training on one model: the counterpart of `reference/bench_peft.py`, on the same model, adapter, tokens
//! and threads. `cargo xtask bench lora` runs both in turn.
//!
//!     bench --write small|135m --model DIR        makes a model of random weights, stored as bf16
//!     bench --model DIR --adapter DIR [--threads 2] [--steps 8] [--batch 8] [--length 256] [--dropout 0]
//!           [--checkpointing] [--vocabulary N]    trains an adapter on it, a fresh one where the folder doesn't exist
//!
//! One line tells the losses, the tokens of a step, the median of its seconds without the first, its user time, the peak
//! memory, and what share of the user time the matrix products alone would take at the product's own rate.

use anyhow::{Context, Result};
use serde_json::json;
use shared::run::{LoraSpec, Projection};
use std::{path::Path, time::Instant};
use trainer::{
    Model, Precision,
    bench::{Bench, peak_memory},
    config::ModelConfig,
    lora::Adapter,
};

struct Arguments(Vec<String>);

impl Arguments {
    fn text(&self, name: &str) -> Option<&str> {
        let at = self.0.iter().position(|argument| argument == name)?;
        self.0.get(at + 1).map(String::as_str)
    }

    fn number(&self, name: &str, otherwise: f64) -> Result<f64> {
        match self.text(name) {
            Some(text) => text.parse().with_context(|| format!("`{name}` takes a number")),
            None => Ok(otherwise),
        }
    }
}

fn main() -> Result<()> {
    let arguments = Arguments(std::env::args().collect());
    let folder = Path::new(arguments.text("--model").context("give `--model DIR`")?);
    if let Some(shape) = arguments.text("--write") {
        std::fs::create_dir_all(folder)?;
        Model::random(config(shape)?, 0)?.save(folder, Precision::Bf16)?;
        return Ok(());
    }
    let threads = arguments.number("--threads", 2.0)? as usize;
    let steps = arguments.number("--steps", 8.0)? as usize;
    let batch = arguments.number("--batch", 8.0)? as usize;
    let length = arguments.number("--length", 256.0)? as usize;
    let lora = LoraSpec {
        rank: 16,
        alpha: 32.0,
        dropout: arguments.number("--dropout", 0.0)?,
        targets: Projection::ALL.to_vec(),
    };
    let model = Model::load(folder)?;
    let vocabulary = model.config().vocab_size;
    let adapter = match arguments.text("--adapter").map(Path::new) {
        Some(saved) if saved.exists() => Adapter::load(saved, &model, &lora)?,
        saved => {
            let adapter = Adapter::random(&model, &lora, 0)?;
            saved.map_or(Ok(()), |folder| adapter.save("bench", folder))?;
            adapter
        }
    };
    let texts: Vec<Vec<u32>> = (0..batch)
        .map(|row| {
            (0..length)
                .map(|place| ((row * 977 + place * 131) % vocabulary) as u32)
                .collect()
        })
        .collect();
    let checkpointing = arguments.0.iter().any(|argument| argument == "--checkpointing");
    let mut bench = Bench::new(model, adapter, threads, checkpointing)?;
    let (mut losses, mut seconds, mut user) = (Vec::new(), Vec::new(), 0.0);
    for step in 0..steps.max(2) {
        let (start, before) = (Instant::now(), user_seconds()?);
        losses.push(bench.step(&texts));
        if step > 0 {
            seconds.push(start.elapsed().as_secs_f64());
            user += user_seconds()? - before;
        }
    }
    let user = user / seconds.len() as f64;
    seconds.sort_by(f64::total_cmp);
    let median = seconds[seconds.len() / 2];
    let peak = peak_memory().context("this system tells no peak of memory")?;
    let operations = bench.step_operations(&vec![length; batch]);
    let rate = bench.product_rate(batch * length, |work| -> Result<f64> {
        let before = user_seconds()?;
        work();
        Ok(user_seconds()? - before)
    })?;
    let losses: Vec<String> = losses.iter().map(f64::to_string).collect();
    println!(
        "losses={} tokens={} step_seconds={median:.4} user_seconds={user:.3} peak_bytes={peak} share={:.3}",
        losses.join(","),
        batch * length,
        operations / user / rate
    );
    Ok(())
}

/// `small` is small enough to train in a test, `135m` has the shape of SmolLM2-135M.
fn config(shape: &str) -> Result<ModelConfig> {
    let (vocabulary, hidden, inner, layers, heads, key_heads) = match shape {
        "small" => (4096, 256, 704, 6, 8, 8),
        "135m" => (49_152, 576, 1536, 30, 9, 3),
        _ => anyhow::bail!("`--write` takes `small` or `135m`"),
    };
    let text = json!({
        "model_type": "llama", "vocab_size": vocabulary, "hidden_size": hidden, "intermediate_size": inner,
        "num_hidden_layers": layers, "num_attention_heads": heads, "num_key_value_heads": key_heads,
        "max_position_embeddings": 2048, "rms_norm_eps": 1e-5, "tie_word_embeddings": true, "eos_token_id": 0
    });
    Ok(ModelConfig::parse(&text.to_string())?)
}

/// User time of all threads of this process so far.
fn user_seconds() -> Result<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let (_, fields) = stat
        .rsplit_once(") ")
        .context("/proc/self/stat is of another form")?;
    let ticks: u64 = fields
        .split(' ')
        .nth(11)
        .context("no user time in /proc/self/stat")?
        .parse()?;
    Ok(ticks as f64 / 100.0)
}
