//! Measures LoRA training: the counterpart of `reference/bench_peft.py`, on the same model, data and threads.
//!
//!     cargo run --release -p trainer --example bench -- [--threads 2] [--steps 12]

use anyhow::{Context, Result};
use shared::run::{LoraSpec, Projection};
use std::time::Instant;
use trainer::{
    Model,
    bench::Bench,
    config::{Family, ModelConfig},
    rope::RopeScaling,
};

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    let number = |name: &str, otherwise: usize| -> Result<usize> {
        match arguments.iter().position(|argument| argument == name) {
            Some(at) => Ok(arguments
                .get(at + 1)
                .context("an option lacks its value")?
                .parse()?),
            None => Ok(otherwise),
        }
    };
    let (threads, steps) = (number("--threads", 2)?, number("--steps", 12)?);
    let (batch, length) = (number("--batch", 8)?, number("--length", 256)?);
    let config = ModelConfig {
        family: Family::Llama,
        vocab_size: 4096,
        hidden_size: 256,
        intermediate_size: 704,
        num_hidden_layers: 6,
        num_attention_heads: 8,
        num_key_value_heads: 8,
        head_dim: 32,
        max_position_embeddings: 1024,
        rms_norm_eps: 1e-6,
        rope_theta: 10_000.0,
        rope_scaling: RopeScaling::Default,
        tie_word_embeddings: true,
        qkv_bias: false,
        output_bias: false,
        mlp_bias: false,
        bos_token_id: None,
        eos_token_ids: Vec::new(),
    };
    let lora = LoraSpec {
        rank: 16,
        alpha: 32.0,
        dropout: 0.0,
        targets: Projection::ALL.to_vec(),
    };
    let tokens: Vec<Vec<u32>> = (0..batch)
        .map(|row| {
            (0..length)
                .map(|place| ((row * 977 + place * 131) % 4096) as u32)
                .collect()
        })
        .collect();
    let mut bench = Bench::new(Model::random(config, 0)?, &lora, threads)?;
    let mut seconds = Vec::new();
    for step in 0..steps {
        let start = Instant::now();
        bench.step(&tokens);
        if step >= 2 {
            seconds.push(start.elapsed().as_secs_f64());
        }
    }
    seconds.sort_by(f64::total_cmp);
    let median = seconds[seconds.len() / 2];
    println!(
        "step_seconds={median:.4} tokens_per_second={:.0} peak_rss_mb={:.0}",
        (batch * length) as f64 / median,
        peak_memory()? as f64 / 1e6
    );
    Ok(())
}

/// The largest resident memory of this process so far, in bytes.
fn peak_memory() -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM:"))
        .context("no VmHWM in /proc/self/status")?;
    let kilobytes: u64 = line
        .split_whitespace()
        .nth(1)
        .context("VmHWM has no value")?
        .parse()?;
    Ok(kilobytes * 1024)
}
